import t from 'tap';
import { ago, clock, count } from './format.ts';

t.test('lengths read as clocks', async (t) => {
  t.equal(clock(0), '0:00');
  t.equal(clock(65.9), '1:05');
  t.equal(clock(3723), '1:02:03');
  t.equal(clock(-3), '0:00');
});

t.test('distances and numbers follow the language', async (t) => {
  const now = Date.UTC(2026, 10, 20);
  t.equal(ago('en', now - 3 * 86_400_000, now), '3 days ago');
  t.equal(ago('ko', now - 3 * 86_400_000, now), '3일 전');
  t.equal(ago('en', new Date(now).toISOString(), now), 'now');
  t.equal(count('ko', 12_345), '1.2만');
  t.equal(count('en', 1_234), '1,234');
});

import t from 'tap';
import { ago, bitRateText, bytesText, clock, count, percentText, spanText } from './format.ts';

t.test('lengths read as clocks', async (t) => {
  t.equal(clock(0), '0:00');
  t.equal(clock(65.9), '1:05');
  t.equal(clock(29.999999), '0:30');
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

t.test('sizes are written in three figures', async (t) => {
  t.equal(bytesText('en', 0), '0 bytes');
  t.equal(bytesText('en', 999), '999 bytes');
  t.equal(bytesText('en', 1_234_567_890), '1.2 GB');
  t.equal(bytesText('en', 999_700), '1 MB');
  t.equal(bytesText('ko', 20e9), '20GB');
  t.equal(bytesText('en', 4.2e15), '4,200 TB');
});

t.test('only what is whole is written as a hundred per cent', async (t) => {
  t.equal(percentText('en', 0.999), '99%');
  t.equal(percentText('en', 1), '100%');
  t.equal(percentText('ko', 0.425), '42%');
  t.equal(percentText('en', -1), '0%');
});

t.test('remaining time is written in one unit', async (t) => {
  t.equal(spanText('en', 0.2), '1 second');
  t.equal(spanText('en', 12), '15 seconds');
  t.equal(spanText('en', 58), '1 minute');
  t.equal(spanText('ko', 150), '3분');
  t.equal(spanText('en', 3_600), '1 hour');
  t.equal(spanText('en', 200_000), '2 days');
});

t.test('rates are written in two figures, and in the unit that fits', async (t) => {
  t.same([792_930, 350_000, 994_900].map((rate) => bitRateText('en', rate)), ['790 kbps', '350 kbps', '990 kbps']);
  t.same([995_000, 1_192_930, 9_960_000, 14_600_000].map((rate) => bitRateText('ko', rate)), ['1 Mbps', '1.2 Mbps', '10 Mbps', '15 Mbps']);
});

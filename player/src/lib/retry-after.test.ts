import t from 'tap';
import { retryAfterMs } from './retry-after.ts';

t.test('seconds and dates are understood, and neither is obeyed for ever', async (t) => {
  const now = Date.UTC(2026, 0, 1);
  t.equal(retryAfterMs('12', now), 12_000);
  t.equal(retryAfterMs(' 0 ', now), 0);
  t.equal(retryAfterMs(new Date(now + 5_000).toUTCString(), now), 5_000);
  t.equal(retryAfterMs(new Date(now - 5_000).toUTCString(), now), 0);
  t.equal(retryAfterMs('99999999', now), 3_600_000);
});

t.test('what is neither says nothing', async (t) => {
  for (const header of [null, '', ' ', 'soon', '-', '1.5.2']) t.equal(retryAfterMs(header, 0), null, String(header));
});

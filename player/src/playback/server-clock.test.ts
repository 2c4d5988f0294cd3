import t from 'tap';
import { offsetOf, readSample } from './server-clock.ts';

t.test('the offset is that of the quickest answer, taken in the middle of its way', async (t) => {
  const slow = { sent: 1000, received: 2000, server: 91_000, coarse: 0 };
  const quick = { sent: 3000, received: 3040, server: 93_015, coarse: 0 };
  t.equal(offsetOf([slow, quick]), 93_015 - 3020);
  t.equal(offsetOf([]), null);
});

t.test('an exact date wins over a header, and a header over nothing', async (t) => {
  const header = 'Sat, 21 Nov 2026 10:00:05 GMT';
  const exact = readSample(0, 100, '2026-11-21T10:00:05.250Z\n', header);
  t.equal(exact?.server, Date.parse('2026-11-21T10:00:05.250Z'));
  const coarse = readSample(0, 10, null, header);
  t.equal(coarse?.server, Date.parse(header));
  t.equal(offsetOf([coarse, exact].filter((sample) => sample !== null)), Date.parse('2026-11-21T10:00:05.250Z') - 50);
  t.equal(offsetOf([coarse].filter((sample) => sample !== null)), Date.parse(header) + 500 - 5, 'a second is on average half over');
  t.equal(readSample(0, 1, '<!doctype html><html><body>not a date at all</body></html>', null), null);
  t.equal(readSample(0, 1, 'soon', 'never'), null);
});

import t from 'tap';
import { isoDate } from './iso-date.ts';

t.test('every date is what the platform writes', async (t) => {
  let state = 7;
  const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const begin = Date.UTC(2026, 10, 21);
  let wall = begin;
  for (let round = 0; round < 20_000; round++) {
    // Onwards by seconds, now and then by days, now and then back; fractions of a millisecond too.
    wall += round % 97 === 0 ? (random() - 0.5) * 1e10 : random() * 4000;
    if (isoDate(wall) !== new Date(Math.round(wall)).toISOString()) return t.fail(`${wall}: ${isoDate(wall)}`);
  }
  for (const edge of [0, 59_999.4, 59_999.5, 59_999.6, 60_000, -1]) t.equal(isoDate(begin + edge), new Date(Math.round(begin + edge)).toISOString());
});

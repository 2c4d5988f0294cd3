import t from 'tap';
import { beginningOf, bufferedUntil, clampTo, dateAt, fellOut } from './dvr.ts';

const fragments = (programDateTime: number | null) =>
  Array.from({ length: 5 }, (_, n) => ({
    start: 10 + n * 2,
    duration: 2,
    // An outage of a minute between the second and the third: media time goes on, the wall clock has jumped.
    programDateTime: programDateTime === null ? null : programDateTime + n * 2000 + (n > 1 ? 60_000 : 0),
  }));

t.test('a media time has the date of the fragment in which it lies, also behind an outage', async (t) => {
  t.equal(dateAt(fragments(1_000_000), 10), 1_000_000);
  t.equal(dateAt(fragments(1_000_000), 13.5), 1_003_500);
  t.equal(dateAt(fragments(1_000_000), 14), 1_064_000);
  t.equal(dateAt(fragments(1_000_000), 20.4), 1_070_400, 'parts of the fragment that is being made count on');
  t.equal(dateAt(fragments(1_000_000), 9), 999_000, 'what has just left the list too');
});

t.test('without dates, or without a list, there is no date', async (t) => {
  t.equal(dateAt(fragments(null), 12), null);
  t.equal(dateAt([], 12), null);
});

t.test('the beginning of a window that moves is entered a little inside, and one that stays at its first picture', async (t) => {
  t.equal(beginningOf({ from: 100, to: 3700 }, true), 106);
  t.equal(beginningOf({ from: 100, to: 108 }, true), 102, 'a small window keeps most of itself');
  t.equal(beginningOf({ from: 0, to: 3600 }, false), 0);
});

t.test('whoever was away for longer than is listed has fallen out, unless the buffer reaches back in', async (t) => {
  t.ok(fellOut({ from: 100, to: 160 }, 40, 70));
  t.notOk(fellOut({ from: 100, to: 160 }, 95, 125), 'a little outside, and the buffer reaches in');
  t.notOk(fellOut({ from: 100, to: 160 }, 101, 101));
});

const ranges = (...pairs: readonly (readonly [number, number])[]): TimeRanges => ({
  length: pairs.length,
  start: (n) => pairs[n]?.[0] ?? NaN,
  end: (n) => pairs[n]?.[1] ?? NaN,
});

t.test('what is buffered at a place is the end of the range that holds it', async (t) => {
  t.equal(bufferedUntil(ranges([0, 5], [10, 20]), 12), 20);
  t.equal(bufferedUntil(ranges([0, 5], [10, 20]), 7), 7);
  t.equal(bufferedUntil(ranges([10, 20]), 9.95), 20, 'a picture that begins a little later than its sound');
  t.equal(bufferedUntil(ranges(), 3), 3);
});

t.test('no seek leaves the window', async (t) => {
  t.equal(clampTo({ from: 10, to: 20 }, 5), 10);
  t.equal(clampTo({ from: 10, to: 20 }, 25), 20);
  t.equal(clampTo({ from: 10, to: 9 }, 12), 10, 'also one that holds nothing yet');
});

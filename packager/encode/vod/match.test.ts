import t from 'tap';
import { decodeTimes, MatchError, RungMatch, type MatchedSegment, type MatchPicture } from './match.ts';

const data = Buffer.from('x');
const picture = (stamp: number, idr = false): MatchPicture => ({ stamp, idr, data });
const segments = [
  { start: 100, end: 400, pts: [100, 200, 300], stamps: [11, 20, 30] },
  { start: 400, end: 600, pts: [400, 500], stamps: [41, 50] },
];

const matched = (pictures: readonly MatchPicture[], to = Infinity): MatchedSegment[] => {
  const found: MatchedSegment[] = [];
  const match = new RungMatch(segments, { from: 11, to }, (segment) => found.push(segment));
  for (const one of pictures) match.picture(one);
  match.end();
  return found;
};

t.test('pictures get the times of the source in the order in which they are shown, and are decoded one after the other', async (t) => {
  const [first, second] = matched([picture(11, true), picture(30), picture(20), picture(41, true), picture(50)]);
  t.same(first?.samples.map(({ duration, compositionOffset, key }) => [duration, compositionOffset, key]), [[100, 0, true], [100, 100, false], [100, -100, false]]); // prettier-ignore
  t.same(second?.samples.map(({ duration, compositionOffset }) => [duration, compositionOffset]), [[100, 0], [100, 0]]); // prettier-ignore
  t.equal(second?.firstPts, 400);
});

t.test('what was fed for others to be decoded is thrown away', async (t) => {
  const all = [picture(11, true), picture(20), picture(30), picture(41, true), picture(50)];
  t.equal(matched([picture(1, true), picture(5), ...all, picture(61, true), picture(70)], 61).length, 2);
  t.throws(() => matched([...all, picture(61, true)], 71), MatchError);
});

t.test('where the source is damaged the one before shows for as long as both, and all else is a fault still', async (t) => {
  const found: MatchedSegment[] = [];
  const lossy = (pictures: readonly MatchPicture[]): RungMatch => {
    const match = new RungMatch(segments, { from: 11, to: Infinity }, (segment) => found.push(segment), true);
    for (const one of pictures) match.picture(one);
    match.end();
    return match;
  };
  t.same(lossy([picture(11, true), picture(30), picture(41, true)]).lost, [20, 50]);
  t.same(found.map(({ samples }) => samples.map(({ duration }) => duration)), [[200, 100], [200]]); // prettier-ignore
  const cases: Record<string, MatchPicture[]> = {
    'the first one': [picture(20, true), picture(30), picture(41, true), picture(50)],
    'a whole segment': [picture(11, true), picture(20), picture(30)],
    'at another time': [picture(11, true), picture(21), picture(41, true), picture(50)],
    'the key picture of the second': [picture(11, true), picture(20), picture(30), picture(50)],
  };
  for (const [name, pictures] of Object.entries(cases)) t.throws(() => lossy(pictures), MatchError, name);
});

t.test('whatever is missing, too much, at another time or no key picture is a fault', async (t) => {
  const cases: Record<string, MatchPicture[]> = {
    'nothing at all': [],
    'a picture missing': [picture(11, true), picture(20), picture(41, true), picture(50)],
    'a segment missing': [picture(11, true), picture(20), picture(30)],
    'the last one short': [picture(11, true), picture(20), picture(30), picture(41, true)],
    'one twice': [picture(11, true), picture(20), picture(20), picture(41, true), picture(50)],
    'one too many': [picture(11, true), picture(20), picture(30), picture(35), picture(41, true), picture(50)],
    'a segment too many': [picture(11, true), picture(20), picture(30), picture(41, true), picture(50), picture(60, true)],
    'at another time': [picture(11, true), picture(20), picture(31), picture(41, true), picture(50)],
    'no key picture': [picture(11), picture(20), picture(30), picture(41, true), picture(50)],
    'none in the middle': [picture(11, true), picture(20), picture(30), picture(41), picture(50)],
    'one where none is asked for': [picture(11, true), picture(20, true), picture(30), picture(41, true), picture(50)],
  };
  for (const [name, pictures] of Object.entries(cases)) t.throws(() => matched(pictures), MatchError, name);
});

t.test('decoding begins with the segment and ends with it, whatever the moments are like', async (t) => {
  t.same(decodeTimes([100, 200, 300], 100, 400), [100, 200, 300]);
  t.same(decodeTimes([160, 260, 360], 100, 400), [100, 200, 300], 'the key picture of an open GOP is shown later than it is decoded');
  t.same(decodeTimes([100, 300, 450], 100, 400), [100, 300, 399], 'the next one is shown later still');
  t.same(decodeTimes([100, 450, 460, 470], 100, 400), [100, 397, 398, 399]);
  t.same(decodeTimes([100, 100, 100], 100, 400), [100, 101, 102], 'one moment said three times');
  for (const times of [decodeTimes([5, 5, 5, 5, 5], 5, 7), decodeTimes([0, 1, 2], 3, 4)]) {
    t.ok(times.every((time, at) => at === 0 || time >= (times[at - 1] ?? 0)), times.join());
  }
});

t.test('an encoder without measure is stopped before it takes the memory', async (t) => {
  const match = new RungMatch([{ start: 0, end: 100, pts: Array.from({ length: 100 }, (_, at) => at), stamps: [1] }], { from: 0, to: Infinity }, () => undefined);
  const large = Buffer.alloc(16 * 2 ** 20);
  t.throws(() => Array.from({ length: 9 }, (_, at) => match.picture({ stamp: 1 + at, idr: at === 0, data: large })), MatchError);
});

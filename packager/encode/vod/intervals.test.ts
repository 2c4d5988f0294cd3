import t from 'tap';
import type { FragmentEntry } from '../../log/types.ts';
import { chunksOf, intervalsOf } from './intervals.ts';

/** `K` a segment that begins with a key picture, `-` one that does not, `.` a part more of it, `G` a hole, `|` another epoch. Each fragment lasts `ticks`. */
const log = (drawn: string, ticks = 90_000) => {
  const entries: FragmentEntry[] = [];
  let epoch = 0;
  for (const sign of drawn) {
    if (sign === '|') epoch += 1;
    else entries.push({ seq: entries.length, epoch, size: sign === 'G' ? 0 : 10, volatile: false, dts: entries.length * ticks, firstPts: entries.length * ticks, duration: ticks, key: sign === 'K', segmentStart: sign !== '.', gap: sign === 'G' });
  }
  const entry = (seq: number): FragmentEntry => {
    const found = entries[seq];
    if (!found) throw new RangeError(`no fragment ${seq}`);
    return found;
  };
  return { first: 0, end: entries.length, entry };
};
const drawn = (text: string, ticks?: number): string[] => intervalsOf(log(text, ticks)).map(({ epoch, from, to, gap }) => `${epoch}:${from}-${to}${gap ? ' gap' : ''}`);

t.test('an interval begins with a key picture, and goes on to the next segment that does', async (t) => {
  t.same(drawn('KKK'), ['0:0-1', '0:1-2', '0:2-3']);
  t.same(drawn('K..K.K'), ['0:0-3', '0:3-5', '0:5-6'], 'of parts');
  t.same(drawn('K.-.-K'), ['0:0-5', '0:5-6'], 'of segments that live cut without a key picture');
  t.same(intervalsOf(log('K..K')).map(({ start, end }) => [start, end]), [[0, 270_000], [270_000, 360_000]]); // prettier-ignore
});

t.test('what cannot be decoded is a gap: holes, and what hangs on them', async (t) => {
  t.same(drawn('KGK'), ['0:0-1', '0:1-2 gap', '0:2-3']);
  t.same(drawn('KGG-.K'), ['0:0-1', '0:1-5 gap', '0:5-6']);
  t.same(drawn('K.G.K'), ['0:0-2', '0:2-4 gap', '0:4-5']);
  t.same(drawn('-K'), ['0:0-1 gap', '0:1-2'], 'the beginning of it was trimmed');
  t.same(drawn(''), []);
});

t.test('nothing goes from one epoch into another', async (t) => {
  t.same(drawn('K|-|K.'), ['0:0-1', '1:1-2 gap', '2:2-4']);
  t.same(drawn('KG|GK'), ['0:0-1', '0:1-2 gap', '1:2-3 gap', '1:3-4']);
});

const seconds = (text: string, each: number): number[] => chunksOf(intervalsOf(log(text, each)), 1).map((chunk) => chunk.seconds);

t.test('chunks are about half a minute, of whole intervals', async (t) => {
  t.same(seconds('K'.repeat(60), 2), [30, 30, 30, 30]);
  t.same(seconds('K'.repeat(10), 7), [35, 35]);
  t.same(seconds('KKK', 25), [50, 25]);
  t.same(seconds('KKK', 100), [100, 100, 100], 'one that is longer stays whole');
  t.same(seconds('KK', 29), [58]);
  t.same(seconds('K'.repeat(47), 2), [30, 30, 34], 'what is left over goes up in the one before it');
  t.same(seconds('KKKKK', 14), [42, 28], 'all of them');
  t.same(seconds('K', 3), [3]);
  t.same(chunksOf(intervalsOf(log('KK|KGK', 10)), 1).map(({ epoch, from, to }) => [epoch, from, to]), [[0, 0, 2], [1, 2, 3], [1, 4, 5]]); // prettier-ignore
});

t.test('whatever the intervals are like, chunks have each of them once and are no longer than they may be', async (t) => {
  for (let least = 1; least < 75; least += 1) {
    for (let count = 1; count < 30; count += 1) {
      const intervals = intervalsOf(log('K'.repeat(count), least));
      const chunks = chunksOf(intervals, 1);
      t.same([chunks[0]?.from, chunks.at(-1)?.to], [0, count]);
      if (chunks.some(({ from }, at) => at > 0 && from !== chunks[at - 1]?.to)) t.fail(`${count} of ${least} s: a hole`);
      if (chunks.some((chunk) => chunk.seconds > Math.max(60, least))) t.fail(`${count} of ${least} s: too long`);
      if (count * least >= 15 && chunks.some((chunk) => chunk.seconds < 15) && least < 15) t.fail(`${count} of ${least} s: too short`);
    }
  }
});

/** The parts of the progressive view by themselves: long files, odd samples, damaged heads. */
import { createFile, MP4BoxBuffer } from 'mp4box';
import t from 'tap';
import { Random, fuzz } from '../../test/support/random.ts';
import { fragment, type Sample } from '../cmaf/fragment.ts';
import { initSegment } from '../cmaf/init.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { readFragments } from '../cmaf/reader.ts';
import { encodeAvcConfig } from '../media/h264.ts';
import { PretendStream } from '../hls/pretend-stream.ts';
import { ProgressiveBuilder } from './file.ts';
import { readHead } from './fragment-head.ts';
import { parseProgressiveName, progressiveName } from './names.ts';
import { progressivePlan, type PlannedTrack, type ProgressivePlan } from './plan.ts';
import { SampleTable } from './sample-table.ts';

const avcC = encodeAvcConfig([Buffer.from('6764000aacd942846840000003004000000c83c4896580', 'hex')], [Buffer.from('68ebe3cb22c0', 'hex')]);
const entry = ((): Buffer => {
  const init = initSegment({ kind: 'video', codec: 'h264', config: avcC, timescale: 90_000, width: 160, height: 90 });
  const at = init.indexOf('avc1', init.indexOf('stsd')) - 4;
  return init.subarray(at, at + init.readUInt32BE(at));
})();
const track: PlannedTrack = { id: 'v0', kind: 'video', timescale: 90_000, language: 'und', entries: [entry], width: 160 << 16, height: 90 << 16, matrix: Buffer.alloc(36) };

const random = new Random(5);
const samples = (count: number, uniform: boolean): Sample[] =>
  Array.from({ length: count }, (_, n) => {
    const data = Buffer.alloc(uniform ? 40 : 1 + random.below(90), n);
    return { duration: uniform ? 3000 : 1 + random.below(9000), size: data.length, key: n === 0 || random.below(5) === 0, compositionOffset: uniform ? 0 : random.below(9000) - 4500, data };
  });
const fragments = Array.from({ length: 60 }, (_, n) =>
  Buffer.concat(fragment({ sequence: n + 1, baseDecodeTime: n * 100_000, kind: n % 7 === 0 ? 'audio' : 'video', samples: samples(1 + random.below(20), n % 3 === 0) })),
);

t.test('a head says of its samples what the reader of whole fragments says, with no byte of media', async (t) => {
  for (const bytes of fragments) {
    const [facts] = readFragments(bytes);
    if (!facts) return t.fail('no fragment');
    const rows: unknown[] = [];
    const head = readHead(bytes.subarray(0, facts.moofSize), bytes.length, (duration, size, cts, key) => rows.push({ duration, size, cts, key }));
    const wanted = facts.samples.map(({ duration, size, cts, key }) => ({ duration, size, cts, key }));
    if (JSON.stringify(rows) !== JSON.stringify(wanted)) t.same(rows, wanted);
    const last = facts.samples.at(-1);
    t.match(head, { time: facts.baseDecodeTime, from: facts.samples[0]?.offset, to: (last?.offset ?? 0) + (last?.size ?? 0) });
  }
});

t.test('damaged heads are refused with a code, whatever the damage', async (t) => {
  const { accepted, refused } = fuzz((input) => readHead(input, 4000, () => undefined), CmafError, fragments, { count: 40_000, seed: 9 });
  t.ok(accepted > 200 && refused > 20_000, `${accepted} accepted, ${refused} refused`);
  const builder = new ProgressiveBuilder({ tracks: [track], fragments: [{ track: 0, seq: 0, size: 100, entry: 0 }] });
  t.throws(() => builder.add(Buffer.from('nothing of the kind')), { name: 'ProgressiveError', code: 'invalid' });
  t.throws(() => builder.finish(), { name: 'RangeError' });
});

/** A fragment of one sample that claims to have so many bytes: only its head is ever looked at. */
const hugeHead = (n: number, bytes: number): Buffer => {
  const one = { duration: 3000, size: 1, key: true, compositionOffset: 0, data: Buffer.alloc(1) };
  const head = Buffer.concat(fragment({ sequence: n + 1, baseDecodeTime: n * 3000, kind: 'video', samples: [one] }));
  // tfhd: size, type, version and flags, track, duration, then the size of each sample.
  head.writeUInt32BE(bytes, head.indexOf('tfhd') + 16);
  return head;
};

t.test('more than 4 GiB: offsets and sizes of 64 bits, only then', async (t) => {
  for (const [count, wide] of [[3, false], [6, true]] as const) {
    const size = 2 ** 30;
    const plan: ProgressivePlan = { tracks: [track], fragments: Array.from({ length: count }, (_, seq) => ({ track: 0, seq, size: size + 1000, entry: 0 })) };
    const builder = new ProgressiveBuilder(plan);
    for (let n = 0; n < count; n += 1) builder.add(hugeHead(n, size));
    const file = builder.finish();
    const [head] = [...file.pieces(0, 10_000)];
    if (head?.kind !== 'bytes') return t.fail('no head');
    t.equal(file.length, head.bytes.length + count * size);
    t.equal(head.bytes.includes('co64'), wide);
    t.equal(head.bytes.includes('stco'), !wide);
    const movie = createFile(true);
    movie.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(head.bytes).buffer, 0), true);
    const found = movie.getTrackSamplesInfo(1);
    t.same(found.map(({ offset }) => offset), Array.from({ length: count }, (_, n) => head.bytes.length + n * size));
    const far = [...file.pieces(file.length - size - 5, file.length - size + 5)];
    const inside = hugeHead(0, size).length - 1;
    t.match(far, [
      { seq: count - 2, from: inside + size - 5, to: inside + size },
      { seq: count - 1, from: inside, to: inside + 5 },
    ]);
  }
});

t.test('time that steps back moves no picture; a hole makes the one before it longer', async (t) => {
  const table = new SampleTable();
  table.add(1000, 100, 10, 0, true);
  table.add(1100, 100, 11, -50, false);
  table.add(1150, 100, 12, 0, false);
  table.add(1500, 100, 13, 20, true);
  table.close();
  const expand = ({ counts, values }: SampleTable['durations']): number[] => [...counts.values].flatMap((count, n) => Array<number>(count).fill((values.values[n] ?? 0) | 0));
  t.same(expand(table.durations), [100, 50, 350, 100]);
  t.same(expand(table.offsets), [0, -50, 0, 20]);
  t.match({ ...{ count: table.count, shift: table.shift, duration: table.duration, begin: table.begin, firstShown: table.firstShown, shownUntil: table.shownUntil } }, { count: 4, shift: 50, duration: 600, begin: 1000, firstShown: 1000, shownUntil: 1620 });
  t.same([...table.keys.values], [1, 4]);

  const back = new SampleTable();
  back.add(1000, 100, 1, 0, true);
  back.add(900, 100, 1, 0, true);
  back.add(1300, 100, 1, 0, true);
  back.close();
  t.same(expand(back.durations), [0, 300, 100]);
  t.same(expand(back.offsets), [0, -100, 0]);
  t.equal(back.firstShown, 900);
});

t.test('a plan lies in the order of time, and leaves out what was never encoded', async (t) => {
  const stream = new PretendStream().segments(2).part().part(1, true).close().segments(1);
  const snapshot = stream.end().snapshot();
  const init = initSegment({ kind: 'video', codec: 'h264', config: avcC, timescale: 90_000, width: 160, height: 90 });
  const real = { ...snapshot, tracks: snapshot.tracks.map((one) => ({ ...one, epochs: one.epochs.map((epoch) => ({ ...epoch, init })) })) };
  const plan = progressivePlan(real, 'v0', 'a0');
  t.equal(plan.fragments.length, 2 * 19);
  t.same(plan.fragments.slice(0, 4).map(({ track: of, seq }) => [of, seq]), [[0, 0], [1, 0], [0, 1], [1, 1]]);
  t.notOk(plan.fragments.some(({ seq }) => seq === 13));
  t.match(plan.tracks[0], { entries: { length: 1 }, width: 160 << 16, height: 90 << 16, language: 'und' });
});

t.test('one file has one name', async (t) => {
  for (const tracks of [['v0', 'a0'], ['v1'], ['a0']]) {
    t.same(parseProgressiveName(progressiveName({ run: 'run1234567', tracks })), { run: 'run1234567', tracks });
  }
  for (const name of ['run1234567.mp4', 'run1234567-v0-v0.mp4', 'run-v0.mp4', 'run1234567-v0-a0-a1.mp4', 'run1234567-0.mp4', `${'a'.repeat(90)}-v0.mp4`]) t.equal(parseProgressiveName(name), null, name);
});

/** Rungs made in chunks by the real ffmpeg, held against their source picture by picture. Sources of all kinds are in test/prove/whole-rungs. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { encoded } from '../../../test/support/encoded.ts';
import { checkRung } from '../../../test/support/whole-checks.ts';
import { encodeOne, joinAll, makeLadder, original, recording, rot, rung, segmentsIn, wholeBench, worksOf, type WholeBench } from '../../../test/support/whole-rungs.ts';
import { nodeDisk } from '../../log/node-disk.ts';
import { openTrackLogReader } from '../../log/open.ts';
import type { Disk, FragmentEntry } from '../../log/types.ts';
import { openMovie } from '../shelve.ts';
import { encodeChunk } from './chunk.ts';
import { openSource } from './source.ts';

const bench = await wholeBench(t);
const scene = (more = '', rate = '30000/1001', seconds = 9): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=256x144:rate=${rate}:duration=${seconds}${more}`, '-pix_fmt', 'yuv420p'];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '1', '-video_track_timescale', '90000'];

/** 29.97, a pyramid of B-pictures, and key frames where nobody expects them. */
const uneven = await encoded('mp4', [...scene(), ...x264, '-bf', '5', '-x264-params', 'b-pyramid=normal:scenecut=0:keyint=1000:open-gop=0', '-force_key_frames', '0,2.1,2.3,4.6,7.0']);
const source = await original(bench, uneven, 'uneven.mp4');
const rungs = [rung('144p', 192, 108), rung('90p', 128, 72, { level: 13, maxRate: 100_000 })];

const filesOf = async (folder: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const bytes = await readFile(join(folder, name)).catch(() => null);
    if (bytes) found[name] = bytes.toString('base64');
  }
  return found;
};

t.test('every rung has the pictures of its source at their moments, across the seams of chunks', async (t) => {
  const made = await makeLadder(t, bench, source, { rungs, each: 1 });
  t.ok(made.chunks.length >= 3);
  const [high, low] = made.rungs;
  if (!high || !low) throw new Error('two were asked for');
  await checkRung(t, bench, made.source, high, { width: 192, height: 108 });
  await checkRung(t, bench, made.source, low, { width: 128, height: 72 });
  t.ok(Math.abs((high.joined.frameRate ?? 0) - 29.97) < 0.01);
});

t.test('a recording of open GOPs, of two epochs, with a hole and with segments that live cut without a key picture', async (t) => {
  const open = await encoded('mp4', [...scene('', '30', 8), ...x264, '-bf', '3', '-x264-params', 'open-gop=1:keyint=66:min-keyint=66:scenecut=0:b-pyramid=normal']);
  const other = await encoded('mp4', ['-f', 'lavfi', '-i', 'testsrc2=size=192x144:rate=25:duration=6', '-pix_fmt', 'yuv420p', ...x264, '-bf', '2', '-g', '1000']);
  const log = await recording(bench, 'show', { epochs: [open, other], holes: [2], limit: 2.5 });
  const made = await makeLadder(t, bench, log, { rungs, each: 2 });
  const [high] = made.rungs;
  if (!high) throw new Error('one was asked for');
  await checkRung(t, bench, made.source, high, { width: 192, height: 108 });
  t.equal(high.log.snapshot().epochs.length, 2);
});

t.test('pictures that are shown for as long as somebody talks about them, with and without a run-up', async (t) => {
  const slides = await encoded('mp4', [...scene('', '1/20', 900), ...x264, '-g', '15', '-bf', '2']);
  // Enough of them close together to be shown twice, behind one that stays.
  const still = await encoded('mp4', [...scene('', '25', 3), '-vf', "setpts='if(eq(N,0),0,15/TB)+PTS'", '-fps_mode', 'vfr', ...x264, '-g', '1000', '-bf', '2']);
  for (const [name, path] of Object.entries({ slides, still })) {
    const made = await makeLadder(t, bench, await original(bench, path, `${name}.mp4`), { rungs: rungs.slice(0, 1), each: 1 });
    for (const one of made.rungs) await checkRung(t, bench, made.source, one, { width: 192, height: 108 });
  }
});

/** Two pictures that nothing hangs on, one of them among those that are fed twice: their slices become filler data, of which a decoder makes nothing. */
const damaged = async (path: string): Promise<number> => {
  const { movie, close } = await openMovie(nodeDisk, path);
  const bytes = await readFile(path);
  const track = movie.tracks.find(({ kind }) => kind === 'video');
  if (track?.kind !== 'video') throw new Error('there is no picture in it');
  const rows = track.samples.rows(0, track.samples.count);
  const free = [...rows.offset].filter((offset, at) => at > 0 && (bytes.readUInt8(offset + 4) & 0x60) === 0);
  const chosen = [free[2] ?? 0, free[40] ?? 0];
  for (const offset of chosen) bytes.writeUInt8(0x0c, offset + 4);
  await close();
  await writeFile(path, bytes);
  return chosen.length;
};

t.test('of a file with damaged pictures all others are there, and the ones before them are shown longer', async (t) => {
  await original(bench, uneven, 'damaged.mp4');
  const lost = await damaged(join(bench.folder, 'damaged.mp4'));
  const made = await makeLadder(t, bench, { kind: 'original', path: 'damaged.mp4', track: 1 }, { rungs, each: 1 });
  const theirs = await segmentsIn(made.source);
  for (const { log } of made.rungs) {
    const ours = await segmentsIn(log);
    t.same(ours.map(({ start, end }) => [start, end]), theirs.map(({ start, end }) => [start, end])); // prettier-ignore
    const times = new Set(ours.flatMap(({ pts }) => pts));
    const all = theirs.flatMap(({ pts }) => pts);
    t.equal(times.size, all.length - lost);
    t.ok([...times].every((time) => all.includes(time)), 'nothing at another time');
  }
  t.equal(made.lost, lost, 'and it is told how many');
});

const entriesIn = async (name: string): Promise<FragmentEntry[]> => {
  const log = await openTrackLogReader({ disk: nodeDisk, folder: join(bench.folder, name) });
  const { end, entry } = log.snapshot();
  await log.close();
  return Array.from({ length: end }, (_, seq) => entry(seq));
};

t.test('what is damaged on the disk is a hole of every rung, as where live lost it, and costs nothing else', async (t) => {
  const clip = (rate: number, gops: string): Promise<string> => encoded('mp4', [...scene('', String(rate), 8), ...x264, '-bf', '2', '-x264-params', `${gops}:min-keyint=${2 * rate}:keyint=${2 * rate}:scenecut=0`]);
  const epochs = [await clip(30, 'open-gop=1'), await clip(25, 'open-gop=0')];
  // In the middle of a chunk, and in the first segment of one, which the chunk before looks into; a chunk of nothing else; a part behind a key picture.
  for (const [index, holes] of [[2, 5, 6], [0, 1, 7]].entries()) {
    const [whole, damaged] = [`whole-${index}`, `damaged-${index}`];
    const declared = await makeLadder(t, bench, await recording(bench, whole, { epochs, holes }), { rungs, each: 2 });
    const log = await recording(bench, damaged, { epochs });
    const starts = (await entriesIn(damaged)).filter(({ segmentStart }) => segmentStart);
    t.equal(starts.length, 8);
    for (const hole of holes) await rot(bench, damaged, (starts[hole]?.seq ?? -1) + (hole === 7 ? 2 : 0));
    const made = await makeLadder(t, bench, log, { rungs, each: 2 });
    t.equal(made.holes, holes.length);
    for (const [at, { log }] of made.rungs.entries()) {
      const ours = await segmentsIn(log);
      const theirs = declared.rungs[at];
      t.same(ours.flatMap(({ gap }, segment) => (gap ? [segment] : [])), holes);
      t.same(ours, theirs && (await segmentsIn(theirs.log)));
      t.same(log.snapshot().epochs.map(({ reorderDelay, codecString }) => [reorderDelay, codecString]), theirs?.log.snapshot().epochs.map(({ reorderDelay, codecString }) => [reorderDelay, codecString])); // prettier-ignore
    }
    t.same((await readdir(bench.place.folder)).sort(), ['root', 'work'], 'nothing is left of the parts');
  }
  const log = await recording(bench, 'gone', { epochs });
  for (const { seq } of await entriesIn('gone')) await rot(bench, 'gone', seq);
  await t.rejects(makeLadder(t, bench, log, { rungs, each: 2 }), { name: 'EncodeError', code: 'broken', recoverable: false }, 'of nothing there is no track');
});

t.test('what is read wrongly once is no hole', async (t) => {
  const log = await recording(bench, 'once', { epochs: [uneven] });
  const { size = 0 } = (await entriesIn('once'))[3] ?? {};
  let wrong = 0;
  const disk: Disk = {
    ...nodeDisk,
    open: async (path, mode) => {
      const file = await nodeDisk.open(path, mode);
      const read = async (offset: number, length: number): Promise<Buffer> => {
        const bytes = await file.read(offset, length);
        if (length === size && (wrong += 1) === 1) bytes.writeUInt8(bytes.readUInt8(length >> 1) ^ 1, length >> 1);
        return bytes;
      };
      return { read, size: () => file.size(), write: (offset, data) => file.write(offset, data), truncate: (bytes) => file.truncate(bytes), datasync: () => file.datasync(), close: () => file.close() };
    },
  };
  const { log: source, close } = await openSource(nodeDisk, bench.folder, log);
  const [work] = worksOf(log, source.snapshot(), { rungs, each: 2 });
  await close();
  if (!work) throw new Error('there is nothing to do');
  t.match(await encodeOne(bench, work, { disk }), { isNew: true, lost: 0, holes: 0 });
  t.ok(wrong > 2, 'it was read again');
});

t.test('the same work gives the same bytes, also where it was broken off before, and nothing of what was begun stays', async (t) => {
  const { log, close } = await openSource(nodeDisk, bench.folder, source);
  const works = worksOf(source, log.snapshot(), { rungs, each: 3 });
  await close();
  const [work] = works;
  if (!work) throw new Error('there is nothing to do');
  const elsewhere = async (name: string): Promise<WholeBench> => {
    const folder = join(bench.folder, name);
    await original({ folder }, uneven, 'uneven.mp4');
    return { ...bench, folder };
  };
  const first = await encodeOne(await elsewhere('once'), work);
  t.ok(first.isNew);
  const unwanted = new AbortController();
  const again = await elsewhere('again');
  const broken = encodeOne(again, work, { signal: unwanted.signal, progress: (done) => done > 0.3 && unwanted.abort() });
  await t.rejects(broken, { name: 'EncodeError', code: 'unwanted' });
  t.same(await readdir(again.folder), ['uneven.mp4'], 'nothing was put in its place');
  t.same((await readdir(bench.place.folder)).sort(), ['root', 'work'], 'and nothing is left of it');
  t.same(await readdir(bench.place.work), []);
  const told: number[] = [];
  const second = await encodeOne(again, work, { progress: (done) => told.push(done) });
  t.same(await filesOf(second.folder), await filesOf(first.folder));
  t.equal(second.address, first.address);
  t.same(told, told.toSorted((a, b) => a - b));
  t.equal(told.at(-1), 1);
  t.notOk((await encodeOne(again, work)).isNew, 'what is there already is not made again');
});

t.test('an ffmpeg that leaves out a picture, adds one or forgets a key picture is a fault, and nothing is kept of it', async (t) => {
  const { log, close } = await openSource(nodeDisk, bench.folder, source);
  const [work] = worksOf(source, log.snapshot(), { rungs, each: 2 });
  await close();
  if (!work) throw new Error('there is nothing to do');
  const altered = (change: (arg: string) => string) => ({ piped: (run: Parameters<WholeBench['sandbox']['piped']>[0]) => bench.sandbox.piped({ ...run, args: run.args.map(change) }) });
  const folder = join(bench.folder, 'altered');
  await original({ folder }, uneven, 'uneven.mp4');
  const alterations: Record<string, (arg: string) => string> = {
    'one picture fewer': (arg) => arg.replace('[s1]', "[s1]select='not(eq(n,33))',"),
    'the last one missing': (arg) => arg.replace('[s1]', "[s1]select='lt(n,100)',"),
    'one picture more': (arg) => arg.replace('[0:v]', "[0:v]loop=1:1:40,"),
    'a key picture less': (arg) => (arg.startsWith('expr:') ? 'expr:eq(n,0)' : arg),
    'another size': (arg) => arg.replace('scale=192:108', 'scale=192:110'),
    'no program that runs': (arg) => arg.replace('libx264', 'libx26'),
  };
  for (const [name, change] of Object.entries(alterations)) {
    await t.rejects(encodeOne({ ...bench, folder }, work, { sandbox: altered(change) }), { name: 'EncodeError', code: 'encode-failed', recoverable: true }, name);
  }
  t.same(await readdir(folder), ['uneven.mp4']);
});

t.test('what is torn is told apart, and what does not fit is no track', async (t) => {
  const made = await makeLadder(t, bench, source, { rungs: rungs.slice(1), each: 1 });
  const [one] = made.chunks;
  if (!one) throw new Error('there are no chunks');
  const snapshot = made.source.snapshot();
  const log = join(one.folder, '90p');
  const extent = (await readdir(log)).find((name) => name.endsWith('.cmaf'));
  if (!extent) throw new Error(`there is none among ${(await readdir(log)).join()}`);
  const whole = await readFile(join(log, extent));
  const into = join(bench.folder, 'joined');
  const damaged = Buffer.from(whole);
  damaged.writeUInt8(damaged.readUInt8(whole.length - 100) ^ 0xff, whole.length - 100);
  for (const bytes of [whole.subarray(0, whole.length - 100), damaged, Buffer.alloc(0)]) {
    await writeFile(join(log, extent), bytes);
    t.match(await joinAll(snapshot, made.chunks, '90p', into), { kind: 'torn', chunks: [{ from: one.from }] });
  }
  await writeFile(join(log, extent), whole);
  t.match(await joinAll(snapshot, made.chunks, 'none', into), { kind: 'torn', chunks: made.chunks.map(({ from }) => ({ from })) });
  // By an encoder that says something else of itself, in one chunk.
  const other = { ...bench, build: 'another', sandbox: { piped: (run: Parameters<WholeBench['sandbox']['piped']>[0]) => bench.sandbox.piped({ ...run, args: run.args.map((arg) => arg.replace('8x8dct=1', '8x8dct=0')) }) } };
  const [work] = worksOf(source, snapshot, { rungs: rungs.slice(1), each: 1 });
  if (!work) throw new Error('there is nothing to do');
  const { folder } = await encodeChunk({ ...other, signal: new AbortController().signal, progress: () => undefined }, work);
  t.match(await joinAll(snapshot, [{ ...one, folder }, ...made.chunks.slice(1)], '90p', into), { kind: 'torn', chunks: made.chunks.map(({ from }) => ({ from })) }, 'all of them are made anew');
  await t.rejects(joinAll(snapshot, made.chunks.slice(1), '90p', into), { code: 'encode-failed' }, 'one is missing');
  await t.rejects(joinAll(snapshot, [...made.chunks, one], '90p', into), { code: 'encode-failed' }, 'one comes twice');
  t.notOk((await readdir(bench.folder)).includes('joined'), 'nothing was written');
  t.match(await joinAll(snapshot, made.chunks.toReversed(), '90p', into), { kind: 'joined' });
});

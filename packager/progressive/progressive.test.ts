/** Shows of ffmpeg's as progressive MP4: judged by ffprobe and mp4box, and by reading any range of them. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFile, Log, MP4BoxBuffer, type Movie, type Sample } from 'mp4box';
import t from 'tap';
import { probe, run, scratch } from '../../test/support/encoded.ts';
import { Random } from '../../test/support/random.ts';
import { readFragments } from '../cmaf/reader.ts';
import { clipFile, clipOf, record, type Recorded } from '../mpegts/recorded.ts';
import type { ProgressiveFile } from './file.ts';
import { progressivePlan } from './plan.ts';
import { openProgressive, readProgressive, type SourceOf } from './read.ts';

await mkdir(scratch, { recursive: true });
t.teardown(() => rm(scratch, { recursive: true, force: true }));

const usualFile = await clipFile(10, 'keyint=60:min-keyint=60:scenecut=0:bframes=2:b-pyramid=normal');
const usual = await clipOf(usualFile);

const gather = async (file: ProgressiveFile, sourceOf: SourceOf, from?: number, to?: number): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of readProgressive(file, sourceOf, from, to)) parts.push(part);
  return Buffer.concat(parts);
};

const made = async (recorded: Recorded, ...tracks: string[]): Promise<{ file: ProgressiveFile; bytes: Buffer }> => {
  const file = await openProgressive(progressivePlan(recorded.snapshot, ...tracks), recorded.log);
  return { file, bytes: await gather(file, recorded.log) };
};

const save = async (name: string, bytes: Buffer): Promise<string> => {
  const path = join(scratch, name);
  await writeFile(path, bytes);
  return path;
};

const frames = async (path: string, map: string): Promise<(string | undefined)[]> =>
  (await run(['-i', path, '-map', map, '-vsync', '0', '-f', 'framehash', '-']))
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => line.split(',').at(-1));

const warnings = async (path: string): Promise<string> =>
  (await promisify(execFile)('ffmpeg', ['-v', 'warning', '-i', path, '-f', 'null', '-'])).stderr;

type Packets = { packets: { pts: number; dts: number; flags: string; size: string }[] };
const packets = async (path: string, stream: string): Promise<Packets['packets']> =>
  ((await probe(path, '-show_packets', '-select_streams', stream)) as Packets).packets;

const judge = (bytes: Buffer): { info: Movie; samples: (track: number) => Sample[]; errors: string[] } => {
  const errors: string[] = [];
  for (const level of ['error', 'warn'] as const) Log[level] = (module, message) => void errors.push(`${module}: ${message}`);
  const file = createFile(true);
  file.onError = (module, message) => errors.push(`${module}: ${message}`);
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(bytes).buffer, 0), true);
  file.flush();
  return { info: file.getInfo(), samples: (track) => file.getTrackSamplesInfo(track), errors };
};

t.test('a show with B-frames becomes a file: every picture, every stamp, all of the sound, not a warning', async (t) => {
  const { file, bytes } = await made(await record([{ clip: usual }]), 'v0', 'a0');
  t.equal(bytes.length, file.length, 'the length that was said');
  const path = await save('usual.mp4', bytes);
  t.equal(await warnings(path), '');
  t.same(await frames(path, '0:v'), await frames(usualFile, '0:v'));
  const shown = (await packets(path, 'v')).map(({ pts }) => pts).sort((a, b) => a - b);
  t.equal(shown.length, 300);
  t.ok(shown.every((pts, n) => Math.abs(pts - n * 3000) <= 90), 'the first picture is at 0, the others where they were');
  t.ok((await packets(path, 'v')).every(({ pts, dts }) => dts <= pts));
  const heard = await packets(path, 'a');
  const sent = usual.units.filter(({ kind }) => kind === 'audio').length;
  t.ok(sent - heard.length <= 1);
  t.ok(heard.every(({ pts }, n) => n === 0 || pts - (heard[n - 1]?.pts ?? 0) === 1024));

  const { info, samples, errors } = judge(bytes);
  t.same(errors, []);
  t.match(info, { hasMoov: true, isFragmented: false, isProgressive: true });
  t.same(info.tracks.map(({ type, nb_samples }) => [type, nb_samples]), [['video', 300], ['audio', heard.length]]);
  t.match(info.tracks[0], { video: { width: 160, height: 90 }, timescale: 90_000 });
  t.equal(samples(1).filter(({ is_sync }) => is_sync).length, 5);
  t.same(samples(1).slice(0, 3).map(({ offset, size }) => bytes.readUInt32BE(offset) < size), [true, true, true], 'samples lie where the tables say');
  const order = [...samples(1), ...samples(2)].sort((a, b) => a.offset - b.offset).map((one) => (one.dts / one.timescale));
  t.ok(order.every((at, n) => n === 0 || at - (order[n - 1] ?? 0) > -1), 'picture and sound lie beside each other');
});

t.test('the sound of the file is what was sent, in step with the picture', async (t) => {
  const { bytes } = await made(await record([{ clip: usual }]), 'v0', 'a0');
  const path = await save('sound.mp4', bytes);
  type Hashed = { packets: { pts_time: string; data_hash: string }[] };
  const read = async (file: string, stream: string): Promise<{ hash: string; at: number }[]> => {
    const found = (await probe(file, '-show_packets', '-show_data_hash', 'md5', '-select_streams', stream)) as Hashed;
    return found.packets.map(({ data_hash, pts_time }) => ({ hash: data_hash, at: Number(pts_time) }));
  };
  const firstPicture = async (file: string): Promise<number> => Math.min(...(await read(file, 'v')).map(({ at }) => at));
  const [ours, theirs] = [await read(path, 'a'), (await read(usualFile, 'a')).slice(-(await read(path, 'a')).length)];
  t.same(ours.map(({ hash }) => hash), theirs.map(({ hash }) => hash), 'frame for frame');
  const [here, there] = [await firstPicture(path), await firstPicture(usualFile)];
  // The wire counts milliseconds; sound is laid end to end from its first frame.
  t.ok(ours.every(({ at }, n) => Math.abs(at - here - ((theirs[n]?.at ?? 0) - there)) < 0.012), 'as far from the first picture as it was');
});

t.test('a track that starts later keeps its place', async (t) => {
  const late = { ...usual, units: usual.units.filter(({ kind, dts }) => kind === 'video' || dts > 110) };
  const recorded = await record([{ clip: late }]);
  const start = (id: string): number => {
    const track = recorded.snapshot.tracks.find((one) => one.id === id);
    return (track?.segments[0]?.start ?? 0) / (track?.timescale ?? 1);
  };
  t.ok(start('a0') > 0.02, `sound starts at ${start('a0')} s`);
  const path = await save('late.mp4', (await made(recorded, 'v0', 'a0')).bytes);
  t.equal(await warnings(path), '');
  const { streams } = (await probe(path, '-show_streams')) as { streams: { codec_type: string; start_time: string }[] };
  const [video, audio] = streams.map(({ start_time }) => Number(start_time));
  t.equal(video, 0);
  t.ok(Math.abs((audio ?? 0) - start('a0')) < 0.0001, `${audio}`);
});

t.test('any range of the file is the same range of the whole, and reads no more than it needs', async (t) => {
  const recorded = await record([{ clip: usual }]);
  const { file, bytes } = await made(recorded, 'v0', 'a0');
  const random = new Random(11);
  const edges = [0, 1, file.length - 1, file.length];
  for (let round = 0; round < 2000; round += 1) {
    const pick = (): number => (random.below(8) === 0 ? (edges[random.below(4)] ?? 0) : random.below(file.length + 1));
    const [from, to] = [pick(), pick()].sort((a, b) => a - b) as [number, number];
    let read = 0;
    const counting: SourceOf = (track) => ({
      read: async (first, end) => {
        const found = await recorded.log(track).read(first, end);
        read += found.reduce((sum, { length }) => sum + length, 0);
        return found;
      },
      readHeads: (first, end, size) => recorded.log(track).readHeads(first, end, size),
    });
    const part = await gather(file, counting, from, to);
    if (!part.equals(bytes.subarray(from, to))) t.fail(`bytes ${from} to ${to} differ`);
    if (read > to - from + 200_000) t.fail(`${read} bytes read for ${to - from}`);
  }
  t.same([...file.pieces(5, 5)], []);
  t.same([...file.pieces(file.length, file.length + 10)], []);
  t.equal((await gather(file, recorded.log, file.length - 10, file.length + 999)).length, 10);
});

t.test('the same show is the same file; another cut, another tag', async (t) => {
  const recorded = await record([{ clip: usual }]);
  const [one, two] = [await made(recorded, 'v0', 'a0'), await made(await record([{ clip: usual }]), 'v0', 'a0')];
  t.same(one.bytes, two.bytes);
  t.equal(one.file.etag, two.file.etag);
  const snapshot = { ...recorded.snapshot, cut: { inMicros: 4_000_000, outMicros: 8_000_000 } };
  const cut = await openProgressive(progressivePlan(snapshot, 'v0', 'a0'), recorded.log);
  t.not(cut.etag, one.file.etag);
  const path = await save('cut.mp4', await gather(cut, recorded.log));
  t.equal(await warnings(path), '');
  t.same(await frames(path, '0:v'), (await frames(usualFile, '0:v')).slice(120, 240));
  t.match(await probe(path, '-show_format'), { format: { start_time: '0.000000' } });
});

t.test('epochs of the same configuration are one track; another configuration is a second sample entry', async (t) => {
  const same = await record([{ clip: usual, until: 5_000 }, { clip: usual, until: 4_000 }]);
  const joined = await made(same, 'v0', 'a0');
  const path = await save('joined.mp4', joined.bytes);
  t.equal(await warnings(path), '');
  t.equal((await frames(path, '0:v')).length, 270);
  t.equal(progressivePlan(same.snapshot, 'v0').tracks[0]?.entries.length, 1);
  const times = (await packets(path, 'v')).map(({ pts }) => pts).sort((a, b) => a - b);
  t.ok(times.every((pts, n) => n === 0 || Math.abs(pts - (times[n - 1] ?? 0) - 3000) <= 3000), 'no hole where they meet');

  const other = await clipOf(await clipFile(4, 'keyint=60:scenecut=0:bframes=0', ['-s', '320x180', '-profile:v', 'main', '-ar', '48000']));
  const mixed = await record([{ clip: usual, until: 5_000 }, { clip: other }]);
  const { bytes } = await made(mixed, 'v0', 'a0');
  const { info, samples, errors } = judge(bytes);
  t.same(errors, []);
  t.equal(info.tracks[0]?.nb_samples, 270);
  t.same([...new Set(samples(1).map(({ description_index }) => description_index))], [0, 1]);
  const changed = await save('mixed.mp4', bytes);
  const sizes = ((await probe(changed, '-show_entries', 'frame=width', '-select_streams', 'v')) as { frames: { width: number }[] }).frames;
  t.same([sizes.filter(({ width }) => width === 160).length, sizes.filter(({ width }) => width === 320).length], [150, 120]);
});

t.test('pictures alone, sound alone, and what is not there', async (t) => {
  const recorded = await record([{ clip: usual }]);
  const silent = await save('silent.mp4', (await made(recorded, 'v0')).bytes);
  t.equal(await warnings(silent), '');
  t.equal((await packets(silent, 'v')).length, 300);
  const heard = await save('heard.mp4', (await made(recorded, 'a0')).bytes);
  t.equal(await warnings(heard), '');
  t.match(await probe(heard, '-show_streams'), { streams: [{ codec_name: 'aac', index: 0 }] });
  t.throws(() => progressivePlan(recorded.snapshot, 'v9'), { name: 'RangeError' });
  const nothing = { ...recorded.snapshot, tracks: recorded.snapshot.tracks.map((track) => ({ ...track, endSegment: 0, firstSegment: 0 })) };
  t.throws(() => progressivePlan(nothing, 'v0', 'a0'), { name: 'ProgressiveError', code: 'empty' });
});

t.test('a hole in the recording is a longer picture, and what follows is where it was', async (t) => {
  const recorded = await record([{ clip: usual }]);
  const tracks = recorded.snapshot.tracks.map((track) => ({
    ...track,
    segments: track.segments.map((one) => (one.msn === 3 ? { ...one, gap: true, parts: one.parts.map((part) => ({ ...part, gap: true, size: 0 })) } : one)),
  }));
  const file = await openProgressive(progressivePlan({ ...recorded.snapshot, tracks }, 'v0', 'a0'), recorded.log);
  const path = await save('hole.mp4', await gather(file, recorded.log));
  t.equal((await frames(path, '0:v')).length, 240);
  const last = Math.max(...(await packets(path, 'v')).map(({ pts }) => pts));
  t.ok(Math.abs(last - 299 * 3000) <= 90, `the last picture is at ${last}`);
});

t.test('heads alone are enough, where the log can give them', async (t) => {
  const recorded = await record([{ clip: usual }]);
  const { file, bytes } = await made(recorded, 'v0', 'a0');
  let most = 0;
  const byHeads: SourceOf = (track) => ({
    read: (from, to) => recorded.log(track).read(from, to),
    readHeads: async (from, to, size) => {
      most = Math.max(most, size);
      return (await recorded.log(track).read(from, to)).map((one) => one.subarray(0, track === 'v0' ? 100 : size));
    },
  });
  const again = await openProgressive(progressivePlan(recorded.snapshot, 'v0', 'a0'), byHeads);
  t.equal(again.etag, file.etag, 'also where a head turns out to be longer than what was asked for');
  t.same(await gather(again, byHeads), bytes);
  t.ok(most <= 4096);
  const log = recorded.log('v0');
  const [fragment] = await log.read(0, 1);
  t.ok(fragment && readFragments(fragment)[0]);
});

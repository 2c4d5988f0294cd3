/** NUT both ways: ffmpeg reads what we write, and we read what ffmpeg writes. */
import { spawn } from 'node:child_process';
import { readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { encoded, probe, run, scratch } from '../../test/support/encoded.ts';
import { fuzz, Random } from '../../test/support/random.ts';
import { sourceClip, type SourceClip } from '../../test/support/source-pictures.ts';
import { fileId, NutError, varint } from './nut.ts';
import { NutReader, type NutItem } from './reader.ts';
import { nutFrameHead, nutHead } from './writer.ts';

await mkdir(scratch, { recursive: true });
t.teardown(() => rm(scratch, { recursive: true, force: true }));

const timescale = 180_000;
const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=192x108:rate=30:duration=2'];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '20', '-video_track_timescale', '90000'];

const clips: Record<string, readonly string[]> = {
  'H.264 with B-frames': [...picture, ...x264, '-bf', '3', '-x264-params', 'b-pyramid=normal:b-adapt=0'],
  'H.264 whose rate varies': [...picture, '-vf', "select='not(mod(n,7))+not(mod(n,5))+not(mod(n,2))'", '-fps_mode', 'vfr', ...x264, '-bf', '2'],
  HEVC: [...picture, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=20:bframes=3', '-tag:v', 'hvc1', '-video_track_timescale', '90000'],
  AV1: [...picture, '-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime', '-g', '20', '-video_track_timescale', '90000'],
  VP9: [...picture, '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '20', '-video_track_timescale', '90000'],
}; // prettier-ignore

const nutOf = ({ pictures, ...stream }: SourceClip): Buffer => {
  const first = Math.min(...pictures.map(({ pts }) => 2 * pts));
  return Buffer.concat([nutHead({ ...stream, timescale }, first), ...pictures.flatMap(({ pts, key, data }) => [nutFrameHead(2 * pts, key, data.length), data])]);
};

type Packets = { packets: { pts: number; flags: string; size: string }[]; streams: { codec_name: string; width: number; height: number; time_base: string }[] };

for (const [name, args] of Object.entries(clips)) {
  t.test(`${name}: ffprobe finds every picture of ours at its very time, and ffmpeg decodes them all`, async (t) => {
    const clip = await sourceClip(await encoded('mp4', args));
    const path = join(scratch, `${name.replaceAll(/\W/g, '')}.nut`);
    await writeFile(path, nutOf(clip));
    const { packets, streams } = (await probe(path, '-show_packets', '-show_streams')) as Packets;
    t.same(packets.map(({ pts, flags, size }) => [pts, flags.startsWith('K'), Number(size)]), clip.pictures.map(({ pts, key, data }) => [2 * pts, key, data.length])); // prettier-ignore
    t.match(streams, [{ codec_name: clip.codec, width: clip.width, height: clip.height, time_base: '1/180000' }]);
    const shown = (await run(['-copyts', '-i', `file:${path}`, '-fps_mode', 'passthrough', '-enc_time_base', '1:180000', '-f', 'framehash', '-hash', 'crc32', '-'])).toString();
    const times = shown.split('\n').filter((line) => /^\d/.test(line)).map((line) => Number(line.split(',')[2])); // prettier-ignore
    t.same(times, clip.pictures.map(({ pts }) => 2 * pts).toSorted((a, b) => a - b));
  });
}

/** What ffmpeg writes to a pipe that nobody can seek in. */
const written = (args: readonly string[]): Promise<Buffer> => run([...args, '-flush_packets', '1', '-f', 'nut', '-write_index', '0', 'pipe:1']);

const readAll = (bytes: Buffer, sizes: () => number = () => bytes.length): { items: NutItem[]; whole: boolean } => {
  const reader = new NutReader();
  const items: NutItem[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + sizes());
    items.push(...reader.push(bytes.subarray(at, end)));
    at = end;
  }
  return { items, whole: reader.whole };
};

const piped = async (more: readonly string[]): Promise<{ bytes: Buffer; expected: [number, boolean, number][] }> => {
  const clip = await encoded('mp4', clips['H.264 with B-frames'] ?? []);
  const bytes = await written(['-copyts', '-i', clip, '-map', '0:v', ...more]);
  const path = join(scratch, 'written.nut');
  await writeFile(path, bytes);
  const { packets } = (await probe(path, '-show_packets')) as Packets;
  return { bytes, expected: packets.map(({ pts, flags, size }) => [pts, flags.startsWith('K'), Number(size)]) };
};
const told = (items: readonly NutItem[]) => items.flatMap((item) => (item.kind === 'picture' ? [[item.pts, item.key, item.data.length]] : []));

const live = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-fps_mode', 'passthrough', '-enc_time_base', '1:180000'];
const ways: Record<string, readonly string[]> = {
  'pictures that it encodes, as for rungs': [...live, '-b:v', '3M'],
  'pictures larger than the steps between its syncpoints': [...live, '-crf', '1', '-vf', 'scale=1280:720,noise=alls=60'],
  'pictures that it passes on, with B-frames': ['-c', 'copy'],
  'an index at the end': [...live, '-write_index', '1'],
};

for (const [name, args] of Object.entries(ways)) {
  t.test(`what ffmpeg writes is read as ffprobe reads it: ${name}`, async (t) => {
    const { bytes, expected } = await piped(args);
    const { items, whole } = readAll(bytes);
    t.ok(whole);
    t.same(told(items), expected);
    t.match(items[0], { kind: 'stream', timeBase: { numerator: 1 } });
    const random = new Random(7);
    t.same(readAll(bytes, () => 1 + random.below(9_000)).items, items, 'however it is cut');
    if (bytes.length < 200_000) t.same(readAll(bytes, () => 1).items, items, 'byte by byte');
  });
}

t.test('heads that come again between pictures are passed over', (t) => {
  const head = nutHead({ codec: 'h264', config: Buffer.from([1]), width: 16, height: 16, timescale, reorder: 0 }, 7);
  const one = Buffer.concat([nutFrameHead(9, true, 3), Buffer.from('abc')]);
  t.same(told(readAll(Buffer.concat([head, one, head.subarray(fileId.length), one])).items), [[9, true, 3], [9, true, 3]]); // prettier-ignore
  t.end();
});

t.test('its pipe mode writes more beside pictures than we take, and that is said', async (t) => {
  const { bytes } = await piped([...live, '-f_strict', 'experimental', '-syncpoints', 'none']);
  t.throws(() => readAll(bytes), { name: 'NutError', code: 'unsupported' });
});

t.test('a picture is there with its last byte, and not with the first of the next', async (t) => {
  const { bytes } = await piped(live);
  const reader = new NutReader();
  let at = 0;
  let pictures = 0;
  while (pictures < 3) {
    const items = reader.push(bytes.subarray(at, at + 1));
    at += 1;
    for (const item of items) if (item.kind === 'picture') {
      pictures += 1;
      t.ok(bytes.subarray(at - 20, at).equals(item.data.subarray(-20)));
      t.ok(reader.whole);
    } // prettier-ignore
  }
});

t.test('our own is read back, with times up to what a number holds', (t) => {
  const times = [0, 1, 127, 128, 90_000, 2 ** 33, 2 ** 52];
  const head = nutHead({ codec: 'hevc', config: Buffer.alloc(5000, 7), width: 1920, height: 1080, timescale, reorder: 2 }, 0);
  const { items } = readAll(Buffer.concat([head, ...times.flatMap((pts, at) => [nutFrameHead(pts, at % 2 === 0, 3), Buffer.from('abc')])]));
  t.match(items[0], { kind: 'stream', fourcc: 'HEVC', width: 1920, height: 1080, config: Buffer.alloc(5000, 7) });
  t.same(items.slice(1), times.map((pts, at) => ({ kind: 'picture', pts, key: at % 2 === 0, data: Buffer.from('abc') }))); // prettier-ignore
  t.end();
});

t.test('what cannot be taken is refused with an error that says so', (t) => {
  const head = nutHead({ codec: 'h264', config: Buffer.from([1]), width: 16, height: 16, timescale, reorder: 0 }, 0);
  const refused = (bytes: Buffer, code: string, limits = {}) => t.throws(() => new NutReader(limits).push(bytes), { name: 'NutError', code });
  refused(Buffer.from('this is something else altogether'), 'invalid');
  const damaged = Buffer.from(head);
  damaged[60] = (damaged[60] ?? 0) ^ 1;
  refused(damaged, 'invalid');
  refused(Buffer.concat([head, nutFrameHead(0, true, 1001)]), 'limit', { pictureBytes: 1000 });
  refused(Buffer.concat([head, Buffer.from([0])]), 'invalid');
  refused(Buffer.concat([head.subarray(0, 25), Buffer.from('4e53', 'hex'), head.subarray(27)]), 'invalid');
  refused(Buffer.concat([head.subarray(0, 33), varint(1000)]), 'limit', { packetBytes: 999 });
  t.throws(() => nutFrameHead(-1, true, 3), { name: 'NutError' });
  t.throws(() => varint(2 ** 60), { name: 'NutError' });
  t.end();
});

t.test('damaged bytes and noise end in pictures or in a NutError, and in nothing else', async (t) => {
  const small = await written(['-f', 'lavfi', '-i', 'testsrc2=size=32x32:rate=10:duration=1', ...live]);
  const ours = Buffer.concat([nutHead({ codec: 'h264', config: Buffer.alloc(30), width: 16, height: 16, timescale, reorder: 1 }, 9), nutFrameHead(9, true, 5), Buffer.from('hello')]);
  const random = new Random(3);
  const parse = (bytes: Buffer) => readAll(bytes, () => 1 + random.below(200));
  const { accepted, refused } = fuzz(parse, NutError, [small.subarray(0, 2000), ours], { count: 20_000 });
  t.ok(accepted > 50 && refused > 500, `${accepted} taken, ${refused} refused`);
});

t.test('an ffmpeg that reads us from a pipe keeps no more with every picture', { skip: process.platform !== 'linux' }, async (t) => {
  const clip = await sourceClip(await encoded('mp4', clips['H.264 with B-frames'] ?? []));
  const child = spawn('ffmpeg', ['-v', 'error', '-f', 'nut', '-i', 'pipe:0', '-map', '0:v', '-c', 'copy', '-f', 'null', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  child.stderr.resume();
  const ended = new Promise((resolve) => child.on('close', resolve));
  const { pictures, ...stream } = clip;
  child.stdin.write(nutHead({ ...stream, timescale }, 0));
  const sizes: number[] = [];
  for (let round = 0; round < 1_500; round += 1) {
    const all = pictures.flatMap(({ pts, key, data }) => [nutFrameHead(2 * (pts + round * 180_000), key, data.length), data]);
    if (!child.stdin.write(Buffer.concat(all))) await new Promise((resolve) => child.stdin.once('drain', resolve));
    if (round % 500 === 499) sizes.push(Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'))?.[1]));
  }
  child.stdin.end();
  t.equal(await ended, 0);
  const [early = 0, , late = 0] = sizes;
  t.ok(late - early < 2_000, `${sizes.join(', ')} kB after 30, 60, 90 thousand pictures`);
});

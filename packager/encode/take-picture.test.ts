/** A key picture becomes a small JPEG, whatever its codec, and what is hostile becomes nothing. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { clip } from '../../test/support/clips.ts';
import { encoded, run } from '../../test/support/encoded.ts';
import { decodeStamps } from '../../test/support/ffmpeg.ts';
import { Random } from '../../test/support/random.ts';
import { sourceClip } from '../../test/support/source-pictures.ts';
import { systemClock } from '../clock.ts';
import { pictureFacts } from '../media/picture-facts.ts';
import type { Ran } from './child.ts';
import { readJpeg, type Jpeg } from './jpeg.ts';
import { findPrograms } from './programs.ts';
import { makeJobPlace, Sandbox } from './sandbox.ts';
import { takePicture, type LonePicture, type Taken } from './take-picture.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-picture-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const place = await makeJobPlace(join(folder, 'pictures'));

const take = (picture: LonePicture, signal = new AbortController().signal): Promise<Taken> => takePicture({ sandbox, place, signal }, picture);
const jpegOf = async (picture: LonePicture): Promise<Jpeg> => {
  const taken = await take(picture);
  if (taken.kind !== 'taken') throw new Error(`no picture: ${taken.kind} ${taken.kind === 'failed' ? taken.words : ''}`);
  return taken.jpeg;
};

/** The key picture of a clip that is not its first. */
const keyOf = async (file: string, which = 0): Promise<LonePicture> => {
  const { codec, config, width, height, pictures } = await sourceClip(file);
  const key = pictures.filter((one) => one.key)[which];
  if (!key) throw new Error('too few key pictures');
  return { codec, config, width, height, colour: pictureFacts({ kind: 'video', codec, config, size: { width, height } }).colour, data: key.data };
};
const still = (size: string, codec: readonly string[], filter = 'null', colour = 'red'): Promise<string> =>
  encoded('mp4', ['-f', 'lavfi', '-i', `color=${colour}:size=${size}:rate=10`, '-frames:v', '3', '-vf', filter, '-pix_fmt', 'yuv420p', ...codec]);
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];

const asFile = async ({ bytes }: Jpeg): Promise<string> => {
  const path = join(folder, `${Math.random()}.jpg`);
  await writeFile(path, bytes);
  return path;
};
/** Of its middle. */
const rgbOf = async (jpeg: Jpeg): Promise<number[]> => [...(await run(['-i', await asFile(jpeg), '-vf', 'crop=2:2,scale=1:1', '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1']))];
const isNear = (some: readonly number[], others: readonly number[]): boolean => some.every((value, at) => Math.abs(value - (others[at] ?? 0)) <= 12);

t.test('it is the picture that was given, also where a stream has been on for long', async (t) => {
  const stamped = await clip({ width: 1280, height: 720, gop: 60, bframes: 2, audio: false });
  for (const which of [0, 2]) {
    const jpeg = await jpegOf(await keyOf(stamped.file, which));
    t.same([jpeg.width, jpeg.height], [640, 360]);
    t.ok(jpeg.bytes.length < 100_000, `${jpeg.bytes.length} bytes`);
    t.same((await decodeStamps(await asFile(jpeg), jpeg)).stamps, [which * 60]);
  }
});

t.test('every codec that shows come in, each in the colour that players show', async (t) => {
  const codecs = {
    h264: x264,
    hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-tag:v', 'hvc1'],
    av1: ['-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime'],
    vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
  };
  for (const [codec, args] of Object.entries(codecs)) {
    const picture = await keyOf(await still('320x180', args));
    t.equal(picture.codec, codec);
    const jpeg = await jpegOf(picture);
    t.same([jpeg.width, jpeg.height], [320, 180], 'none is made larger');
    t.ok(isNear(await rgbOf(jpeg), [254, 0, 0]), `${codec}: red is ${String(await rgbOf(jpeg))}`);
  }
  const hd = await jpegOf(await keyOf(await still('1280x720', x264, 'scale=out_color_matrix=bt709', 'green')));
  t.ok(isNear(await rgbOf(hd), [0, 128, 0]), `HD that says nothing of its colours: ${String(await rgbOf(hd))}`);
});

t.test('the shape is the one that players show, within 640 by 640', async (t) => {
  const sizeOf = async (size: string, filter?: string): Promise<number[]> => {
    const { width, height } = await jpegOf(await keyOf(await still(size, x264, filter)));
    return [width, height];
  };
  t.same(await sizeOf('720x576', 'setsar=64/45'), [640, 360], 'pixels that are no squares');
  t.same(await sizeOf('720x1280'), [360, 640], 'upright');
  t.same(await sizeOf('1920x64'), [640, 22]);
  t.same(await sizeOf('130x98'), [130, 98], 'small');
});

t.test('garbage gives no picture, and ends', async (t) => {
  const good = await keyOf(await still('640x360', x264));
  const random = new Random(7);
  t.match(await take({ ...good, data: random.bytes(50_000) }), { kind: 'failed', words: /./ });
  t.match(await take({ ...good, data: Buffer.alloc(0) }), { kind: 'failed' });
  t.match(await take({ ...good, config: random.bytes(40) }), { kind: 'failed' });
  const damaged = Buffer.from(good.data);
  random.bytes(64).copy(damaged, Math.floor(damaged.length / 2));
  t.match((await take({ ...good, data: damaged })).kind, /^(taken|failed)$/);
  t.match(await take(good), { kind: 'taken' }, 'and the next one is none the worse');
});

t.test('pictures larger than any are refused by the decoder', async (t) => {
  const large = await keyOf(await still('16000x4400', x264));
  t.match(await take(large), { kind: 'failed' });
});

t.test('a program that is killed, or said too much, or something else, is a failure; one that nobody wants any more is none', async (t) => {
  const good = await keyOf(await still('640x360', x264));
  const { bytes } = await jpegOf(good);
  const ran: Ran = { code: 0, killedBy: null, ended: 'itself', output: bytes, complaints: 'words' };
  const by = (one: Partial<Ran>): Promise<Taken> =>
    takePicture({ sandbox: { feed: async () => ({ ...ran, ...one }) }, place, signal: new AbortController().signal }, good);
  t.match(await by({}), { kind: 'taken' });
  t.match(await by({ code: null, killedBy: 'SIGKILL' }), { kind: 'failed', words: 'SIGKILL: words' });
  t.match(await by({ ended: 'time' }), { kind: 'failed', words: 'time: words' });
  t.match(await by({ ended: 'output' }), { kind: 'failed' });
  t.match(await by({ output: Buffer.from('<html></html>') }), { kind: 'failed' });
  const larger = await run(['-f', 'lavfi', '-i', 'color=red:size=1280x720', '-frames:v', '1', '-f', 'mjpeg', 'pipe:1']);
  t.ok(readJpeg(larger));
  t.match(await by({ output: larger }), { kind: 'failed' }, 'larger than it was told to make it');
  t.match(await by({ ended: 'unwanted', code: null }), { kind: 'unwanted' });
  t.match(await take(good, AbortSignal.abort()), { kind: 'unwanted' });
});

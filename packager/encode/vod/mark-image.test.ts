import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encoded } from '../../../test/support/encoded.ts';
import { mustFfmpeg } from '../../../test/support/ffmpeg.ts';
import { systemClock } from '../../clock.ts';
import { findPrograms } from '../programs.ts';
import { makeJobPlace, Sandbox } from '../sandbox.ts';
import { makeMark } from './mark-image.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-mark-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const bench = { sandbox, place: await makeJobPlace(join(folder, 'job')), signal: new AbortController().signal };

const pixels = async (png: Buffer): Promise<Buffer> => (await mustFfmpeg(['-f', 'png_pipe', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'rgba', 'pipe:1'], { input: png })).stdout;
const of = async (extension: string, graph: string, ...more: string[]): Promise<Buffer> => readFile(await encoded(extension, ['-f', 'lavfi', '-i', graph, '-frames:v', '1', ...more]));
/** IHDR (PNG, 11.2.2). */
const sizeOf = (png: Buffer): number[] => [png.readUInt32BE(16), png.readUInt32BE(20)];

t.test('PNG, JPEG and WebP become a PNG, each as it was, and the same one every time', async (t) => {
  const half = 'color=0x2060c0@0.5:size=102x38,format=rgba';
  for (const [extension, graph, alpha, ...more] of [['png', half, 128], ['jpg', 'color=0x2060c0:size=102x38', 255], ['webp', half, 128, '-lossless', '1']] as const) {
    const image = await of(extension, graph, ...more.map(String));
    const png = await makeMark(bench, image);
    t.same(sizeOf(png), [102, 38], extension);
    const [r = 0, g = 0, b = 0, a = 0] = (await pixels(png)).subarray(4 * 2_000);
    t.ok([r - 0x20, g - 0x60, b - 0xc0, a - alpha].every((off) => Math.abs(off) <= 4), `${extension}: ${r} ${g} ${b} ${a}`);
    t.ok(png.equals(await makeMark(bench, image)), extension);
  }
});

t.test('a large one is made smaller, in its shape', async (t) => {
  t.same(sizeOf(await makeMark(bench, await of('png', 'color=white:size=4096x300'))), [2048, 150]);
});

t.test('what is no image, or is damaged, is said to be so', async (t) => {
  const png = await of('png', 'testsrc=size=320x240');
  for (const image of [Buffer.from('<svg/>'), Buffer.alloc(0), png.subarray(0, 60), Buffer.concat([png.subarray(0, 8), Buffer.alloc(100)]), Buffer.alloc(11 * 2 ** 20)]) {
    t.match(await makeMark(bench, image).catch((error: unknown) => error), { code: 'encode-failed', recoverable: false });
  }
});

t.test('nobody waits for it any more', async (t) => {
  const image = await of('png', 'color=white:size=64x64');
  t.match(await makeMark({ ...bench, signal: AbortSignal.abort() }, image).catch((error: unknown) => error), { code: 'unwanted' });
});

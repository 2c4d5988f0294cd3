/** Rungs made in chunks out of sources of all kinds: every picture at its moment, and no seam that anybody sees. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import t from 'tap';
import { naturalClip } from '../../bench/support/natural.ts';
import { codedPicture } from '../../packager/cmaf/coded-picture.ts';
import { readInit } from '../../packager/cmaf/reader.ts';
import { addressOf } from '../../packager/encode/vod/address.ts';
import { openSource } from '../../packager/encode/vod/source.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { chosenRungs, rungSource } from '../../packager/pipeline/rungs.ts';
import type { RungWork, SourceTrack } from '../../packager/pipeline/work.ts';
import { encoded, run } from '../support/encoded.ts';
import { Random } from '../support/random.ts';
import { checkRung } from '../support/whole-checks.ts';
import { encodeOne, fileOf, makeLadder, original, plain, recording, rung, wholeBench, worksOf, type LadderWish } from '../support/whole-rungs.ts';

const bench = await wholeBench(t);
const scene = (rate: string | number, { size = '256x144', seconds = 8, more = '' } = {}): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}${more}`];
const yuv = ['-pix_fmt', 'yuv420p'];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '1'];
const ticks = ['-video_track_timescale', '90000'];
const x265 = (params: string): string[] => ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', `log-level=error:pools=1:frame-threads=1:${params}`];

/** ffmpeg says of a copy alone that it is turned. */
const turned = async (size: string, degrees: number): Promise<string[]> => ['-i', await encoded('mp4', [...scene(25, { size }), ...yuv, ...x264, '-g', '50']), '-c', 'copy', '-metadata:s:v:0', `rotate=${degrees}`];

/** Of 108 and 54 lines, in the shape that the source is planned for. */
const planned = async (source: SourceTrack): Promise<RungWork[]> => {
  const { log, close } = await openSource(nodeDisk, bench.folder, source);
  const [epoch] = log.snapshot().epochs;
  await close();
  const init = epoch && readInit(epoch.init);
  if (init?.kind !== 'video') throw new Error('there is no picture in it');
  const ladder = [108, 54].map((height) => ({ height, bitRate: 400_000, preset: 'veryfast', mostPictures: null }));
  const size = { track: 'v0', ...rungSource(codedPicture(init)), frameRate: null, standard: true };
  return chosenRungs({ source: size, ladder, there: [], marked: false, names: () => [] }).map(({ work }) => work);
};

/** `width`, `height`: of the larger rung. */
type Case = { readonly name: string; readonly args: readonly string[]; readonly width?: number; readonly height?: number; readonly wish?: Partial<LadderWish> };
const cases: readonly Case[] = [
  { name: '25 pictures a second', args: [...scene(25), ...yuv, ...x264, '-g', '50', '-bf', '2'] },
  { name: '30 pictures a second, and key frames wherever the encoder likes', args: [...scene(30, { seconds: 12 }), ...yuv, ...x264, '-g', '90', '-keyint_min', '7', '-force_key_frames', '1.3,5.5,5.7,9'] },
  { name: '29.97 with a pyramid of B-pictures', args: [...scene('30000/1001'), ...yuv, ...x264, '-g', '60', '-bf', '7', '-b_strategy', '2', '-x264-params', 'b-pyramid=strict:open-gop=0'] },
  { name: 'pictures at moments of no order', args: [...scene(30), '-vf', "select='not(eq(mod(n,5),2))*not(eq(mod(n,17),4))*not(between(n,70,90))'", '-fps_mode', 'vfr', ...yuv, ...x264, '-g', '60', '-bf', '3', ...ticks] },
  { name: 'times in whole milliseconds', args: [...scene('24000/1001'), ...yuv, ...x264, '-g', '48', '-bf', '3', '-video_track_timescale', '1000'] },
  { name: '50 pictures a second', args: [...scene(50, { seconds: 6 }), ...yuv, ...x264, '-g', '100', '-bf', '3'] },
  { name: 'turned by 90 degrees', args: await turned('144x256', 90) },
  { name: 'turned by 180 degrees', args: await turned('256x144', 180) },
  { name: 'turned by 270 degrees', args: await turned('256x144', 270), width: 108, height: 192 },
  { name: 'a size that no block fits, in pixels that are not square', args: [...scene(25, { size: '250x142' }), '-vf', 'setsar=4/3', ...yuv, ...x264, '-g', '50'], width: 254, height: 108 },
  { name: 'HEVC of 10 bits', args: [...scene(25), '-pix_fmt', 'yuv420p10le', ...x265('keyint=50:open-gop=0:bframes=4')] },
  { name: 'two fields in each picture', args: [...scene(50), '-vf', 'interlace', ...yuv, ...x264, '-flags', '+ildct+ilme', '-g', '50'], wish: { treatment: { ...plain, deinterlace: true } } },
];

for (const [index, { name, args, width = 192, height = 108, wish }] of cases.entries()) {
  t.test(name, async (t) => {
    const source = await original(bench, await encoded('mp4', args), `${index}.mp4`);
    const made = await makeLadder(t, bench, source, { rungs: await planned(source), ...wish });
    const [little, large] = made.rungs;
    if (!large || !little) throw new Error('two were asked for');
    await checkRung(t, bench, made.source, large, { width, height });
    await checkRung(t, bench, made.source, little, { width: Math.round(width / 4) * 2, height: Math.round(height / 4) * 2 });
  });
}

t.test('recordings: open GOPs of HEVC and of H.264, epochs of other sizes, holes, segments without a key picture', async (t) => {
  const hevc = await encoded('mp4', [...scene(30, { seconds: 10 }), ...yuv, ...x265('keyint=60:min-keyint=60:open-gop=1:bframes=4:b-pyramid=1:scenecut=0'), ...ticks]);
  const again = await encoded('mp4', [...scene(30, { seconds: 7, size: '320x180' }), ...yuv, ...x265('keyint=60:min-keyint=60:open-gop=1:bframes=4:scenecut=0'), ...ticks]);
  const avc = await encoded('mp4', [...scene('30000/1001', { seconds: 10 }), ...yuv, ...x264, '-bf', '3', '-x264-params', 'open-gop=1:keyint=75:min-keyint=75:scenecut=0:b-pyramid=normal', ...ticks]);
  const upright = await encoded('mp4', [...scene(25, { seconds: 9, size: '144x192' }), ...yuv, ...x264, '-bf', '2', '-g', '1000', ...ticks]);
  for (const [name, epochs, holes] of [['hevc', [hevc, again], [1]], ['avc', [avc, upright, avc], [2, 5]]] as const) {
    const log = await recording(bench, name, { epochs, holes, limit: 2.6 });
    const made = await makeLadder(t, bench, log, { rungs: [rung(`${name}-rung`, 192, 108)], each: 2 });
    for (const one of made.rungs) await checkRung(t, bench, made.source, one, { width: 192, height: 108 });
    t.equal(made.source.snapshot().epochs.length, epochs.length);
  }
});

/** Until it is so far, when it is killed, or to its end. */
const child = async (argument: string, until: number): Promise<'killed' | 'over'> => {
  const process = spawn(execPath, [join(import.meta.dirname, '../support/whole-child.ts'), argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  const over = new Promise<void>((resolve) => process.on('close', () => resolve()));
  let how: 'killed' | 'over' = 'killed';
  for await (const line of createInterface({ input: process.stdout })) {
    if (line === 'over') how = 'over';
    else if (Number(line) >= until && until < 1) process.kill('SIGKILL');
  }
  await over;
  return how;
};

const bytesOf = async (folder: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const bytes = await readFile(join(folder, name)).catch(() => null);
    if (bytes) found[name] = createHash('sha256').update(bytes).digest('hex');
  }
  return found;
};

t.test('killed at any moment and begun again, a chunk has the same bytes', async (t) => {
  const path = await encoded('mp4', [...scene(25, { seconds: 12, size: '640x360' }), ...yuv, ...x264, '-g', '50', '-bf', '3']);
  const source = await original(bench, path, 'killed.mp4');
  const open = await openSource(bench.disk, bench.folder, source);
  const [work] = worksOf(source, open.log.snapshot(), { rungs: [rung('large', 480, 270, { maxRate: 800_000 }), rung('small', 256, 144)], each: 6 });
  await open.close();
  if (!work) throw new Error('there is nothing to do');
  const whole = await encodeOne(bench, work);
  const video = join(bench.folder, 'other');
  await original({ folder: video }, path, 'killed.mp4');
  const argument = JSON.stringify({ folder: video, job: join(bench.folder, 'killed-job'), work });
  const random = new Random(20_261_122);
  for (let round = 0; round < 6; round += 1) {
    t.equal(await child(argument, random.below(95) / 100), 'killed');
    t.same(await readdir(video), ['killed.mp4'], 'nothing of it is in its place');
  }
  t.equal(await child(argument, 1), 'over');
  const address = addressOf(work, bench.build);
  t.equal(whole.address, address);
  t.same(await bytesOf(join(video, 'work', address)), await bytesOf(whole.folder));
});

/** SSIM of every picture of a rung against its source, in the order in which they are shown. */
const likeness = async (source: string, made: string, width: number, height: number): Promise<number[]> => {
  const out = join(bench.folder, 'ssim.txt');
  // Paired by their numbers: times of ffmpeg's demuxer are shifted where pictures are decoded late.
  const pair = `[0:v]scale=${width}:${height}:flags=bicubic,setpts=N/30/TB[a];[1:v]setpts=N/30/TB[b];[a][b]ssim=stats_file=${out}`;
  await run(['-i', source, '-i', made, '-lavfi', pair, '-f', 'null', '-']);
  return [...(await readFile(out, 'utf8')).matchAll(/All:([\d.]+)/g)].map(([, value]) => Number(value));
};

t.test('pictures around a seam are as good as others', async (t) => {
  const path = await naturalClip({ width: 640, height: 360, rate: 30, seconds: 12, kbps: 2500, even: true });
  const source = await original(bench, path, 'natural.mp4');
  const made = await makeLadder(t, bench, source, { rungs: [rung('360', 640, 360, { maxRate: 700_000 }), rung('240', 426, 240, { maxRate: 350_000 })], each: 2 });
  t.equal(made.chunks.length, 3);
  for (const { name, log } of made.rungs) {
    const [width, height] = name === '360' ? [640, 360] : [426, 240];
    const all = await likeness(path, await fileOf(log, join(bench.folder, `${name}.mp4`)), width, height);
    t.equal(all.length, 360);
    const fifth = all.toSorted((a, b) => a - b)[Math.floor(all.length / 20)] ?? 1;
    const seams = made.chunks.slice(1).map((_, index) => (index + 1) * 120);
    const around = seams.flatMap((at) => all.slice(at - 2, at + 2));
    t.comment(`${name}: the 5th percentile is ${fifth}, around seams ${Math.min(...around)} and more`);
    t.ok(Math.min(...around) >= fifth, `${name}: ${Math.min(...around)} around seams, ${fifth}`);
  }
});

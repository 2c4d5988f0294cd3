/**
 * The rungs of a live stream, paced in real time: how much later than the source they are, what they cost beside one plain
 * ffmpeg command of the same encodes, how long a start takes, and how long one in the middle of a GOP takes to catch up.
 *
 *     node bench/live-encoder.ts [SECONDS]
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../packager/clock.ts';
import type { LiveRung } from '../packager/encode/live-command.ts';
import { LiveEncoder } from '../packager/encode/live-encoder.ts';
import { findPrograms } from '../packager/encode/programs.ts';
import { makeJobPlace, Sandbox } from '../packager/encode/sandbox.ts';
import { encoded } from '../test/support/encoded.ts';
import { percentile, table } from '../test/support/figures.ts';
import { sourceClip, type SourceClip, type SourcePicture } from '../test/support/source-pictures.ts';

const seconds = Number(process.argv[2] ?? 10);
const gop = 60;
const rates: Readonly<Record<number, number>> = { 720: 2_500_000, 480: 1_200_000, 360: 700_000, 240: 400_000 };
const rungOf = (height: number): LiveRung => {
  const bitRate = rates[height] ?? 1_000_000;
  return {
    ...{ width: 2 * Math.round((height * 16) / 18), height, preset: 'veryfast', bitRate, maxRate: Math.round(1.2 * bitRate), buffer: 2 * bitRate },
    ...{ level: 31, frameRate: { numerator: 30, denominator: 1 }, cap: null, after: null },
  };
};

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const place = await makeJobPlace(join(folder, 'live'));
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Run = { delays: number[][]; firstMs: number; /** Until a picture comes that is less than 0.3 s late. */ caughtUpMs: number; coreSeconds: number };

/** Those of `burst` at once, the others when their time has come. */
const run = async ({ pictures, ...stream }: SourceClip, rungs: readonly LiveRung[], burst: readonly SourcePicture[] = []): Promise<Run> => {
  const fed = new Map<number, number>();
  const delays = rungs.map((): number[] => []);
  const [began, all] = [performance.now(), Promise.withResolvers<void>()];
  const last = Math.max(...pictures.map(({ pts }) => pts));
  let [first, caughtUp, done] = [0, 0, 0];
  const encoder = new LiveEncoder({
    ...{ sandbox, place, clock: systemClock, source: { ...stream, sar: null, colour: null }, rungs },
    configured: () => {},
    picture: (rung, { pts }) => {
      first ||= performance.now();
      const delay = performance.now() - (fed.get(pts) ?? Number.NaN);
      if (delay < 300) caughtUp ||= performance.now();
      delays[rung]?.push(delay);
      // The last ones come when there is no more: until then a decoder waits for what might be shown ahead of them.
      if (pts >= last - 9_000 * 2 && (done += 1) === rungs.length) all.resolve();
    },
  });
  void encoder.ended.then(({ how, words }) => all.reject(new Error(`${how}: ${words}`)));
  const feed = (picture: SourcePicture): void => {
    fed.set(picture.pts, performance.now());
    if (!encoder.feed(picture)) throw new Error('it does not keep up');
  };
  for (const picture of burst) feed(picture);
  const from = performance.now() - (pictures[0]?.dts ?? 0) / 90;
  for (const picture of pictures) {
    await wait(Math.max(0, from + picture.dts / 90 - performance.now()));
    feed(picture);
  }
  await all.promise;
  const coreSeconds = encoder.progress().coreSeconds ?? Number.NaN;
  encoder.end();
  await encoder.ended.catch(() => {});
  return { delays, firstMs: first - began, caughtUpMs: caughtUp - began, coreSeconds };
};

/** Seconds of a core. */
const plain = async (path: string, rungs: readonly LiveRung[]): Promise<number> => {
  const split = `[0:v]split=${rungs.length}${rungs.map((_, at) => `[s${at}]`).join('')}`;
  const scales = rungs.map(({ width, height }, at) => `[s${at}]scale=${width}:${height}[v${at}]`);
  const outputs = rungs.flatMap(({ bitRate, maxRate, buffer }, at) => [
    ...['-map', `[v${at}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'high', '-b:v', String(bitRate)],
    ...['-maxrate', String(maxRate), '-bufsize', String(buffer), '-g', String(gop), '-sc_threshold', '0', '-f', 'mpegts', '-y', '/dev/null'],
  ]);
  const child = spawn('ffmpeg', ['-v', 'info', '-nostats', '-benchmark', '-nostdin', '-re', '-i', path, '-an', '-filter_complex', [split, ...scales].join(';'), ...outputs], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(said) ?? [];
  return Number(user) + Number(system);
};

const ms = (value: number): string => `${Math.round(value)} ms`;

try {
  for (const [size, heights] of [['1280x720', [480, 360, 240]], ['1920x1080', [720, 480, 240]]] as const) {
    const source = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30:duration=${seconds}`, '-vf', 'noise=alls=12:allf=t', '-c:v', 'libx264', '-preset', 'veryfast'];
    const path = await encoded('mp4', [...source, '-pix_fmt', 'yuv420p', '-bf', '2', '-g', String(gop), '-b:v', '4M', '-maxrate', '4M', '-bufsize', '4M', '-video_track_timescale', '90000']);
    const clip = await sourceClip(path);
    const rungs = heights.map(rungOf);
    console.log(`\n${size}, 30 a second with B-frames, to ${heights.join(', ')}`);

    const { delays, firstMs, caughtUpMs, coreSeconds } = await run(clip, rungs);
    const rows = delays.map((all, at) => {
      // What came while it started is told apart.
      const steady = all.slice(60);
      return [String(heights[at]), ms(percentile(steady, 0.5)), ms(percentile(steady, 0.95)), ms(Math.max(...steady))];
    });
    console.log(table([['rung', 'median', 'p95', 'most'], ...rows]));
    console.log(`first picture ${ms(firstMs)} after the start, the first less than 300 ms late after ${ms(caughtUpMs)}`);
    const own = await plain(path, rungs);
    console.log(`cost: ${(coreSeconds / seconds).toFixed(3)} cores, the plain command ${(own / seconds).toFixed(3)}: ${(coreSeconds / own).toFixed(3)} of it`);

    // It died towards the end of a GOP: all of the GOP goes in at once, and all but its last third of a second is there.
    const burst = clip.pictures.slice(0, 54);
    const after = burst.map(({ pts }) => pts).toSorted((a, b) => a - b)[44] ?? 0;
    const again = await run({ ...clip, pictures: clip.pictures.slice(54, 120) }, rungs.map((rung) => ({ ...rung, after })), burst);
    console.log(`begun again behind 54 pictures: first picture after ${ms(again.firstMs)}, the first less than 300 ms late after ${ms(again.caughtUpMs)}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/**
 * What a ladder was reckoned to cost, and what it costs: this machine is measured as a server does it at its first start,
 * and then encoders run as they do beside a show, paced in real time.
 *
 *     node bench/ladder-cost.ts [SECONDS]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../packager/clock.ts';
import { LiveEncoder } from '../packager/encode/live-encoder.ts';
import { findPrograms } from '../packager/encode/programs.ts';
import { makeJobPlace, Sandbox } from '../packager/encode/sandbox.ts';
import { coresOf } from '../packager/live/ladder-cost.ts';
import { planRungs, type Plan } from '../packager/live/ladder-plan.ts';
import { liveRung } from '../server/ladders/encoder.ts';
import { measureCost } from '../server/ladders/measure.ts';
import { encoded } from '../test/support/encoded.ts';
import { table } from '../test/support/figures.ts';
import { sourceClip, type SourceClip } from '../test/support/source-pictures.ts';

const seconds = Number(process.argv[2] ?? 12);
/** What comes while it starts is not counted. */
const settling = 2;
/** Ticks of 90 kHz. */
const held = 36_000;

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const place = await makeJobPlace(join(folder, 'live'));
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Cores that it keeps busy. */
const used = async ({ pictures, ...stream }: SourceClip, plan: Plan): Promise<number> => {
  const last = Math.max(...pictures.map(({ pts }) => pts));
  const [all, done] = [Promise.withResolvers<void>(), new Set<number>()];
  const encoder = new LiveEncoder({
    ...{ sandbox, place, clock: systemClock, source: { ...stream, sar: null, colour: null }, rungs: plan.map((rung) => liveRung(rung, 0)) },
    configured: () => {},
    picture: (rung, { pts }) => {
      // The last ones come when there is no more: until then a decoder waits for what might be shown ahead of them.
      if (pts >= last - held && done.add(rung).size === plan.length) all.resolve();
    },
  });
  let before: number | null = null;
  const [began, first] = [performance.now(), pictures[0]?.dts ?? 0];
  for (const picture of pictures) {
    const at = (picture.dts - first) / 90;
    await wait(Math.max(0, began + at - performance.now()));
    if (at >= settling * 1000) before ??= encoder.progress().coreSeconds;
    if (!encoder.feed(picture)) throw new Error('it does not keep up');
  }
  // What a busy machine has not come to yet is to be counted too.
  await all.promise;
  const after = encoder.progress().coreSeconds;
  encoder.end();
  await encoder.ended;
  return ((after ?? Number.NaN) - (before ?? Number.NaN)) / (seconds - settling);
};

const clips = [
  { name: '720p30', size: '1280x720', rate: 30, bits: '4M' },
  { name: '1080p30', size: '1920x1080', rate: 30, bits: '6M' },
  { name: '1080p60', size: '1920x1080', rate: 60, bits: '8M' },
] as const;
/** What is in the picture: a test picture as it is, and with noise in it. */
const contents = { calm: 'null', noisy: 'noise=alls=6:allf=t' };
const ladders = [[480, 240], [720, 480, 360, 240]] as const;
const bitRates: Readonly<Record<number, number>> = { 720: 2_500_000, 480: 1_100_000, 360: 700_000, 240: 350_000 };

try {
  const began = performance.now();
  const cost = await measureCost({ sandbox, data: folder, cores: availableParallelism(), presets: ['veryfast'] });
  console.log(`measured in ${((performance.now() - began) / 1000).toFixed(1)} s: ${JSON.stringify(cost)}`);
  const rows: string[][] = [];
  for (const { name, size, rate, bits } of clips) {
    const [width = 0, height = 0] = size.split('x').map(Number);
    for (const [content, filter] of Object.entries(contents)) {
      const path = await encoded('mp4', [
        ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`, '-vf', filter, '-c:v', 'libx264', '-preset', 'veryfast'],
        ...['-pix_fmt', 'yuv420p', '-bf', '2', '-g', String(2 * rate), '-b:v', bits, '-maxrate', bits, '-bufsize', bits, '-video_track_timescale', '90000'],
      ]);
      const clip = await sourceClip(path);
      for (const heights of ladders) {
        const wishes = heights.map((one) => ({ height: one, bitRate: bitRates[one] ?? 1_000_000, preset: 'veryfast', mostPictures: 30 }));
        const source = { width, height, frameRate: rate, standard: true };
        const plan = planRungs(wishes, source);
        const [reckoned, real] = [coresOf(plan, source, cost), await used(clip, plan)];
        rows.push([`${name} ${content}`, plan.map((rung) => rung.height).join(', '), reckoned.toFixed(2), real.toFixed(2), (reckoned / real).toFixed(2)]);
      }
    }
  }
  console.log(table([['source', 'rungs', 'reckoned, cores', 'used', 'ratio'], ...rows]));
} finally {
  await rm(folder, { recursive: true, force: true });
}

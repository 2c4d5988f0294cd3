/**
 * What comes out of the workshop held against what went in, for tests: every picture once, at its moment, beside the sound
 * that belongs to it. What goes in is told by ffprobe, what comes out is read out of the logs.
 */
import type { Test } from 'tap';
import { decodeErrors, encoded, probe } from '../../test/support/encoded.ts';
import type { TrackRow } from '../catalog/videos.ts';
import { leftOvers, type TestIntake } from './testing.ts';

export const picture = (seconds = 3, size = '320x180'): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25:duration=${seconds}`];
export const tone = (seconds = 3): string[] => ['-f', 'lavfi', '-i', `sine=440:duration=${seconds}:sample_rate=48000`];
export const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '50', '-bf', '2'];
export const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-tag:v', 'hvc1', '-x265-params', 'log-level=error:keyint=50:min-keyint=50:open-gop=0'];
export const vp9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-pix_fmt', 'yuv420p'];
export const aac = ['-c:a', 'aac'];

export type Expected = {
  readonly extension: string;
  readonly args: readonly string[];
  /** Of the pictures, the best first. */
  readonly codecs: readonly string[];
  readonly sounds: number;
  readonly steps: readonly string[];
  /** Of the best picture that was made. */
  readonly size?: readonly [number, number];
};

type Told = { readonly frames?: { readonly best_effort_timestamp: number }[]; readonly packets?: { readonly pts: number }[]; readonly streams: { readonly time_base: string }[] };

/** When each picture is shown, or each frame of sound begins: seconds, in their order. */
const moments = async (path: string, kind: 'v' | 'a'): Promise<number[]> => {
  const asked = kind === 'v' ? ['-show_frames', '-show_entries', 'frame=best_effort_timestamp:stream=time_base'] : ['-show_packets', '-show_entries', 'packet=pts:stream=time_base'];
  const { frames, packets, streams } = (await probe(path, '-select_streams', `${kind}:0`, '-show_streams', ...asked)) as Told;
  const [num = 0, den = 1] = (streams[0]?.time_base ?? '').split('/').map(Number);
  const ticks = frames?.map(({ best_effort_timestamp }) => best_effort_timestamp) ?? packets?.map(({ pts }) => pts) ?? [];
  return ticks.map((tick) => (tick * num) / den).sort((a, b) => a - b);
};

const worst = (a: readonly number[], b: readonly number[]): number => a.reduce((most, time, index) => Math.max(most, Math.abs(time - (b[index] ?? Infinity))), 0);

export const judgeClip = async (t: Test, shop: TestIntake, { extension, args, codecs, sounds, steps, size }: Expected): Promise<void> => {
  const source = await encoded(extension, args);
  const { video, tracks } = await shop.taken(source);
  t.match(video, { state: 'ready', errorCode: null });
  const told = (shop.told.get(video.id) ?? []).map(({ step }) => step);
  t.same(told.filter((step, index) => step !== told[index - 1]), steps);
  const pictures = tracks.filter(({ kind }) => kind === 'video');
  const heard = tracks.filter(({ kind }) => kind === 'audio');
  t.same(pictures.map(({ codec }) => codec), codecs);
  t.equal(heard.length, sounds);
  t.same(await leftOvers(shop), []);

  // The edit list of an MP4 says where its beginning is; elsewhere it is the first thing that is in the file.
  const [shown, sounding] = await Promise.all([codecs.length > 0 ? moments(source, 'v') : [], sounds > 0 ? moments(source, 'a') : []]);
  const start = extension === 'mp4' || extension === 'mov' ? 0 : Math.min(...shown, ...sounding);
  const own = (rows: readonly TrackRow[]): TrackRow[] => rows.filter(({ original }) => original === null);
  const cuts = new Set<string>();
  for (const track of own(pictures)) {
    const path = await shop.played(video.id, track);
    const made = await shop.moments(video.id, track);
    t.equal(made.samples.length, shown.length, `${track.id}: every picture once`);
    t.ok(worst(shown.map((time) => time - start), made.samples) < 0.001, `${track.id}: at its moment`);
    t.equal(await decodeErrors(['-i', path]), '', `${track.id} decodes`);
    cuts.add(made.cuts.map((time) => Math.round(time * 1e5)).join(' '));
  }
  t.ok(cuts.size <= 1, 'all rungs are cut at the same moments');
  const [best] = own(pictures);
  if (best && size) t.match(await probe(await shop.played(video.id, best), '-show_streams'), { streams: [{ width: size[0], height: size[1] }] });
  for (const track of own(heard)) {
    t.equal(await decodeErrors(['-i', await shop.played(video.id, track)]), '', `${track.id} decodes`);
    const { samples } = await shop.moments(video.id, track);
    t.ok(samples.every((time, index) => time > (samples[index - 1] ?? -1)), `${track.id}: one frame after the other`);
  }
};

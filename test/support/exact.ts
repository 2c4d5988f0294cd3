/** What of a file a viewer is to see and hear, as ffmpeg tells it, and the same of what was made of it. */
import { probe, run } from './encoded.ts';

type Frames = { readonly frames: readonly { readonly pts_time?: string; readonly best_effort_timestamp_time?: string }[] };
type Packets = { readonly packets: readonly { readonly pts_time: string; readonly flags: string }[] };

/** Seconds at which the pictures of a file are shown, in order; those that an edit list leaves out are not among them. */
export const shownPictures = async (file: string): Promise<number[]> => {
  const { frames } = (await probe(file, '-select_streams', 'v:0', '-show_frames', '-show_entries', 'frame=pts_time,best_effort_timestamp_time')) as Frames;
  return frames.map(({ pts_time: pts, best_effort_timestamp_time: best }) => Number(pts ?? best));
};

/** Seconds at which frames of sound begin; what is decoded and not heard (priming) is not among them. */
export const heardFrames = async (file: string, sound = 0): Promise<number[]> => {
  const { packets } = (await probe(file, '-select_streams', `a:${sound}`, '-show_packets', '-show_entries', 'packet=pts_time,flags')) as Packets;
  return packets.filter(({ pts_time: pts, flags }) => !flags.includes('D') && Number(pts) > -0.0005).map(({ pts_time: pts }) => Number(pts));
};

/** The largest difference between two rising lists of the same length, seconds; infinite where they are not. */
export const furthestApart = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? a.reduce((most, time, index) => Math.max(most, Math.abs(time - (b[index] ?? Infinity))), 0) : Infinity;

const rate = 48_000;

/** Seconds at which the clicks of a clip begin: the sound as it is heard, with silence where there is none yet. */
export const heardClicks = async (args: readonly string[]): Promise<number[]> => {
  const pcm = await run(['-copyts', ...args, '-vn', '-af', `aresample=${rate}:async=1:first_pts=0`, '-ac', '1', '-f', 's16le', 'pipe:1']);
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1);
  const clicks: number[] = [];
  for (const [at, sample] of samples.entries()) {
    const last = clicks.at(-1);
    if (Math.abs(sample) > 4_000 && (last === undefined || at / rate - last > 0.5)) clicks.push(at / rate);
  }
  return clicks;
};

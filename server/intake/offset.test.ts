/** Picture and sound belong together to the millisecond: noise that went in is looked for in what came out. */
import t from 'tap';
import { encoded, probe, run } from '../../test/support/encoded.ts';
import { picture, vp9, x264 } from './exactness.ts';
import { testIntake } from './testing.ts';

const shop = await testIntake(t);
const noise = ['-f', 'lavfi', '-i', 'anoisesrc=duration=3:sample_rate=48000:seed=1:amplitude=0.3'];
const late = ['-itsoffset', '0.7'];

const clips: Record<string, readonly [extension: string, args: readonly string[]]> = {
  'Opus with its pre-skip': ['webm', [...picture(), ...noise, ...vp9, '-c:a', 'libopus']],
  'MP3 in AVI': ['avi', [...picture(), ...noise, '-c:v', 'mpeg4', '-c:a', 'libmp3lame']],
  'AC-3 in MPEG-TS': ['ts', [...picture(), ...noise, '-c:v', 'mpeg2video', '-c:a', 'ac3']],
  'AAC taken over out of Matroska': ['mkv', [...picture(), ...noise, ...x264, '-c:a', 'aac']],
  'AC-3 beside a picture that stays where it is': ['mp4', [...picture(), ...noise, ...x264, '-c:a', 'ac3']],
  'AAC behind an edit list, beside open GOPs': ['mp4', [...picture(), ...noise, '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-x264-params', 'open-gop=1:keyint=25', '-c:a', 'aac']],
  'sound that begins later': ['mp4', [...picture(), ...late, ...noise, '-c:v', 'mpeg4', '-c:a', 'aac']],
  'a picture that begins later': ['mkv', [...late, ...picture(), ...noise, ...vp9, '-c:a', 'flac']],
}; // prettier-ignore

/** Samples of its sound, the first at time 0 of the file. */
const heard = async (path: string): Promise<Float32Array> => {
  const bytes = await run(['-copyts', '-i', path, '-map', 'a:0', '-af', 'aresample=async=1:first_pts=0', '-ac', '1', '-ar', '48000', '-f', 'f32le', '-']);
  return new Float32Array(new Uint8Array(bytes).buffer);
};

/** Samples that `b` comes later than `a`, within this many around what is expected. */
const lagOf = (a: Float32Array, b: Float32Array, expected: number): number => {
  const [from, length] = [96_000, 4_000];
  let best = -Infinity;
  let found = NaN;
  for (let lag = expected - 4_800; lag <= expected + 4_800; lag += 1) {
    let sum = 0;
    for (let at = 0; at < length; at += 1) sum += (a[from + at] ?? 0) * (b[from + lag + at] ?? 0);
    if (sum > best) [best, found] = [sum, lag];
  }
  return found;
};

const firstPicture = async (path: string): Promise<number> => {
  const { frames } = (await probe(path, '-select_streams', 'v:0', '-read_intervals', '%+#1', '-show_entries', 'frame=best_effort_timestamp_time')) as { frames: { best_effort_timestamp_time: string }[] };
  return Number(frames[0]?.best_effort_timestamp_time);
};

for (const [name, [extension, args]] of Object.entries(clips)) {
  t.test(name, async (t) => {
    const source = await encoded(extension, args);
    const { video, tracks } = await shop.taken(source);
    t.equal(video.state, 'ready');
    const [shown, sound] = [tracks.find(({ kind }) => kind === 'video'), tracks.find(({ kind }) => kind === 'audio')];
    if (!shown || !sound) return t.fail('no tracks');
    const began = await firstPicture(source);
    const begins = shown.original === null ? ((await shop.moments(video.id, shown)).samples[0] ?? NaN) : began;
    const moved = begins - began;
    const lag = lagOf(await heard(source), await heard(await shop.played(video.id, sound)), Math.round(moved * 48_000)) / 48_000;
    t.ok(Math.abs(lag - moved) < 0.001, `${((lag - moved) * 1000).toFixed(3)} ms`);
  });
}

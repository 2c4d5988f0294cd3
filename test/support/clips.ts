/**
 * Ready-made clips, H.264 + AAC in MP4, generated once and kept in .cache/clips: senders copy them instead of
 * encoding, which two cores could not do beside a browser.
 *
 * Each picture carries the number of its frame (stamp.ts), each full second a flash and a click. A clip loops without
 * a seam: closed GOPs, and sound of exactly the length of the picture, cut from the middle of a longer, periodic
 * recording, so that even the overlap of AAC fits when the end meets the beginning.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { feed, mustFfmpeg } from './ffmpeg.ts';
import { painter } from './picture.ts';

export type ClipOptions = {
  width?: number;
  height?: number;
  /** Whole frames a second. */
  fps?: number;
  /** Frames from one key frame to the next. */
  gop?: number;
  bframes?: number;
  /** A multiple of 8: only then do 1024 samples at 48 kHz fill it without a rest. */
  seconds?: number;
  kbps?: number;
  audio?: boolean;
  /** Noise instead of a calm picture, so that the encoder needs all of `kbps`. */
  busy?: boolean;
  /** Frames that are key frames, instead of one in every `gop`; 0 is one of them. */
  keys?: readonly number[];
};

type Wanted = Required<Omit<ClipOptions, 'keys'>> & Pick<ClipOptions, 'keys'>;
export type Clip = Wanted & { readonly file: string; readonly frames: number; readonly audioFrames: number };

/** Counts up when what is drawn or encoded changes, so that no old clip is taken for a new one. */
const version = 2;
const sampleRate = 48_000;
const samplesPerFrame = 1024;
const folder = path.resolve(import.meta.dirname, '../../.cache/clips');

const defaults = { width: 640, height: 360, fps: 30, gop: 60, bframes: 0, seconds: 8, kbps: 800, audio: true, busy: false };

export const clip = async (options: ClipOptions = {}): Promise<Clip> => {
  const wanted = { ...defaults, ...options };
  if (wanted.seconds % 8 !== 0 || wanted.seconds <= 0) throw new RangeError('a clip lasts a multiple of 8 seconds');
  const { width, height, fps, gop, bframes, seconds, kbps, keys } = wanted;
  if (!keys && (fps * seconds) % gop !== 0) throw new RangeError(`${fps * seconds} frames are no whole number of GOPs of ${gop}`);
  const hash = createHash('sha256').update(JSON.stringify([version, Object.entries(wanted).sort()])).digest('hex').slice(0, 8);
  const file = path.join(folder, `${width}x${height}-${fps}fps-gop${gop}-b${bframes}-${kbps}k-${seconds}s-${hash}.mp4`);
  if (!existsSync(file)) await generate(wanted, file);
  const audioFrames = wanted.audio ? (seconds * sampleRate) / samplesPerFrame : 0;
  return { ...wanted, file, frames: fps * seconds, audioFrames };
};

const generate = async (wanted: Wanted, file: string): Promise<void> => {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(path.join(folder, 'work-'));
  try {
    const video = path.join(work, 'video.mp4');
    await encodePictures(wanted, video);
    const inputs = ['-i', video];
    if (wanted.audio) {
      const sound = path.join(work, 'sound.aac');
      writeFileSync(sound, await encodeSound(wanted.seconds));
      inputs.push('-i', sound, '-bsf:a', 'aac_adtstoasc');
    }
    const whole = path.join(work, 'whole.mp4');
    await mustFfmpeg([...inputs, '-c', 'copy', '-video_track_timescale', String(wanted.fps * 1000), whole]);
    renameSync(whole, file); // two test files may make the same clip at once: each sees a whole one
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

const encodePictures = async (wanted: Wanted, file: string) => {
  const { width, height, fps, gop, bframes, seconds, kbps, busy, keys } = wanted;
  const rhythm = keys ? ['-g', '100000', '-force_key_frames', keys.map((frame) => (frame / fps).toFixed(4)).join(',')] : ['-g', String(gop), '-keyint_min', String(gop)];
  const child = spawn(
    process.env.FFMPEG_PATH || 'ffmpeg',
    [
      ...['-hide_banner', '-v', 'error', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', String(fps)],
      ...['-i', 'pipe:0', '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-bf', String(bframes)],
      ...[...rhythm, '-sc_threshold', '0', '-x264-params', 'open-gop=0'],
      ...['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`, file],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  child.stdin.on('error', (error) => (errors += error.message));
  const { paint } = painter(width, height, { busy });
  for (let frame = 0; frame < fps * seconds && child.stdin.writable; frame++) {
    // A pipe may still hold what it was given, and the painter paints over its buffer.
    await feed(child, Buffer.from(paint({ stamp: frame, millisecond: (frame * 1000) / fps })));
  }
  child.stdin.end();
  if ((await closed) !== 0) throw new Error(`the pictures of a clip could not be encoded: ${errors}`);
};

const clickMs = 20;

/** A quiet tone, and on each full second a click of 1 kHz; every period divides a second. */
const samplesOf = (seconds: number): Buffer => {
  const samples = new Int16Array(seconds * sampleRate * 2);
  for (let at = 0; at < seconds * sampleRate; at++) {
    const inSecond = at % sampleRate;
    const click = inSecond < (clickMs * sampleRate) / 1000 ? 0.6 * Math.sin((2 * Math.PI * 1000 * at) / sampleRate) : 0;
    const light = Math.round(32767 * (click + 0.02 * Math.sin((2 * Math.PI * 220 * at) / sampleRate)));
    samples[at * 2] = light;
    samples[at * 2 + 1] = light;
  }
  return Buffer.from(samples.buffer);
};

/** The second of two rounds. Frame i of the encoder holds the samples of frame i - 1: its first is only run-up. */
const encodeSound = async (seconds: number): Promise<Buffer> => {
  const pcm = samplesOf(seconds * 2);
  const format = ['-f', 's16le', '-ar', String(sampleRate), '-ac', '2'];
  const encoded = await mustFfmpeg([...format, '-i', 'pipe:0', '-c:a', 'aac', '-b:a', '96k', '-f', 'adts', 'pipe:1'], { input: pcm });
  const frames: Buffer[] = [];
  for (let at = 0; at + 7 <= encoded.stdout.length; ) {
    const length = (encoded.stdout.readUIntBE(at + 3, 3) >> 5) & 0x1fff; // aac_frame_length, ISO 13818-7, 6.2.2
    frames.push(encoded.stdout.subarray(at, at + length));
    at += length;
  }
  const count = (seconds * sampleRate) / samplesPerFrame;
  return Buffer.concat(frames.slice(count + 1, 2 * count + 1));
};

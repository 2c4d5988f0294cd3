/** ffmpeg and ffprobe as senders, players and judges. Everything they say is collected, nothing is inherited. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readStamp } from './stamp.ts';

const ffmpegPath = process.env.FFMPEG_PATH || 'ffmpeg';
const maxErrorText = 64 * 1024;

export type Finished = { code: number | null; signal: NodeJS.Signals | null; stdout: Buffer; stderr: string };

const collect = (child: ChildProcess, onOutput?: (chunk: Buffer) => void): Promise<Finished> => {
  const chunks: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', onOutput ?? ((chunk: Buffer) => chunks.push(chunk)));
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-maxErrorText);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout: Buffer.concat(chunks), stderr }));
  });
};

export type RunOptions = { timeoutMs?: number; input?: Buffer; cwd?: string };

/** Runs ffmpeg to its end. A failure is a value: `code` and `stderr` (errors only, unless `-v` is given). */
export const ffmpeg = async (args: readonly string[], { timeoutMs = 60_000, input, cwd }: RunOptions = {}): Promise<Finished> => {
  const child = spawn(ffmpegPath, ['-hide_banner', '-v', 'error', '-nostdin', ...args], { timeout: timeoutMs, cwd });
  child.stdin.on('error', () => {}); // it may end before it has read everything; its exit code says so
  child.stdin.end(input);
  return collect(child);
};

/** The same, where a failure is a failure of the test. */
export const mustFfmpeg = async (args: readonly string[], options?: RunOptions): Promise<Finished> => {
  const finished = await ffmpeg(args, options);
  if (finished.code !== 0) throw new Error(`ffmpeg ${args.join(' ')}\n${finished.signal ?? finished.code}: ${finished.stderr}`);
  return finished;
};

export type Packet = { stream_index: number; codec_type: string; pts: number; dts: number; duration?: number; size: string; flags: string };
export type Probe = {
  streams?: { index: number; codec_type: string; codec_name: string; [key: string]: unknown }[];
  packets?: Packet[];
  format?: { [key: string]: unknown };
};

/** ffprobe as JSON: `probe(url, '-show_streams', '-show_packets')`. */
export const probe = async (url: string, ...args: string[]): Promise<Probe> => {
  const child = spawn('ffprobe', ['-hide_banner', '-v', 'error', '-of', 'json', ...args, url], { timeout: 60_000 });
  const { code, stdout, stderr } = await collect(child);
  if (code !== 0) throw new Error(`ffprobe ${url}: ${stderr}`);
  return JSON.parse(stdout.toString()) as Probe;
};

/** What a decoder sees: the stamp of every picture in the order of display (null where none was read), and its errors. */
export const decodeStamps = async (
  url: string,
  size: { width: number; height: number },
  { before = [], after = [], timeoutMs = 120_000 }: { before?: string[]; after?: string[]; timeoutMs?: number } = {},
): Promise<{ stamps: (number | null)[]; errors: string; code: number | null }> => {
  const { width, height } = size;
  const stamps: (number | null)[] = [];
  const picture = Buffer.alloc(width * height);
  let filled = 0;
  const child = spawn(
    ffmpegPath,
    [
      ...['-hide_banner', '-v', 'error', '-nostdin', ...before, '-i', url, '-map', '0:v:0', ...after],
      ...['-fps_mode', 'passthrough', '-vf', `scale=${width}:${height}`, '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
    ],
    { timeout: timeoutMs },
  );
  const { code, stderr } = await collect(child, (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(picture.length - filled, chunk.length - at);
      chunk.copy(picture, filled, at, at + taken);
      filled += taken;
      at += taken;
      if (filled < picture.length) continue;
      stamps.push(readStamp({ pixels: picture, width, height }));
      filled = 0;
    }
  });
  return { stamps, errors: stderr, code };
};

export type Push = {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** An announced end: ffmpeg says FCUnpublish and deleteStream. */
  stop(): Promise<Finished>;
  /** An unannounced end: the socket just closes. */
  kill(): Promise<Finished>;
};

/** Sends a ready-made clip in real time, in a loop without a seam, to `rtmp://…/live/<key>` (or wherever `format` fits). */
export const push = (
  file: string,
  url: string,
  { loops = -1, format = 'flv', seconds }: { loops?: number; format?: string; seconds?: number } = {},
): Push => {
  const length = seconds === undefined ? [] : ['-t', String(seconds)];
  const child = spawn(
    ffmpegPath,
    [
      ...['-hide_banner', '-v', 'error', '-nostdin', '-re', '-stream_loop', String(loops), '-i', file],
      ...[...length, '-c', 'copy', '-flvflags', 'no_duration_filesize', '-f', format, url],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const finished = collect(child);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return finished;
  };
  return { child, finished, stop: () => end('SIGINT'), kill: () => end('SIGKILL') };
};

/** Writes to a child's stdin no faster than it reads. */
export const feed = async (child: ChildProcess, chunk: Buffer): Promise<void> => {
  if (!child.stdin) throw new Error('the child has no stdin');
  if (!child.stdin.write(chunk)) await once(child.stdin, 'drain');
};

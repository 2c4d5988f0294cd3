/**
 * VLC and GStreamer as players: what they decode is written as raw pictures, and the stamps are read out of them.
 * `pictures` is how many are enough (a live show has no end); the player is sent away then.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gstreamer, vlc } from '../../scripts/lib/players.mjs';
import { readStamp } from './stamp.ts';

/** For tap's `skip`: false, or why the player cannot be asked. */
const reason = (player: typeof vlc): string | false => {
  const missing = player.missing();
  return missing === undefined ? false : `${player.name}: ${missing}`;
};
export const noVlc = reason(vlc);
export const noGstreamer = reason(gstreamer);

export type Watched = {
  /** Null where a picture could not be read. */
  readonly stamps: (number | null)[];
  /** The last words of the player. */
  readonly said: string;
};
export type WatchOptions = { readonly width: number; readonly height: number; readonly pictures?: number; readonly timeoutMs?: number };

const longestLog = 16 * 1024;
const nobody = 65534;

/** YUV4MPEG2: a line for the stream, again whenever a player begins anew, and one for each picture; light, then colour. */
const streamLine = 'YUV4MPEG2 ';
const pictureLine = 'FRAME\n';

/** Reads raw pictures out of a stream until there are enough of them: only light, or YUV4MPEG2. */
const follow = (player: ChildProcess, output: NodeJS.ReadableStream, options: WatchOptions, form: 'light' | 'y4m'): Promise<Watched> => {
  const { width, height, pictures = Infinity, timeoutMs = 40_000 } = options;
  const light = width * height;
  const header = form === 'y4m' ? pictureLine.length : 0;
  const whole = header + light + (form === 'y4m' ? light / 2 : 0);
  const stamps: (number | null)[] = [];
  let said = '';
  let pending: Buffer = Buffer.alloc(0);
  player.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-longestLog)));
  output.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= whole && stamps.length < pictures) {
      if (form === 'y4m' && pending.toString('latin1', 0, streamLine.length) === streamLine) {
        pending = pending.subarray(pending.indexOf('\n') + 1);
        continue;
      }
      stamps.push(readStamp({ pixels: pending.subarray(header, header + light), width, height }));
      pending = pending.subarray(whole);
    }
    if (stamps.length >= pictures) player.kill('SIGKILL');
  });
  const tooLate = setTimeout(() => {
    said += `\nstill at it after ${timeoutMs} ms`;
    player.kill('SIGKILL');
  }, timeoutMs);
  return new Promise((resolve, reject) => {
    player.on('error', reject);
    output.on('close', () => {
      clearTimeout(tooLate);
      resolve({ stamps, said });
    });
  });
};

/**
 * VLC without a screen or a loudspeaker, in the time of the media. It refuses to be root, and writes its pictures only
 * into something that has a name: a pipe in the file system, which `cat` reads, and holds open, because VLC closes it and
 * opens it again for each format that it tries.
 */
export const vlcStamps = async (url: string, options: WatchOptions): Promise<Watched> => {
  const home = mkdtempSync(path.join(tmpdir(), 'millrace-vlc-'));
  const pipe = path.join(home, 'pictures');
  spawnSync('mkfifo', [pipe]);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(home, nobody, nobody);
  chmodSync(pipe, 0o666);
  const reader = spawn('sh', ['-c', 'exec cat <> "$0"', pipe], { stdio: ['ignore', 'pipe', 'ignore'] });
  const drop = isRoot ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];
  const silent = ['--no-audio', '--no-drop-late-frames', '--no-skip-frames', '--vout=yuv', `--yuv-file=${pipe}`, '--yuv-yuv4mpeg2'];
  const [file = '', ...args] = [...drop, 'vlc', '-I', 'dummy', '-q', ...silent, '--play-and-exit', url, 'vlc://quit'];
  try {
    const player = spawn(file, args, { env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: home }, stdio: ['ignore', 'ignore', 'pipe'] });
    player.on('exit', () => setTimeout(() => reader.kill(), 300));
    const { stamps, said } = await follow(player, reader.stdout, options, 'y4m');
    // It gives the screen the picture that stands there again when the next one is late.
    return { stamps: stamps.filter((stamp, index) => stamp === null || index === 0 || stamp !== stamps[index - 1]), said };
  } finally {
    reader.kill();
    rmSync(home, { recursive: true, force: true });
  }
};

/** As fast as it can be decoded. `source` is what finds and unpacks the media; GStreamer's own choice if nothing is said. */
export const gstreamerStamps = async (url: string, options: WatchOptions, source?: readonly string[]): Promise<Watched> => {
  const automatic = ['uridecodebin3', `uri=${url}`, 'name=d', 'd.', '!', 'video/x-raw'];
  const raw = ['!', 'videoconvert', '!', 'video/x-raw,format=GRAY8', '!', 'fdsink', 'fd=1'];
  const player = spawn('gst-launch-1.0', ['-q', ...(source ?? automatic), ...raw], { stdio: ['ignore', 'pipe', 'pipe'] });
  return follow(player, player.stdout, options, 'light');
};

/** The demuxer of DASH that GStreamer had before the one that it now prefers. */
export const elderDash = (url: string): string[] => ['souphttpsrc', `location=${url}`, '!', 'dashdemux', '!', 'qtdemux', '!', 'h264parse', '!', 'avdec_h264'];

/** For tests: a server on loopback with a recording desk, and ffmpeg as the peer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '../../packager/clock.ts';
import type { Clock } from '../../packager/clock.ts';
import { createRtmpServer } from './server.ts';
import type { RtmpLimits, RtmpServer } from './server.ts';
import { RecordingDesk } from './test-desk.ts';

export type LogLine = { readonly event: string; readonly level: string; readonly [field: string]: unknown };
export type Stage = {
  readonly desk: RecordingDesk;
  readonly server: RtmpServer;
  readonly port: number;
  readonly lines: LogLine[];
  /** Resolves with the next line of the log that is about this event. */
  readonly logged: (event: string) => Promise<LogLine>;
};

type Options = { readonly limits?: Partial<RtmpLimits>; readonly clock?: Clock };

export const stage = async (test: { teardown(end: () => unknown): void }, options: Options = {}): Promise<Stage> => {
  const desk = new RecordingDesk();
  const lines: LogLine[] = [];
  const watchers: { readonly event: string; readonly resolve: (line: LogLine) => void }[] = [];
  const server = createRtmpServer({
    desk,
    clock: options.clock ?? systemClock,
    limits: { lingerMs: 500, ...options.limits },
    log: (line) => {
      lines.push(line);
      const index = watchers.findIndex(({ event }) => event === line.event);
      watchers.splice(index, index < 0 ? 0 : 1)[0]?.resolve(line);
    },
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  test.teardown(() => server.close());
  const logged = (event: string): Promise<LogLine> => new Promise((resolve) => watchers.push({ event, resolve }));
  return { desk, server, port, lines, logged };
};

/** A picture that moves and a tone, H.264 with B-frames and AAC. */
export const testPattern = (seconds: number): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=30:duration=${seconds}`],
  ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
  ...['-map', '0:v', '-map', '1:a', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '30'],
  ...['-threads', '1', '-pix_fmt', 'yuv420p', '-flags', '+global_header', '-c:a', 'aac', '-b:a', '96k'],
];

export type Ffmpeg = {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly done: Promise<{ readonly code: number | null; readonly stderr: string; readonly stdout: string }>;
};

export const ffmpeg = (...args: string[]): Ffmpeg =>
  start(process.env['FFMPEG_PATH'] ?? 'ffmpeg', ['-nostdin', '-y', '-loglevel', 'warning', ...args]);

export const ffprobe = (...args: string[]): Ffmpeg => start('ffprobe', ['-loglevel', 'error', ...args]);

const start = (program: string, args: readonly string[]): Ffmpeg => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const done = once(child, 'close').then(() => ({ code: child.exitCode, stderr, stdout }));
  return { kill: (signal) => child.kill(signal), done };
};

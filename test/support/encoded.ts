/**
 * Clips made by ffmpeg for tests, kept in `.cache/clips` under a name made of their arguments, so that a
 * second run encodes nothing.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readFlv, type FlvClip } from './flv.ts';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '../../.cache');
const folder = join(root, 'clips');
/** A test that writes files for ffmpeg to judge writes them here, under names of its own. */
export const scratch = join(root, `scratch-${process.pid}`);

const ffmpegPath = process.env['FFMPEG_PATH'] ?? 'ffmpeg';

const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false);

/** Path of the clip that `ffmpeg ARGS OUT` makes. Bit-exact: no dates, no version in it. */
export const encoded = async (extension: string, args: readonly string[]): Promise<string> => {
  const name = createHash('sha256').update(JSON.stringify(args)).digest('hex').slice(0, 24);
  const path = join(folder, `${name}.${extension}`);
  if (await exists(path)) return path;
  await mkdir(folder, { recursive: true });
  // Written aside and renamed: test files run at the same time.
  const aside = join(folder, `${name}.${process.pid}.${extension}`);
  await execute(ffmpegPath, ['-v', 'error', '-y', ...args, '-fflags', '+bitexact', aside]);
  await rename(aside, path);
  return path;
};

export const encodedFlv = async (args: readonly string[]): Promise<FlvClip> =>
  readFlv(await readFile(await encoded('flv', args)));

/** What ffmpeg complains about when it decodes all of a file: the empty string when all is well. */
export const decodeErrors = async (args: readonly string[]): Promise<string> => {
  const { stderr } = await execute(ffmpegPath, ['-v', 'error', ...args, '-f', 'null', '-']);
  return stderr;
};

/** What `ffmpeg ARGS` writes to its standard output. */
export const run = async (args: readonly string[]): Promise<Buffer> => {
  const options = { encoding: 'buffer', maxBuffer: 64 << 20 } as const;
  return (await execute(ffmpegPath, ['-v', 'error', ...args], options)).stdout;
};

/** `ffprobe -of json` with the entries asked for. */
export const probe = async (path: string, ...args: readonly string[]): Promise<unknown> => {
  const ffprobe = ffmpegPath.replace(/ffmpeg([^/]*)$/, 'ffprobe$1');
  const { stdout } = await execute(ffprobe, ['-v', 'error', ...args, '-of', 'json', path], { maxBuffer: 64 << 20 });
  return JSON.parse(stdout);
};

/** ffmpeg and ffprobe as this machine has them: where they are, which version, and what they can do. */
import { execFile } from 'node:child_process';
import { access, constants, realpath, stat } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';

export type Programs = {
  readonly ffmpeg: string;
  readonly ffprobe: string;
  /** As it calls itself: `5.1.9-0+deb12u1`, `N-118000-g1234567`. */
  readonly version: string;
  readonly encoders: ReadonlySet<string>;
  readonly filters: ReadonlySet<string>;
};

/** Why nothing can be converted here: a sentence for whoever runs the server. */
export class NoPrograms extends Error {
  override readonly name = 'NoPrograms';
}

/** Before it `-fps_mode` and half of what keeps times exact is not there. */
const oldest = { major: 5, minor: 1 };
const needed = ['libx264', 'aac'];
const run = promisify(execFile);

const isProgram = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
};

/** The first of the folders that has it; null: none. */
export const findProgram = async (name: string, path = process.env['PATH'] ?? ''): Promise<string | null> => {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    if (isAbsolute(folder) && (await isProgram(file))) return file;
  }
  return null;
};

export type Environment = { readonly FFMPEG_PATH?: string | undefined; readonly PATH?: string | undefined };

/** Rejects with NoPrograms. */
export const findPrograms = async ({ FFMPEG_PATH: named, PATH: path }: Environment = process.env): Promise<Programs> => {
  const ffmpeg = named ? resolve(named) : await findProgram('ffmpeg', path);
  if (ffmpeg === null) throw new NoPrograms('ffmpeg is not in PATH');
  if (!(await isProgram(ffmpeg))) throw new NoPrograms(`FFMPEG_PATH names ${ffmpeg}, which is no program`);
  const beside = join(dirname(ffmpeg), 'ffprobe');
  const ffprobe = (await isProgram(beside)) ? beside : await findProgram('ffprobe', path);
  if (ffprobe === null) throw new NoPrograms('there is no ffprobe beside ffmpeg and none in PATH');
  const [encoders, filters] = await Promise.all([say(ffmpeg, '-encoders'), say(ffmpeg, '-filters')]);
  const version = /^ffmpeg version (\S{1,100})/.exec(encoders.stderr)?.[1];
  if (version === undefined) throw new NoPrograms(`${ffmpeg} does not say its version`);
  if (isTooOld(version)) throw new NoPrograms(`ffmpeg ${version} is too old: ${oldest.major}.${oldest.minor} is needed`);
  const found = { ffmpeg: await realpath(ffmpeg), ffprobe: await realpath(ffprobe), version, encoders: names(encoders.stdout), filters: names(filters.stdout) };
  const missing = needed.filter((name) => !found.encoders.has(name));
  if (missing.length > 0) throw new NoPrograms(`ffmpeg ${version} was built without ${missing.join(' and ')}`);
  return found;
};

/** A list to its output, and who it is to its errors. */
const say = async (program: string, what: string): Promise<{ stdout: string; stderr: string }> => {
  try {
    return await run(program, [what], { timeout: 20_000, maxBuffer: 4 * 1024 * 1024 });
  } catch (error) {
    throw new NoPrograms(`${program} ${what} failed`, { cause: error });
  }
};

/** Builds of the day (`N-118000-g…`) carry no number, and are newer than any that has one. */
export const isTooOld = (version: string): boolean => {
  const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) < oldest.major || (Number(major) === oldest.major && Number(minor) < oldest.minor);
};

/** ` V....D libx264   libx264 H.264 …`: marks, and the name; a head above a line of dashes. */
const names = (list: string): Set<string> => new Set([...list.matchAll(/^ [A-Z.|]{2,6} +(\w+) /gm)].flatMap(([, name]) => (name === undefined ? [] : [name])));

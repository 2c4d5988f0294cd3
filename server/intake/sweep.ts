/**
 * What a killed server left behind: the folders of its jobs, and, where the system could not end them with it, programs
 * that still work in them.
 */
import { mkdir, readdir, readlink, rm } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import type { ServerLog } from '../log.ts';

const tools = ['ffmpeg', 'ffprobe'];

export const sweepJobs = async (folder: string, log: ServerLog): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const strays = await straysIn(resolve(folder));
  for (const pid of strays) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  const left = await readdir(folder);
  for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
  if (left.length > 0) log.info({ jobs: left.length, programs: strays.length }, 'Work that was interrupted is cleared away, and begins anew.');
};

/** Linux tells; elsewhere nobody is found. */
const straysIn = async (folder: string): Promise<number[]> => {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found: number[] = [];
  for (const pid of pids) {
    const [place, program] = await Promise.all(['cwd', 'exe'].map((link) => readlink(`/proc/${pid}/${link}`).catch(() => '')));
    if (place?.startsWith(folder + sep) && tools.includes(basename(program ?? ''))) found.push(Number(pid));
  }
  return found;
};

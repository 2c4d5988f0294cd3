/** What somebody else's work leaves on this machine, for tests that say: nothing. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders of jobs that are there now; those in which encoders of live shows work belong to the server, for as long as it lives. */
export const jobFolders = async (data: string): Promise<string[]> => (await readdir(join(data, 'jobs'))).filter((name) => !/^(?:live|sound|pictures)-\d+$/.test(name));

const pids = async (): Promise<string[]> => (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);

/** Programs that work in this folder, or were given it. */
export const programsIn = async (folder: string): Promise<string[]> => {
  const found: string[] = [];
  for (const pid of await pids()) {
    const [place, line] = await Promise.all([readlink(`/proc/${pid}/cwd`).catch(() => ''), readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')]);
    if (place.startsWith(folder) || line.includes(folder)) found.push(line.replaceAll('\0', ' '));
  }
  return found;
};

/** Whether a moment comes when none is left: a program that was killed takes a while to be gone. */
export const noPrograms = async (folder: string): Promise<boolean> => {
  for (let look = 0; look < 100; look += 1) {
    if ((await programsIn(folder)).length === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
};

/** The most memory that a process has had so far, bytes; 0: it is gone. */
export const peakMemory = async (pid: number | string): Promise<number> => {
  const [, kilobytes = '0'] = /^VmHWM:\s*(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')) ?? [];
  return Number(kilobytes) * 1024;
};

/** Everything that was started by this process, and by those. */
export const startedBy = async (pid: number): Promise<number[]> => {
  const parents = new Map<number, number>();
  for (const name of await pids()) {
    // The name of the program, in brackets, may hold anything.
    const [, parent] = /\) \w (\d+)/.exec((await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '')).replace(/^.*\)/s, ')')) ?? [];
    parents.set(Number(name), Number(parent ?? 0));
  }
  const found = new Set([pid]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const [child, parent] of parents) if (found.has(parent)) found.add(child);
  }
  return [...found].filter((one) => one !== pid);
};

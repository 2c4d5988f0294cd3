/** What a server with ladders has open and has started: the encoders themselves, and whatever may be left behind of them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { startedBy } from './left-behind.ts';

const nameOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch {
    return ''; // It has just ended.
  }
};

const argumentsOf = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // It has just ended.
  }
};

/** ffmpeg alone, without the walls around it. The first rung goes out at the first pipe behind the usual three, and nothing else of a show does. */
export const encodersOf = async (server: number | undefined): Promise<number[]> =>
  (await startedBy(server ?? -1)).filter((pid) => nameOf(pid) === 'ffmpeg' && argumentsOf(pid).includes('pipe:3'));

export const signalEncoders = async (server: number | undefined, signal: 'SIGKILL' | 'SIGSTOP'): Promise<number> => {
  const pids = await encodersOf(server);
  for (const pid of pids) process.kill(pid, signal);
  return pids.length;
};

/** Of second sounds: others make rungs, or the picture of a listing. */
export const killSoundEncoders = async (server: number | undefined): Promise<number> => {
  const pids = (await encodersOf(server)).filter((pid) => argumentsOf(pid).includes('aac'));
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
};

export const isGone = (pid: number): boolean => nameOf(pid) === '';

/** Dead, and nobody has asked how. */
export const zombiesOf = async (server: number | undefined): Promise<number[]> =>
  (await startedBy(server ?? -1)).filter((pid) => {
    try {
      return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, ''));
    } catch {
      return false;
    }
  });

/** Pipes, and pairs of sockets, which Node gives its children instead: files and connections come and go with whoever watches. */
export const pipesOf = (server: number | undefined): number => {
  const local = new Set([...readFileSync('/proc/net/unix', 'latin1').matchAll(/^\S+:(?: \S+){5} +(\d+)/gm)].map(([, inode]) => `socket:[${inode}]`));
  return filesOf(server).filter((target) => target.startsWith('pipe:') || local.has(target)).length;
};

const filesOf = (pid: number | undefined): string[] => {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`);
    } catch {
      return ''; // Closed by now.
    }
  });
};

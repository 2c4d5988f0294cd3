/** What a process costs, as Linux counts it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ticks = 100; // USER_HZ

export const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticks;
};

/** `VmHWM`: the most that it has had so far. */
export const memoryMb = (pid: number | undefined, what: 'VmRSS' | 'VmHWM' = 'VmRSS'): number => {
  const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes ?? 0) / 1024;
};

export const childrenOf = (pid: number): number[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** All its threads share one core from now on. */
export const pin = (pid: number | undefined, core = 0): void => void spawnSync('taskset', ['-apc', String(core), String(pid)]);

/**
 * Cores that this process may keep busy: those that there are, and what the container that it runs in was given of them
 * (`docker --cpus`, `CPUQuota`), which need not be a whole number.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** What stands in a file; null: there is none. */
type Read = (path: string) => string | null;

const root = '/sys/fs/cgroup';

export const coresHere = (read: Read = readText, there = availableParallelism()): number => Math.min(there, quotaOf(read) ?? there);

/** Null: there is no limit, or this is no Linux. */
export const quotaOf = (read: Read): number | null => {
  const limits = (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    // "0::/system.slice/x" (version 2) or "4:cpu,cpuacct:/docker/x" (version 1): cgroups(7).
    const [id, controllers, path] = line.split(':');
    if (path === undefined) return [];
    if (id === '0') return above(path).map((folder) => ofVersion2(read, join(root, folder)));
    return controllers?.split(',').includes('cpu') ? above(path).map((folder) => ofVersion1(read, join(root, 'cpu', folder))) : [];
  });
  const known = limits.filter((limit) => limit !== null);
  return known.length === 0 ? null : Math.min(...known);
};

/** A folder and all those that it lies in: each may limit it. A path that is of another namespace leads nowhere but to the root. */
const above = (path: string): string[] => {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, at) => parts.slice(0, at + 1).join('/')).concat('');
};

/** "150000 100000", or "max 100000". */
const ofVersion2 = (read: Read, folder: string): number | null => {
  const [quota, period] = (read(join(folder, 'cpu.max')) ?? '').trim().split(' ');
  return share(Number(quota), Number(period));
};
const ofVersion1 = (read: Read, folder: string): number | null =>
  share(Number(read(join(folder, 'cpu.cfs_quota_us')) ?? Number.NaN), Number(read(join(folder, 'cpu.cfs_period_us')) ?? Number.NaN));

const share = (quota: number, period: number): number | null => (quota > 0 && period > 0 ? quota / period : null);

const readText: Read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

/** What a process and all that it started have cost so far, as Linux counts it. */
import { readFileSync } from 'node:fs';

/** USER_HZ, which Linux fixes for everybody outside the kernel. */
const ticksPerSecond = 100;
/** Walls are a few programs deep, and each has one below it. */
const deepest = 8;

/** Seconds of a core; null: it is not there any more, or this is no Linux. */
export const coreSecondsOf = (pid: number): number | null => {
  try {
    return sumOf(pid, 0) / ticksPerSecond;
  } catch {
    return null;
  }
};

const sumOf = (pid: number, depth: number): number => {
  // Its name stands in brackets, and may hold anything: what is counted lies behind the last one.
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime, stime, and those of children that are over (proc(5), fields 14 to 17).
  let sum = fields.slice(11, 15).reduce((all, ticks) => all + Number(ticks), 0);
  if (depth === deepest) return sum;
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')) if (child !== '') sum += sumOf(Number(child), depth + 1);
  return sum;
};

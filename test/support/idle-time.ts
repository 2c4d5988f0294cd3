/** What the processors had left: whether the machine was anybody's but ours while something was timed. */
import { cpus } from 'node:os';

/** Of the processors' time; with less of it idle, somebody else had it, and what took long says nothing of us. */
export const spare = 0.1;

/** What the processors have done since the machine was started, and how much of that was nothing. */
const spentTime = (): { idle: number; all: number } => {
  const times = cpus().map((cpu) => cpu.times);
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all: times.reduce((sum, { user, nice, sys, irq, idle }) => sum + user + nice + sys + irq + idle, 0) };
};

/** From now on: asked later, it answers the share of the time in between that was idle. */
export const idleFromNow = (): (() => number) => {
  const before = spentTime();
  return () => {
    const now = spentTime();
    return (now.idle - before.idle) / Math.max(1, now.all - before.all);
  };
};

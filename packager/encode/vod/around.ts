/**
 * A chunk whose source is damaged in places, or gone. What is whole of it is made; the rest is a hole of its rungs, with what
 * hangs on it, as where the source itself says that there is one. That is found out by reading and said in the chunk alone:
 * whoever plans, makes and joins takes the source apart by its index, which says the same to all of them, whenever they look.
 *
 *     source   |K···|K·x·|····|K···|      x: cannot be read
 *     parts    [----)         [----)      each is made as if it were a chunk
 *     chunk    |K···| gap| gap|K···|
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLost, type LogSnapshot } from '../../log/types.ts';
import type { EncodeWork } from '../../pipeline/work.ts';
import { addressOf } from './address.ts';
import { emptied, type ChunkBench } from './addressed.ts';
import { intervalsOf, runsOf, segmentsOf } from './intervals.ts';
import { joinRung, type ChunkPlace } from './join.ts';
import type { SourceLog } from './span.ts';

/** What is missing of it in the segments of this work and in the one behind them, which shows pictures in theirs: fragments, by their numbers. */
export const missingIn = async (log: SourceLog, { from, to }: Pick<EncodeWork, 'from' | 'to'>, signal: AbortSignal): Promise<ReadonlySet<number>> => {
  const { end, entry } = log.snapshot();
  const missing = new Set<number>();
  for (let seq = from; seq < end && (seq <= to || !entry(seq).segmentStart); seq += 1) {
    signal.throwIfAborted();
    try {
      if (!entry(seq).gap) await log.readChecked(seq, seq + 1);
    } catch (error) {
      if (!isLost(error)) throw error;
      missing.add(seq);
    }
  }
  return missing;
};

const withHoles = (log: SourceLog, missing: ReadonlySet<number>): SourceLog => ({
  snapshot() {
    const { entry, ...rest } = log.snapshot();
    return { ...rest, entry: (seq) => (missing.has(seq) ? { ...entry(seq), gap: true, size: 0 } : entry(seq)) };
  },
  readChecked: (from, to) => log.readChecked(from, to),
});

/** Of one part, in an empty folder; resolves with what it says of it. */
type Make = (made: string, part: EncodeWork, log: SourceLog, progress: (done: number) => void) => Promise<number>;

/** `made`: an empty folder. `lost`: the sum of what `make` says; `holes`: segments that nothing was made of. */
export const makeAround = async (bench: ChunkBench, work: EncodeWork, source: SourceLog, missing: ReadonlySet<number>, made: string, make: Make): Promise<{ readonly lost: number; readonly holes: number }> => {
  const { disk, clock, signal, build, place, progress } = bench;
  const log = withHoles(source, missing);
  const window: LogSnapshot = { ...log.snapshot(), first: work.from, end: work.to };
  const intervals = intervalsOf(window);
  const folder = join(place.folder, 'parts');
  const parts: ChunkPlace[] = [];
  let lost = 0;
  try {
    const runs = runsOf(intervals);
    for (const [index, run] of runs.entries()) {
      const part = { ...work, from: run[0]?.from ?? work.from, to: run.at(-1)?.to ?? work.to };
      const its = join(folder, addressOf(part, build));
      await emptied(disk, its);
      lost += await make(its, part, log, (done) => progress((index + done) / runs.length));
      parts.push({ epoch: work.epoch, from: part.from, to: part.to, folder: its });
    }
    for (const { name } of work.rungs) {
      const joined = await joinRung({ disk, clock, signal, source: window, chunks: parts, rung: name, folder: join(made, name), targetDuration: 1, progress: () => undefined });
      if (joined.kind === 'torn') throw new Error(joined.why);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const whole = (from: number): boolean => parts.some((part) => from >= part.from && from < part.to);
  return { lost, holes: segmentsOf(window).filter(({ from }) => !whole(from)).length };
};

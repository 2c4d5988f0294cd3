/**
 * What of a file that is still arriving can be played: the segments from the beginning on of which every track has all
 * its bytes. Asked with every piece that lands, so it only looks at what it waits for: the first run of bytes that is
 * missing.
 */
import type { VirtualTrackLog } from './virtual-log.ts';
import { byteRuns, type ByteRun } from './virtual-samples.ts';

type Has = (from: number, to: number) => boolean;

/** Of one log, in the segment that is waited for. */
type Wait = { readonly log: VirtualTrackLog; there: boolean; runs: readonly ByteRun[] | null; next: number };

/** So many segments a call: all of a film that is there already is looked through in several turns. */
const segmentsAtOnce = 512;

export class Landing {
  readonly #waits: readonly Wait[];
  readonly #segments: number;
  #reached = 0;

  constructor(logs: readonly VirtualTrackLog[]) {
    this.#waits = logs.map((log) => ({ log, there: false, runs: null, next: 0 }));
    this.#segments = Math.max(0, ...logs.map(({ plan }) => plan.segments));
  }

  /** Segments that are there in all tracks (that reach so far). */
  get reached(): number {
    return this.#reached;
  }
  get whole(): boolean {
    return this.#reached === this.#segments;
  }

  /** False: nothing new, and nothing to look at until more has landed. True: call again, for there may be more. */
  landed(has: Has): boolean {
    const before = this.#reached;
    while (this.#reached < this.#segments && this.#reached - before < segmentsAtOnce) {
      if (!this.#waits.every((wait) => isThere(wait, this.#reached, has))) break;
      this.#reached += 1;
      for (const wait of this.#waits) Object.assign(wait, { there: false, runs: null, next: 0 });
    }
    if (this.#reached === before) return false;
    for (const { log } of this.#waits) log.reach(this.#reached);
    return true;
  }
}

const isThere = (wait: Wait, seq: number, has: Has): boolean => {
  if (wait.there) return true;
  const { track, first, lows, highs, sizes, segments } = wait.log.plan;
  if (seq >= segments || sizes[seq] === 0) return (wait.there = true);
  // All between its first and its last byte: usually that is no more than the segment itself.
  if (has(lows[seq] ?? 0, highs[seq] ?? 0)) return (wait.there = true);
  wait.runs ??= byteRuns(track.samples.rows(first[seq] ?? 0, first[seq + 1] ?? 0), 0, Infinity);
  for (let run = wait.runs[wait.next]; run; run = wait.runs[wait.next]) {
    if (!has(run.from, run.to)) return false;
    wait.next += 1;
  }
  return (wait.there = true);
};

/**
 * The grid of an asset: where its segments begin, on the source's own key frames, whole GOPs grouped to at least two
 * seconds. Every track and every rung is cut on it.
 *
 *     key frames   |    |    |       |  |  |            | |
 *     grid         |         |       |     |            |       the last line goes: what follows it is too short
 */
import type { LogSnapshot } from '../log/types.ts';
import { Mp4Error } from './movie.ts';

export type Grid = {
  readonly timescale: number;
  /** Media time at which each segment begins, rising; the first is where the media begins. */
  readonly starts: Float64Array;
  /** Where the last one ends. */
  readonly end: number;
};

export const leastSegmentSeconds = 2;
/** Of sound alone, which could be cut anywhere. */
export const soundSegmentSeconds = 4;

/** More than a week of segments: nobody lists more. */
export const mostSegments = 250_000;

/** Where segments begin, found while somebody goes through the places where they could. */
export interface Lines {
  /** Places rise. True: a segment begins here. */
  begins(place: number): boolean;
  /** No more places will come. Segments may be one fewer than have begun: the last is too short. */
  finish(end: number): Grid;
}

/** A grid of one's own: each segment lasts at least so long. */
export class OwnLines implements Lines {
  readonly #timescale: number;
  readonly #least: number;
  readonly #starts: number[] = [];

  constructor(timescale: number, seconds = leastSegmentSeconds) {
    this.#timescale = timescale;
    this.#least = seconds * timescale;
  }

  begins(place: number): boolean {
    const last = this.#starts.at(-1);
    if (last !== undefined && place - last < this.#least) return false;
    if (this.#starts.length === mostSegments) throw new Mp4Error('limit', `more than ${mostSegments} segments`);
    this.#starts.push(place);
    return true;
  }

  finish(end: number): Grid {
    const last = this.#starts.at(-1) ?? 0;
    if (this.#starts.length > 1 && end - last < leastSegmentSeconds * this.#timescale) this.#starts.pop();
    return { timescale: this.#timescale, starts: Float64Array.from(this.#starts), end };
  }
}

/** Those of a grid that is given: every one of them has to be among the places. */
export class GivenLines implements Lines {
  readonly #grid: Grid;
  readonly #timescale: number;
  #next = 0;

  /** `timescale`: of the places. */
  constructor(grid: Grid, timescale: number) {
    this.#grid = grid;
    this.#timescale = timescale;
  }

  begins(place: number): boolean {
    const { starts, timescale } = this.#grid;
    const line = starts[this.#next];
    const wanted = line === undefined ? Infinity : (line * this.#timescale) / timescale;
    // Times of two timescales meet within a tick; and nothing may be left out ahead of the first line.
    if (place < wanted - 1 && this.#next > 0) return false;
    if (Math.abs(place - wanted) > 1) throw new Mp4Error('unsupported', `there is no key frame where segment ${this.#next} begins`);
    this.#next += 1;
    return true;
  }

  finish(): Grid {
    if (this.#next < this.#grid.starts.length) throw new Mp4Error('unsupported', `there is no key frame where segment ${this.#next} begins`);
    return this.#grid;
  }
}

/** That of an asset whose lead is a log of its own. */
export const gridOfLog = (log: LogSnapshot, timescale: number): Grid => {
  const starts: number[] = [];
  let end = 0;
  for (let seq = log.first; seq < log.end; seq += 1) {
    const { segmentStart, dts, duration } = log.entry(seq);
    if (segmentStart || starts.length === 0) starts.push(dts);
    end = dts + duration;
  }
  return { timescale, starts: Float64Array.from(starts), end };
};

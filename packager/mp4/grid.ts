/**
 * The grid of an asset: where its segments begin, on the source's own key frames, whole GOPs grouped to at least two
 * seconds. Every track and every rung is cut on it.
 *
 *     key frames   |    |    |       |  |  |            | |
 *     grid         |         |       |     |            |       the last line goes: what follows it is too short
 */
import type { LogSnapshot } from '../log/types.ts';

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

/** Of the places where a segment could begin (rising), those where one does: each lasts at least so long. */
export const gridFrom = (places: ArrayLike<number>, end: number, timescale: number, seconds = leastSegmentSeconds): Grid => {
  const starts: number[] = [];
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] ?? 0;
    const last = starts.at(-1);
    if (last === undefined || place - last >= seconds * timescale) starts.push(place);
  }
  const last = starts.at(-1) ?? 0;
  if (starts.length > 1 && end - last < leastSegmentSeconds * timescale) starts.pop();
  return { timescale, starts: Float64Array.from(starts), end };
};

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

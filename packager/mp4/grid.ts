/**
 * The grid of an asset: where its segments begin, on the source's own key frames, whole GOPs grouped to at least two
 * seconds. Every track and every rung is cut on it.
 */
export type Grid = {
  readonly timescale: number;
  /** Media time at which each segment begins, rising; the first is where the media begins. */
  readonly starts: Float64Array;
  /** Where the last one ends. */
  readonly end: number;
};

export const leastSegmentSeconds = 2;

/**
 * Where a video that is whole can be taken apart: its intervals, which begin with a key picture, and runs of them that are
 * encoded together. Pure: all of it stands in the index of the log.
 *
 *     segments    |K···|K···|····|K···|  gap  |····|K···|   ·· another epoch
 *     intervals   |    |         |    |  nothing   |    |      what cannot be decoded is a gap of every rung
 *     chunks      |                   |            |    |      about 30 s; none goes across a gap or the end of an epoch
 */
import type { LogSnapshot } from '../../log/types.ts';

/** Fragments [from, to): segments of one epoch, the first of which begins with a key picture. */
export type Interval = {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** Of its first segment and behind its last one, ticks of the track. */
  readonly start: number;
  readonly end: number;
  /** Nothing can be made of it: a hole of the source, or pictures behind one that hang on what is missing. */
  readonly gap: boolean;
};

/** Whole intervals of one epoch, without a gap between them. */
export type ChunkRange = {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** That it lasts. */
  readonly seconds: number;
};

type Segment = { readonly epoch: number; readonly from: number; to: number; readonly start: number; end: number; readonly key: boolean; gap: boolean };

/** In order, without anything between them that is not said. */
export const intervalsOf = (log: Pick<LogSnapshot, 'first' | 'end' | 'entry'>): Interval[] => {
  const intervals: Segment[] = [];
  for (const segment of segmentsOf(log)) {
    const last = intervals.at(-1);
    const open = last?.epoch === segment.epoch ? last : null;
    const gap = segment.gap || (!segment.key && (open === null || open.gap));
    if (open && open.gap === gap && (gap || !segment.key)) {
      open.to = segment.to;
      open.end = segment.end;
    } else intervals.push({ ...segment, gap });
  }
  return intervals.map(({ key: _key, ...interval }) => interval);
};

/** A segment of pictures in which anything is missing cannot be told from one that is missing. */
export const segmentsOf = ({ first, end, entry }: Pick<LogSnapshot, 'first' | 'end' | 'entry'>): Segment[] => {
  const segments: Segment[] = [];
  for (let seq = first; seq < end; seq += 1) {
    const { epoch, segmentStart, dts, duration, key, gap } = entry(seq);
    const last = segments.at(-1);
    if (last && last.epoch === epoch && !segmentStart) {
      last.to = seq + 1;
      last.end = dts + duration;
      last.gap ||= gap;
    } else segments.push({ epoch, from: seq, to: seq + 1, start: dts, end: dts + duration, key, gap });
  }
  return segments;
};

const usualSeconds = 30;
const longestSeconds = 60;

/** What is encoded at a time: about half a minute, and no less than half of that at an end where it can be helped. */
export const chunksOf = (intervals: readonly Interval[], timescale: number): ChunkRange[] =>
  runsOf(intervals).flatMap((run) => {
    const seconds = (some: readonly Interval[]): number => ((some.at(-1)?.end ?? 0) - (some[0]?.start ?? 0)) / timescale;
    const chunks: Interval[][] = [];
    for (const interval of run) {
      const open = chunks.at(-1);
      if (open && seconds(open) < usualSeconds && seconds([...open.slice(0, 1), interval]) <= longestSeconds) open.push(interval);
      else chunks.push([interval]);
    }
    return levelled(chunks, seconds).flatMap((some): ChunkRange[] => {
      const [begin, last] = [some[0], some.at(-1)];
      return begin && last ? [{ epoch: begin.epoch, from: begin.from, to: last.to, seconds: seconds(some) }] : [];
    });
  });

/** Intervals of one epoch that follow one another, without gaps. */
export const runsOf = (intervals: readonly Interval[]): Interval[][] => {
  const runs: Interval[][] = [];
  let open: Interval[] | null = null;
  for (const interval of intervals) {
    if (interval.gap || open?.[0]?.epoch !== interval.epoch) open = null;
    if (interval.gap) continue;
    if (!open) runs.push((open = []));
    open.push(interval);
  }
  return runs;
};

/** The last one takes from the one before it, or goes up in it. */
const levelled = (chunks: Interval[][], seconds: (some: readonly Interval[]) => number): Interval[][] => {
  const last = chunks.at(-1);
  const before = chunks.at(-2);
  if (!last || !before || seconds(last) >= usualSeconds / 2) return chunks;
  const both = [...before, ...last];
  if (seconds(both) <= longestSeconds) return [...chunks.slice(0, -2), both];
  const half = seconds(both) / 2;
  const at = Math.max(1, both.findIndex((_, index) => seconds(both.slice(0, index + 1)) > half));
  return [...chunks.slice(0, -2), both.slice(0, at), both.slice(at)];
};

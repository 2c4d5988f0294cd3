/**
 * Where the segments of a sound that is made begin, in whole frames: as near to those of the source as frames allow. Pure.
 *
 *     source   |~~gap~~|..:..:..:.|..:..:..|~~gap~~|:..:..:..|
 *     made     |~~gap~~|...|...|...|...|...|~~gap~~|...|...|...|     the first frame where the first of the source is
 */
import type { EpochFacts, LogSnapshot } from '../../log/types.ts';
import { rescale } from '../../media/wire-time.ts';
import { aacFrame } from '../sound-command.ts';

/** Fragments [from, to) of the source: a segment. Its times are of the source's timescale. */
type SourceSegment = { readonly from: number; readonly to: number; readonly start: number; readonly end: number; readonly gap: boolean };

/** A segment that is made. Frames are counted from the first of the epoch on; a gap holds none of those that there are. */
export type SoundCut = { readonly start: number; readonly end: number; readonly firstFrame: number; readonly endFrame: number; readonly gap: boolean };

export type EpochCuts = {
  readonly facts: EpochFacts;
  /** Of the source. */
  readonly from: number;
  readonly to: number;
  /** When the first frame begins: of the source's timescale, and of the new one. Null: there is nothing to be heard. */
  readonly first: { readonly source: number; readonly made: number } | null;
  readonly cuts: readonly SoundCut[];
};

export const soundCuts = (log: LogSnapshot, sampleRate: number): EpochCuts[] => {
  const epochs = log.epochs.map((facts) => ({ facts, segments: segmentsOf(log, facts.epoch) })).filter(({ segments }) => segments.length > 0);
  return epochs.map(({ facts, segments }, index) => {
    const next = epochs[index + 1];
    const until = next?.segments[0] ? rescale(next.segments[0].start, next.facts.timescale, sampleRate) : Infinity;
    return cutEpoch(facts, segments, sampleRate, until);
  });
};

const segmentsOf = (log: LogSnapshot, wanted: number): SourceSegment[] => {
  const segments: SourceSegment[] = [];
  for (let seq = log.first; seq < log.end; seq += 1) {
    const { epoch, dts, duration, gap, segmentStart } = log.entry(seq);
    if (epoch !== wanted) continue;
    const last = segments.at(-1);
    if (last && !segmentStart) segments[segments.length - 1] = { ...last, to: seq + 1, end: dts + duration, gap: last.gap && gap };
    else segments.push({ from: seq, to: seq + 1, start: dts, end: dts + duration, gap });
  }
  return segments;
};

const cutEpoch = (facts: EpochFacts, segments: readonly SourceSegment[], sampleRate: number, until: number): EpochCuts => {
  const ticks = (time: number): number => rescale(time, facts.timescale, sampleRate);
  const heard = segments.filter(({ gap }) => !gap);
  const [from, to] = [segments[0]?.from ?? 0, segments.at(-1)?.to ?? 0];
  const [first, last] = [heard[0], heard.at(-1)];
  const silent = segments.map(({ start, end }): SoundCut => ({ start: ticks(start), end: ticks(end), firstFrame: 0, endFrame: 0, gap: true }));
  if (!first || !last) return { facts, from, to, first: null, cuts: silent };
  const zero = ticks(first.start);
  const rounded = (time: number): number => Math.round((ticks(time) - zero) / aacFrame);
  // What is heard at the very end is kept whole, unless another epoch begins there.
  const all = Math.min(Math.ceil((ticks(last.end) - zero) / aacFrame), Math.floor((until - zero) / aacFrame));
  const cuts: SoundCut[] = [];
  for (const segment of segments) {
    const { start, end, gap } = segment;
    const begin = cuts.at(-1)?.endFrame ?? 0;
    if (start < first.start) {
      cuts.push({ start: ticks(start), end: Math.min(ticks(end), zero), firstFrame: 0, endFrame: 0, gap: true });
      continue;
    }
    if (start > last.start) {
      // Nothing is heard any more: no frames to fill it with, which might reach into the epoch behind it.
      const here = cuts.at(-1)?.end ?? zero;
      cuts.push({ start: here, end: Math.max(here, ticks(end)), firstFrame: begin, endFrame: begin, gap: true });
      continue;
    }
    const endFrame = Math.max(begin + 1, segment === last ? all : rounded(end));
    cuts.push({ start: zero + begin * aacFrame, end: zero + endFrame * aacFrame, firstFrame: begin, endFrame, gap });
  }
  return { facts, from, to, first: { source: first.start, made: zero }, cuts };
};

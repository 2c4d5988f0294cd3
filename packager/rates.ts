/**
 * What a track takes of the line, as manifests tell it. While it is live nobody knows what will come, so what was
 * frozen at the gate is told; of a show that has ended it is known.
 */
import { listed } from './hls/window.ts';
import type { PresentationSnapshot, SegmentRef, TrackSnapshot } from './snapshot.ts';

/** Bits a second. */
export type Rates = { readonly peak: number; readonly average: number };

export const ratesOf = (snapshot: PresentationSnapshot, track: TrackSnapshot): Rates => {
  if (snapshot.state === 'live') return told(track);
  return once(snapshot, track.id, () => measure(snapshot, track, ({ size }) => size)) ?? told(track);
};

const once = (snapshot: PresentationSnapshot, what: string, rates: () => Rates | null): Rates | null => {
  let known = measured.get(snapshot);
  if (!known) measured.set(snapshot, (known = new Map()));
  let found = known.get(what);
  if (found === undefined) known.set(what, (found = rates()));
  return found;
};

const told = ({ bandwidth, averageBandwidth }: TrackSnapshot): Rates => ({ peak: bandwidth, average: averageBandwidth });

/** A manifest asks once for each of its Periods, and every viewer who begins somewhere has a playlist of his own. */
const measured = new WeakMap<PresentationSnapshot, Map<string, Rates | null>>();

/**
 * The same of the key pictures alone. How large they are is not in the index, but they are no larger than the parts that
 * they begin; while live, than the segments.
 */
export const keyRatesOf = (snapshot: PresentationSnapshot, track: TrackSnapshot): Rates =>
  (snapshot.state === 'ended' && once(snapshot, `${track.id} keys`, () => measure(snapshot, track, ({ parts }) => parts[0]?.size ?? 0))) || told(track);

/** Null: there is nothing to measure. */
const measure = (snapshot: PresentationSnapshot, track: TrackSnapshot, bytes: (segment: SegmentRef) => number): Rates | null => {
  const { from, to } = listed(snapshot, track);
  return segmentRates(track.segments.slice(from, to), snapshot.policy.targetDuration, track.timescale, bytes);
};

type Measured = Pick<SegmentRef, 'duration' | 'size' | 'gap'>;

/**
 * RFC 8216bis 4.4.6.2: the peak is the largest rate of any contiguous set of segments that is between 0.5 and 1.5 target
 * durations long. Null: none of them has bytes.
 */
export const segmentRates = <Segment extends Measured>(
  segments: readonly Segment[],
  targetDuration: number,
  timescale: number,
  bytes: (segment: Segment) => number = ({ size }) => size,
): Rates | null => {
  const shown = segments.filter(({ gap, size }) => !gap && size > 0);
  const target = targetDuration * timescale;
  let peak = 0;
  let all = 0;
  let ticks = 0;
  for (const [index, first] of shown.entries()) {
    let sum = 0;
    let long = 0;
    for (let at = index, next: Segment | undefined = first; next; at += 1, next = shown[at]) {
      long += next.duration;
      if (long > 1.5 * target) break;
      sum += bytes(next);
      if (long >= 0.5 * target) peak = Math.max(peak, sum / long);
    }
    all += bytes(first);
    ticks += first.duration;
  }
  if (ticks === 0) return null;
  const average = all / ticks;
  const perSecond = (rate: number): number => Math.ceil(rate * 8 * timescale);
  // A show shorter than half a target duration has no set that is long enough.
  return { peak: perSecond(Math.max(peak, average)), average: perSecond(average) };
};

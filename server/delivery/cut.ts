/**
 * A cut in an address: `cut-<in>-<out>` after the video, milliseconds of its media time, `end` for none. It is a view:
 * what is listed is less, and what a file is named is the same. A recording that has been trimmed is never shown
 * beyond its trim, whatever a cut asks for.
 */
import type { Cut, PresentationSnapshot, SegmentRef, TrackSnapshot } from '../../packager/snapshot.ts';
import { endOf } from '../../packager/hls/window.ts';

export type CutPath = { readonly name: string; readonly cut: Cut };

// Eleven days at most; no leading zeros, so that one cut has one name.
const pattern = /^cut-(0|[1-9]\d{0,8})-([1-9]\d{0,8}|end)$/;

/** Null: another step of the path; 'none': a cut that holds nothing. */
export const parseCut = (step: string): CutPath | null | 'none' => {
  const [, from, to] = pattern.exec(step) ?? [];
  if (from === undefined || to === undefined) return null;
  if (to !== 'end' && Number(to) <= Number(from)) return 'none';
  return { name: step, cut: { inMicros: Number(from) * 1000, outMicros: to === 'end' ? null : Number(to) * 1000 } };
};

/** The snapshot as it is seen through a cut. */
export const seenThrough = (snapshot: PresentationSnapshot, path: CutPath | null): PresentationSnapshot =>
  path === null ? snapshot : { ...snapshot, cut: narrower(snapshot.cut, path.cut) };

const narrower = (one: Cut, other: Cut): Cut => ({
  inMicros: Math.max(one.inMicros ?? 0, other.inMicros ?? 0),
  outMicros: one.outMicros === null || other.outMicros === null ? (one.outMicros ?? other.outMicros) : Math.min(one.outMicros, other.outMicros),
});

/** Segments are listed whole, so whatever touches the cut is within it. */
export const isWithin = ({ inMicros, outMicros }: Cut, { timescale }: TrackSnapshot, segment: SegmentRef): boolean =>
  (inMicros === null || endOf(segment) * 1e6 > inMicros * timescale) && (outMicros === null || segment.start * 1e6 < outMicros * timescale);

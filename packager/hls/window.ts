/**
 * What of a track a playlist lists, and where its live edge is: the questions that the media playlist, the
 * multivariant playlist's reports and the judging of blocked reloads must answer alike.
 */
import type { OpenSegment, PresentationSnapshot, SegmentRef, TrackEpoch, TrackSnapshot } from '../snapshot.ts';

export const findTrack = (snapshot: PresentationSnapshot, id: string): TrackSnapshot | null =>
  snapshot.tracks.find((track) => track.id === id) ?? null;

export type Listed = {
  /** Indices into `track.segments`. */
  readonly from: number;
  readonly to: number;
  /** The segment being written, once it has a part. */
  readonly open: OpenSegment | null;
  /** Nothing will ever be added. */
  readonly ended: boolean;
};

export const listed = (snapshot: PresentationSnapshot, track: TrackSnapshot, begin = track.firstSegment): Listed => {
  let from = begin;
  let to = track.endSegment;
  let open = track.open && track.open.count > 0 ? track.open : null;
  let ended = snapshot.state === 'ended';
  const { inMicros, outMicros } = snapshot.cut;
  if (inMicros !== null) from = firstIndex(track, from, to, (segment) => endOf(segment) * 1e6 > inMicros * track.timescale);
  if (outMicros !== null) {
    const out = outMicros * track.timescale;
    if (open && open.start * 1e6 >= out) {
      open = null;
      ended = true;
    }
    const cutTo = firstIndex(track, from, to, (segment) => segment.start * 1e6 >= out);
    if (cutTo < to) {
      to = cutTo;
      open = null;
      ended = true;
    }
  }
  return { from, to, open, ended };
};

/** The end of what the listed window holds, in ticks. */
export const listedEnd = (track: TrackSnapshot, { from, to, open }: Listed): number => {
  if (open) return open.start + openDuration(open);
  const last = to > from ? track.segments[to - 1] : undefined;
  return last ? endOf(last) : 0;
};

export const endOf = (segment: SegmentRef): number => segment.start + segment.duration;

const openDuration = (open: OpenSegment): number => {
  let ticks = 0;
  for (let part = 0; part < open.count; part++) ticks += open.parts[part]?.duration ?? 0;
  return ticks;
};

/** The first index in [from, to) for which the condition holds, else `to`. It must hold for all that follow. */
export const firstIndex = (track: TrackSnapshot, from: number, to: number, holds: (segment: SegmentRef) => boolean): number => {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const segment = track.segments[middle];
    if (segment && !holds(segment)) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The number of the segment that is being written, or that will be written next. */
export const nextMsn = (track: TrackSnapshot): number => track.open?.msn ?? (track.segments[track.endSegment - 1]?.msn ?? 0) + 1;

/** How many parts the next segment has so far: its number is also that of the part which comes next. */
export const nextPart = (track: TrackSnapshot): number => track.open?.count ?? 0;

/** The last part that exists, whether its segment is closed or not. */
export const lastPart = (track: TrackSnapshot): { readonly msn: number; readonly part: number } | null => {
  if (track.open && track.open.count > 0) return { msn: track.open.msn, part: track.open.count - 1 };
  const last = track.segments[track.endSegment - 1];
  return last ? { msn: last.msn, part: Math.max(0, last.parts.length - 1) } : null;
};

/** The run id in the names of an epoch's files. */
export const runOf = ({ epochs, run }: PresentationSnapshot, epoch: number): string => epochs.findLast((known) => known.epoch <= epoch)?.run ?? run;

/** A closed segment by its number; also one that has left the playlist but is still known. */
export const segmentByMsn = (track: TrackSnapshot, msn: number): SegmentRef | null => {
  const first = track.segments[0];
  if (!first) return null;
  const index = msn - first.msn;
  const segment = index >= 0 && index < track.endSegment ? track.segments[index] : undefined;
  return segment && segment.msn === msn ? segment : null;
};

/** The configuration in force in an epoch: its own, or the last one before it. */
export const epochOfTrack = (track: TrackSnapshot, epoch: number): TrackEpoch | null => {
  for (let index = track.epochs.length - 1; index >= 0; index--) {
    const found = track.epochs[index];
    if (found && found.epoch <= epoch) return found;
  }
  return null;
};

/** Parts are served when the track has them and the presentation says how far players must hold back. */
export const hasParts = (snapshot: PresentationSnapshot, track: TrackSnapshot): boolean =>
  track.partTarget !== null && snapshot.policy.partHoldBack !== null;

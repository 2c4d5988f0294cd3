/**
 * The segment in progress, asked for by the name that it will have when it is complete: chunked transfer of its parts
 * as they come. Nothing here waits or reads; whoever serves asks again with every newer snapshot.
 *
 *     closed ── the whole segment, as ever: one answer with a length, cached for good
 *     open ──── send `ready` (parts [sent, …)) now, and go on until `complete`
 *     soon ──── it is the next one to be written: hold the request until it is open
 *     gone ──── nothing will ever come (any more): before the first byte a 404, after it an end that is seen as a fault
 */
import { findTrack, hasParts, nextMsn, segmentByMsn } from '../hls/window.ts';
import type { PartRef, PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';

export type Progress =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly ready: readonly PartRef[]; readonly complete: boolean }
  | { readonly kind: 'soon' }
  | { readonly kind: 'gone' };

/** How far a transfer of segment `msn` can go when `sent` of its parts have been sent already. */
export const progress = (snapshot: PresentationSnapshot, trackId: string, msn: number, sent = 0): Progress => {
  const track = findTrack(snapshot, trackId);
  if (!track) return gone;
  const closed = segmentByMsn(track, msn);
  if (closed) return sent === 0 ? { kind: 'closed' } : some(closed.parts, closed.parts.length, sent, true);
  if (snapshot.state === 'ended' || !hasParts(snapshot, track)) return gone;
  const { open } = track;
  if (open?.msn === msn && open.count > 0) return some(open.parts, open.count, sent, false);
  // Players may ask a moment ahead: of the segment that comes next, and only of that one.
  return sent === 0 && isNext(track, msn) ? { kind: 'soon' } : gone;
};

const gone = { kind: 'gone' } as const;

const isNext = (track: TrackSnapshot, msn: number): boolean => msn === nextMsn(track) || (track.open !== null && msn === track.open.msn + 1);

/** A hole has no bytes: a segment that begins with one cannot be decoded, and one that has one inside goes on after it. */
const some = (parts: readonly PartRef[], count: number, sent: number, complete: boolean): Progress => {
  const [first] = parts;
  if (!first || first.gap || first.size === 0) return gone;
  return { kind: 'open', ready: parts.slice(sent, count), complete };
};

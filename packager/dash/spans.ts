/**
 * The Periods of a presentation: stretches of consecutive segment numbers for which one line of a manifest holds.
 *
 *     msn      1  2  3  4 | 5  6  7 | 8  9 | 10 11 …
 *     epoch    0  0  0  0 | 1  1  1 | 1  1 |  1  1       a new epoch has a new init and a wall clock of its own
 *     v1       ·  ·  ·  · | ·  ·  · | gap  |  ·  ·       a rung without media is not in the Period at all
 *     Period   e0         | e1      | e1-8 | e1-10
 *
 * $Number$ counts the entries of a SegmentTimeline, so what has no bytes cannot be left out of the middle of one.
 * A third reason to begin anew is the drift of the encoder's clock: inside a Period players take media time for wall
 * clock, and a low-latency player that is told of a latency which is not there stalls for ever.
 *
 * Where a Period begins never depends on what is listed now, so a sliding window moves no Period and renames none.
 */
import type { EpochRef, PresentationSnapshot, SegmentRef, TrackSnapshot } from '../snapshot.ts';

export type Span = {
  readonly id: string;
  readonly epoch: number;
  /** Segment numbers [from, to); the last span has no end. */
  readonly from: number;
  readonly to: number;
  /** Media time at which it starts: the earliest of its tracks. */
  readonly startMicros: number;
  /** Wall clock of that moment, ms since 1970. */
  readonly wallClock: number;
};

type Begin = Omit<Span, 'to'>;
type Kept = { next: number; readonly begins: { begin: Begin; readonly key: string; readonly slewMs: number }[] };

/** How far the encoder's clock may drift from ours within a Period. */
const driftMs = 200;

const kept = new WeakMap<readonly SegmentRef[], Kept>();

export const spans = (whole: PresentationSnapshot): Span[] => {
  // Captions follow the grid, and begin nothing.
  const tracks = whole.tracks.filter(({ kind }) => kind !== 'text');
  const snapshot = { ...whole, tracks };
  const [lead] = tracks;
  if (!lead) return [];
  const closed = Math.min(...tracks.map(closedEnd));
  const begins = closedBegins(snapshot, lead, closed).filter(({ from }) => from < closed);
  const tail = tailBegin(snapshot, closed, begins.at(-1));
  if (tail) begins.push(tail);
  return begins.map((begin, index) => ({ ...begin, to: begins[index + 1]?.from ?? Number.POSITIVE_INFINITY }));
};

/** Every track has closed the segments before `closed`; what has been found out about them stays true. */
const closedBegins = (snapshot: PresentationSnapshot, lead: TrackSnapshot, closed: number): Begin[] => {
  let state = kept.get(lead.segments);
  if (!state) kept.set(lead.segments, (state = { next: lead.segments[0]?.msn ?? closed, begins: [] }));
  for (; state.next < closed; state.next++) {
    const msn = state.next;
    const segment = segmentAt(lead, msn);
    if (!segment) continue;
    const key = `${segment.epoch} ${gapsAt(snapshot.tracks, msn)}`;
    const last = state.begins.at(-1);
    if (last && last.key === key && Math.abs(segment.slewMs - last.slewMs) < driftMs) continue;
    const begin = beginAt(snapshot, msn, segment, last?.begin);
    if (begin) state.begins.push({ begin, key, slewMs: segment.slewMs });
  }
  return state.begins.map(({ begin }) => begin);
};

/** An epoch of which no segment is complete in every track. */
const tailBegin = (snapshot: PresentationSnapshot, closed: number, last: Begin | undefined): Begin | null => {
  for (const track of snapshot.tracks) {
    for (let msn = closed; msn < closedEnd(track); msn++) {
      const segment = segmentAt(track, msn);
      if (segment && segment.epoch !== last?.epoch) return beginAt(snapshot, msn, segment, last);
    }
    const { open } = track;
    if (open && open.count > 0 && open.msn >= closed && open.epoch !== last?.epoch) return beginAt(snapshot, open.msn, open, last);
  }
  return null;
};

type Dated = { readonly epoch: number; readonly slewMs: number };

const beginAt = (snapshot: PresentationSnapshot, msn: number, { epoch, slewMs }: Dated, before: Begin | undefined): Begin | null => {
  const base = epochAt(snapshot.epochs, epoch);
  if (!base) return null;
  const first = before?.epoch !== epoch;
  // An epoch begins at one moment for all tracks, whichever of them are there when its Period is first told of.
  const startMicros = first ? base.startMicros : earliest(snapshot.tracks, msn);
  const wallClock = base.wallClock + (startMicros - base.startMicros) / 1000 + slewMs;
  return { id: first ? `e${epoch}` : `e${epoch}-${msn}`, epoch, from: msn, startMicros, wallClock };
};

/** Sound is cut at whole frames, so it may begin some milliseconds ahead of the picture: nothing must lie before its Period. */
const earliest = (tracks: readonly TrackSnapshot[], msn: number): number => {
  const starts = tracks.flatMap((track) => {
    const segment = segmentAt(track, msn);
    return segment ? [Math.floor((segment.start / track.timescale) * 1e6)] : [];
  });
  return Math.min(...starts);
};

const gapsAt = (tracks: readonly TrackSnapshot[], msn: number): string =>
  tracks.map((track) => (isGap(segmentAt(track, msn)) ? '-' : '+')).join('');

/** Nothing can be loaded under this number. */
export const isGap = (segment: SegmentRef | null): boolean => !segment || segment.gap || segment.size === 0;

const epochAt = (epochs: readonly EpochRef[], epoch: number): EpochRef | undefined => epochs.findLast((known) => known.epoch <= epoch);

/** The number after the last closed segment. */
export const closedEnd = (track: TrackSnapshot): number => {
  const last = track.segments[track.endSegment - 1];
  return last ? last.msn + 1 : (track.open?.msn ?? 0);
};

const segmentAt = (track: TrackSnapshot, msn: number): SegmentRef | null => {
  const index = msn - (track.segments[0]?.msn ?? 0);
  const segment = index >= 0 && index < track.endSegment ? track.segments[index] : undefined;
  return segment && segment.msn === msn ? segment : null;
};

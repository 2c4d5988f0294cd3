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
 * The fourth is another key, where init segments name it: `segmentsPerKey` segments are under one, and no Period goes beyond.
 *
 * Where a Period begins never depends on what is listed now, so a sliding window moves no Period and renames none.
 */
import type { EpochRef, OpenSegment, PresentationSnapshot, SegmentRef, TrackSnapshot } from '../snapshot.ts';

export type Span = {
  readonly id: string;
  readonly epoch: number;
  /** Segment numbers [from, to); the last span has no end, or that of its key. */
  readonly from: number;
  readonly to: number;
  /** Media time at which it starts: the earliest of its tracks, or of its pictures where only the key is another. */
  readonly startMicros: number;
  /** Wall clock of that moment, ms since 1970. */
  readonly wallClock: number;
};

/** `slewMs`: what its wall clock counts on. */
type Begin = Omit<Span, 'to'> & { readonly slewMs: number };
type Kept = { next: number; readonly begins: { begin: Begin; readonly key: string }[] };

/** How far the encoder's clock may drift from ours within a Period. */
const driftMs = 200;

/** By how long a key lasts: what is listed in the clear and under keys begins at other numbers. */
const kept = new WeakMap<readonly SegmentRef[], Map<number, Kept>>();

/** `perKey`: segments under one key, where a Period must not have two. */
export const spans = (whole: PresentationSnapshot, perKey = Number.POSITIVE_INFINITY): Span[] => {
  // Captions follow the grid, and begin nothing.
  const tracks = whole.tracks.filter(({ kind }) => kind !== 'text');
  const snapshot = { ...whole, tracks };
  const [lead] = tracks;
  if (!lead) return [];
  const closed = Math.min(...tracks.map(closedEnd));
  const begins = closedBegins(snapshot, lead, closed, perKey).filter(({ from }) => from < closed);
  const tail = tailBegin(snapshot, closed, begins.at(-1), perKey);
  if (tail) begins.push(tail);
  return begins.map((begin, index) => ({ ...begin, to: Math.min(begins[index + 1]?.from ?? Number.POSITIVE_INFINITY, endOfKey(begin.from, perKey)) }));
};

/** The first number under the next key. */
const endOfKey = (msn: number, perKey: number): number => (Math.floor(msn / perKey) + 1) * perKey;

/** Every track has closed the segments before `closed`; what has been found out about them stays true. */
const closedBegins = (snapshot: PresentationSnapshot, lead: TrackSnapshot, closed: number, perKey: number): Begin[] => {
  let states = kept.get(lead.segments);
  if (!states) kept.set(lead.segments, (states = new Map()));
  let state = states.get(perKey);
  if (!state) states.set(perKey, (state = { next: lead.segments[0]?.msn ?? closed, begins: [] }));
  for (; state.next < closed; state.next++) {
    const msn = state.next;
    const segment = segmentAt(lead, msn);
    if (!segment) continue;
    const key = `${segment.epoch} ${endOfKey(msn, perKey)} ${gapsAt(snapshot.tracks, msn)}`;
    const last = state.begins.at(-1);
    if (last && last.key === key && isNear(segment, last.begin)) continue;
    const begin = beginAt(snapshot, msn, segment, { before: last?.begin, perKey });
    if (begin) state.begins.push({ begin, key });
  }
  return state.begins.map(({ begin }) => begin);
};

/** An epoch, or a key, of which no segment is complete in every track. */
const tailBegin = (snapshot: PresentationSnapshot, closed: number, last: Begin | undefined, perKey: number): Begin | null => {
  const another = ({ msn, epoch }: SegmentRef | OpenSegment): boolean => epoch !== last?.epoch || msn >= endOfKey(last.from, perKey);
  for (const track of snapshot.tracks) {
    for (let msn = closed; msn < closedEnd(track); msn++) {
      const segment = segmentAt(track, msn);
      if (segment && another(segment)) return beginAt(snapshot, msn, segment, { before: last, perKey });
    }
    const { open } = track;
    if (open && open.count > 0 && open.msn >= closed && another(open)) return beginAt(snapshot, open.msn, open, { before: last, perKey });
  }
  return null;
};

type Dated = { readonly epoch: number; readonly slewMs: number };

const isNear = (one: Dated, other: Dated): boolean => Math.abs(one.slewMs - other.slewMs) < driftMs;

const beginAt = (snapshot: PresentationSnapshot, msn: number, at: Dated, { before, perKey }: { readonly before: Begin | undefined; readonly perKey: number }): Begin | null => {
  const { epoch } = at;
  const base = epochAt(snapshot.epochs, epoch);
  if (!base) return null;
  const first = before?.epoch !== epoch;
  const keyed = before !== undefined && !first && msn >= endOfKey(before.from, perKey) && isNear(at, before);
  // An epoch begins at one moment for all tracks, whichever of them are there when its Period is first told of.
  const startMicros = first ? base.startMicros : (keyed ? earliest(snapshot.tracks.filter(({ kind }) => kind === 'video'), msn) : null) ?? earliest(snapshot.tracks, msn);
  if (startMicros === null) return null;
  // A new key is no reason to set the clock right: its Period begins where the one before ends.
  const { slewMs } = keyed ? before : at;
  const wallClock = base.wallClock + (startMicros - base.startMicros) / 1000 + slewMs;
  return { id: first ? `e${epoch}` : `e${epoch}-${msn}`, epoch, from: msn, startMicros, wallClock, slewMs };
};

/**
 * Sound is cut at whole frames, so it may begin some milliseconds ahead of the picture: nothing must lie before its Period.
 * But between two keys without a hole, what lies ahead of one Period lies behind the end of the other. Players forgive sound
 * that begins up to 100 ms early, and lose pictures that end 10 ms late (dash.js' append window): the picture decides there.
 */
const earliest = (tracks: readonly TrackSnapshot[], msn: number): number | null => {
  const starts = tracks.flatMap((track) => {
    const segment = segmentAt(track, msn) ?? openAt(track, msn);
    return segment ? [Math.floor((segment.start / track.timescale) * 1e6)] : [];
  });
  return starts.length > 0 ? Math.min(...starts) : null;
};

const gapsAt = (tracks: readonly TrackSnapshot[], msn: number): string =>
  tracks.map((track) => (isGap(segmentAt(track, msn)) ? '-' : '+')).join('');

/** Nothing can be loaded under this number. */
export const isGap = (segment: SegmentRef | null): boolean => !segment || segment.gap || segment.size === 0;

const epochAt = (epochs: readonly EpochRef[], epoch: number): EpochRef | undefined => epochs.findLast((known) => known.epoch <= epoch);

const openAt = ({ open }: TrackSnapshot, msn: number): OpenSegment | null => (open?.msn === msn ? open : null);

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

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
 *
 * That a rung has nothing under a number is known when it has been waited for, and players have been told of what the
 * source has under it. So while a show is live its Periods follow what becomes of a rung `lateRung` segments later: of a Period in which it breaks off
 * it has the beginning, and it comes back with the next one.
 *
 *     msn      1  2  3  4  5  6 | 7  8 | 9 10 …
 *     v1       ·  ·  ·  gap gap ·   ·  ·   ·  ·
 *     Period   e0: v1 to 3      | e1-7, without v1 | e1-9
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
  /** Ids of rungs that are not in it, whatever there is of them. */
  readonly without: readonly string[];
};

/** `slewMs`: what its wall clock counts on. */
type Begin = Omit<Span, 'to'> & { readonly slewMs: number };
type Kept = { next: number; readonly begins: { begin: Begin; readonly key: string }[] };
type Way = { readonly perKey: number; readonly late: number };

/** How far the encoder's clock may drift from ours within a Period. */
const driftMs = 200;

/**
 * A rung that is two segments behind is given up for the first of them (`packager/live/ladder-epoch.ts`): the source may
 * have begun the third by then.
 */
const lateRung = 3;

/** By how long a key lasts, and how late rungs are: what is listed in the clear and under keys begins at other numbers. */
const kept = new WeakMap<readonly SegmentRef[], Map<string, Kept>>();

/** `perKey`: segments under one key, where a Period must not have two. `live`: players keep what they were told. */
export const spans = (whole: PresentationSnapshot, { perKey = Number.POSITIVE_INFINITY, live = false } = {}): Span[] => {
  // Captions follow the grid, and begin nothing.
  const tracks = whole.tracks.filter(({ kind }) => kind !== 'text');
  const snapshot = { ...whole, tracks };
  const [lead] = tracks;
  if (!lead) return [];
  const way = { perKey, late: live ? lateRung : 0 };
  const closed = Math.min(...tracks.map((track) => (track.rung && live ? knownUntil(lead, track) : closedEnd(track))));
  const begins = closedBegins(snapshot, lead, closed, way).filter(({ from }) => from < closed);
  begins.push(...tailBegins(snapshot, closed, begins.at(-1), way));
  return begins.map((begin, index) => ({ ...begin, to: Math.min(begins[index + 1]?.from ?? Number.POSITIVE_INFINITY, endOfKey(begin.from, perKey)) }));
};

/** The first number under the next key. */
const endOfKey = (msn: number, perKey: number): number => (Math.floor(msn / perKey) + 1) * perKey;

/** Up to here it is known whether a rung is in the Period; in a new epoch that is not known before its first segment. */
const knownUntil = (lead: TrackSnapshot, rung: TrackSnapshot): number => {
  const closed = closedEnd(rung);
  for (let msn = closed; msn < closed + lateRung; msn++) if (epochOf(lead, msn) !== epochOf(lead, msn - 1)) return msn;
  return closed + lateRung;
};

const epochOf = (track: TrackSnapshot, msn: number): number | undefined => (segmentAt(track, msn) ?? openAt(track, msn))?.epoch;

/** Rungs that are in no Period with this number, which is of this epoch. */
const withoutAt = (tracks: readonly TrackSnapshot[], msn: number, epoch: number, late: number): string[] => {
  if (late === 0) return [];
  let at = msn;
  while (at > msn - late && tracks.some((track) => epochOf(track, at - 1) === epoch)) at -= 1;
  return tracks.flatMap((track) => (track.rung && at < closedEnd(track) && isGap(segmentAt(track, at)) ? [track.id] : []));
};

/** Every track has closed the segments before `closed`; what has been found out about them stays true. */
const closedBegins = (snapshot: PresentationSnapshot, lead: TrackSnapshot, closed: number, way: Way): Begin[] => {
  const { perKey, late } = way;
  const name = `${perKey} ${late}`;
  let states = kept.get(lead.segments);
  if (!states) kept.set(lead.segments, (states = new Map()));
  let state = states.get(name);
  if (!state) states.set(name, (state = { next: lead.segments[0]?.msn ?? closed, begins: [] }));
  const others = snapshot.tracks.filter(({ rung }) => late === 0 || !rung);
  for (; state.next < closed; state.next++) {
    const msn = state.next;
    const segment = segmentAt(lead, msn);
    if (!segment) continue;
    const without = withoutAt(snapshot.tracks, msn, segment.epoch, late);
    const key = `${segment.epoch} ${endOfKey(msn, perKey)} ${gapsAt(others, msn)} ${without.join(' ')}`;
    const last = state.begins.at(-1);
    if (last && last.key === key && isNear(segment, last.begin)) continue;
    const begin = beginAt(snapshot, msn, segment, { before: last?.begin, perKey, without });
    if (begin) state.begins.push({ begin, key });
  }
  return state.begins.map(({ begin }) => begin);
};

/** An epoch, a key, or rungs, of which no segment is complete in every track. */
const tailBegins = (snapshot: PresentationSnapshot, closed: number, last: Begin | undefined, { perKey, late }: Way): Begin[] => {
  const begins: Begin[] = [];
  const end = Math.max(...snapshot.tracks.map((track) => (track.open && track.open.count > 0 ? track.open.msn + 1 : closedEnd(track))));
  for (let msn = closed; msn < end; msn++) {
    const at = snapshot.tracks.map((track) => segmentAt(track, msn) ?? openAt(track, msn)).find((one) => one !== null);
    if (!at) continue;
    const before = begins.at(-1) ?? last;
    const without = withoutAt(snapshot.tracks, msn, at.epoch, late);
    const same = before?.epoch === at.epoch && msn < endOfKey(before.from, perKey) && before.without.join(' ') === without.join(' ');
    const begin = same ? null : beginAt(snapshot, msn, at, { before, perKey, without });
    if (begin) begins.push(begin);
  }
  return begins;
};

type Dated = { readonly epoch: number; readonly slewMs: number };

const isNear = (one: Dated, other: Dated): boolean => Math.abs(one.slewMs - other.slewMs) < driftMs;

type Place = { readonly before: Begin | undefined; readonly perKey: number; readonly without: readonly string[] };

const beginAt = (snapshot: PresentationSnapshot, msn: number, at: Dated, { before, perKey, without }: Place): Begin | null => {
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
  return { id: first ? `e${epoch}` : `e${epoch}-${msn}`, epoch, from: msn, startMicros, wallClock, slewMs, without };
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

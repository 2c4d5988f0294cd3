/**
 * The SegmentTimeline of one track in one Period: what is listed of it, and the segment in progress.
 *
 * A timeline must say how long a segment is, and nobody knows that of one that is being written. Where the segments
 * before it are as long as each other it is taken to become as long as they are, plus a little: Shaka keeps the first
 * length that it was told and lists a segment twice that turns out longer; dash.js asks next for what follows the
 * end that it was told, and a little more than that lies in the next segment still. Where they are not, as with key
 * frames at scene cuts, the segment in progress is not listed: dash.js would skip all that a shorter one left open.
 */
import { hasParts, listed } from '../hls/window.ts';
import type { OpenSegment, PresentationSnapshot, SegmentRef, TrackSnapshot } from '../snapshot.ts';
import { isGap, type Span } from './spans.ts';

export type Listing = {
  readonly startNumber: number;
  /** Ticks of the first entry's start, and of the last one's end: of what is there, whatever is announced. */
  readonly start: number;
  readonly end: number;
  /** Ticks of the longest entry. */
  readonly longest: number;
  /** The S elements. */
  readonly entries: string;
  /** The last entry is the segment in progress. */
  readonly open: boolean;
};

/** Null: nothing of the track is to be had in this Period. */
export const listing = (snapshot: PresentationSnapshot, track: TrackSnapshot, span: Span): Listing | null => {
  const { from, to, open, ended } = listed(snapshot, track);
  const first = track.segments[0]?.msn ?? 0;
  const begin = Math.max(from, span.from - first);
  const end = Math.min(to, span.to - first);
  const runs = new Runs();
  let startNumber = 0;
  let start = 0;
  let last: SegmentRef | null = null;
  for (let index = begin; index < end; index++) {
    const segment = track.segments[index];
    // A Period that begins without media has none to its end: what follows the hole is another.
    if (!segment || isGap(segment)) {
      if (!last) return null;
      break;
    }
    if (!last) {
      startNumber = segment.msn;
      start = segment.start;
    }
    runs.add(segment.start, segment.duration);
    last = segment;
  }
  let present = last ? last.start + last.duration : 0;
  const follows = open !== null && open.msn >= span.from && open.msn < span.to && (last ? open.msn === last.msn + 1 : open.msn === first + to);
  const expected = !ended && follows && hasParts(snapshot, track) ? expectedTicks(snapshot, track, open) : null;
  if (expected !== null && open) {
    if (!last) {
      startNumber = open.msn;
      start = open.start;
    }
    runs.add(open.start, expected);
    present = open.start + ticksOf(open);
  } else if (!last) {
    return null;
  }
  return { startNumber, start, end: present, longest: runs.longest, entries: runs.text(), open: expected !== null };
};

/** How many segments before the one in progress must be alike, and how much (of a target duration) they may differ. */
const alike = 3;
const unlike = 0.1;
/** Seconds: more than a frame of sound, by which segments of sound differ. */
const more = 0.025;

/** How long the segment in progress is going to be; null: there is no telling. */
export const expectedTicks = (snapshot: PresentationSnapshot, track: TrackSnapshot, open: OpenSegment): number | null => {
  if (open.parts[0]?.gap !== false) return null;
  const target = snapshot.policy.targetDuration * track.timescale;
  const before: number[] = [];
  for (let index = track.endSegment - 1; index >= 0 && before.length < alike; index--) {
    const segment = track.segments[index];
    // The last segment of an epoch was cut off, and says nothing of those that follow.
    if (!segment || isGap(segment) || segment.epoch !== (track.segments[index + 1] ?? open).epoch) continue;
    before.push(segment.duration);
  }
  const longest = Math.max(...before);
  if (before.length === 0 || longest - Math.min(...before) > unlike * target) return null;
  const usual = longest + Math.round(more * track.timescale);
  const present = ticksOf(open);
  return present < usual ? usual : Math.max(present + Math.ceil((track.partTarget ?? 0) * track.timescale), target);
};

export const ticksOf = (open: OpenSegment): number => {
  let ticks = 0;
  for (let index = 0; index < open.count; index++) ticks += open.parts[index]?.duration ?? 0;
  return ticks;
};

/** Equal durations in a row are one element; @t stands where the one before does not lead. */
class Runs {
  #text = '';
  #duration = -1;
  #repeats = 0;
  #time = '';
  #next = -1;
  longest = 0;

  add(start: number, duration: number): void {
    if (start === this.#next && duration === this.#duration) {
      this.#repeats++;
    } else {
      this.#flush();
      this.#time = start === this.#next ? '' : ` t="${start}"`;
      this.#duration = duration;
      this.#repeats = 0;
      if (duration > this.longest) this.longest = duration;
    }
    this.#next = start + duration;
  }

  text(): string {
    this.#flush();
    this.#duration = -1;
    return this.#text;
  }

  #flush(): void {
    if (this.#duration < 0) return;
    this.#text += `<S${this.#time} d="${this.#duration}"${this.#repeats > 0 ? ` r="${this.#repeats}"` : ''}/>`;
  }
}

/** What is new in a playlist, and whether it came in time. */
import { fault, type Fault } from '../finding.ts';
import { nextMsn, type MediaPlaylist, type Segment } from '../read/playlist.ts';

/** Of what was there when the checker came: the oldest, and the newest. */
const tailAtFirst = 2;

const listed = (list: MediaPlaylist): Segment[] => [...list.segments, ...(list.open ? [list.open] : [])];

export const newSegments = (before: MediaPlaylist | null, now: MediaPlaylist): Segment[] => {
  if (before) return now.segments.filter(({ msn }) => msn >= nextMsn(before));
  if (now.endList) return [...now.segments];
  const tail = now.segments.slice(-tailAtFirst);
  const [first] = now.segments;
  return first && !tail.includes(first) ? [first, ...tail] : tail;
};

export const newParts = (before: MediaPlaylist | null, now: MediaPlaylist): { segment: Segment; index: number }[] => {
  const from = before ? nextMsn(before) : Math.max(now.mediaSequence, nextMsn(now) - tailAtFirst);
  const had = before?.open?.msn === from ? before.open.parts.length : 0;
  return listed(now)
    .filter(({ msn }) => msn >= from)
    .flatMap((segment) => segment.parts.map((_, index) => ({ segment, index })).filter(({ index }) => segment.msn > from || index >= had));
};

/** Beyond what the draft allows: a busy machine, a line, a picture that comes late. */
const slackMs = 1_500;

/**
 * Section 6.2.1 says when the next part and the next segment must be there. A held playlist is an outage, and behind it is
 * a DISCONTINUITY: perhaps only in the next answer, when what was being written is closed first.
 */
export class Pace {
  #partAt: number | null = null;
  #segmentAt: number | null = null;
  #held: Fault[] = [];

  *judge(before: MediaPlaylist | null, now: MediaPlaylist, at: number): Generator<Fault> {
    const last = (list: MediaPlaylist): number => (list.open ?? list.segments.at(-1))?.discontinuitySequence ?? 0;
    if (!before || now.endList || last(before) !== last(now)) {
      [this.#partAt, this.#segmentAt] = [at, at];
      this.#held = [];
      return;
    }
    const parts = newParts(before, now).length > 0;
    const segments = newSegments(before, now).length > 0;
    if (!parts && !segments) return;
    const held = this.#held;
    yield* held;
    this.#held = [...this.#late(now, at, parts, segments)];
    if (parts) this.#partAt = at;
    if (segments) this.#segmentAt = at;
  }

  *#late(now: MediaPlaylist, at: number, parts: boolean, segments: boolean): Generator<Fault> {
    const { partTarget, serverControl } = now;
    const target = now.targetDuration ?? 6;
    const part = at - (this.#partAt ?? at);
    if (parts && partTarget !== null && part > 1000 * partTarget + slackMs) yield fault('pace/part', `no part for ${(part / 1000).toFixed(1)} s, PART-TARGET is ${partTarget}`);
    const segment = at - (this.#segmentAt ?? at);
    // Who polls sees a segment up to one interval late.
    const polled = serverControl?.canBlockReload === true ? 0 : 500 * target;
    if (segments && segment > 1500 * target + slackMs + polled) yield fault('pace/segment', `no segment for ${(segment / 1000).toFixed(1)} s, TARGETDURATION is ${target}`);
  }
}

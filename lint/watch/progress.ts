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

/** Section 6.2.1 says when the next part and the next segment must be there. A held playlist is an outage, and behind it is a DISCONTINUITY. */
export class Pace {
  #partAt: number | null = null;
  #segmentAt: number | null = null;

  *judge(before: MediaPlaylist | null, now: MediaPlaylist, at: number): Generator<Fault> {
    if (!before || now.endList) {
      [this.#partAt, this.#segmentAt] = [at, at];
      return;
    }
    const parts = newParts(before, now);
    const segments = newSegments(before, now);
    const last = (list: MediaPlaylist): number => (list.open ?? list.segments.at(-1))?.discontinuitySequence ?? 0;
    const back = last(before) !== last(now);
    if (parts.length > 0 || back) {
      const late = this.#partAt === null || now.partTarget === null ? 0 : at - this.#partAt - 1000 * now.partTarget;
      if (!back && late > slackMs) yield fault('pace/part', `no part for ${((late + 1000 * (now.partTarget ?? 0)) / 1000).toFixed(1)} s, PART-TARGET is ${now.partTarget}`);
      this.#partAt = at;
    }
    if (segments.length > 0 || back) {
      const late = this.#segmentAt === null ? 0 : at - this.#segmentAt - 1500 * (now.targetDuration ?? 6);
      // Who polls sees a segment up to one interval late.
      const polled = now.serverControl?.canBlockReload === true ? 0 : 500 * (now.targetDuration ?? 6);
      if (!back && late > slackMs + polled) yield fault('pace/segment', `no segment for ${((late + 1500 * (now.targetDuration ?? 6)) / 1000).toFixed(1)} s, TARGETDURATION is ${now.targetDuration}`);
      this.#segmentAt = at;
    }
  }
}

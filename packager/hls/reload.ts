/**
 * Delivery directives of a media playlist request (RFC 8216bis 6.2.5): answer now, wait for what is asked
 * for, or refuse. Nothing here waits: `ready` is asked again with every newer snapshot.
 */
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { findTrack, hasParts, listed, nextMsn, nextPart, segmentByMsn } from './window.ts';

export type ReloadJudgement =
  | {
      readonly kind: 'answer';
      readonly skip: boolean;
      /** A sequence number was asked for and is there: the answer to this address stays true and may be kept. */
      readonly lasting: boolean;
    }
  | {
      readonly kind: 'wait';
      readonly skip: boolean;
      /** Equal for all who wait for the same thing. */
      readonly key: string;
      readonly ready: (snapshot: PresentationSnapshot) => boolean;
      readonly deadlineMs: number;
    }
  | { readonly kind: 'refuse'; readonly status: 400; readonly code: ReloadRefusal; readonly message: string };

export type ReloadRefusal = 'bad-directive' | 'part-without-msn' | 'msn-too-far' | 'part-too-far';

/** Section 6.2.5.2: a reload may be held for three target durations. */
export const longestHold = (snapshot: PresentationSnapshot): number => snapshot.policy.targetDuration * 3000;

/** `query` is what stands behind the `?`, as it came. */
export const judgeReload = (snapshot: PresentationSnapshot, trackId: string, query: string): ReloadJudgement => {
  const track = findTrack(snapshot, trackId);
  // After ENDLIST there is nothing to wait for, and of an upload nobody knows when: directives are ignored.
  if (!track || snapshot.policy.growing || listed(snapshot, track).ended) return { kind: 'answer', skip: false, lasting: false };

  const asked = parseDirectives(query);
  if (!asked) return refuse('bad-directive', '_HLS_msn and _HLS_part are whole numbers, each given at most once.');
  const { msn, skip } = asked;
  if (msn === null) {
    if (asked.part !== null) return refuse('part-without-msn', '_HLS_part means nothing without _HLS_msn.');
    return { kind: 'answer', skip, lasting: false };
  }
  // A track without parts has only segments to wait for.
  const part = hasParts(snapshot, track) ? asked.part : null;

  if (isThere(track, msn, part)) return { kind: 'answer', skip, lasting: true };
  const next = nextMsn(track);
  // `next - 1` is the last segment of the playlist; section 6.2.5.2 allows two more.
  if (msn > next + 1) return refuse('msn-too-far', `Segment ${msn} is too far ahead: the next one is ${next}.`);
  const ahead = part === null ? 0 : msn === next ? part - nextPart(track) + 1 : msn > next ? part + 1 : 0;
  if (ahead > advancePartLimit(track)) return refuse('part-too-far', `Part ${part} of segment ${msn} is too far ahead.`);

  return {
    kind: 'wait',
    skip,
    key: `${trackId} ${msn} ${part ?? ''}`,
    deadlineMs: longestHold(snapshot),
    ready(newer) {
      const now = findTrack(newer, trackId);
      return !now || listed(newer, now).ended || isThere(now, msn, part);
    },
  };
};

/** Section 6.2.5.2. */
const advancePartLimit = ({ partTarget }: TrackSnapshot): number =>
  partTarget !== null && partTarget < 1 ? Math.ceil(3 / partTarget) : 3;

/**
 * The playlist holds what is asked for, or something later. A sequence number alone means the whole segment
 * (Safari also sends it when it wants part 0: a stale answer would make it loop). A part beyond the last one
 * of a closed segment is the first part of the next.
 */
const isThere = (track: TrackSnapshot, msn: number, part: number | null): boolean => {
  const next = nextMsn(track);
  if (msn >= next) return msn === next && part !== null && part < nextPart(track);
  if (part === null || msn < next - 1) return true;
  const closed = segmentByMsn(track, msn);
  return !closed || part < closed.parts.length || nextPart(track) > 0;
};

type Directives = { readonly msn: number | null; readonly part: number | null; readonly skip: boolean };

const wholeNumber = /^\d{1,10}$/;

/** Null: a number that is none, or given twice. Directives that are not known are ignored (section 6.2.5). */
const parseDirectives = (query: string): Directives | null => {
  let msn: number | null = null;
  let part: number | null = null;
  let skip = false;
  if (!query.includes('_HLS_')) return { msn, part, skip };
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = splitOnce(pair);
    if (name === '_HLS_skip') skip = value === 'YES' || value === 'v2';
    if (name !== '_HLS_msn' && name !== '_HLS_part') continue;
    if (!wholeNumber.test(value)) return null;
    if (name === '_HLS_msn') {
      if (msn !== null) return null;
      msn = Number(value);
    } else {
      if (part !== null) return null;
      part = Number(value);
    }
  }
  return { msn, part, skip };
};

const splitOnce = (pair: string): [string, string] => {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
};

const refuse = (code: ReloadRefusal, message: string): ReloadJudgement => ({ kind: 'refuse', status: 400, code, message });

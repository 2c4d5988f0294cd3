/** What a media playlist must be by itself, whatever came before it. Deltas are merged first. */
import { fault, type Fault } from '../finding.ts';
import { lengthOf, nextMsn, partsLength, type MediaPlaylist, type Part, type Segment } from '../read/playlist.ts';
import { datesInside } from './daterange.ts';

/** Six decimals of text and a float here and there. */
export const tiny = 2e-5;

export function* playlistAlone(list: MediaPlaylist): Generator<Fault> {
  yield* list.faults;
  yield* header(list);
  yield* durations(list);
  yield* parts(list);
  yield* dates(list);
  yield* hints(list);
  yield* addresses(list);
  yield* datesInside(list);
  yield* begin(list);
}

const all = ({ segments, open }: MediaPlaylist): readonly Segment[] => (open ? [...segments, open] : segments);

function* header(list: MediaPlaylist): Generator<Fault> {
  const { version, serverControl, targetDuration, partTarget, needsVersion } = list;
  // AVPlayer refuses SERVER-CONTROL below version 9 (-12646).
  const needs = Math.max(needsVersion, serverControl ? 9 : 1);
  if ((version ?? 1) < needs) yield fault('hls/version', `VERSION is ${version ?? 'not there'}, and ${needs} is needed`);
  const listsParts = all(list).some((one) => one.parts.length > 0);
  if (listsParts && partTarget === null) yield fault('hls/part-inf', 'there are parts, and no PART-INF');
  if (partTarget !== null) {
    const back = serverControl?.partHoldBack ?? null;
    if (back === null) yield fault('hls/part-hold-back', 'there is PART-INF, and no PART-HOLD-BACK');
    else if (back < 2 * partTarget - tiny) yield fault('hls/part-hold-back', `PART-HOLD-BACK is ${back}, PART-TARGET ${partTarget}`);
    else if (back < 3 * partTarget - tiny) yield fault('hls/part-hold-back-short', `PART-HOLD-BACK is ${back}, PART-TARGET ${partTarget}`);
  }
  if (targetDuration === null) return;
  const { holdBack = null, canSkipUntil = null } = serverControl ?? {};
  if (holdBack !== null && holdBack < 3 * targetDuration - tiny) yield fault('hls/hold-back', `HOLD-BACK is ${holdBack}, TARGETDURATION ${targetDuration}`);
  if (canSkipUntil !== null && canSkipUntil < 6 * targetDuration - tiny) yield fault('hls/skip-until', `CAN-SKIP-UNTIL is ${canSkipUntil}, TARGETDURATION ${targetDuration}`);
}

function* durations({ targetDuration, segments, playlistType, endList }: MediaPlaylist): Generator<Fault> {
  if (targetDuration === null) return yield fault('hls/target-duration', 'there is no TARGETDURATION');
  const long = segments.find(({ duration }) => Math.round(duration) > targetDuration);
  if (long) yield fault('hls/target-duration', `segment ${long.msn} lasts ${long.duration} s, TARGETDURATION is ${targetDuration}`);
  if (playlistType === 'VOD' && !endList) yield fault('hls/playlist-type', 'a playlist of type VOD without ENDLIST');
}

/** Section 4.4.4.9 lets these be shorter than 85 % of PART-TARGET. */
const mayBeShort = (part: Part, next: Part | undefined, last: boolean): boolean => last || part.independent || part.gap || next?.gap === true;

function* parts(list: MediaPlaylist): Generator<Fault> {
  const { partTarget, targetDuration, independentSegments, open } = list;
  let behind = lengthOf(list);
  let old = 0;
  for (const segment of all(list)) {
    if (segment.late.length > 0) yield fault('hls/late-tag', `${segment.late.join(', ')} of segment ${segment.msn} came behind its first part`);
    for (const [index, part] of segment.parts.entries()) {
      const name = `part ${segment.msn}.${index}`;
      if (partTarget !== null && part.duration > partTarget + 1e-9) yield fault('hls/part-target', `${name} lasts ${part.duration} s, PART-TARGET is ${partTarget}`);
      // Nobody knows yet whether the newest part is the last of its segment.
      const last = index === segment.parts.length - 1;
      if (partTarget !== null && part.duration < 0.85 * partTarget - tiny && !mayBeShort(part, segment.parts[index + 1], last)) {
        yield fault('hls/part-floor', `${name} lasts ${part.duration} s, PART-TARGET is ${partTarget}`);
      }
    }
    const [first] = segment.parts;
    if (independentSegments && first && !first.independent && !first.gap) yield fault('hls/first-part', `part ${segment.msn}.0 is not INDEPENDENT`);
    if (segment !== open && first && Math.abs(partsLength(segment.parts) - segment.duration) > 1e-5 * (segment.parts.length + 1)) {
      yield fault('hls/parts-sum', `the parts of segment ${segment.msn} last ${partsLength(segment.parts).toFixed(6)} s, it lasts ${segment.duration}`);
    }
    behind -= segment.duration;
    // Judged by the segment's end, generously: whether its own length counts is read in two ways.
    if (first && segment !== open && behind > 3 * (targetDuration ?? behind) + tiny) old += 1;
  }
  if (old > 0 && !list.endList) yield fault('hls/parts-old', `${old} segments that ended more than three target durations ago list parts`);
}

function* dates(list: MediaPlaylist): Generator<Fault> {
  // What stands ahead of a hint alone is no segment yet.
  const listed = all(list).filter(({ uri, parts }) => uri !== null || parts.length > 0);
  const dated = listed.filter(({ date }) => date !== null).length;
  if (dated > 0 && dated < listed.length) {
    const without = listed.find(({ date }) => date === null);
    yield fault('hls/date-missing', `segment ${without?.msn} has no date, and others have`);
  }
  for (const [index, one] of listed.entries()) {
    const before = listed[index - 1];
    if (!before || before.date === null || one.date === null || one.discontinuities > 0 || before.duration === 0) continue;
    const off = one.date - before.date - before.duration * 1000;
    // A clock may be slewed a little, or set right by a small step now and then; dates have whole milliseconds.
    if (Math.abs(off) > 300 + before.duration * 10) yield fault('hls/date-drift', `segment ${one.msn} is dated ${off.toFixed(0)} ms off the end of the one before it`);
  }
}

function* hints({ partTarget, endList, hints: given }: MediaPlaylist): Generator<Fault> {
  const types = given.map(({ type }) => type);
  if (new Set(types).size < types.length) yield fault('hls/hint', `hints at ${types.join(' and ')}`);
  if (endList && given.length > 0) yield fault('hls/hint', 'a hint after the end');
  // hls.js goes on polling without pause where there is none.
  if (!endList && partTarget !== null && !types.includes('PART')) yield fault('hls/hint-missing', 'no PRELOAD-HINT of a part');
}

function* addresses(list: MediaPlaylist): Generator<Fault> {
  const seen = new Set<string>();
  for (const segment of all(list)) {
    if (segment.uri !== null && !segment.map && /\.(?:m4s|mp4|cmfv|cmfa)(?:\?|$)/.test(segment.uri)) {
      yield fault('hls/map', `no EXT-X-MAP for ${segment.uri}`);
      break;
    }
    if (segment.map?.unreadable) {
      yield fault('hls/key-map', `EXT-X-MAP ${segment.map.uri} stands behind a KEY without IV`);
      break;
    }
    const named = [...(segment.uri === null ? [] : [{ uri: segment.uri, byteRange: segment.byteRange }]), ...segment.parts];
    for (const { uri, byteRange } of named) {
      const name = `${uri} ${byteRange ?? ''}`;
      if (seen.has(name)) return yield fault('hls/uri-twice', `${uri} stands twice in one playlist`);
      seen.add(name);
    }
  }
}

function* begin(list: MediaPlaylist): Generator<Fault> {
  const { start, endList, serverControl, targetDuration } = list;
  if (start === null) return;
  const length = lengthOf(list);
  if (Math.abs(start) > length + tiny) yield fault('hls/start', `TIME-OFFSET is ${start}, and the playlist lasts ${length.toFixed(3)} s`);
  const back = (list.partTarget === null ? serverControl?.holdBack : serverControl?.partHoldBack) ?? 3 * (targetDuration ?? 0);
  // Section 4.4.2.2: not within three target durations of the end of a live playlist, or within the hold-back.
  if (!endList && start < 0 && -start < back - tiny) yield fault('hls/start', `TIME-OFFSET is ${start}, nearer to the end than ${back} s`);
}

/** The part that a blocked reload asks for next. */
export const nextPosition = (list: MediaPlaylist): { msn: number; part: number } => ({ msn: nextMsn(list), part: list.open?.parts.length ?? 0 });

/** What must hold from one media playlist to the next one of the same address (HLS 6.2.1, 6.2.2). Both are whole: deltas are merged. */
import { fault, type Fault } from '../finding.ts';
import { lengthOf, nextMsn, type MediaPlaylist, type Part, type Segment } from '../read/playlist.ts';
import { dateRangesNext } from './daterange.ts';
import { tiny } from './playlist-alone.ts';

export function* playlistNext(before: MediaPlaylist, now: MediaPlaylist): Generator<Fault> {
  yield* constants(before, now);
  if (before.endList) {
    const change = changeAfterEnd(before, now);
    if (change !== null) yield fault('hls/after-end', change);
    return;
  }
  const back = now.mediaSequence < before.mediaSequence || nextMsn(now) < nextMsn(before);
  if (back) yield fault('hls/sequence-back', `it held segments ${before.mediaSequence} to ${nextMsn(before) - 1} and holds ${now.mediaSequence} to ${nextMsn(now) - 1}`);
  const renumbered = back ? null : renumbering(before, now);
  if (renumbered !== null) yield fault('hls/sequence-wrong', renumbered);
  if (back || renumbered !== null) return;
  const miscounted = [...removed(before, now)];
  yield* miscounted;
  if (!miscounted.some(({ rule }) => rule === 'hls/discontinuity-sequence')) yield* kept(before, now);
  yield* dateRangesNext(before, now);
}

function* constants(before: MediaPlaylist, now: MediaPlaylist): Generator<Fault> {
  if (before.version !== now.version) yield fault('hls/version-changed', `VERSION was ${before.version} and is ${now.version}`);
  if (before.targetDuration !== now.targetDuration) yield fault('hls/target-duration-changed', `TARGETDURATION was ${before.targetDuration} and is ${now.targetDuration}`);
  // A playlist that has ended may leave out what is for whoever waits.
  if (now.endList && !before.endList && now.partTarget === null) return;
  if (before.partTarget !== now.partTarget) yield fault('hls/part-target-changed', `PART-TARGET was ${before.partTarget} and is ${now.partTarget}`);
  const [was, is] = [before, now].map(({ serverControl }) => serverControl?.text ?? 'not there');
  if (was !== is) yield fault('hls/server-control-changed', `SERVER-CONTROL was ${was} and is ${is}`);
}

const changeAfterEnd = (before: MediaPlaylist, now: MediaPlaylist): string | null => {
  if (!now.endList) return 'ENDLIST is gone';
  if (now.mediaSequence !== before.mediaSequence || now.segments.length !== before.segments.length) return `${before.segments.length} segments have become ${now.segments.length}`;
  const other = now.segments.findIndex((one, index) => one.uri !== before.segments[index]?.uri);
  return other < 0 ? null : `segment ${other} is another`;
};

/** The same address under another number: more or less was removed than MEDIA-SEQUENCE says. */
const renumbering = (before: MediaPlaylist, now: MediaPlaylist): string | null => {
  const numbers = new Map(before.segments.map(({ uri, byteRange, msn }) => [`${uri} ${byteRange}`, msn]));
  const still = new Set(now.segments.map(({ uri, byteRange, msn }) => `${uri} ${byteRange} ${msn}`));
  for (const { uri, byteRange, msn } of now.segments) {
    const was = numbers.get(`${uri} ${byteRange}`);
    // An address that stands twice is a finding of its own.
    if (was !== undefined && was !== msn && !still.has(`${uri} ${byteRange} ${was}`)) return `${uri} was segment ${was} and is ${msn}`;
  }
  return null;
};

function* removed(before: MediaPlaylist, now: MediaPlaylist): Generator<Fault> {
  const count = Math.min(now.mediaSequence - before.mediaSequence, before.segments.length);
  const gone = before.segments.slice(0, count);
  // A DISCONTINUITY leaves with its segment; the number is that of the first segment listed.
  const first = now.segments[0] ?? now.open;
  const was = first && ([...before.segments, ...(before.open ? [before.open] : [])].find(({ msn }) => msn === first.msn) ?? null);
  const passed = gone.reduce((sum, { discontinuities }) => sum + discontinuities, before.discontinuitySequence);
  // The tag ahead of the segment that is the first now may have stayed, or be counted already.
  const allowed = was ? [was.discontinuitySequence] : [passed, (first?.discontinuitySequence ?? passed)];
  const is = first?.discontinuitySequence ?? now.discontinuitySequence;
  if (now.discontinuitySequence < before.discontinuitySequence) {
    yield fault('hls/discontinuity-sequence', `it went back from ${before.discontinuitySequence} to ${now.discontinuitySequence}`);
  } else if (!allowed.includes(is)) {
    yield fault('hls/discontinuity-sequence', `segment ${first?.msn} was behind ${was?.discontinuitySequence ?? passed} discontinuities, and is behind ${is}`);
  }
  if (count <= 0 || now.endList) return;
  if (before.playlistType === 'EVENT') yield fault('hls/playlist-type', 'an EVENT has lost segments at its head');
  const left = lengthOf(now);
  if (left < 3 * (now.targetDuration ?? 0) - tiny) yield fault('hls/removed-early', `${count} segments were removed, and ${left.toFixed(3)} s are left`);
}

function* kept(before: MediaPlaylist, now: MediaPlaylist): Generator<Fault> {
  const byNumber = new Map(now.segments.map((one) => [one.msn, one]));
  if (now.open) byNumber.set(now.open.msn, now.open);
  for (const was of before.segments) {
    const is = byNumber.get(was.msn);
    if (!is) continue;
    const change = segmentChange(was, is);
    if (change !== null) return yield fault('hls/segment-changed', `segment ${was.msn}: ${change}`);
    const parts = partsChange(was, is);
    if (parts !== null) return yield fault('hls/part-changed', `segment ${was.msn}: ${parts}`);
  }
  const { open } = before;
  if (!open) return;
  const is = byNumber.get(open.msn);
  if (!is) {
    if (open.parts.length > 0 && open.msn >= now.mediaSequence) yield fault('hls/part-changed', `the parts of segment ${open.msn} are gone`);
    return;
  }
  if (open.parts.length === 0) return;
  const change = openChange(open, is) ?? partsChange(open, is, true);
  if (change !== null) yield fault('hls/part-changed', `segment ${open.msn}: ${change}`);
}

const segmentChange = (was: Segment, is: Segment): string | null => {
  if (was.uri !== is.uri || was.byteRange !== is.byteRange) return `${was.uri} has become ${is.uri}`;
  if (Math.abs(was.duration - is.duration) > 1e-9) return `${was.duration} s have become ${is.duration} s`;
  if (was.gap !== is.gap) return is.gap ? 'it has become a GAP' : 'it was a GAP and is none';
  return openChange(was, is);
};

/** What holds for a segment from its first part on. */
const openChange = (was: Segment, is: Segment): string | null => {
  if (was.map?.uri !== is.map?.uri && is.map !== null) return `MAP was ${was.map?.uri} and is ${is.map.uri}`;
  if (was.date !== is.date) return 'it has another date';
  if (was.discontinuitySequence !== is.discontinuitySequence) return `it was behind ${was.discontinuitySequence} discontinuities and is behind ${is.discontinuitySequence}`;
  return null;
};

/** Parts of old segments leave all at once. */
const partsChange = (was: Segment, is: Segment, open = false): string | null => {
  if (is.parts.length === 0 && !open) return null;
  // A segment that closed long before this playlist was asked for lists no parts any more.
  if (is.parts.length === 0) return is.uri === null ? 'its parts are gone' : null;
  if (!open && was.parts.length > 0 && was.parts.length !== is.parts.length) return `${was.parts.length} parts have become ${is.parts.length}`;
  for (const [index, part] of was.parts.entries()) {
    const other = is.parts[index];
    if (!other || !same(part, other)) return `part ${index} was ${tell(part)} and is ${other ? tell(other) : 'gone'}`;
  }
  return null;
};

const same = (one: Part, other: Part): boolean => tell(one) === tell(other);

const tell = ({ uri, duration, independent, gap, byteRange }: Part): string =>
  [uri, `${duration} s`, independent ? 'independent' : '', gap ? 'gap' : '', byteRange ?? ''].filter((word) => word !== '').join(' ');

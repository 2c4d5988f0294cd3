/**
 * The media playlist of one track (RFC 8216bis; section numbers are of draft 22): a pure function of the
 * snapshot and of whether a delta update is asked for. No clock, no I/O.
 *
 * There is no EXT-X-PLAYLIST-TYPE, live or ended: section 6.2.1 lists what may change in a playlist, adding
 * that tag is not on the list, and ENDLIST alone makes it VOD for every player. An ended playlist still names
 * the parts of its last segments, for whoever was at the live edge when it ended.
 *
 * An upload that is watched while it arrives is an EVENT, and stays one: its list begins with the film and only grows.
 */
import { partName, playlistName } from '../names.ts';
import type { Protected } from '../protect/keys.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { Blocks, blockLength, type WriteSegment } from './blocks.ts';
import { dateRanges } from './dateranges.ts';
import { dateLine, mediaLines, partLines, segmentLines, segmentPartLines } from './lines.ts';
import { opening, type Sheet } from './opening.ts';
import { rebased } from './rebase.ts';
import { fromBeginning } from './start.ts';
import {
  findTrack,
  firstIndex,
  hasParts,
  lastPart,
  listed,
  listedEnd,
  nextMsn,
  nextPart,
  runOf,
  type Listed,
} from './window.ts';

/** Section 4.4.3.8: the Skip Boundary must be at least six times the target duration. */
const skipBoundary = 6;
/** Section 4.4.4.9: parts should leave the playlist when they are more than three target durations from its end. */
const partsKept = 3;

export type PlaylistRequest = {
  readonly skip?: boolean;
  /** All of a show that has ended, instead of the window that was watched. */
  readonly whole?: boolean;
  /** Put before the addresses of media, where the playlist does not lie beside it. */
  readonly mediaBase?: string;
  /** Absent: the media is clear. */
  readonly sealed?: Protected | null;
};

/** The track must be one of the snapshot's: whoever serves answers 404 before. */
export const mediaPlaylist = (snapshot: PresentationSnapshot, trackId: string, request: PlaylistRequest = {}): string => {
  const track = findTrack(snapshot, trackId);
  if (!track) throw new RangeError(`there is no track ${trackId} in video ${snapshot.video}`);
  const window = listed(snapshot, track, request.whole === true ? track.firstSegment : track.liveStart);
  const { from, to, ended } = window;
  const parts = hasParts(snapshot, track);
  const end = listedEnd(track, window);
  const target = snapshot.policy.targetDuration * track.timescale;

  // Section 6.2.5.1: counted from the end of the playlist; without a segment to skip it is a full playlist.
  const first = request.skip === true && !ended ? firstKept(track, window, skipBoundary * target) : from;
  const firstWithParts = parts ? firstIndex(track, first, to, (segment) => end - segment.start <= partsKept * target) : to;

  let text = head(snapshot, track, window, request.whole === true) + dateRanges(snapshot, track, window);
  if (first > from) text += `#EXT-X-SKIP:SKIPPED-SEGMENTS=${first - from}\n`;

  const { mediaBase, sealed = null } = request;
  const sheet: Sheet = { snapshot, track, sealed };
  const write: WriteSegment = (segment, before) =>
    opening(sheet, before, segment, false) + dateLine(snapshot, track, segment) + mediaLines(snapshot, track, segment);
  for (let index = first; index < to; ) {
    const whole = index > first && index % blockLength === 0 && index + blockLength <= firstWithParts;
    const place = { first, from, parts: index >= firstWithParts };
    text += whole ? blocks.block(track, index, mediaBase, write) : rebased(closedSegment(sheet, index, place), mediaBase);
    index += whole ? blockLength : 1;
  }
  return text + rebased(ending(sheet, window, first === to), mediaBase);
};

const blocks = new Blocks();

/** What follows the closed segments; `alone`: none is listed. */
const ending = (sheet: Sheet, { from, to, open, ended }: Listed, alone: boolean): string => {
  const { snapshot, track } = sheet;
  if (ended) return '#EXT-X-ENDLIST\n';
  if (snapshot.policy.growing) return '';
  if (!hasParts(snapshot, track)) return reports(snapshot, track);
  let text = '';
  if (open) {
    const before = to > from ? track.segments[to - 1]?.epoch : undefined;
    text += opening(sheet, before, open, alone) + dateLine(snapshot, track, open);
    text += partLines(snapshot, track, open, open.count);
  } else if (to > from) {
    // Shaka loads what is hinted at, and takes what stands ahead of the hint for its key.
    const epoch = track.segments[to - 1]?.epoch ?? 0;
    text += opening(sheet, epoch, { epoch, msn: nextMsn(track) }, false);
  }
  // hls.js goes on polling without pause when there is no hint, so there is always one. During an outage it
  // names the first part of the next segment, whose epoch nobody knows yet. One that is open is of its own, also where
  // another track has begun the next one.
  const run = open ? runOf(snapshot, open.epoch) : snapshot.run;
  text += `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${partName(run, nextMsn(track), nextPart(track))}"\n`;
  return text + reports(snapshot, track);
};

/**
 * Counted by the durations that the playlist says, not by times: where sound takes up its clock in a new epoch some ms may
 * lie between two segments, and what is left would be shorter than the boundary by as much.
 */
const firstKept = (track: TrackSnapshot, { from, to, open }: Listed, boundary: number): number => {
  let behind = 0;
  for (let part = 0; open && part < open.count; part++) behind += open.parts[part]?.duration ?? 0;
  let index = to;
  while (index > from && behind < boundary) behind += track.segments[--index]?.duration ?? 0;
  return behind < boundary ? from : index;
};

type Place = { readonly first: number; readonly from: number; readonly parts: boolean };

const closedSegment = (sheet: Sheet, index: number, place: Place): string => {
  const { snapshot, track } = sheet;
  const { first, from, parts } = place;
  const segment = track.segments[index];
  if (!segment) return '';
  // A DISCONTINUITY leaves the playlist together with the segment ahead of it.
  const before = index > from ? track.segments[index - 1]?.epoch : undefined;
  const lines = segmentLines(snapshot, track, segment);
  const start = opening(sheet, before, segment, index === first) + lines.date;
  return parts ? start + segmentPartLines(snapshot, track, segment) + lines.media : start + lines.media;
};

const head = (snapshot: PresentationSnapshot, track: TrackSnapshot, { from, to, open }: Listed, whole: boolean): string => {
  const { policy } = snapshot;
  const first = from < to ? track.segments[from] : undefined;
  const sequence = first?.msn ?? nextMsn(track);
  // Epochs are numbered one by one, so the number of the first one listed is how many changes came before it,
  // in every track alike (section 6.2.4), however much of the past has been forgotten.
  const epoch = first?.epoch ?? open?.epoch ?? snapshot.epochs.at(-1)?.epoch ?? 0;
  return (
    `#EXTM3U\n#EXT-X-VERSION:${policy.version}\n#EXT-X-TARGETDURATION:${policy.targetDuration}\n` +
    (policy.growing ? '' : serverControl(snapshot)) +
    eventLines(snapshot, whole) +
    (track.partTarget !== null && hasParts(snapshot, track) ? `#EXT-X-PART-INF:PART-TARGET=${roundUp(track.partTarget)}\n` : '') +
    `#EXT-X-MEDIA-SEQUENCE:${sequence}\n#EXT-X-DISCONTINUITY-SEQUENCE:${epoch}\n` +
    (policy.independentSegments ? '#EXT-X-INDEPENDENT-SEGMENTS\n' : '')
  );
};

/**
 * Whoever comes while it grows begins at the beginning, not where what has arrived ends. Nothing is told of blocking
 * reloads, since nobody knows when more will come.
 */
export const eventLines = ({ policy, state }: PresentationSnapshot, whole: boolean): string =>
  policy.growing && (!whole || state === 'live') ? `#EXT-X-PLAYLIST-TYPE:EVENT\n${fromBeginning}` : '';

/** The same in every playlist of the presentation (section 6.2.4). */
const serverControl = ({ policy, tracks }: PresentationSnapshot): string => {
  const until = policy.targetDuration * skipBoundary;
  const back = policy.targetDuration * 3;
  let text = `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=${until.toFixed(1)},HOLD-BACK=${back.toFixed(1)}`;
  if (policy.partHoldBack !== null) {
    // Rounding up the PART-TARGETs must not take the hold-back below three of the longest.
    const longest = Math.max(0, ...tracks.map((track) => Number(roundUp(track.partTarget ?? 0))));
    text += `,PART-HOLD-BACK=${roundUp(Math.max(policy.partHoldBack, 3 * longest))}`;
  }
  return `${text}\n`;
};

/** A part is never longer than the target as printed; the millionth of a microsecond absorbs what floats add. */
const roundUp = (value: number): string => (Math.ceil(value * 1e6 - 1e-6) / 1e6).toFixed(6);

/** Section 4.4.5.4: where every other rendition stands, so that a player switches without a round trip. */
const reports = (snapshot: PresentationSnapshot, track: TrackSnapshot): string => {
  let text = '';
  for (const other of snapshot.tracks) {
    if (other === track) continue;
    const parts = hasParts(snapshot, other);
    const last = parts ? lastPart(other) : { msn: nextMsn(other) - 1, part: 0 };
    if (!last || last.msn < 0) continue;
    text += `#EXT-X-RENDITION-REPORT:URI="../${other.id}/${playlistName}",LAST-MSN=${last.msn}`;
    text += parts ? `,LAST-PART=${last.part}\n` : '\n';
  }
  return text;
};

/**
 * The lines of one closed segment. A segment never changes, so near the ends of a playlist, where they are put together
 * anew again and again, they are written once and kept beside it for as long as it lives.
 */
import { captionsName, partName, segmentName } from '../names.ts';
import type { PartRef, PresentationSnapshot, SegmentRef, TrackSnapshot } from '../snapshot.ts';
import { isoDate } from './iso-date.ts';
import { runOf } from './window.ts';

/** Six decimals: the error of a sum over a day stays below one frame, and equal ticks give equal text. */
export const seconds = (ticks: number, timescale: number): string => (ticks / timescale).toFixed(6);

type SegmentLines = { readonly date: string; readonly media: string; parts: string | null };

const kept = new WeakMap<SegmentRef, SegmentLines>();

export const segmentLines = (snapshot: PresentationSnapshot, track: TrackSnapshot, segment: SegmentRef): SegmentLines => {
  let lines = kept.get(segment);
  if (!lines) kept.set(segment, (lines = { date: dateLine(snapshot, track, segment), media: mediaLines(snapshot, track, segment), parts: null }));
  return lines;
};

export const mediaLines = (snapshot: PresentationSnapshot, track: TrackSnapshot, segment: SegmentRef): string => {
  // A segment without bytes keeps its number: the player is told that there is nothing to load.
  const gap = segment.gap || segment.size === 0 ? '#EXT-X-GAP\n' : '';
  const name = track.kind === 'text' ? captionsName : segmentName;
  return `${gap}#EXTINF:${seconds(segment.duration, track.timescale)},\n${name(runOf(snapshot, segment.epoch), segment.msn)}\n`;
};

/** Only segments near the end list their parts, so these lines are written when they are first asked for. */
export const segmentPartLines = (snapshot: PresentationSnapshot, track: TrackSnapshot, segment: SegmentRef): string => {
  const lines = segmentLines(snapshot, track, segment);
  lines.parts ??= partLines(snapshot, track, segment, segment.parts.length);
  return lines.parts;
};

export const partLines = (
  snapshot: PresentationSnapshot,
  track: TrackSnapshot,
  { msn, epoch, parts }: { readonly msn: number; readonly epoch: number; readonly parts: readonly PartRef[] },
  count: number,
): string => {
  const run = runOf(snapshot, epoch);
  let text = '';
  for (let index = 0; index < count; index++) {
    const part = parts[index];
    if (!part) break;
    if (part.gap) text += gapLines(part.duration, track, (piece) => partName(run, msn, index + piece));
    else text += `#EXT-X-PART:DURATION=${seconds(part.duration, track.timescale)},URI="${partName(run, msn, index)}"${part.independent ? ',INDEPENDENT=YES' : ''}\n`;
  }
  return text;
};

/**
 * A hole goes to the end of its segment, and no part is longer than PART-TARGET. To leave them out would be worse: hls.js
 * asks for what follows the last part that it knows of, whatever has been listed since.
 */
const gapLines = (ticks: number, { timescale, partTarget }: TrackSnapshot, name: (piece: number) => string): string => {
  const pieces = partTarget === null ? 1 : Math.max(1, Math.ceil(ticks / timescale / partTarget));
  const until = (piece: number): number => Math.round((ticks * piece) / pieces);
  let text = '';
  for (let piece = 0; piece < pieces; piece++) text += `#EXT-X-PART:DURATION=${seconds(until(piece + 1) - until(piece), timescale)},URI="${name(piece)}",GAP=YES\n`;
  return text;
};

type Dated = { readonly epoch: number; readonly start: number; readonly slewMs: number };

/** Every segment is dated from the wall clock of its epoch: DATERANGEs and latency control rest on it. */
export const dateLine = (snapshot: PresentationSnapshot, track: TrackSnapshot, { epoch, start, slewMs }: Dated): string => {
  const base = snapshot.epochs.findLast((known) => known.epoch <= epoch);
  if (!base) return '';
  const wall = base.wallClock + (start / track.timescale) * 1000 - base.startMicros / 1000 + slewMs;
  return `#EXT-X-PROGRAM-DATE-TIME:${isoDate(wall)}\n`;
};

/** Delta updates (HLS 6.2.5.1, 6.3.7): merged as a player does it, and held against the full playlist. */
import { fault, type Fault } from '../finding.ts';
import { lengthOf, nextMsn, type MediaPlaylist, type Segment } from '../read/playlist.ts';
import { tiny } from './playlist-alone.ts';

export type Merged = { readonly list: MediaPlaylist | null; readonly faults: readonly Fault[] };

/** Null: it does not follow from `before`, and a full playlist has to be asked for. */
export const mergeDelta = (before: MediaPlaylist, delta: MediaPlaylist): Merged => {
  const skipped = delta.skipped ?? 0;
  const from = delta.mediaSequence - before.mediaSequence;
  const taken = from < 0 ? [] : before.segments.slice(from, from + skipped);
  if (taken.length !== skipped) {
    const says = `it skips segments ${delta.mediaSequence} to ${delta.mediaSequence + skipped - 1}, and the playlist before it has ${before.mediaSequence} to ${nextMsn(before) - 1}`;
    return { list: null, faults: [fault('delta/merge', says)] };
  }
  const last = taken.at(-1);
  const faults: Fault[] = [];
  const [next] = delta.segments;
  if (next && last && next.uri !== null && !next.ownMap && last.map) faults.push(fault('delta/map', `segment ${next.msn} comes behind a SKIP without a MAP`));
  let sequence = last?.discontinuitySequence ?? delta.discontinuitySequence;
  let map = last?.map ?? null;
  const continued = (one: Segment): Segment => {
    sequence += one.discontinuities;
    map = one.map ?? map;
    return { ...one, map, discontinuitySequence: sequence };
  };
  // What is skipped is older than any part that is still listed.
  const segments = [...taken.map((one) => (one.parts.length > 0 ? { ...one, parts: [] } : one)), ...delta.segments.map(continued)];
  const list = { ...delta, skipped: null, segments, open: delta.open && continued(delta.open) };
  return { list, faults: [...faults, ...boundary(delta, list)] };
};

function* boundary(delta: MediaPlaylist, merged: MediaPlaylist): Generator<Fault> {
  const until = delta.serverControl?.canSkipUntil ?? null;
  if (until === null) return yield fault('delta/boundary', 'there is no CAN-SKIP-UNTIL');
  // A Media Segment is skipped when all of it is older than the boundary, counted from the end of the playlist.
  const behind = lengthOf(merged) - merged.segments.slice(0, delta.skipped ?? 0).reduce((sum, { duration }) => sum + duration, 0);
  if (behind < until - tiny) yield fault('delta/boundary', `what it skips ends ${behind.toFixed(3)} s from the end, the boundary is ${until} s`);
}

/** Both were asked for at the same position; the full one may be newer. */
export function* deltaAgainstFull(merged: MediaPlaylist, full: MediaPlaylist): Generator<Fault> {
  const known = new Map(merged.segments.map((one) => [one.msn, one]));
  for (const is of full.segments) {
    const was = known.get(is.msn);
    if (was && outline(was) !== outline(is)) return yield fault('delta/differs', `segment ${is.msn}: merged ${outline(was)}, in full ${outline(is)}`);
  }
  if (nextMsn(merged) !== nextMsn(full)) return;
  if (merged.mediaSequence !== full.mediaSequence) yield fault('delta/differs', `the merged playlist begins with ${merged.mediaSequence}, the full one with ${full.mediaSequence}`);
}

const outline = ({ uri, duration, gap, date, map, discontinuitySequence, byteRange }: Segment): string =>
  [uri, duration, gap ? 'gap' : '', date, map?.uri, discontinuitySequence, byteRange].join(' ');

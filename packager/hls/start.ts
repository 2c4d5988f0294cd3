/**
 * Where a viewing begins (RFC 8216bis 4.4.2.2): seconds into what is shown, or back from its end. It stands in the
 * multivariant playlist, so that no address below it has to know of it.
 */
import type { PresentationSnapshot } from '../snapshot.ts';
import { endOf, listed } from './window.ts';

export const fromBeginning = '#EXT-X-START:TIME-OFFSET=0\n';

/** `ask`: seconds; below zero from the end; null: where a player would begin, or where the cut does. */
export const startLine = (snapshot: PresentationSnapshot, ask: number | null): string => {
  const { inMicros } = snapshot.cut;
  const [lead] = snapshot.tracks;
  if (!lead) return '';
  const { from, to, ended } = listed(snapshot, lead, snapshot.state === 'ended' ? lead.firstSegment : lead.liveStart);
  // What has arrived of an upload is its beginning, and that is where everybody begins who does not say otherwise.
  if (ask === null && snapshot.policy.growing && !ended && inMicros === null) return fromBeginning;
  // Whoever comes to what is still going on goes to its live edge, wherever it has been cut.
  if (ask === null && (inMicros === null || !ended)) return '';
  const first = lead.segments[from];
  const last = lead.segments[to - 1];
  if (!first || !last || from >= to) return '';
  const length = (endOf(last) - first.start) / lead.timescale;
  // The list begins with a whole segment, ahead of the cut; and, while live, where the window does.
  const offset = ask !== null && ask < 0 ? Math.max(ask, -length) : Math.min(length, Math.max(0, (inMicros ?? 0) / 1e6 + (ask ?? 0) - first.start / lead.timescale));
  return ask === null && offset === 0 ? '' : `#EXT-X-START:TIME-OFFSET=${offset.toFixed(3)},PRECISE=YES\n`;
};

/**
 * What stands between two segments of a playlist where something changes: a new configuration of the decoder, a new key.
 *
 * EXT-X-KEY applies to every MAP behind it (RFC 8216bis 4.4.4.4), and init segments are clear: players differ in how they
 * decrypt one. So the first MAP comes before the first KEY, and every further one behind `METHOD=NONE`. In cbcs nothing of
 * an init segment is ever encrypted, whatever stands in front of it; it names the key, so with a new key comes a new MAP.
 * Nothing else is new then, and there is no DISCONTINUITY.
 */
import { initName } from '../names.ts';
import { initSlotOf, isProtected, slotOf, type Protected } from '../protect/keys.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { keyChanges, keyLines, noKey } from './key-lines.ts';
import { epochOfTrack, runOf } from './window.ts';

/** What a playlist is written of. */
export type Sheet = { readonly snapshot: PresentationSnapshot; readonly track: TrackSnapshot; readonly sealed: Protected | null };

/** A segment's place in the list; its numbers follow each other without a hole. */
export type Place = { readonly epoch: number; readonly msn: number };

/**
 * `before`: the epoch of the segment in front of it, undefined where none is listed. `begins`: no line of the text stands
 * in front of it that the reader could have it from: who merges a delta update may have no MAP and no KEY left.
 */
export const opening = (sheet: Sheet, before: number | undefined, at: Place, begins: boolean): string => {
  // An encoder that was late: there were holes of its epoch before.
  const anew = begins || before !== at.epoch || epochOfTrack(sheet.track, at.epoch)?.initFrom === at.msn;
  const key = keyLineAt(sheet, at, '../', anew);
  const cbcs = sheet.sealed?.scheme === 'cbcs';
  if (!anew) return key !== '' && cbcs ? mapLine(sheet, at) + key : key;
  const map = mapLine(sheet, at);
  return discontinuities(before, at.epoch) + (before !== undefined && map !== '' && key !== '' && !cbcs ? noKey : '') + map + key;
};

/** The key of a segment, where it is another than that of the one in front of it, or has to be said again. */
export const keyLineAt = ({ track, sealed }: Sheet, { msn }: Place, toVideo: string, anew: boolean): string =>
  sealed && isProtected(track) && (anew || keyChanges(sealed, msn)) ? keyLines(sealed, slotOf(sealed, msn), toVideo) : '';

export const discontinuities = (before: number | undefined, epoch: number): string =>
  before === undefined ? '' : '#EXT-X-DISCONTINUITY\n'.repeat(Math.max(0, epoch - before));

const mapLine = ({ snapshot, track, sealed }: Sheet, { epoch, msn }: Place): string => {
  if (track.kind === 'text') return ''; // WebVTT needs none.
  const config = epochOfTrack(track, epoch);
  // Of a rung that nothing was encoded for there are holes, and nothing to decode them with.
  return config && config.init.length > 0 && (config.epoch < epoch || msn >= (config.initFrom ?? 0)) ? `#EXT-X-MAP:URI="${initName(runOf(snapshot, config.epoch), config.epoch, initSlotOf(sealed, track, msn))}"\n` : '';
};

/**
 * What stands between two segments of a playlist where something changes: a new configuration of the decoder, a new key.
 *
 * EXT-X-KEY applies to every MAP behind it (RFC 8216bis 4.4.4.4), and init segments are clear: players differ in how they
 * decrypt one. So the first MAP comes before the first KEY, and every further one behind `METHOD=NONE`. In cbcs nothing of
 * an init segment is ever encrypted, whatever stands in front of it.
 */
import { initName } from '../names.ts';
import { isProtected, slotOf, type Protected } from '../protect/keys.ts';
import { keyFileName, keysFolder } from '../protect/names.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { epochOfTrack, runOf } from './window.ts';

/** What a playlist is written of. */
export type Sheet = { readonly snapshot: PresentationSnapshot; readonly track: TrackSnapshot; readonly sealed: Protected | null };

/** A segment's place in the list; its numbers follow each other without a hole. */
export type Place = { readonly epoch: number; readonly msn: number };

const noKey = '#EXT-X-KEY:METHOD=NONE\n';
const wholeFiles = '#EXT-X-KEY:METHOD=AES-128';

/**
 * `before`: the epoch of the segment in front of it, undefined where none is listed. `begins`: no line of the text stands
 * in front of it that the reader could have it from: who merges a delta update may have no MAP and no KEY left.
 */
export const opening = (sheet: Sheet, before: number | undefined, at: Place, begins: boolean): string => {
  const { snapshot, track } = sheet;
  const anew = begins || before !== at.epoch;
  const key = keyLineAt(sheet, at, '../', anew);
  if (!anew) return key;
  const map = mapLine(snapshot, track, at.epoch);
  return discontinuities(before, at.epoch) + (before !== undefined && map !== '' && key.startsWith(wholeFiles) ? noKey : '') + map + key;
};

/** The key of a segment, where it is another than that of the one in front of it, or has to be said again. */
export const keyLineAt = ({ track, sealed }: Sheet, at: Place, toVideo: string, anew: boolean): string => {
  if (!sealed || !isProtected(track)) return '';
  const slot = slotOf(sealed, track, at);
  if (!anew && slotOf(sealed, track, { ...at, msn: at.msn - 1 }) === slot) return '';
  const { kid, iv } = sealed.ring.key(slot);
  const uri = `URI="${toVideo}${keysFolder}/${keyFileName(kid)}"`;
  // Without an IV it would be the media sequence number (4.4.4.4), which Shaka counts wrong where a live window moves on.
  const from = `IV=0x${iv.toString('hex')}`;
  return sealed.scheme === 'aes-128' ? `${wholeFiles},${uri},${from}\n` : `#EXT-X-KEY:METHOD=SAMPLE-AES,${uri},KEYFORMAT="identity",${from}\n`;
};

export const discontinuities = (before: number | undefined, epoch: number): string =>
  before === undefined ? '' : '#EXT-X-DISCONTINUITY\n'.repeat(Math.max(0, epoch - before));

const mapLine = (snapshot: PresentationSnapshot, track: TrackSnapshot, epoch: number): string => {
  if (track.kind === 'text') return ''; // WebVTT needs none.
  const config = epochOfTrack(track, epoch);
  return config ? `#EXT-X-MAP:URI="${initName(runOf(snapshot, config.epoch), config.epoch)}"\n` : '';
};

/** EXT-X-KEY and EXT-X-SESSION-KEY (RFC 8216bis 4.4.4.4, 4.4.3.5): a line for each way in which players get a key. */
import { keyOf, sessionSlot, slotOf, type MediaKey, type Protected, type Scheme } from '../protect/keys.ts';
import { keyFileName, keysFolder } from '../protect/names.ts';
import { isToldInHls, type KeySignal } from '../protect/signals.ts';
import type { PresentationSnapshot } from '../snapshot.ts';

const methods = { 'aes-128': 'AES-128', cbcs: 'SAMPLE-AES' } as const;

export const noKey = '#EXT-X-KEY:METHOD=NONE\n';

/** At least one. `toVideo`: where the keys of the video lie, as seen from the playlist. */
export const keyLines = (sealed: Protected, slot: number, toVideo: string): string => {
  const key = keyOf(sealed, slot);
  return key.signals.map((signal) => line('EXT-X-KEY', sealed.scheme, key, signal, toVideo)).join('');
};

/**
 * For systems whose licences are worth asking for before a media playlist has been read. Shaka takes what stands here for all
 * that there is, so where one is named all are.
 */
export const sessionKeyLines = (snapshot: PresentationSnapshot, sealed: Protected, toVideo: string): string => {
  if (sealed.scheme !== 'cbcs') return '';
  const key = keyOf(sealed, sessionSlot(sealed, snapshot));
  if (!key.signals.some((signal) => signal.by === 'system' && signal.hls?.session)) return '';
  return key.signals.map((signal) => line('EXT-X-SESSION-KEY', sealed.scheme, key, signal, toVideo)).join('');
};

/** Whether the key of a segment is another than that of the one in front of it. */
export const keyChanges = (sealed: Protected, msn: number): boolean => slotOf(sealed, msn) !== slotOf(sealed, msn - 1);

const line = (tag: string, scheme: Scheme, { kid, iv }: MediaKey, signal: KeySignal, toVideo: string): string => {
  const begin = `#${tag}:METHOD=${methods[scheme]}`;
  // Without an IV it would be the media sequence number (4.4.4.4), which Shaka counts wrong where a live window moves on.
  const from = `IV=0x${iv.toString('hex')}`;
  if (signal.by === 'server') return `${begin},URI="${toVideo}${keysFolder}/${keyFileName(kid)}"${scheme === 'cbcs' ? ',KEYFORMAT="identity"' : ''},${from}\n`;
  const { hls } = signal;
  if (!hls || !isToldInHls(signal, scheme)) return '';
  const versions = hls.keyFormatVersions === null ? '' : `,KEYFORMATVERSIONS="${hls.keyFormatVersions}"`;
  // Widevine wants its id said here too, and nobody else minds.
  return `${begin},URI="${hls.uri}",KEYID=0x${kid.toString('hex')},KEYFORMAT="${hls.keyFormat}"${versions},${from}\n`;
};

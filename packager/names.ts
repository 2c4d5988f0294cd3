/**
 * File names below a track, made and parsed in one place. The run id in them is unguessable and new with every
 * run, so what a name stands for never changes and may be cached for ever. A run that goes on after a restart
 * goes on under a new id: a power cut may have taken the last media from the disk, but not from the caches of
 * those who watched, and its numbers come again. One object has exactly one name:
 * numbers have no leading zeros and a bounded number of digits.
 *
 *     <run>-<msn>.m4s          a segment
 *     <run>-<msn>-<part>.m4s   one part of it
 *     <run>-i<epoch>.mp4       the init segment of an epoch
 *     <run>-i<epoch>-<key>.mp4 the same in cbcs: it names its key, by the number of the key
 *     <run>-k<msn>.m4s         the first key picture of a segment, alone
 *     <run>-<msn>.vtt          a segment of captions as WebVTT
 */
export type MediaName =
  | { readonly kind: 'segment'; readonly run: string; readonly msn: number }
  | { readonly kind: 'part'; readonly run: string; readonly msn: number; readonly part: number }
  | { readonly kind: 'init'; readonly run: string; readonly epoch: number; /** Null: it is under no key. */ readonly slot: number | null }
  | { readonly kind: 'key'; readonly run: string; readonly msn: number }
  | { readonly kind: 'captions'; readonly run: string; readonly msn: number };

export const multivariantName = 'master.m3u8';
/** The live window of a track; ends with ENDLIST when the show does, and never lists what has left it. */
export const playlistName = 'index.m3u8';
/** All of a show that has ended. A name of its own: in the playlist that people watched, MEDIA-SEQUENCE must not go back. */
export const wholePlaylistName = 'whole.m3u8';

/** One picture a segment, for whoever looks for a place: EXT-X-I-FRAMES-ONLY. */
export const iframesName = 'iframes.m3u8';

/** Of a video that is live: its newest key picture as a small JPEG, below the video itself. It is another one every few seconds. */
export const livePictureName = 'picture.jpg';

export const segmentName = (run: string, msn: number): string => `${run}-${msn}.m4s`;
export const partName = (run: string, msn: number, part: number): string => `${run}-${msn}-${part}.m4s`;
export const initName = (run: string, epoch: number, slot: number | null = null): string => `${run}-i${epoch}${slot === null ? '' : `-${slot}`}.mp4`;
export const keyName = (run: string, msn: number): string => `${run}-k${msn}.m4s`;
export const captionsName = (run: string, msn: number): string => `${run}-${msn}.vtt`;

const longestName = 64;
const pattern = /^([a-z0-9]{8,32})-(?:(k?)(0|[1-9]\d{0,9})(?:-(0|[1-9]\d{0,4}))?\.(m4s|vtt)|i(0|[1-9]\d{0,5})(?:-(0|[1-9]\d{0,9}))?\.mp4)$/;

export const parseMediaName = (name: string): MediaName | null => {
  if (name.length > longestName) return null;
  const [whole, run, key, msnText, partText, ending, epochText, slotText] = pattern.exec(name) ?? [];
  if (whole === undefined || run === undefined) return null;
  if (epochText !== undefined) return { kind: 'init', run, epoch: Number(epochText), slot: slotText === undefined ? null : Number(slotText) };
  const msn = Number(msnText);
  const alone = key === 'k' ? 'key' : ending === 'vtt' ? 'captions' : null;
  if (alone) return partText === undefined && (alone === 'captions') === (ending === 'vtt') ? { kind: alone, run, msn } : null;
  return partText === undefined ? { kind: 'segment', run, msn } : { kind: 'part', run, msn, part: Number(partText) };
};

/**
 * What the multivariant playlist says of captions: tracks of text that can be chosen (SUBTITLES), and services that lie
 * inside the pictures (CLOSED-CAPTIONS; RFC 8216bis 4.4.6.1 and 4.4.6.2).
 */
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { quoted } from './quoted.ts';

const textGroup = 'captions';
const serviceGroup = 'cc';

/** The EXT-X-MEDIA lines. */
export const captionLines = (snapshot: PresentationSnapshot, address: (track: TrackSnapshot) => string): string =>
  textLines(texts(snapshot), address) + snapshot.policy.closedCaptions.map(serviceLine).join('');

/** What every EXT-X-STREAM-INF adds. */
export const captionAttributes = (snapshot: PresentationSnapshot, track: TrackSnapshot): string => {
  const text = texts(snapshot).length > 0 ? `,SUBTITLES="${textGroup}"` : '';
  if (track.kind !== 'video') return text;
  // Where nothing is said Shaka looks for captions in the media, and fails at the segment that has no address yet.
  return snapshot.policy.closedCaptions.length > 0 ? `${text},CLOSED-CAPTIONS="${serviceGroup}"` : `${text},CLOSED-CAPTIONS=NONE`;
};

const texts = ({ tracks }: PresentationSnapshot): TrackSnapshot[] => tracks.filter(({ kind }) => kind === 'text');

const textLines = (tracks: readonly TrackSnapshot[], address: (track: TrackSnapshot) => string): string => {
  const names = new Set<string>();
  return tracks
    .map((track) => {
      const wanted = track.name ?? track.language ?? track.id;
      const name = names.has(wanted) ? `${wanted} (${track.id})` : wanted;
      names.add(name);
      // Not DEFAULT: whoever wants to read says so, in his player or in his system.
      return (
        `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="${textGroup}",NAME=${quoted(name)}` +
        (track.language === undefined ? '' : `,LANGUAGE=${quoted(track.language)}`) +
        `,DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="${address(track)}"\n`
      );
    })
    .join('');
};

const serviceLine = (service: string): string =>
  `#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="${serviceGroup}",NAME="${service}",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID="${service}"\n`;

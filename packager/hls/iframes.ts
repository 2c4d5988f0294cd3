/**
 * The I-frame playlist of a picture track (RFC 8216bis 4.4.3.6): one key picture a segment, for whoever looks for a
 * place or winds forward. Each is a file of its own, so that none has to be cut out of a segment by its reader.
 *
 * Its numbers, dates and discontinuities are those of the media playlist; a segment that does not begin with a key
 * picture is a gap. It lists what is complete and has neither parts nor directives: nobody looks for the live edge here.
 */
import { keyName } from '../names.ts';
import type { Protected } from '../protect/keys.ts';
import type { PresentationSnapshot, SegmentRef, TrackSnapshot } from '../snapshot.ts';
import { Blocks, type WriteSegment } from './blocks.ts';
import { dateLine, seconds } from './lines.ts';
import { eventLines } from './media.ts';
import { opening } from './opening.ts';
import { findTrack, listed, nextMsn, runOf } from './window.ts';

export type IframesRequest = { readonly whole?: boolean; readonly mediaBase?: string; readonly sealed?: Protected | null };

/** The track must be one of the snapshot's pictures: whoever serves answers 404 before. */
export const iframesPlaylist = (snapshot: PresentationSnapshot, trackId: string, request: IframesRequest = {}): string => {
  const track = findTrack(snapshot, trackId);
  if (track?.kind !== 'video') throw new RangeError(`there is no picture ${trackId} in video ${snapshot.video}`);
  const { from, to, ended } = listed(snapshot, track, request.whole === true ? track.firstSegment : track.liveStart);
  const { policy } = snapshot;
  const first = from < to ? track.segments[from] : undefined;
  const epoch = first?.epoch ?? track.open?.epoch ?? snapshot.epochs.at(-1)?.epoch ?? 0;
  const sheet = { snapshot, track, sealed: request.sealed ?? null };
  const write: WriteSegment = (segment, before) => opening(sheet, before, segment, false) + linesOf(snapshot, track, segment);
  return (
    `#EXTM3U\n#EXT-X-VERSION:${policy.version}\n#EXT-X-TARGETDURATION:${policy.targetDuration}\n` +
    // One address for whoever watched it arrive and for whoever came later: a type that was told is not taken back.
    eventLines(snapshot, false) +
    `#EXT-X-MEDIA-SEQUENCE:${first?.msn ?? nextMsn(track)}\n#EXT-X-DISCONTINUITY-SEQUENCE:${epoch}\n#EXT-X-I-FRAMES-ONLY\n` +
    blocks.text(track, from, to, request.mediaBase, write) +
    (ended ? '#EXT-X-ENDLIST\n' : '')
  );
};

const blocks = new Blocks();

/** A segment has a key picture of its own. */
export const hasKeyPicture = ({ independent, gap, parts }: SegmentRef): boolean => {
  const [first] = parts;
  return independent && !gap && first !== undefined && !first.gap && first.size > 0;
};

const linesOf = (snapshot: PresentationSnapshot, track: TrackSnapshot, segment: SegmentRef): string => {
  const gap = hasKeyPicture(segment) ? '' : '#EXT-X-GAP\n';
  const media = `#EXTINF:${seconds(segment.duration, track.timescale)},\n${keyName(runOf(snapshot, segment.epoch), segment.msn)}\n`;
  return dateLine(snapshot, track, segment) + gap + media;
};

/**
 * HLS in MPEG-TS, for televisions and boxes that know nothing else: version 3, whole segments, picture and
 * sound in one stream. Pure functions of the snapshot, like the playlists of fMP4, and with the same numbers,
 * dates and discontinuities.
 *
 * Sound is the first track of sound, in the codec that such boxes know: a version 3 playlist has no renditions to choose from.
 */
import { playlistName, wholePlaylistName } from '../names.ts';
import type { Codec } from '../media/unit.ts';
import type { Protected } from '../protect/keys.ts';
import { ratesOf, type Rates } from '../rates.ts';
import type { PresentationSnapshot, SegmentRef, TrackSnapshot } from '../snapshot.ts';
import { Blocks, type WriteSegment } from './blocks.ts';
import { dateLine, seconds } from './lines.ts';
import { eventLines } from './media.ts';
import { allowedHeight, type MultivariantRequest } from './multivariant.ts';
import { discontinuities, keyLineAt } from './opening.ts';
import { startLine } from './start.ts';
import { tsSegmentName } from './ts-names.ts';
import { tsSoundOf } from './ts-segment.ts';
import { findTrack, listed, nextMsn, runOf } from './window.ts';

const version = 3;
/**
 * RFC 8216bis, section 8: GAP needs this. Whoever does not know the tag asks for the segment and hears that there
 * is none, so only a playlist that has a hole, or may come to have one, says a number that an old box may refuse.
 */
const versionWithGaps = 8;

/** Televisions and boxes that know nothing but MPEG-TS know of no pictures but H.264, and of no sound but AAC. */
const knownThere: ReadonlySet<Codec> = new Set(['h264', 'aac']);

/** With the sound that belongs to it: without it, a viewer would not know why he hears nothing. Captions are not carried. */
export const isCarried = (snapshot: PresentationSnapshot, track: TrackSnapshot): boolean => {
  const sound = tsSoundOf(snapshot, track);
  return knownThere.has(track.codec) && (!sound || knownThere.has(sound.codec));
};

/** The tracks that there is a transport stream of: sound alone only where there is no picture. Empty: MPEG-TS cannot carry this. */
export const tsTracks = (snapshot: PresentationSnapshot): readonly TrackSnapshot[] => {
  const pictures = snapshot.tracks.filter(({ kind }) => kind === 'video');
  return (pictures.length > 0 ? pictures : snapshot.tracks).filter((track) => isCarried(snapshot, track));
};

const isGap = (segment: SegmentRef): boolean => segment.gap || segment.size === 0;

/** `base` is put before every address, as in the other multivariant playlist; addresses are relative to `ts/`. */
export const tsMultivariant = (snapshot: PresentationSnapshot, request: MultivariantRequest = {}): string => {
  const carried = tsTracks(snapshot).filter((track) => allowedHeight(track, request.maxHeight ?? null));
  const listedTracks = carried.length > 0 ? carried : snapshot.tracks.filter((track) => track.kind === 'audio' && isCarried(snapshot, track));
  const head = `#EXTM3U\n#EXT-X-VERSION:${version}\n${independent(snapshot)}${startLine(snapshot, request.start ?? null)}`;
  return head + listedTracks.map((track) => variant(snapshot, track, request.base ?? '')).join('');
};

const independent = ({ policy }: PresentationSnapshot): string =>
  policy.independentSegments ? '#EXT-X-INDEPENDENT-SEGMENTS\n' : '';

const variant = (snapshot: PresentationSnapshot, track: TrackSnapshot, base: string): string => {
  const sound = tsSoundOf(snapshot, track);
  const members = sound ? [track, sound] : [track];
  const { width, height, frameRate } = track.epochs.at(-1) ?? {};
  const codecs = [...new Set(members.flatMap((one) => one.epochs.at(-1)?.codecString ?? []))];
  const rates = members.map((one) => ratesOf(snapshot, one));
  const rate = (of: (one: Rates) => number): number => inTransport(rates.reduce((sum, one) => sum + of(one), 0), frameRate);
  let text = `#EXT-X-STREAM-INF:BANDWIDTH=${rate(({ peak }) => peak)},AVERAGE-BANDWIDTH=${rate(({ average }) => average)}`;
  if (codecs.length > 0) text += `,CODECS="${codecs.join(',')}"`;
  if (width !== undefined && height !== undefined) text += `,RESOLUTION=${width}x${height}`;
  if (frameRate !== undefined) text += `,FRAME-RATE=${frameRate.toFixed(3)}`;
  return `${text}\n${base}${track.id}/${snapshot.state === 'ended' ? wholePlaylistName : playlistName}\n`;
};

/**
 * What packets add: 4 bytes to 184; some 110 bytes (a head, half a packet of stuffing) to every picture and to
 * ten packets of sound a second; and up to 6 KB to a segment, which an outage may have cut off after a second: 30
 * packets of little but stuffing, so that counters go on.
 */
const inTransport = (bits: number, pictures = 0): number => Math.ceil(bits * (188 / 184) + pictures * 900 + 50_000);

export type TsPlaylistRequest = {
  /** All of a show that has ended, instead of the window that was watched. */
  readonly whole?: boolean;
  /** Put before the addresses of segments, where the playlist does not lie beside them. */
  readonly mediaBase?: string;
  /** Absent: the media is clear. Only AES-128 is the same in MPEG-TS. */
  readonly sealed?: Protected | null;
};

/** The track must be one of the snapshot's: whoever serves answers 404 before. */
export const tsMediaPlaylist = (snapshot: PresentationSnapshot, trackId: string, request: TsPlaylistRequest = {}): string => {
  const track = findTrack(snapshot, trackId);
  if (!track) throw new RangeError(`there is no track ${trackId} in video ${snapshot.video}`);
  const window = listed(snapshot, track, request.whole === true ? track.firstSegment : track.liveStart);
  const sound = tsSoundOf(snapshot, track);
  const { from } = window;
  let { to } = window;
  // Sound closes its segments a moment after the picture: until then there is nothing to multiplex.
  if (sound && snapshot.state === 'live') while (to > from && !soundIsThere(sound, track.segments[to - 1])) to -= 1;

  const first = from < to ? track.segments[from] : undefined;
  const sequence = first?.msn ?? track.segments[to]?.msn ?? nextMsn(track);
  const epoch = first?.epoch ?? track.segments[to]?.epoch ?? track.open?.epoch ?? snapshot.epochs.at(-1)?.epoch ?? 0;
  // A rung may have one at any time, and what a playlist says of its version must not change.
  const gaps = track.rung !== undefined || track.segments.slice(from, to).some(isGap);
  const sheet = { snapshot, track, sealed: request.sealed ?? null };
  const write: WriteSegment = (segment, before) =>
    discontinuities(before, segment.epoch) + keyLineAt(sheet, segment, '../../', before === undefined) + lines(snapshot, track, segment);
  return (
    `#EXTM3U\n#EXT-X-VERSION:${gaps ? versionWithGaps : version}\n#EXT-X-TARGETDURATION:${snapshot.policy.targetDuration}\n` +
    eventLines(snapshot, request.whole === true) +
    `#EXT-X-MEDIA-SEQUENCE:${sequence}\n#EXT-X-DISCONTINUITY-SEQUENCE:${epoch}\n${independent(snapshot)}` +
    blocks.text(track, from, to, request.mediaBase, write) +
    (window.ended ? '#EXT-X-ENDLIST\n' : '')
  );
};

const blocks = new Blocks();

const soundIsThere = (sound: TrackSnapshot, segment: SegmentRef | undefined): boolean => !segment || segment.msn < nextMsn(sound);

const lines = (snapshot: PresentationSnapshot, track: TrackSnapshot, segment: SegmentRef): string => {
  const gap = isGap(segment) ? '#EXT-X-GAP\n' : '';
  const media = `#EXTINF:${seconds(segment.duration, track.timescale)},\n${tsSegmentName(runOf(snapshot, segment.epoch), segment.msn)}\n`;
  return dateLine(snapshot, track, segment) + gap + media;
};

/**
 * The multivariant playlist: what can be chosen from. Players read it once, so everything in it is frozen
 * when the run's gate opens.
 */
import { playlistName, wholePlaylistName } from '../names.ts';
import type { PresentationSnapshot, TrackEpoch, TrackSnapshot } from '../snapshot.ts';

export type MultivariantRequest = {
  /** Put before every address: a channel's playlist lists what lies under the video. */
  readonly base?: string;
  /** Pictures higher than this are not for this viewer. */
  readonly maxHeight?: number | null;
};

type AddressOf = (track: TrackSnapshot) => string;

export const multivariantPlaylist = (snapshot: PresentationSnapshot, request: MultivariantRequest = {}): string => {
  // Whoever comes after the end sees the show from its beginning; whoever was there has the address of the window.
  const name = snapshot.state === 'ended' ? wholePlaylistName : playlistName;
  const address: AddressOf = ({ id }) => `${request.base ?? ''}${id}/${name}`;
  const video = snapshot.tracks.filter((track) => track.kind === 'video' && allowedHeight(track, request.maxHeight ?? null));
  const audio = snapshot.tracks.filter((track) => track.kind === 'audio');
  const groups = [...new Set(audio.map((track) => track.group))];

  let text = `#EXTM3U\n#EXT-X-VERSION:${snapshot.policy.version}\n`;
  if (snapshot.policy.independentSegments) text += '#EXT-X-INDEPENDENT-SEGMENTS\n';
  // Sound alone has no group to belong to: each track is a variant.
  if (video.length === 0) return text + audio.map((track) => variant(address, track, null, [])).join('');

  for (const group of groups) text += renditions(address, group, audio);
  if (groups.length === 0) return text + video.map((track) => variant(address, track, null, [])).join('');
  for (const group of groups) {
    const members = audio.filter((track) => track.group === group);
    text += video.map((track) => variant(address, track, group, members)).join('');
  }
  return text;
};

/** A grant may be limited to a height: higher rungs, and those of unknown height, are neither listed nor served. */
export const allowedHeight = (track: TrackSnapshot, maxHeight: number | null): boolean =>
  maxHeight === null || track.kind !== 'video' || track.epochs.every(({ height }) => height !== undefined && height <= maxHeight);

const renditions = (address: AddressOf, group: string, audio: readonly TrackSnapshot[]): string => {
  const members = audio.filter((track) => track.group === group);
  const names = new Set<string>();
  return members
    .map((track, index) => {
      // Section 4.4.6.1: names are unique within a group.
      const wanted = track.name ?? track.language ?? track.id;
      const name = names.has(wanted) ? `${wanted} (${track.id})` : wanted;
      names.add(name);
      const channels = now(track)?.channels;
      return (
        `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=${quoted(group)},NAME=${quoted(name)}` +
        (track.language === undefined ? '' : `,LANGUAGE=${quoted(track.language)}`) +
        `,DEFAULT=${index === 0 ? 'YES' : 'NO'},AUTOSELECT=YES` +
        (channels === undefined ? '' : `,CHANNELS="${channels}"`) +
        `,URI="${address(track)}"\n`
      );
    })
    .join('');
};

const variant = (address: AddressOf, track: TrackSnapshot, group: string | null, audio: readonly TrackSnapshot[]): string => {
  const config = now(track);
  const codecs = [...new Set([track, ...audio].flatMap((one) => now(one)?.codecString ?? []))];
  const most = (rate: (one: TrackSnapshot) => number): number => Math.ceil(rate(track) + Math.max(0, ...audio.map(rate)));
  let text = `#EXT-X-STREAM-INF:BANDWIDTH=${most((one) => one.bandwidth)},AVERAGE-BANDWIDTH=${most((one) => one.averageBandwidth)}`;
  if (codecs.length > 0) text += `,CODECS=${quoted(codecs.join(','))}`;
  if (config?.width !== undefined && config.height !== undefined) text += `,RESOLUTION=${config.width}x${config.height}`;
  if (config?.frameRate !== undefined) text += `,FRAME-RATE=${config.frameRate.toFixed(3)}`;
  if (group !== null) text += `,AUDIO=${quoted(group)}`;
  return `${text}\n${address(track)}\n`;
};

const now = (track: TrackSnapshot): TrackEpoch | undefined => track.epochs.at(-1);

/** Names come from people: section 4.2 allows neither quotes nor line ends in a quoted-string. */
const quoted = (text: string): string => `"${text.replace(/["\p{Cc}\u2028\u2029]/gu, ' ').trim()}"`;

/**
 * The multivariant playlist: what can be chosen from. Players read it once, so everything in it is frozen
 * when the run's gate opens; of a show that has ended, what it takes of the line is known.
 */
import { plainFirst } from '../plain-sound.ts';
import { iframesName, playlistName, wholePlaylistName } from '../names.ts';
import { keyRatesOf, ratesOf, type Rates } from '../rates.ts';
import type { Protected } from '../protect/keys.ts';
import type { PresentationSnapshot, TrackEpoch, TrackSnapshot } from '../snapshot.ts';
import { captionAttributes, captionLines } from './captions-lines.ts';
import { sessionKeyLines } from './key-lines.ts';
import { quoted } from './quoted.ts';
import { startLine } from './start.ts';

export type MultivariantRequest = {
  /** Put before every address: a channel's playlist lists what lies under the video. */
  readonly base?: string;
  /** Pictures higher than this are not for this viewer. */
  readonly maxHeight?: number | null;
  /** Where the viewing begins, seconds; below zero from the end. */
  readonly start?: number | null;
  /** Whether the playlists of key pictures are listed; they are, unless it is said otherwise. */
  readonly keyPictures?: boolean;
  /** The video is protected, and there lie its keys. */
  readonly keys?: { readonly sealed: Protected; readonly toVideo: string } | null;
};

/** What a line is written from. */
type Page = {
  readonly snapshot: PresentationSnapshot;
  readonly address: (track: TrackSnapshot) => string;
  /** Of pictures that say none: rungs beside a source that keeps silent are of the same kind, and players that choose by it need to see that. */
  readonly usualRange: TrackEpoch['videoRange'];
};

export const multivariantPlaylist = (snapshot: PresentationSnapshot, request: MultivariantRequest = {}): string => {
  // Whoever comes after the end sees the show from its beginning; whoever was there has the address of the window.
  const name = snapshot.state === 'ended' ? wholePlaylistName : playlistName;
  const base = request.base ?? '';
  const usualRange = snapshot.tracks.some((track) => track.kind === 'video' && now(track)?.videoRange !== undefined) ? 'SDR' : undefined;
  const page: Page = { snapshot, usualRange, address: ({ id }) => `${base}${id}/${name}` };
  const video = snapshot.tracks.filter((track) => track.kind === 'video' && allowedHeight(track, request.maxHeight ?? null));
  const audio = plainFirst(snapshot.tracks.filter((track) => track.kind === 'audio'));
  const groups = [...new Set(audio.map((track) => track.group))];

  let text = `#EXTM3U\n#EXT-X-VERSION:${snapshot.policy.version}\n`;
  if (snapshot.policy.independentSegments) text += '#EXT-X-INDEPENDENT-SEGMENTS\n';
  text += startLine(snapshot, request.start ?? null);
  if (request.keys) text += sessionKeyLines(snapshot, request.keys.sealed, request.keys.toVideo);
  text += captionLines(snapshot, page.address);
  // Sound alone has no group to belong to: each track is a variant.
  if (video.length === 0) return text + audio.map((track) => variant(page, track, null, [])).join('');

  for (const group of groups) text += renditions(page, group, audio);
  if (groups.length === 0) text += video.map((track) => variant(page, track, null, [])).join('');
  for (const group of groups) {
    const members = audio.filter((track) => track.group === group);
    text += video.map((track) => variant(page, track, group, members)).join('');
  }
  if (request.keyPictures === false) return text;
  return text + video.map((track) => keyPictures(page, track, `${base}${track.id}/${iframesName}`)).join('');
};

/** A grant may be limited to a height: higher rungs, and those of unknown height, are neither listed nor served. */
export const allowedHeight = (track: TrackSnapshot, maxHeight: number | null): boolean =>
  maxHeight === null || track.kind !== 'video' || track.epochs.every(({ height }) => height !== undefined && height <= maxHeight);

const renditions = ({ address }: Page, group: string, audio: readonly TrackSnapshot[]): string => {
  const members = audio.filter((track) => track.group === group);
  const names = new Set<string>();
  return members
    .map((track, index) => {
      // Section 4.4.6.1: names are unique within a group.
      // One sound in several codecs has one name in their groups: by that players find the same when they change between them.
      const wanted = track.name ?? track.language ?? track.secondSound?.of ?? track.id;
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

const variant = ({ snapshot, address, usualRange }: Page, track: TrackSnapshot, group: string | null, audio: readonly TrackSnapshot[]): string => {
  const own = ratesOf(snapshot, track);
  const beside = audio.map((one) => ratesOf(snapshot, one));
  const most = (rate: (one: Rates) => number): number => rate(own) + Math.max(0, ...beside.map(rate));
  const rates: Rates = { peak: most(({ peak }) => peak), average: most(({ average }) => average) };
  const config = now(track);
  let text = `#EXT-X-STREAM-INF:${rateAttributes(rates)}${pictureAttributes(config, [track, ...audio], track.kind === 'video' ? usualRange : undefined)}`;
  if (config?.frameRate !== undefined) text += `,FRAME-RATE=${config.frameRate.toFixed(3)}`;
  if (group !== null) text += `,AUDIO=${quoted(group)}`;
  return `${text}${captionAttributes(snapshot, track)}\n${address(track)}\n`;
};

/** Section 4.4.6.3. */
const keyPictures = ({ snapshot, usualRange }: Page, track: TrackSnapshot, address: string): string =>
  `#EXT-X-I-FRAME-STREAM-INF:${rateAttributes(keyRatesOf(snapshot, track))}${pictureAttributes(now(track), [track], usualRange)},URI="${address}"\n`;

const rateAttributes = ({ peak, average }: Rates): string => `BANDWIDTH=${Math.ceil(peak)},AVERAGE-BANDWIDTH=${Math.ceil(average)}`;

const pictureAttributes = (config: TrackEpoch | undefined, members: readonly TrackSnapshot[], usualRange: TrackEpoch['videoRange']): string => {
  const codecs = [...new Set(members.flatMap((one) => now(one)?.codecString ?? []))];
  let text = codecs.length > 0 ? `,CODECS=${quoted(codecs.join(','))}` : '';
  if (config?.width !== undefined && config.height !== undefined) text += `,RESOLUTION=${config.width}x${config.height}`;
  const range = config?.videoRange ?? usualRange;
  if (range !== undefined) text += `,VIDEO-RANGE=${range}`;
  return text;
};

const now = (track: TrackSnapshot): TrackEpoch | undefined => track.epochs.at(-1);

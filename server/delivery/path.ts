/**
 * Addresses below /play/, taken apart by hand: this runs for every request, and what it lets through reaches
 * maps and logs. Nothing is decoded, so `%2e`, `%00` and their kin never mean anything.
 *
 *     /play/time                                       our clock
 *     /play/<grant>/<video>/master.m3u8                HLS, and manifest.mpd: DASH
 *     /play/<grant>/<video>/picture.jpg                what is live there, as a small picture
 *     /play/<grant>/<video>/poster.jpg                 and posters to choose from, a storyboard with its sheets, a preview, chapters
 *     /play/<grant>/<video>/<track>/index.m3u8         the live window
 *     /play/<grant>/<video>/<track>/whole.m3u8         a show that has ended, all of it
 *     /play/<grant>/<video>/<track>/iframes.m3u8       key pictures
 *     /play/<grant>/<video>/<track>/<media file>
 *     /play/<grant>/<video>/ts/…                       the same in MPEG-TS
 *     /play/<grant>/<video>/mp4/<progressive file>
 *     /play/<grant>/<video>/keys/<id>                  a key of protected media; keys/licence: what ClearKey asks
 *     /play/<grant>/<video>/cut-<in>-<out>/…           manifests and playlists of a cut; its media has the names above
 *     /play/<grant>/@<channel>/[ts/]master.m3u8, manifest.mpd
 */
import { manifestName } from '../../packager/dash/names.ts';
import { parseTsName, transportFolder, type TsName } from '../../packager/hls/ts-names.ts';
import { iframesName, livePictureName, multivariantName, parseMediaName, playlistName, wholePlaylistName, type MediaName } from '../../packager/names.ts';
import { parsePictureName, type PictureName } from '../../packager/pictures/names.ts';
import { parseProgressiveName, progressiveFolder, type ProgressiveName } from '../../packager/progressive/names.ts';
import { keysFolder, licenceName, parseKeyName } from '../../packager/protect/names.ts';
import { parseCut, type CutPath } from './cut.ts';

/** Which manifest: HLS of fMP4, HLS of MPEG-TS, DASH. */
export type ManifestKind = 'hls' | 'ts' | 'dash';
export type PlaylistKind = 'window' | 'whole' | 'keys';

type Below = { readonly grant: string; readonly video: string };

export type PlayPath =
  | { readonly kind: 'time' }
  | ({ readonly kind: 'manifest'; readonly of: ManifestKind; readonly cut: CutPath | null } & Below)
  | { readonly kind: 'channel'; readonly of: ManifestKind; readonly grant: string; readonly channel: string }
  | ({ readonly kind: 'playlist'; readonly transport: boolean; readonly list: PlaylistKind; readonly track: string; readonly cut: CutPath | null } & Below)
  | ({ readonly kind: 'media'; readonly track: string; readonly file: string; readonly name: MediaName } & Below)
  | ({ readonly kind: 'transport'; readonly track: string; readonly file: string; readonly name: TsName } & Below)
  | ({ readonly kind: 'media-key'; readonly name: string } & Below)
  | ({ readonly kind: 'licence' } & Below)
  | ({ readonly kind: 'live-picture' } & Below)
  | ({ readonly kind: 'made-picture'; readonly file: string; readonly name: PictureName } & Below)
  | ({ readonly kind: 'download'; readonly file: string; readonly name: ProgressiveName } & Below);

export type PathVerdict = PlayPath | { readonly kind: 'bad' } | { readonly kind: 'unknown' };

export const playPrefix = '/play/';

const bad = { kind: 'bad' } as const;
const unknown = { kind: 'unknown' } as const;
const longestPath = 2048;
const plain = /^[A-Za-z0-9_.@/-]*$/;
const grantShape = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,1023}$/;
const idShape = /^[a-z0-9_-]{8,40}$/i;
const channelShape = /^@[a-z0-9_-]{1,40}$/;
const trackShape = /^[a-z][a-z0-9]{0,15}$/;
const timePath = `${playPrefix}time`;
/** grant, video, cut, `ts`, track, file */
const deepest = 6;

/** `path` begins with /play/ and has no query. */
export const parsePlayPath = (path: string): PathVerdict => {
  if (path.length > longestPath || !plain.test(path)) return bad;
  const steps = path.slice(playPrefix.length).split('/', deepest + 1);
  const [grant = '', thing = '', ...rest] = steps;
  if (steps.length === 4 && rest[0] !== progressiveFolder && grantShape.test(grant) && idShape.test(thing)) {
    // What nearly every request is for.
    const [track = '', file = ''] = rest;
    const name = trackShape.test(track) ? parseMediaName(file) : null;
    if (name) return { kind: 'media', grant, video: thing, track, file, name };
  }
  if (path === timePath) return { kind: 'time' };
  if (steps.length > deepest || !grantShape.test(grant)) return unknown;
  if (channelShape.test(thing)) {
    const of = manifestOf(rest);
    return of ? { kind: 'channel', of, grant, channel: thing.slice(1) } : unknown;
  }
  return idShape.test(thing) ? below({ grant, video: thing }, rest) : unknown;
};

const manifestOf = ([first, second, ...more]: readonly string[]): ManifestKind | null => {
  if (more.length > 0) return null;
  if (second === undefined) return first === multivariantName ? 'hls' : first === manifestName ? 'dash' : null;
  return first === transportFolder && second === multivariantName ? 'ts' : null;
};

const below = (place: Below, rest: readonly string[]): PathVerdict => {
  const cut = parseCut(rest[0] ?? '');
  if (cut === 'none') return unknown;
  const steps = cut ? rest.slice(1) : rest;
  const of = manifestOf(steps);
  if (of) return { kind: 'manifest', of, cut, ...place };
  const transport = steps[0] === transportFolder;
  const [track = '', file = '', ...more] = transport ? steps.slice(1) : steps;
  if (more.length > 0) return unknown;
  if (rest.length === 1 && track === livePictureName) return { kind: 'live-picture', ...place };
  const picture = rest.length === 1 ? parsePictureName(track) : null;
  if (picture) return { kind: 'made-picture', file: track, name: picture, ...place };
  if (track === progressiveFolder && !transport && !cut) {
    const name = parseProgressiveName(file);
    return name ? { kind: 'download', file, name, ...place } : unknown;
  }
  if (track === keysFolder && !transport && !cut) {
    if (file === licenceName) return { kind: 'licence', ...place };
    return parseKeyName(file) ? { kind: 'media-key', name: file, ...place } : unknown;
  }
  if (!trackShape.test(track)) return unknown;
  const list = listOf(file);
  if (list) return transport && list === 'keys' ? unknown : { kind: 'playlist', transport, list, track, cut, ...place };
  // One object has one name: the media of a cut is that of the video.
  const name = transport && !cut ? parseTsName(file) : null;
  return name ? { kind: 'transport', track, file, name, ...place } : unknown;
};

const listOf = (file: string): PlaylistKind | null => {
  if (file === playlistName) return 'window';
  if (file === wholePlaylistName) return 'whole';
  return file === iframesName ? 'keys' : null;
};

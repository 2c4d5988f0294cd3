/**
 * Addresses below /play/, taken apart by hand: this runs for every request, and what it lets through reaches
 * maps and logs. Nothing is decoded, so `%2e`, `%00` and their kin never mean anything.
 *
 *     /play/<grant>/<video>/master.m3u8
 *     /play/<grant>/@<channel>/master.m3u8
 *     /play/<grant>/<video>/<track>/index.m3u8      the live window
 *     /play/<grant>/<video>/<track>/whole.m3u8      a show that has ended, all of it
 *     /play/<grant>/<video>/<track>/<media file>
 */
import { multivariantName, parseMediaName, playlistName, wholePlaylistName, type MediaName } from '../../packager/names.ts';

export type PlayPath =
  | { readonly kind: 'multivariant'; readonly grant: string; readonly video: string }
  | { readonly kind: 'channel'; readonly grant: string; readonly channel: string }
  | { readonly kind: 'playlist'; readonly grant: string; readonly video: string; readonly track: string; readonly whole: boolean }
  | {
      readonly kind: 'media';
      readonly grant: string;
      readonly video: string;
      readonly track: string;
      readonly file: string;
      readonly name: MediaName;
    };

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

/** `path` begins with /play/ and has no query. */
export const parsePlayPath = (path: string): PathVerdict => {
  if (path.length > longestPath || !plain.test(path)) return bad;
  const [grant = '', thing = '', third = '', fourth, ...more] = path.slice(playPrefix.length).split('/', 6);
  if (more.length > 0 || !grantShape.test(grant)) return unknown;
  if (channelShape.test(thing)) {
    return third === multivariantName && fourth === undefined ? { kind: 'channel', grant, channel: thing.slice(1) } : unknown;
  }
  if (!idShape.test(thing)) return unknown;
  if (fourth === undefined) return third === multivariantName ? { kind: 'multivariant', grant, video: thing } : unknown;
  if (!trackShape.test(third)) return unknown;
  const whole = fourth === wholePlaylistName;
  if (whole || fourth === playlistName) return { kind: 'playlist', grant, video: thing, track: third, whole };
  const name = parseMediaName(fourth);
  return name ? { kind: 'media', grant, video: thing, track: third, file: fourth, name } : unknown;
};

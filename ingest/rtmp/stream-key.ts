/**
 * Where the stream key is. Encoders have one, two or three fields for an address, and people fill them in every
 * possible way:
 *
 *     app          name          sent by
 *     live         KEY           OBS with server and key; ffmpeg rtmp://host/live/KEY
 *     live/KEY     (empty)       OBS with everything in the field "server"
 *     live         x?key=KEY     links with a query; the query may also be in app or only in tcUrl
 *     (empty)      live/KEY      hardware encoders
 *     live         rtmp://…/KEY  the whole address pasted into the key field
 *
 * The rule: `key=` of a query wins; otherwise it is the last word of the path, unless that is the application.
 */
import { RtmpError } from './errors.ts';

export type PublishAddress = { readonly app: string; readonly name: string; readonly tcUrl: string };

/** The application of the addresses that we hand out. */
const application = 'live';
const longestKey = 256;

/** Throws RtmpError, which never holds any part of the address. */
export const streamKey = (address: PublishAddress): string => {
  const places = [address.name, address.app, address.tcUrl].map(tidy);
  const key = places.map(keyInQuery).find((found) => found !== '') ?? keyInPath(places);
  if (key === '') throw new RtmpError('no-stream-key');
  if (key.length > longestKey || !/^[\x21-\x7e]+$/.test(key)) throw new RtmpError('stream-key-form');
  return key;
};

/** Some encoders quote what they were given, and people paste spaces and line ends with it. */
const tidy = (place: string): string => place.replace(/^[\s"']+|[\s"']+$/g, '');

const keyInQuery = (place: string): string => {
  const query = place.split('?').slice(1).join('&');
  const pair = query.split('&').find((part) => part.startsWith('key='));
  return pair === undefined ? '' : decode(pair.slice('key='.length).replace(/\/+$/, ''));
};

const keyInPath = ([name = '', app = '', tcUrl = '']: readonly string[]): string => {
  const inFields = lastWord(`${pathOf(app)}/${pathOf(name)}`);
  return inFields === '' ? lastWord(pathOf(tcUrl)) : inFields;
};

const pathOf = (place: string): string => {
  const path = place.split('?')[0] ?? '';
  return path.replace(/^[a-z]+:\/\/[^/]*/i, '');
};

const lastWord = (path: string): string => {
  const word = path.split('/').findLast((part) => part !== '') ?? '';
  return word === application ? '' : decode(word);
};

/** Percent signs that encode nothing stay as they are. */
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
};

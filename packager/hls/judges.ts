/** For tests: playlists as two parsers that we did not write understand them, with all that they complain of. */
import * as hlsParser from 'hls-parser';
import type { MasterPlaylist, MediaPlaylist } from 'hls-parser/types.js';
import { Parser, type M3u8Manifest } from 'm3u8-parser';

export const readByM3u8Parser = (text: string): { manifest: M3u8Manifest; complaints: string[] } => {
  const parser = new Parser();
  const complaints: string[] = [];
  parser.on('warn', ({ message }) => complaints.push(message));
  parser.on('error', ({ message }) => complaints.push(message));
  parser.push(text);
  parser.end();
  return { manifest: parser.manifest, complaints };
};

/** hls-parser counts segments where the draft counts seconds: with segments shorter than the target that is too strict. */
const countsSegments = 'Remove EXT-X-PART tags from the Playlist';

export const readMedia = (text: string, { shortSegments = false } = {}): MediaPlaylist => {
  const read = parseStrictly(text, shortSegments);
  if (read.isMasterPlaylist) throw new TypeError('a multivariant playlist');
  return read as MediaPlaylist;
};

export const readMultivariant = (text: string): MasterPlaylist => {
  const read = parseStrictly(text, false);
  if (!read.isMasterPlaylist) throw new TypeError('a media playlist');
  return read as MasterPlaylist;
};

const parseStrictly = (text: string, shortSegments: boolean): ReturnType<typeof hlsParser.parse> => {
  hlsParser.setOptions({ strictMode: true, silent: false });
  try {
    return hlsParser.parse(text);
  } catch (error) {
    if (!shortSegments || !(error instanceof Error) || !error.message.includes(countsSegments)) throw error;
    hlsParser.setOptions({ strictMode: false, silent: true });
    return hlsParser.parse(text);
  }
};

/** A delta update merged as section 6.3.7 says: what it skips is taken from the playlist before. */
export const applyDelta = (before: string, delta: string): string => {
  const skip = /^#EXT-X-SKIP:SKIPPED-SEGMENTS=(\d+)\n/m.exec(delta);
  if (!skip) return delta;
  const old = segmentBlocks(before);
  const shift = sequence(delta) - sequence(before);
  const taken = old.blocks.slice(shift, shift + Number(skip[1]));
  if (taken.length !== Number(skip[1])) throw new RangeError('the playlist before does not reach back far enough');
  const { head, blocks, tail } = segmentBlocks(delta.replace(skip[0], ''));
  // A MAP holds until the next one: equal ones in a row are one, and the first segment must have its own.
  let map = '';
  let text = head;
  for (const block of [...withMaps(old.blocks).slice(shift, shift + taken.length), ...withMaps(blocks)]) {
    const own = /#EXT-X-MAP:.*\n/.exec(block)?.[0] ?? '';
    text += own === map ? block.replace(own, '') : block;
    map = own;
  }
  const open = /#EXT-X-MAP:.*\n/.exec(tail)?.[0];
  const first = /^(#EXT-X-DISCONTINUITY\n)+/.exec(text.slice(head.length))?.[0] ?? '';
  if (shift > 0) text = head + text.slice(head.length + first.length);
  return text + (open === map ? tail.replace(open, '') : tail);
};

/** Before every segment the MAP that is in force. */
const withMaps = (blocks: readonly string[]): string[] => {
  let map = '';
  return blocks.map((block) => {
    const own = /#EXT-X-MAP:.*\n/.exec(block)?.[0];
    if (own !== undefined) map = own;
    return own === undefined ? block.replace(/^((?:#EXT-X-DISCONTINUITY\n)*)/, `$1${map}`) : block;
  });
};

const sequence = (text: string): number => Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);

/** The lines ahead of the first segment, those of each segment, and those after the last. */
const segmentBlocks = (text: string): { head: string; blocks: string[]; tail: string } => {
  const start = /^#EXT-X-(DISCONTINUITY|MAP|PROGRAM-DATE-TIME|PART|GAP|PRELOAD-HINT|RENDITION-REPORT|ENDLIST)\b(?!-SEQUENCE|-INF)/m.exec(text);
  const head = text.slice(0, start?.index ?? text.length);
  const blocks: string[] = [];
  let block = '';
  for (const line of text.slice(head.length).split('\n').slice(0, -1)) {
    block += `${line}\n`;
    if (line.startsWith('#')) continue;
    blocks.push(block);
    block = '';
  }
  return { head, blocks, tail: block };
};

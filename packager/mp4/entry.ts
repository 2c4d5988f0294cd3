/** Sample entries: what a track's samples are (ISO 14496-12, 8.5.2; 14496-14 and 14496-15; QuickTime's versions of sound). */
import { readEsds, mpeg4Audio } from '../cmaf/esds.ts';
import { parseAudioSpecificConfig } from '../media/aac.ts';
import { CodecError } from '../media/codec-error.ts';
import { parseAvcConfig, parseSps } from '../media/h264.ts';
import { completeHevcConfig, parseHevcConfig } from '../media/hevc-config.ts';
import { parseHevcSps } from '../media/hevc-sps.ts';
import { boxesIn, Cursor, firstOf, type Box } from './boxes.ts';
import type { Allowance } from './limits.ts';
import { Mp4Error, type MovieAudio, type MovieVideo } from './movie.ts';

type VideoFacts = Pick<MovieVideo, 'codec' | 'config' | 'width' | 'height' | 'pixelAspect' | 'colour'>;
type AudioFacts = Pick<MovieAudio, 'codec' | 'config' | 'sampleRate' | 'channels'>;

const encrypted = new Set(['encv', 'enca', 'drmi', 'drms']);

export const refuseEncrypted = (fourcc: string): void => {
  if (encrypted.has(fourcc)) throw new Mp4Error('encrypted', `the media is encrypted (${fourcc})`);
};

const nothing = Buffer.alloc(0);
const copyOf = (bytes: Buffer, { body, end }: Box): Buffer => Buffer.from(bytes.subarray(body, end));

/** What a codec's parser cannot read, nobody here can carry: the track is then known by its fourcc alone. */
const unlessUnreadable = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodecError) return null;
    throw error;
  }
};

const readPixelAspect = (bytes: Buffer, pasp: Box | undefined): MovieVideo['pixelAspect'] => {
  if (!pasp) return null;
  const cursor = new Cursor(bytes, pasp);
  const [width, height] = [cursor.u32(), cursor.u32()];
  return width > 0 && height > 0 ? { width, height } : null;
};

/** `nclx`, or QuickTime's `nclc`, which does not speak of the range. Profiles of ICC are not for video. */
const readColour = (bytes: Buffer, found: readonly Box[]): MovieVideo['colour'] => {
  for (const colr of found.filter(({ type }) => type === 'colr')) {
    const cursor = new Cursor(bytes, colr);
    const kind = cursor.fourcc();
    if (kind !== 'nclx' && kind !== 'nclc') continue;
    const [primaries, transfer, matrix] = [cursor.u16(), cursor.u16(), cursor.u16()];
    // "Unspecified", as muxers write that know nothing: what the pictures say of themselves is more.
    if (primaries === 2 && transfer === 2 && matrix === 2) return null;
    const fullRange = kind === 'nclx' && cursor.left > 0 && (cursor.u8() & 0x80) !== 0;
    return { primaries, transfer, matrix, fullRange };
  }
  return null;
};

type Picture = Pick<VideoFacts, 'codec' | 'config' | 'width' | 'height'>;

const h264 = (config: Buffer): Picture | null => {
  const [first] = parseAvcConfig(config).sps.map(parseSps);
  return first ? { codec: 'h264', config, ...sizeOf(first) } : null;
};

const hevc = (config: Buffer): Picture | null => {
  const { vps, sps, pps } = parseHevcConfig(config);
  const [first] = sps;
  if (!first || vps.length === 0 || pps.length === 0) return null;
  return { codec: 'hevc', config: completeHevcConfig(config), ...sizeOf(parseHevcSps(first)) };
};

const sizeOf = ({ width, height }: { readonly width: number; readonly height: number }) => ({ width, height });

/** With the box of its configuration. `avc3` and `hev1` may change their parameter sets on the way, and hardly ever do. */
const pictures: Readonly<Record<string, readonly [box: string, read: (config: Buffer) => Picture | null]>> = {
  avc1: ['avcC', h264],
  avc3: ['avcC', h264],
  hvc1: ['hvcC', hevc],
  hev1: ['hvcC', hevc],
};

export const readVideoEntry = (bytes: Buffer, entry: Box, allowance: Allowance): VideoFacts => {
  const cursor = new Cursor(bytes, entry, 24);
  const size = { width: cursor.u16(), height: cursor.u16() };
  cursor.skip(50);
  const inside = boxesIn(bytes, cursor.at, entry.end, allowance);
  const [name = '', read] = pictures[entry.type] ?? [];
  const config = firstOf(inside, name);
  const known = config && read ? unlessUnreadable(() => read(copyOf(bytes, config))) : null;
  const picture = known ?? { codec: 'other' as const, config: nothing, ...size };
  return { ...picture, pixelAspect: readPixelAspect(bytes, firstOf(inside, 'pasp')), colour: readColour(bytes, inside) };
};

/** Of ISO 14496-3 sound, and of MPEG-2's AAC (main, LC, SSR), which decodes alike. */
const aacTypes = new Set([mpeg4Audio, 0x66, 0x67, 0x68]);

const findEsds = (bytes: Buffer, inside: readonly Box[], allowance: Allowance): Box | undefined => {
  // QuickTime wraps it.
  const wave = firstOf(inside, 'wave');
  return firstOf(inside, 'esds') ?? (wave && firstOf(boxesIn(bytes, wave.body, wave.end, allowance), 'esds'));
};

const aac = (bytes: Buffer, esds: Box): AudioFacts | null =>
  unlessUnreadable(() => {
    const { objectType, config } = readEsds(bytes, esds);
    if (!aacTypes.has(objectType)) return null;
    const { sampleRate, channels } = parseAudioSpecificConfig(config);
    return { codec: 'aac', config: Buffer.from(config), sampleRate, channels };
  });

/** `stsdVersion` tells QuickTime's version 1 of a sound entry from the one of ISO, which has other fields. */
export const readAudioEntry = (bytes: Buffer, entry: Box, stsdVersion: number, allowance: Allowance): AudioFacts => {
  const cursor = new Cursor(bytes, entry, 8);
  const version = cursor.u16();
  cursor.skip(6);
  let channels = cursor.u16();
  cursor.skip(6);
  let sampleRate = cursor.u16();
  cursor.skip(2);
  if (version === 1 && stsdVersion === 0) cursor.skip(16);
  if (version === 2 && stsdVersion === 0) {
    cursor.skip(4);
    const rate = cursor.bytes(8).readDoubleBE();
    sampleRate = rate >= 1 && rate <= 0xffff_ffff ? Math.round(rate) : 0;
    channels = cursor.u32();
    cursor.skip(20);
  }
  const esds = entry.type === 'mp4a' ? findEsds(bytes, boxesIn(bytes, cursor.at, entry.end, allowance), allowance) : undefined;
  return (esds && aac(bytes, esds)) ?? { codec: 'other', config: nothing, sampleRate, channels };
};

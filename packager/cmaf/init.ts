/**
 * The init segment (CMAF header) of one track: ftyp + moov without samples. The same input gives the same bytes:
 * no dates, no names, no version. Brands: `cmfc`, and `cmf2` because there is no edit list and composition
 * offsets are signed (ISO 23000-19, 7.7.2 and 7.7.3); `iso6` for default-base-is-moof and version 1 of trun.
 */
import { configWithLength4 } from '../media/h264.ts';
import { pictureFacts } from '../media/picture-facts.ts';
import type { AudioCodec, VideoCodec } from '../media/unit.ts';
import { ascii, box, encode, fullBox, u16, u32, u64, u8, zeros, type Box, type Part } from './box.ts';
import { CmafError } from './cmaf-error.ts';
import { esds } from './esds.ts';
import { trackId } from './flags.ts';

type Common = {
  readonly timescale: number;
  /** ISO 639-2: three lower-case letters; `und` when absent. */
  readonly language?: string;
};

export type Colour = { readonly primaries: number; readonly transfer: number; readonly matrix: number; readonly fullRange: boolean };

export type VideoInit = Common & {
  readonly kind: 'video';
  readonly codec: VideoCodec;
  /** As in a `TrackConfig`. avcC: its NAL length is written as 4, as `normaliseAvc` makes the samples. */
  readonly config: Buffer;
  /** Of the picture after cropping, in pixels, as it was coded. */
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise that it is turned by when it is shown. */
  readonly rotation?: 0 | 90 | 180 | 270;
  /** What a file says of its pictures, in the place of what their parameter sets do. */
  readonly pixelAspect?: { readonly width: number; readonly height: number } | null;
  readonly colour?: Colour | null;
};

export type AudioInit = Common & {
  readonly kind: 'audio';
  readonly codec: AudioCodec;
  /** As in a `TrackConfig`. */
  readonly config: Buffer;
  readonly sampleRate: number;
  readonly channels: number;
};

export type TextInit = Omit<Common, 'language'> & {
  readonly kind: 'text';
  readonly codec: 'wvtt';
  /** What `vttC` holds: the head of a WebVTT file. */
  readonly config: Buffer;
  /** BCP 47. */
  readonly language: string;
};

export type InitTrack = VideoInit | AudioInit | TextInit;

/** 1 in 16.16, and in the 2.30 of the last number of a matrix. */
const one = 0x1_0000;
const last = 0x4000_0000;
const minus = 2 ** 32 - one;
/** Identity matrix of tkhd and mvhd. */
const matrix = [one, 0, 0, 0, one, 0, 0, 0, last].map(u32);

/** What is turned is moved back to where it was: {a b 0, c d 0, x y 1} (ISO 14496-12, 8.3.2.3). */
const turned = (rotation: 0 | 90 | 180 | 270, width: number, height: number): readonly Part[] => {
  const [wide, high] = [width * one, height * one];
  switch (rotation) {
    case 0:
      return matrix;
    case 90:
      return [0, one, 0, minus, 0, 0, high, 0, last].map(u32);
    case 180:
      return [minus, 0, 0, 0, minus, 0, wide, high, last].map(u32);
    case 270:
      return [0, minus, 0, one, 0, 0, 0, wide, last].map(u32);
  }
};

const fileType = box('ftyp', [ascii('iso6'), u32(0), ascii('iso6'), ascii('cmfc'), ascii('cmf2'), ascii('mp41')]);

/** Three letters in five bits each. */
const packLanguage = (language: string): Part => {
  if (!/^[a-z]{3}$/.test(language)) throw new CmafError('invalid', `${JSON.stringify(language)} is no language code`);
  const [a = 0, b = 0, c = 0] = Buffer.from(language, 'latin1').map((letter) => letter - 0x60);
  return u16((a << 10) | (b << 5) | c);
};

/** The sample entry of each codec, and the box of its configuration. */
const entryTypes = { h264: 'avc1', hevc: 'hvc1', av1: 'av01', vp9: 'vp09' } as const;

const configBox = (codec: VideoCodec, config: Buffer): Box => {
  switch (codec) {
    case 'h264':
      return box('avcC', [config]);
    case 'hevc':
      return box('hvcC', [config]);
    case 'av1':
      return box('av1C', [config]);
    case 'vp9':
      return fullBox('vpcC', 1, 0, [config]);
  }
};

const videoEntry = (track: VideoInit): { entry: Box; displayWidth: number } => {
  const config = track.codec === 'h264' ? configWithLength4(track.config) : track.config;
  const said = pictureFacts({ kind: 'video', codec: track.codec, config });
  const sar = track.pixelAspect ?? said.sar;
  const colour = track.colour ?? said.colour;
  const optional: Box[] = [];
  if (colour) {
    const { primaries, transfer, matrix: coefficients, fullRange } = colour;
    const range = u8(fullRange ? 0x80 : 0);
    optional.push(box('colr', [ascii('nclx'), u16(primaries), u16(transfer), u16(coefficients), range]));
  }
  if (sar) optional.push(box('pasp', [u32(sar.width), u32(sar.height)]));
  const entry = box(entryTypes[track.codec], [
    zeros(6),
    u16(1), // data_reference_index
    zeros(16),
    u16(track.width),
    u16(track.height),
    u32(0x48_0000), // 72 dpi
    u32(0x48_0000),
    zeros(4),
    u16(1), // frame_count
    zeros(32), // compressorname
    u16(0x18), // depth
    u16(0xffff), // pre_defined = -1
    configBox(track.codec, config),
    ...optional,
  ]);
  const stretched = sar ? Math.round((track.width * sar.width) / sar.height) : track.width;
  return { entry, displayWidth: Math.min(stretched, 0xffff) };
};

const audioEntry = (track: AudioInit): Box =>
  box(track.codec === 'opus' ? 'Opus' : 'mp4a', [
    zeros(6),
    u16(1),
    zeros(8),
    u16(track.channels),
    u16(16), // samplesize
    zeros(4),
    // 16.16: a rate that does not fit stays 0, and the AudioSpecificConfig has the say.
    u32(track.sampleRate > 0xffff ? 0 : track.sampleRate * 0x1_0000),
    track.codec === 'opus' ? box('dOps', [track.config]) : esds(track.config),
  ]);

type Described = {
  readonly entry: Box;
  readonly handler: 'vide' | 'soun' | 'text';
  readonly mediaHeader: Box;
  readonly volume: number;
  readonly width: number;
  readonly height: number;
  readonly matrix: readonly Part[];
};

/** ISO 14496-30, 7.5. */
const textEntry = (track: TextInit): Box => box('wvtt', [zeros(6), u16(1), box('vttC', [track.config])]);

const describe = (track: InitTrack): Described => {
  if (track.kind === 'text') {
    return { entry: textEntry(track), handler: 'text', mediaHeader: fullBox('nmhd', 0, 0, []), volume: 0, width: 0, height: 0, matrix };
  }
  if (track.kind === 'audio') {
    const mediaHeader = fullBox('smhd', 0, 0, [zeros(4)]);
    return { entry: audioEntry(track), handler: 'soun', mediaHeader, volume: 0x100, width: 0, height: 0, matrix };
  }
  const { entry, displayWidth } = videoEntry(track);
  const mediaHeader = fullBox('vmhd', 0, 1, [zeros(8)]);
  return { entry, handler: 'vide', mediaHeader, volume: 0, width: displayWidth, height: track.height, matrix: turned(track.rotation ?? 0, displayWidth, track.height) };
};

const sampleTable = (entry: Box): Box =>
  box('stbl', [
    fullBox('stsd', 0, 0, [u32(1), entry]),
    fullBox('stts', 0, 0, [u32(0)]),
    fullBox('stsc', 0, 0, [u32(0)]),
    fullBox('stsz', 0, 0, [u32(0), u32(0)]),
    fullBox('stco', 0, 0, [u32(0)]),
  ]);

const trackBox = (track: InitTrack): Box => {
  const { entry, handler, mediaHeader, volume, width, height, matrix: placed } = describe(track);
  return box('trak', [
    // Flags: enabled and in the movie.
    fullBox('tkhd', 1, 3, [
      u64(0),
      u64(0),
      u32(trackId),
      u32(0),
      u64(0),
      zeros(8),
      u16(0), // layer
      u16(0), // alternate_group
      u16(volume),
      u16(0),
      ...placed,
      u32(width * 0x1_0000),
      u32(height * 0x1_0000),
    ]),
    box('mdia', [
      fullBox('mdhd', 1, 0, [u64(0), u64(0), u32(track.timescale), u64(0), packLanguage(track.kind === 'text' ? 'und' : (track.language ?? 'und')), u16(0)]),
      ...(track.kind === 'text' ? [fullBox('elng', 0, 0, [ascii(`${track.language}\0`)])] : []),
      fullBox('hdlr', 0, 0, [u32(0), ascii(handler), zeros(12), u8(0)]),
      box('minf', [
        mediaHeader,
        // One data reference: the media is in this file (flag 1).
        box('dinf', [fullBox('dref', 0, 0, [u32(1), fullBox('url ', 0, 1, [])])]),
        sampleTable(entry),
      ]),
    ]),
  ]);
};

/** Throws CodecError when the configuration cannot be read, CmafError when a value fits no box. */
export const initSegment = (track: InitTrack): Buffer => {
  if (track.timescale < 1) throw new CmafError('range', `a time scale of ${track.timescale}`);
  const movieHeader = fullBox('mvhd', 1, 0, [
    u64(0),
    u64(0),
    u32(track.timescale),
    u64(0),
    u32(0x1_0000), // rate 1.0
    u16(0x100), // volume 1.0
    zeros(10),
    ...matrix,
    zeros(24),
    u32(trackId + 1), // next_track_ID
  ]);
  // Sample description 1; all other defaults stand in each fragment.
  const extends1 = fullBox('trex', 0, 0, [u32(trackId), u32(1), u32(0), u32(0), u32(0)]);
  return encode(fileType, box('moov', [movieHeader, trackBox(track), box('mvex', [extends1])]));
};

/** Reads an init segment of one track back into facts. */
import { CodecError } from '../media/codec-error.ts';
import type { Colour, Ratio } from '../media/h264-vui.ts';
import { pictureFacts } from '../media/picture-facts.ts';
import { soundFacts } from '../media/sound-facts.ts';
import type { AudioCodec, VideoCodec } from '../media/unit.ts';
import { boxes, children, Cursor, descend, only, type BoxView } from './box-reader.ts';
import { CmafError } from './cmaf-error.ts';
import { mpeg4Audio, readEsds } from './esds.ts';

/** Values of `trex` or of a writer's habits that a fragment may leave to its init segment. */
export type SampleDefaults = { readonly duration: number; readonly size: number; readonly flags: number };

type CommonFacts = {
  readonly brands: readonly string[];
  readonly trackId: number;
  readonly timescale: number;
  readonly language: string;
  /** RFC 6381. */
  readonly codecString: string;
  /** As in a `TrackConfig`, or what vttC holds. */
  readonly config: Buffer;
  readonly defaults: SampleDefaults;
  readonly editList: boolean;
};

type PictureFacts = {
  /** As it was coded, after cropping. */
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise that it is turned by when it is shown. */
  readonly rotation: 0 | 90 | 180 | 270;
  /** What a `colr` box says, and the shape of a pixel (`pasp`): what holds, whatever the parameter sets say; null: there is none. */
  readonly colour: Colour | null;
  readonly pixelAspect: Ratio | null;
};

export type InitFacts =
  | (CommonFacts & { readonly kind: 'video'; readonly codec: VideoCodec } & PictureFacts)
  | (CommonFacts & { readonly kind: 'text'; readonly codec: 'wvtt' })
  | (CommonFacts & { readonly kind: 'audio'; readonly codec: AudioCodec; readonly sampleRate: number; readonly channels: number });

const readBrands = (bytes: Buffer, ftyp: BoxView): string[] => {
  const cursor = new Cursor(bytes, ftyp);
  const brands = [cursor.fourcc()];
  cursor.skip(4);
  while (cursor.left >= 4 && brands.length < 64) brands.push(cursor.fourcc());
  return brands;
};

const readMediaHeader = (bytes: Buffer, mdhd: BoxView): { timescale: number; language: string } => {
  const cursor = new Cursor(bytes, mdhd);
  const wide = cursor.full().version === 1;
  cursor.skip(wide ? 16 : 8);
  const timescale = cursor.u32();
  if (timescale === 0) throw new CmafError('invalid', 'mdhd has a time scale of 0');
  cursor.skip(wide ? 8 : 4);
  const packed = cursor.u16();
  const language = String.fromCharCode(...[10, 5, 0].map((shift) => 0x60 + ((packed >> shift) & 0x1f)));
  return { timescale, language };
};

const readDefaults = (bytes: Buffer, trex: BoxView, trackId: number): SampleDefaults => {
  const cursor = new Cursor(bytes, trex, 4);
  if (cursor.u32() !== trackId) throw new CmafError('invalid', 'trex is about another track');
  cursor.skip(4);
  return { duration: cursor.u32(), size: cursor.u32(), flags: cursor.u32() };
};

/** What the codec's own parser refuses is an invalid init segment here, with the reason as its cause. */
const codecString = (make: () => string): string => {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new CmafError('invalid', `the codec configuration cannot be read: ${error.message}`, { cause: error });
  }
};

const readEntry = (bytes: Buffer, stsd: BoxView) => {
  const cursor = new Cursor(bytes, stsd, 4);
  if (cursor.u32() !== 1) throw new CmafError('unsupported', 'stsd has not exactly one sample entry');
  const [entry] = boxes(bytes, cursor.at, stsd.end);
  if (!entry) throw new CmafError('invalid', 'stsd is empty');
  return entry;
};

const readVideoEntry = (bytes: Buffer, entry: BoxView, [name, codec, head]: PictureEntry) => {
  const cursor = new Cursor(bytes, entry, 24);
  const width = cursor.u16();
  const height = cursor.u16();
  cursor.skip(50);
  const inside = boxes(bytes, cursor.at, entry.end);
  const colour = readColour(bytes, inside.find(({ type }) => type === 'colr'));
  const pixelAspect = readPixelAspect(bytes, inside.find(({ type }) => type === 'pasp'));
  const box = only(inside, name, entry.type);
  const config = bytes.subarray(Math.min(box.body + head, box.end), box.end);
  const text = codecString(() => pictureFacts({ kind: 'video', codec, config }).codecString);
  return { codec, width, height, colour, pixelAspect, config, codecString: text };
};

type PictureEntry = readonly [box: string, codec: VideoCodec, head: number];
/** The box of the configuration in a sample entry, and the bytes of its version and flags. */
const pictureEntries: Readonly<Record<string, PictureEntry>> = {
  avc1: ['avcC', 'h264', 0],
  hvc1: ['hvcC', 'hevc', 0],
  av01: ['av1C', 'av1', 0],
  vp09: ['vpcC', 'vp9', 4],
};

const readColour = (bytes: Buffer, colr: BoxView | undefined): Colour | null => {
  if (!colr) return null;
  const cursor = new Cursor(bytes, colr);
  if (cursor.fourcc() !== 'nclx') return null;
  const [primaries, transfer, matrix] = [cursor.u16(), cursor.u16(), cursor.u16()];
  return { primaries, transfer, matrix, fullRange: cursor.u8() >= 0x80 };
};

const readPixelAspect = (bytes: Buffer, pasp: BoxView | undefined): Ratio | null => {
  if (!pasp) return null;
  const cursor = new Cursor(bytes, pasp);
  const [width, height] = [cursor.u32(), cursor.u32()];
  return width > 0 && height > 0 ? { width, height } : null;
};

/** From the upper left of the matrix, {a b, c d}: what `initSegment` writes. */
const readRotation = (cursor: Cursor, wide: boolean): 0 | 90 | 180 | 270 => {
  cursor.skip((wide ? 12 : 8) + 16); // behind track_ID: duration, reserved, layer, group, volume
  const a = cursor.i32();
  const b = cursor.i32();
  if (a === 0) return b > 0 ? 90 : b < 0 ? 270 : 0;
  return a < 0 ? 180 : 0;
};

const readAudioEntry = (bytes: Buffer, entry: BoxView) => {
  const cursor = new Cursor(bytes, entry, 8);
  if (cursor.u16() !== 0) throw new CmafError('unsupported', 'a sample entry of QuickTime');
  cursor.skip(6);
  const channels = cursor.u16();
  cursor.skip(6);
  const sampleRate = cursor.u16();
  cursor.skip(2);
  const inside = boxes(bytes, cursor.at, entry.end);
  const [codec, config] = entry.type === 'Opus' ? (['opus', bodyOf(bytes, only(inside, 'dOps', entry.type))] as const) : (['aac', readAac(bytes, only(inside, 'esds', entry.type))] as const);
  return { codec, channels, sampleRate, config, codecString: codecString(() => soundFacts({ kind: 'audio', codec, config }).codecString) };
};

const bodyOf = (bytes: Buffer, { body, end }: BoxView): Buffer => bytes.subarray(body, end);

const readAac = (bytes: Buffer, box: BoxView): Buffer => {
  const { objectType, config } = readEsds(bytes, box);
  if (objectType !== mpeg4Audio) throw new CmafError('unsupported', `esds has object type ${objectType}`);
  return config;
};

export const readInit = (bytes: Buffer): InitFacts => {
  const top = boxes(bytes);
  const brands = readBrands(bytes, only(top, 'ftyp', 'the init segment'));
  const moov = only(top, 'moov', 'the init segment');
  const trak = descend(bytes, moov, 'trak');
  const tkhd = new Cursor(bytes, descend(bytes, trak, 'tkhd'));
  const wide = tkhd.full().version === 1;
  tkhd.skip(wide ? 16 : 8);
  const trackId = tkhd.u32();
  const rotation = readRotation(tkhd, wide);
  const mdia = descend(bytes, trak, 'mdia');
  const handler = new Cursor(bytes, descend(bytes, mdia, 'hdlr'), 8).fourcc();
  const entry = readEntry(bytes, descend(bytes, mdia, 'minf', 'stbl', 'stsd'));
  const common = {
    brands,
    trackId,
    ...readMediaHeader(bytes, descend(bytes, mdia, 'mdhd')),
    defaults: readDefaults(bytes, descend(bytes, moov, 'mvex', 'trex'), trackId),
    editList: children(bytes, trak).some(({ type }) => type === 'edts'),
  };
  const picture = handler === 'vide' ? pictureEntries[entry.type] : undefined;
  if (picture) return { kind: 'video', rotation, ...common, ...readVideoEntry(bytes, entry, picture) };
  if (handler === 'soun' && (entry.type === 'mp4a' || entry.type === 'Opus')) {
    return { kind: 'audio', ...common, ...readAudioEntry(bytes, entry) };
  }
  if (handler === 'text' && entry.type === 'wvtt') {
    const vttC = only(boxes(bytes, entry.body + 8, entry.end), 'vttC', entry.type);
    return { kind: 'text', codec: 'wvtt', ...common, codecString: 'wvtt', config: bytes.subarray(vttC.body, vttC.end) };
  }
  throw new CmafError('unsupported', `a track of ${handler} with sample entry ${entry.type}`);
};

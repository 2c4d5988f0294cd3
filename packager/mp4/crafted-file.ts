/** Files box by box, for tests: as muxers write them, and as none does. */
import { ascii, box, encode, fullBox, u16, u32, u64, u8, zeros, type Box, type Part } from '../cmaf/box.ts';

/** Where media lies: behind ftyp and the header of mdat. */
export const mediaAt = 24;

const signed = (value: number): Part => u32(value >>> 0);
const one = 0x1_0000;
export type Matrix = readonly [a: number, b: number, c: number, d: number];
export const upright: Matrix = [1, 0, 0, 1];
const matrixOf = ([a, b, c, d]: Matrix): Part[] => [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 0x4000_0000].map(signed);

export const rows = (type: string, entries: readonly (readonly number[])[], version = 0): Box =>
  fullBox(type, version, 0, [u32(entries.length), ...entries.flat().map(signed)]);

/** Of 320 × 180 pixels. */
export const avcC = Buffer.from('0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000668eae3cb22c0fdf8f800', 'hex');

export const videoEntry = (type = 'avc1', inside: readonly Part[] = [box('avcC', [avcC])], dataReference = 1): Box =>
  box(type, [zeros(6), u16(dataReference), zeros(16), u16(320), u16(180), zeros(50), ...inside]);

/** An esds with this object type and configuration. */
export const esdsOf = (objectType: number, config = '1190'): Box => {
  const specific = Buffer.from(config, 'hex');
  const decoder = Buffer.concat([Buffer.from([4, 15 + specific.length, objectType, 0x15]), Buffer.alloc(11), Buffer.from([5, specific.length]), specific]);
  return fullBox('esds', 0, 0, [u8(3), u8(3 + decoder.length), u16(0), u8(0), decoder]);
};

export const audioEntry = ({ type = 'mp4a', version = 0, extra = [] as Part[], inside = [esdsOf(0x40)] as Part[] } = {}): Box =>
  box(type, [zeros(6), u16(1), u16(version), zeros(6), u16(2), u16(16), zeros(4), u32(44_100 * one), ...extra, ...inside]);

export type Tables = {
  readonly stts?: Part;
  readonly ctts?: Part;
  readonly stsc?: Part;
  readonly stsz?: Part;
  readonly stco?: Part;
  readonly stss?: Part;
};

/** Samples of so many bytes, ten ticks each, in one chunk at the beginning of the media. */
export const tablesOf = (sizes: readonly number[], own: Tables = {}): Part[] => [
  own.stts ?? rows('stts', [[sizes.length, 10]]),
  ...(own.ctts ? [own.ctts] : []),
  own.stsc ?? rows('stsc', [[1, sizes.length, 1]]),
  own.stsz ?? fullBox('stsz', 0, 0, [u32(0), u32(sizes.length), ...sizes.map(u32)]),
  own.stco ?? rows('stco', [[mediaAt]]),
  ...(own.stss ? [own.stss] : []),
];

export type CraftedTrack = {
  readonly id?: number;
  readonly handler?: string;
  readonly name?: Part;
  readonly timescale?: number;
  readonly flags?: number;
  readonly matrix?: Matrix;
  readonly language?: number;
  readonly entries?: readonly Box[];
  readonly stsdVersion?: number;
  readonly dref?: readonly Part[];
  readonly tables?: readonly Part[];
  readonly inTrak?: readonly Part[];
  readonly inMdia?: readonly Part[];
};

const und = 0x55c4;

export const trak = (track: CraftedTrack = {}): Box => {
  const { id = 1, handler = 'vide', name = zeros(1), timescale = 1000, flags = 3, matrix = upright, language = und } = track;
  const { entries = [handler === 'soun' ? audioEntry() : videoEntry()], stsdVersion = 0, tables = tablesOf([100, 100]) } = track;
  const dref = track.dref ?? [fullBox('url ', 0, 1, [])];
  return box('trak', [
    fullBox('tkhd', 0, flags, [zeros(8), u32(id), zeros(4 + 4 + 16), ...matrixOf(matrix), zeros(8)]),
    ...(track.inTrak ?? []),
    box('mdia', [
      fullBox('mdhd', 0, 0, [zeros(8), u32(timescale), u32(0), u16(language), u16(0)]),
      ...(track.inMdia ?? []),
      fullBox('hdlr', 0, 0, [u32(0), ascii(handler), zeros(12), name]),
      box('minf', [
        box('dinf', [fullBox('dref', 0, 0, [u32(dref.length), ...dref])]),
        box('stbl', [fullBox('stsd', stsdVersion, 0, [u32(entries.length), ...entries]), ...tables]),
      ]),
    ]),
  ]);
};

export const mvhd = ({ timescale = 1000, matrix = upright } = {}): Box =>
  fullBox('mvhd', 0, 0, [zeros(8), u32(timescale), u32(0), zeros(16), ...matrixOf(matrix), zeros(24), u32(99)]);

export type CraftedFile = {
  readonly brand?: string;
  readonly movie?: Parameters<typeof mvhd>[0];
  readonly tracks?: readonly (CraftedTrack | Box)[];
  readonly inMoov?: readonly Part[];
  readonly media?: number;
  readonly behind?: readonly Part[];
};

/** ftyp, mdat, moov, and what comes behind. */
export const crafted = ({ brand = 'isom', movie = {}, tracks = [{}], inMoov = [], media = 1000, behind = [] }: CraftedFile = {}): Buffer =>
  encode(
    box('ftyp', [ascii(brand), u32(0)]),
    box('mdat', [zeros(media)]),
    box('moov', [mvhd(movie), ...tracks.map((one) => ('parts' in one ? one : trak(one))), ...inMoov]),
    ...behind,
  );

export type EditRow = readonly [duration: number, time: number, rate?: number];
export const edts = (list: readonly EditRow[], version = 0): Box =>
  box('edts', [
    fullBox('elst', version, 0, [
      u32(list.length),
      ...list.flatMap(([duration, time, rate = one]) =>
        version === 1 ? [u64(duration), signed(Math.floor(time / 2 ** 32)), signed(time), signed(rate)] : [u32(duration), signed(time), signed(rate)],
      ),
    ]),
  ]);

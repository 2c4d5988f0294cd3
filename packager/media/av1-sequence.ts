/** Sequence header of AV1 (AV1 bitstream specification, 5.5): the shape, the colour and the rate of its pictures. */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import type { Colour } from './h264-vui.ts';

export type Av1Sequence = {
  readonly profile: number;
  readonly level: number;
  readonly highTier: boolean;
  readonly bitDepth: 8 | 10 | 12;
  readonly monochrome: boolean;
  /** Of chroma, 1: half as many samples. */
  readonly subsamplingX: number;
  readonly subsamplingY: number;
  readonly chromaPosition: number;
  /** Null: nothing is said but the range. */
  readonly colour: Colour | null;
  readonly fullRange: boolean;
  readonly width: number;
  readonly height: number;
  /** Where all pictures last equally long. */
  readonly frameRate: number | null;
  readonly reducedStill: boolean;
};

/** Real ones have 10 to 40 bytes; 32 operating points with all that may be said of them stay below. */
const largestHeader = 1024;
/** Level 6.3 has 16,384 on a side. */
const largestSide = 16_384;

type Timing = { readonly frameRate: number | null; readonly bufferDelayBits: number | null };

const readTiming = (bits: BitReader): Timing => {
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  const ticks = bits.flag() ? bits.ue() + 1 : null;
  const frameRate = ticks !== null && unitsInTick > 0 && timeScale > 0 ? timeScale / unitsInTick / ticks : null;
  if (!bits.flag()) return { frameRate, bufferDelayBits: null };
  const bufferDelayBits = bits.bits(5) + 1;
  bits.skip(32 + 5 + 5); // num_units_in_decoding_tick, lengths of times
  return { frameRate, bufferDelayBits };
};

/** The first operating point is that of all layers together; the others are read past. */
const readOperatingPoints = (bits: BitReader): { level: number; highTier: boolean; frameRate: number | null } => {
  const { frameRate, bufferDelayBits } = bits.flag() ? readTiming(bits) : { frameRate: null, bufferDelayBits: null };
  const displayDelays = bits.flag();
  let first: { level: number; highTier: boolean } | null = null;
  for (let left = bits.bits(5) + 1; left > 0; left -= 1) {
    bits.skip(12); // operating_point_idc
    const level = bits.bits(5);
    const highTier = level > 7 && bits.flag();
    first ??= { level, highTier };
    if (bufferDelayBits !== null && bits.flag()) bits.skip(2 * bufferDelayBits + 1);
    if (displayDelays && bits.flag()) bits.skip(4);
  }
  return { level: 0, highTier: false, ...first, frameRate };
};

/** 5.5.1, from the frame ids to the tools of restoration. */
const skipTools = (bits: BitReader, reduced: boolean): void => {
  if (!reduced && bits.flag()) bits.skip(4 + 3);
  bits.skip(3); // superblocks of 128, filter and edge of intra
  if (!reduced) {
    bits.skip(4); // inter-intra, masks, warping, dual filter
    const order = bits.flag();
    if (order) bits.skip(2);
    const screenContent = bits.flag() || bits.flag();
    if (screenContent && !bits.flag()) bits.skip(1); // seq_force_integer_mv
    if (order) bits.skip(3);
  }
  bits.skip(3); // superres, cdef, restoration
};

type Shades = Pick<Av1Sequence, 'bitDepth' | 'monochrome' | 'subsamplingX' | 'subsamplingY' | 'chromaPosition' | 'colour' | 'fullRange'>;

// 5.5.2
const readShades = (bits: BitReader, profile: number): Shades => {
  const high = bits.flag();
  const bitDepth = high ? (profile === 2 && bits.flag() ? 12 : 10) : 8;
  const monochrome = profile !== 1 && bits.flag();
  const said = bits.flag() ? { primaries: bits.bits(8), transfer: bits.bits(8), matrix: bits.bits(8) } : null;
  const told = (fullRange: boolean) => ({ bitDepth, monochrome, fullRange, colour: said && { ...said, fullRange } }) as const;
  if (monochrome) return { ...told(bits.flag()), subsamplingX: 1, subsamplingY: 1, chromaPosition: 0 };
  // sRGB: as it is, and not said.
  if (said?.primaries === 1 && said.transfer === 13 && said.matrix === 0) return { ...told(true), subsamplingX: 0, subsamplingY: 0, chromaPosition: 0 };
  const shades = told(bits.flag());
  const [x, y] = subsampling(bits, profile, bitDepth);
  return { ...shades, subsamplingX: x, subsamplingY: y, chromaPosition: x === 1 && y === 1 ? bits.bits(2) : 0 };
};

const subsampling = (bits: BitReader, profile: number, bitDepth: number): readonly [number, number] => {
  if (profile === 0) return [1, 1];
  if (profile === 1) return [0, 0];
  if (bitDepth < 12) return [1, 0];
  const x = bits.bit();
  return [x, x === 1 ? bits.bit() : 0];
};

/** `payload`: of the OBU, behind its header and its size. */
export const parseAv1Sequence = (payload: Uint8Array): Av1Sequence => {
  if (payload.length > largestHeader) throw new CodecError('limit', `AV1: a sequence header of ${payload.length} bytes`);
  const bits = new BitReader(payload);
  const profile = bits.bits(3);
  if (profile > 2) throw new CodecError('invalid', `AV1: reserved profile ${profile}`);
  bits.skip(1); // still_picture
  const reducedStill = bits.flag();
  const point = reducedStill ? { level: bits.bits(5), highTier: false, frameRate: null } : readOperatingPoints(bits);
  const [widthBits, heightBits] = [bits.bits(4) + 1, bits.bits(4) + 1];
  const [width, height] = [bits.bits(widthBits) + 1, bits.bits(heightBits) + 1];
  if (width > largestSide || height > largestSide) throw new CodecError('limit', `AV1: pictures of ${width} x ${height}`);
  skipTools(bits, reducedStill);
  return { profile, ...point, width, height, reducedStill, ...readShades(bits, profile) };
};

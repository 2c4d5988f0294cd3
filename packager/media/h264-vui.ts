/** Video usability information at the end of an SPS (ISO 14496-10, annex E.1): pixel shape, colour, timing, reordering. */
import type { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';

export type Ratio = { readonly width: number; readonly height: number };

/** Code points of ISO 23091-2; 2 means unspecified. */
export type Colour = {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly fullRange: boolean;
};

export type Vui = {
  readonly sar: Ratio | null;
  readonly colour: Colour | null;
  readonly frameRate: number | null;
  readonly maxNumReorderFrames: number | null;
};

export const noVui: Vui = { sar: null, colour: null, frameRate: null, maxNumReorderFrames: null };

// Table E-1; index 0 is unspecified.
const sarTable: readonly (readonly [number, number])[] = [
  [0, 0], [1, 1], [12, 11], [10, 11], [16, 11], [40, 33], [24, 11], [20, 11], [32, 11],
  [80, 33], [18, 11], [15, 11], [64, 33], [160, 99], [4, 3], [3, 2], [2, 1],
]; // prettier-ignore
const extendedSar = 255;

export const readSar = (bits: BitReader): Ratio | null => {
  const code = bits.bits(8);
  const [width, height] = code === extendedSar ? [bits.bits(16), bits.bits(16)] : (sarTable[code] ?? [0, 0]);
  // E.2.1: a zero on either side is unspecified too.
  return width > 0 && height > 0 ? { width, height } : null;
};

export const readColour = (bits: BitReader): Colour => {
  bits.skip(3); // video_format
  const fullRange = bits.flag();
  if (!bits.flag()) return { primaries: 2, transfer: 2, matrix: 2, fullRange };
  return { primaries: bits.bits(8), transfer: bits.bits(8), matrix: bits.bits(8), fullRange };
};

const readFrameRate = (bits: BitReader): number | null => {
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  bits.skip(1); // fixed_frame_rate_flag
  // E.2.1: a tick is a field, so a frame takes two of them.
  return unitsInTick > 0 && timeScale > 0 ? timeScale / (2 * unitsInTick) : null;
};

const skipHrd = (bits: BitReader): void => {
  const count = bits.ue() + 1;
  if (count > 32) throw new CodecError('invalid', `SPS: the HRD has ${count} buffers`);
  bits.skip(8); // bit_rate_scale, cpb_size_scale
  for (let i = 0; i < count; i += 1) {
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  bits.skip(20); // four lengths of five bits
};

/** Returns max_num_reorder_frames. */
const readRestrictions = (bits: BitReader): number => {
  bits.skip(1); // motion_vectors_over_pic_boundaries_flag
  for (let i = 0; i < 4; i += 1) bits.ue(); // two limits of bytes and bits, two of motion vectors
  const reorder = bits.ue();
  const buffered = bits.ue();
  if (reorder > buffered || buffered > 16) {
    throw new CodecError('invalid', `SPS: ${reorder} pictures reordered in a buffer of ${buffered}`);
  }
  return reorder;
};

export const readVui = (bits: BitReader): Vui => {
  const sar = bits.flag() ? readSar(bits) : null;
  if (bits.flag()) bits.skip(1); // overscan
  const colour = bits.flag() ? readColour(bits) : null;
  if (bits.flag()) {
    bits.ue(); // chroma sample location, top
    bits.ue(); // and bottom
  }
  const frameRate = bits.flag() ? readFrameRate(bits) : null;
  const nalHrd = bits.flag();
  if (nalHrd) skipHrd(bits);
  const vclHrd = bits.flag();
  if (vclHrd) skipHrd(bits);
  if (nalHrd || vclHrd) bits.skip(1); // low_delay_hrd_flag
  bits.skip(1); // pic_struct_present_flag
  const maxNumReorderFrames = bits.flag() ? readRestrictions(bits) : null;
  return { sar, colour, frameRate, maxNumReorderFrames };
};

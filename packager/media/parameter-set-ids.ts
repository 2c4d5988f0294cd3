/** Which number a parameter set has, which one it leans on, and which one a picture names: all that it takes to keep several. */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { isVcl, rbsp, typeOf, unitsOf } from './h264-nal.ts';
import { hevcNal, hevcTypeOf } from './hevc-nal.ts';
import { hevcSpsId } from './hevc-sps.ts';

/** `of`: the sequence parameter set that a picture parameter set leans on; of others, nothing. */
export type NumberedSet = { readonly nal: Buffer; readonly id: number; readonly of: number | null };

/** Numbers stand in the first bytes: three of them, with emulation prevention. */
const headBytes = 32;

const within = (value: number, most: number, what: string): number => {
  if (value > most) throw new CodecError('invalid', `a parameter set has ${what} ${value}`);
  return value;
};

// ISO 14496-10, 7.3.2.1.1: behind profile, constraints and level.
export const numberedAvcSps = (nal: Buffer): NumberedSet => {
  const bits = new BitReader(rbsp(nal, headBytes));
  bits.skip(24);
  return { nal, id: within(bits.ue(), 31, 'the number'), of: null };
};

// 7.3.2.2
export const numberedAvcPps = (nal: Buffer): NumberedSet => {
  const bits = new BitReader(rbsp(nal, headBytes));
  return { nal, id: within(bits.ue(), 255, 'the number'), of: within(bits.ue(), 31, 'an SPS') };
};

// ISO 23008-2, 7.3.2.1. The second byte of the NAL header comes first.
export const numberedHevcVps = (nal: Buffer): NumberedSet => {
  const bits = new BitReader(rbsp(nal, headBytes));
  bits.skip(8);
  return { nal, id: bits.bits(4), of: null };
};

export const numberedHevcSps = (nal: Buffer): NumberedSet => ({ nal, id: hevcSpsId(nal), of: null });

// 7.3.2.3
export const numberedHevcPps = (nal: Buffer): NumberedSet => {
  const bits = new BitReader(rbsp(nal, headBytes));
  bits.skip(8);
  return { nal, id: within(bits.ue(), 63, 'the number'), of: within(bits.ue(), 15, 'an SPS') };
};

/** Number of the PPS that an H.264 picture is decoded with; null: there is no slice. 7.3.3: behind the first macroblock and the type. */
export const avcPpsOf = (data: Buffer): number | null => {
  const slice = [...unitsOf(data)].find((nal) => isVcl(typeOf(nal)));
  if (!slice) return null;
  const bits = new BitReader(rbsp(slice, headBytes));
  bits.ue();
  bits.ue();
  return bits.ue();
};

/** The same of HEVC. 7.3.6.1: behind first_slice_segment_in_pic_flag and, of key pictures, no_output_of_prior_pics_flag. */
export const hevcPpsOf = (data: Buffer): number | null => {
  const slice = [...unitsOf(data)].find((nal) => hevcTypeOf(nal) < hevcNal.firstNonVcl);
  if (!slice) return null;
  const type = hevcTypeOf(slice);
  const bits = new BitReader(rbsp(slice, headBytes));
  bits.skip(8 + (type >= hevcNal.firstIrap && type <= hevcNal.lastIrap ? 2 : 1));
  return bits.ue();
};

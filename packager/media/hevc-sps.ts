/** Sequence parameter set of HEVC (ISO 23008-2, 7.3.2.2), as far as the shape and the colour of its pictures. */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { rbsp } from './h264-nal.ts';

import { readColour, readSar, type Colour, type Ratio } from './h264-vui.ts';
import { hevcNal, hevcTypeOf } from './hevc-nal.ts';

export type HevcSpsInfo = {
  /** Of the picture that is shown: what the conformance window leaves. */
  readonly width: number;
  readonly height: number;
  readonly chromaFormat: number;
  readonly bitDepth: number;
  readonly sar: Ratio | null;
  readonly colour: Colour | null;
};

/** Level 6.2 has 8,444 on a side, and cameras have gone a little beyond. */
const largestSide = 16_384;
const largestSps = 4096;

const within = (value: number, most: number, what: string): number => {
  if (value > most) throw new CodecError('invalid', `SPS: ${what} is ${value}`);
  return value;
};

// 7.3.3
const skipProfileTierLevel = (bits: BitReader, subLayers: number): void => {
  bits.skip(96);
  const present = Array.from({ length: subLayers }, () => ({ profile: bits.flag(), level: bits.flag() }));
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const { profile, level } of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
};

const readSize = (bits: BitReader, chromaFormat: number): { width: number; height: number } => {
  const [codedWidth, codedHeight] = [bits.ue(), bits.ue()];
  if (codedWidth > largestSide || codedHeight > largestSide) {
    throw new CodecError('limit', `SPS: the picture is ${codedWidth} x ${codedHeight}`);
  }
  const [left = 0, right = 0, top = 0, bottom = 0] = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [];
  // 6.2: the window counts in samples of chroma.
  const width = codedWidth - (chromaFormat === 1 || chromaFormat === 2 ? 2 : 1) * (left + right);
  const height = codedHeight - (chromaFormat === 1 ? 2 : 1) * (top + bottom);
  if (width <= 0 || height <= 0) throw new CodecError('invalid', 'SPS: cropping leaves nothing of the picture');
  return { width, height };
};

// 7.3.4
const skipScalingLists = (bits: BitReader): void => {
  for (let size = 0; size < 4; size += 1) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue();
        continue;
      }
      const coefficients = Math.min(64, 1 << (4 + 2 * size)) + (size > 1 ? 1 : 0);
      for (let i = 0; i < coefficients; i += 1) bits.se();
    }
  }
};

/** 7.3.7: returns how many pictures the set names, which the next set may count on. */
const skipReferenceSet = (bits: BitReader, index: number, before: number): number => {
  if (index > 0 && bits.flag()) {
    bits.skip(1); // delta_rps_sign
    bits.ue();
    let named = 0;
    for (let i = 0; i <= before; i += 1) {
      // used_by_curr_pic_flag, and only without it use_delta_flag
      if (bits.flag() || bits.flag()) named += 1;
    }
    return named;
  }
  const named = within(bits.ue(), 16, 'num_negative_pics') + within(bits.ue(), 16, 'num_positive_pics');
  for (let i = 0; i < named; i += 1) {
    bits.ue();
    bits.skip(1);
  }
  return named;
};

/** From behind the bit depths up to the VUI. */
const skipToVui = (bits: BitReader, subLayers: number): void => {
  const orderBits = within(bits.ue(), 12, 'log2_max_pic_order_cnt_lsb_minus4') + 4;
  const orderings = bits.flag() ? subLayers + 1 : 1;
  for (let i = 0; i < 3 * orderings; i += 1) bits.ue();
  for (let i = 0; i < 6; i += 1) bits.ue(); // sizes of blocks, depths of transforms
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (bits.flag()) {
    bits.skip(8); // bit depths of PCM
    bits.ue();
    bits.ue();
    bits.skip(1);
  }
  const sets = within(bits.ue(), 64, 'num_short_term_ref_pic_sets');
  let named = 0;
  for (let i = 0; i < sets; i += 1) named = skipReferenceSet(bits, i, named);
  if (bits.flag()) bits.skip(within(bits.ue(), 32, 'num_long_term_ref_pics_sps') * (orderBits + 1));
  bits.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
};

const readVui = (bits: BitReader): Pick<HevcSpsInfo, 'sar' | 'colour'> => {
  const sar = bits.flag() ? readSar(bits) : null;
  if (bits.flag()) bits.skip(1); // overscan
  return { sar, colour: bits.flag() ? readColour(bits) : null };
};

const openSps = (nal: Buffer): { readonly bits: BitReader; readonly subLayers: number; readonly id: number } => {
  if (nal.length > largestSps) throw new CodecError('limit', `the SPS has ${nal.length} bytes`);
  if (hevcTypeOf(nal) !== hevcNal.sps) throw new CodecError('invalid', `NAL type ${hevcTypeOf(nal)} is not an SPS`);
  const bits = new BitReader(rbsp(nal));
  bits.skip(8 + 4); // the second byte of the NAL header, sps_video_parameter_set_id
  const subLayers = within(bits.bits(3), 6, 'sps_max_sub_layers_minus1');
  bits.skip(1);
  skipProfileTierLevel(bits, subLayers);
  return { bits, subLayers, id: within(bits.ue(), 15, 'sps_seq_parameter_set_id') };
};

export const hevcSpsId = (nal: Buffer): number => openSps(nal).id;

export const parseHevcSps = (nal: Buffer): HevcSpsInfo => {
  const { bits, subLayers } = openSps(nal);
  const chromaFormat = within(bits.ue(), 3, 'chroma_format_idc');
  if (chromaFormat === 3) bits.skip(1); // separate_colour_plane_flag
  const size = readSize(bits, chromaFormat);
  const bitDepth = 8 + Math.max(within(bits.ue(), 8, 'bit_depth_luma_minus8'), within(bits.ue(), 8, 'bit_depth_chroma_minus8'));
  skipToVui(bits, subLayers);
  const vui = bits.flag() ? readVui(bits) : { sar: null, colour: null };
  return { ...size, chromaFormat, bitDepth, ...vui };
};

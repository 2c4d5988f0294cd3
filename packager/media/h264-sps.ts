/** Sequence parameter set (ISO 14496-10, 7.3.2.1.1): the shape of the pictures before the first one is decoded. */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { nalType, rbsp, typeOf } from './h264-nal.ts';
import { noVui, readVui, type Colour, type Ratio } from './h264-vui.ts';

export type SpsInfo = {
  readonly profile: number;
  readonly compatibility: number;
  readonly level: number;
  /** Of the picture that is shown: what cropping leaves. */
  readonly width: number;
  readonly height: number;
  /** Shape of a pixel; null when the stream does not say. */
  readonly sar: Ratio | null;
  /** Pictures a second by the timing of the VUI: what the encoder says, not what it does. */
  readonly frameRate: number | null;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepth: number;
  /** May hold fields (frame_mbs_only_flag is 0). */
  readonly interlaced: boolean;
  /** How many pictures may come before one that is shown earlier; null when the stream does not say. */
  readonly maxNumReorderFrames: number | null;
  readonly colour: Colour | null;
  readonly slices: SliceSyntax;
};

/** What the headers of slices cannot be read without (7.3.3). */
export type SliceSyntax = {
  /** seq_parameter_set_id. */
  readonly id: number;
  readonly separatePlanes: boolean;
  readonly frameNumBits: number;
  readonly order: PictureOrder;
  /** PicSizeInMapUnits. */
  readonly mapUnits: number;
};

type PictureOrder =
  | { readonly type: 0; readonly bits: number }
  | { readonly type: 1; readonly alwaysZero: boolean }
  | { readonly type: 2 };

/** Far beyond level 6.2; larger numbers are damage or malice. */
const largestSide = 16_384;
const largestSps = 4096;

// 7.3.2.1.1: the profiles whose SPS carries chroma format, bit depth and scaling matrices.
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
// 7.4.2.1.1: profiles that are intra-only when constraint_set3_flag is set.
const intraProfiles = new Set([44, 86, 100, 110, 122, 244]);

const within = (value: number, most: number, what: string): number => {
  if (value > most) throw new CodecError('invalid', `SPS: ${what} is ${value}`);
  return value;
};

// 7.3.2.1.1.1
const skipScalingList = (bits: BitReader, size: number): void => {
  let last = 8;
  for (let i = 0; i < size; i += 1) {
    const next = (last + bits.se() + 256) % 256;
    if (next === 0) return; // the rest repeats
    last = next;
  }
};

const skipScalingMatrix = (bits: BitReader, chromaFormat: number): void => {
  const lists = chromaFormat === 3 ? 12 : 8;
  for (let i = 0; i < lists; i += 1) {
    if (bits.flag()) skipScalingList(bits, i < 6 ? 16 : 64);
  }
};

type Samples = { readonly chromaFormat: number; readonly separatePlanes: boolean; readonly bitDepth: number };

const readSamples = (bits: BitReader): Samples => {
  const chromaFormat = within(bits.ue(), 3, 'chroma_format_idc');
  const separatePlanes = chromaFormat === 3 && bits.flag();
  const luma = within(bits.ue(), 6, 'bit_depth_luma_minus8');
  const chroma = within(bits.ue(), 6, 'bit_depth_chroma_minus8');
  bits.skip(1); // qpprime_y_zero_transform_bypass_flag
  if (bits.flag()) skipScalingMatrix(bits, chromaFormat);
  return { chromaFormat, separatePlanes, bitDepth: Math.max(luma, chromaFormat === 0 ? 0 : chroma) + 8 };
};

const readPictureOrder = (bits: BitReader): PictureOrder => {
  const type = within(bits.ue(), 2, 'pic_order_cnt_type');
  if (type === 0) return { type, bits: within(bits.ue(), 12, 'log2_max_pic_order_cnt_lsb_minus4') + 4 };
  if (type !== 1) return { type: 2 };
  const alwaysZero = bits.flag(); // delta_pic_order_always_zero_flag
  bits.se();
  bits.se();
  const cycle = within(bits.ue(), 255, 'num_ref_frames_in_pic_order_cnt_cycle');
  for (let i = 0; i < cycle; i += 1) bits.se();
  return { type, alwaysZero };
};

const readSize = (bits: BitReader, { chromaFormat, separatePlanes }: Samples) => {
  const columns = bits.ue() + 1;
  const rows = bits.ue() + 1;
  const codedWidth = columns * 16;
  const framesOnly = bits.flag();
  const codedHeight = rows * 16 * (framesOnly ? 1 : 2);
  if (!framesOnly) bits.skip(1); // mb_adaptive_frame_field_flag
  bits.skip(1); // direct_8x8_inference_flag
  if (codedWidth > largestSide || codedHeight > largestSide) {
    throw new CodecError('limit', `SPS: the picture is ${codedWidth} x ${codedHeight}`);
  }
  const crop = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  // 7.4.2.1.1, CropUnitX and CropUnitY: cropping counts in samples of chroma, and in lines of a field.
  const subsampled = !separatePlanes && chromaFormat !== 0;
  const unitX = subsampled && chromaFormat < 3 ? 2 : 1;
  const unitY = (subsampled && chromaFormat === 1 ? 2 : 1) * (framesOnly ? 1 : 2);
  const width = codedWidth - unitX * (left + right);
  const height = codedHeight - unitY * (top + bottom);
  if (width <= 0 || height <= 0) throw new CodecError('invalid', 'SPS: cropping leaves nothing of the picture');
  return { shape: { width, height, interlaced: !framesOnly }, mapUnits: columns * rows };
};

export const parseSps = (nal: Buffer): SpsInfo => {
  if (nal.length > largestSps) throw new CodecError('limit', `the SPS has ${nal.length} bytes`);
  if (typeOf(nal) !== nalType.sps) throw new CodecError('invalid', `NAL type ${typeOf(nal)} is not an SPS`);
  const bits = new BitReader(rbsp(nal));
  const profile = bits.bits(8);
  const compatibility = bits.bits(8);
  const level = bits.bits(8);
  const id = within(bits.ue(), 31, 'seq_parameter_set_id');
  const samples = highProfiles.has(profile)
    ? readSamples(bits)
    : { chromaFormat: 1, separatePlanes: false, bitDepth: 8 };
  const frameNumBits = within(bits.ue(), 12, 'log2_max_frame_num_minus4') + 4;
  const order = readPictureOrder(bits);
  within(bits.ue(), 16, 'max_num_ref_frames');
  bits.skip(1); // gaps_in_frame_num_value_allowed_flag
  const { shape, mapUnits } = readSize(bits, samples);
  const vui = bits.flag() ? readVui(bits) : noVui;
  // Order type 2 means that pictures are shown as they come (8.2.1.3); intra-only streams likewise (E.2.1).
  const neverReorders = order.type === 2 || (intraProfiles.has(profile) && (compatibility & 0x10) !== 0);
  return {
    profile,
    compatibility,
    level,
    ...shape,
    sar: vui.sar,
    frameRate: vui.frameRate,
    chromaFormat: samples.chromaFormat,
    bitDepth: samples.bitDepth,
    maxNumReorderFrames: vui.maxNumReorderFrames ?? (neverReorders ? 0 : null),
    colour: vui.colour,
    slices: { id, separatePlanes: samples.separatePlanes, frameNumBits, order, mapUnits },
  };
};

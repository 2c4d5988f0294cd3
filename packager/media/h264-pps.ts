/** Picture parameter set (ISO 14496-10, 7.3.2.2), as far as the headers of slices need it. */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { nalType, rbsp, typeOf } from './h264-nal.ts';

export type PpsInfo = {
  readonly id: number;
  readonly spsId: number;
  /** entropy_coding_mode_flag. */
  readonly cabac: boolean;
  /** bottom_field_pic_order_in_frame_present_flag. */
  readonly bottomOrder: boolean;
  /** slice_group_change_cycle stands in the header, and counts in this many map units. */
  readonly groupChangeRate: number | null;
  /** Pictures that a slice may look at when its header does not say: in list 0 and in list 1. */
  readonly references: readonly [number, number];
  readonly weightedP: boolean;
  /** weighted_bipred_idc is 1: the weights stand in the header. */
  readonly weightedB: boolean;
  readonly deblocking: boolean;
  readonly redundant: boolean;
};

const largestPps = 4096;
const mostMapUnits = 1024 * 1024;

const within = (value: number, most: number, what: string): number => {
  if (value > most) throw new CodecError('invalid', `PPS: ${what} is ${value}`);
  return value;
};

/** Returns SliceGroupChangeRate where the type is one of those that change. */
const readSliceGroups = (bits: BitReader, groups: number): number | null => {
  const type = within(bits.ue(), 6, 'slice_group_map_type');
  switch (type) {
    case 0:
      for (let i = 0; i < groups; i += 1) bits.ue();
      return null;
    case 2:
      for (let i = 1; i < groups; i += 1) {
        bits.ue();
        bits.ue();
      }
      return null;
    case 3:
    case 4:
    case 5:
      bits.skip(1);
      return within(bits.ue(), mostMapUnits, 'slice_group_change_rate_minus1') + 1;
    case 6: {
      const units = within(bits.ue(), mostMapUnits, 'pic_size_in_map_units_minus1') + 1;
      bits.skip(units * Math.ceil(Math.log2(groups)));
      return null;
    }
    default:
      return null;
  }
};

export const parsePps = (nal: Buffer): PpsInfo => {
  if (nal.length > largestPps) throw new CodecError('limit', `the PPS has ${nal.length} bytes`);
  if (typeOf(nal) !== nalType.pps) throw new CodecError('invalid', `NAL type ${typeOf(nal)} is not a PPS`);
  const bits = new BitReader(rbsp(nal));
  const id = within(bits.ue(), 255, 'pic_parameter_set_id');
  const spsId = within(bits.ue(), 31, 'seq_parameter_set_id');
  const cabac = bits.flag();
  const bottomOrder = bits.flag();
  const groups = within(bits.ue(), 7, 'num_slice_groups_minus1') + 1;
  const groupChangeRate = groups > 1 ? readSliceGroups(bits, groups) : null;
  const references = [within(bits.ue(), 31, 'num_ref_idx_l0_default_active_minus1') + 1, within(bits.ue(), 31, 'num_ref_idx_l1_default_active_minus1') + 1] as const;
  const weightedP = bits.flag();
  const weightedB = bits.bits(2) === 1;
  bits.se(); // pic_init_qp_minus26
  bits.se(); // pic_init_qs_minus26
  bits.se(); // chroma_qp_index_offset
  const deblocking = bits.flag();
  bits.skip(1); // constrained_intra_pred_flag
  const redundant = bits.flag();
  return { id, spsId, cabac, bottomOrder, groupChangeRate, references, weightedP, weightedB, deblocking, redundant };
};

/**
 * How long the header of a slice is (ISO 14496-10, 7.3.3): common encryption leaves it clear, to the byte (ISO 23001-7,
 * 9.5.2.5), so every field before its end has to be read, whatever it says.
 */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { parseAvcConfig } from './h264-config.ts';
import { nalType, typeOf } from './h264-nal.ts';
import { parsePps, type PpsInfo } from './h264-pps.ts';
import { parseSps, type SpsInfo } from './h264-sps.ts';

type Sets = { readonly pps: PpsInfo; readonly sps: SpsInfo };

/** The largest header there can be: 2 lists of 32 pictures, with their changes of order and their weights. */
const longestHeader = 4096;
const mostEntries = 66;

/** Table 7-6, without the promise that all slices of a picture are of one type. */
const sliceType = { p: 0, b: 1, i: 2, sp: 3, si: 4 } as const;

export class SliceHeaders {
  readonly #sets = new Map<number, Sets>();
  readonly #payload = new Uint8Array(longestHeader);
  /** Why a set is not there although the record holds it. */
  #unread: CodecError | null = null;

  /** `config`: the avcC of the track. Throws CodecError for one that cannot be read; sets in it may be what no slice names. */
  constructor(config: Buffer) {
    const { sps, pps } = parseAvcConfig(config);
    const sequences = new Map(this.#readable(sps, parseSps).map((info) => [info.slices.id, info]));
    for (const info of this.#readable(pps, parsePps)) {
      const sequence = sequences.get(info.spsId);
      if (sequence) this.#sets.set(info.id, { pps: info, sps: sequence });
    }
  }

  /** Bytes of the unit up to the end of its slice header, its own first byte and emulation prevention included. */
  length(nal: Uint8Array): number {
    const type = typeOf(nal);
    if (type !== nalType.slice && type !== nalType.idr) throw new CodecError('unsupported', `NAL type ${type} holds no plain slice`);
    const size = withoutPrevention(nal, this.#payload);
    const bits = new BitReader(this.#payload.subarray(0, size));
    this.#read(bits, type === nalType.idr, ((nal[0] ?? 0) & 0x60) !== 0);
    const used = Math.ceil((size * 8 - bits.left) / 8);
    return withPrevention(nal, used);
  }

  #readable<Info extends object>(sets: readonly Buffer[], read: (set: Buffer) => Info): Info[] {
    return sets.flatMap((set) => {
      try {
        return [read(set)];
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        this.#unread ??= error;
        return [];
      }
    });
  }

  #read(bits: BitReader, idr: boolean, isReference: boolean): void {
    bits.ue(); // first_mb_in_slice
    const type = bits.ue() % 5;
    const sets = this.#sets.get(bits.ue());
    if (!sets) throw this.#unread ?? new CodecError('invalid', 'a slice names parameter sets that are not there');
    const { pps, sps } = sets;
    if (sps.slices.separatePlanes) bits.skip(2); // colour_plane_id
    bits.skip(sps.slices.frameNumBits);
    const isField = sps.interlaced && bits.flag();
    if (isField) bits.skip(1); // bottom_field_flag
    if (idr) bits.ue(); // idr_pic_id
    skipOrder(bits, sets, isField);
    if (pps.redundant) bits.ue();
    const isB = type === sliceType.b;
    const isP = type === sliceType.p || type === sliceType.sp;
    if (isB) bits.skip(1); // direct_spatial_mv_pred_flag
    if (isB || isP) {
      const [first, second] = readReferences(bits, pps, isB);
      skipReordering(bits);
      if (isB) skipReordering(bits);
      if (isP ? pps.weightedP : pps.weightedB) skipWeights(bits, sps, isB ? [first, second] : [first]);
    }
    if (isReference) skipMarking(bits, idr);
    if (pps.cabac && (isB || isP)) bits.ue(); // cabac_init_idc
    bits.se(); // slice_qp_delta
    if (type === sliceType.sp) bits.skip(1); // sp_for_switch_flag
    if (type === sliceType.sp || type === sliceType.si) bits.se(); // slice_qs_delta
    if (pps.deblocking && bits.ue() !== 1) {
      bits.se(); // slice_alpha_c0_offset_div2
      bits.se(); // slice_beta_offset_div2
    }
    // slice_group_change_cycle, 7.4.3.
    if (pps.groupChangeRate !== null) bits.skip(Math.ceil(Math.log2(sps.slices.mapUnits / pps.groupChangeRate + 1)));
  }
}

const skipOrder = (bits: BitReader, { pps, sps }: Sets, isField: boolean): void => {
  const { order } = sps.slices;
  const both = pps.bottomOrder && !isField;
  if (order.type === 0) {
    bits.skip(order.bits);
    if (both) bits.se();
  }
  if (order.type === 1 && !order.alwaysZero) {
    bits.se();
    if (both) bits.se();
  }
};

const readReferences = (bits: BitReader, pps: PpsInfo, isB: boolean): readonly [number, number] => {
  if (!bits.flag()) return pps.references;
  const first = bits.ue() + 1;
  const second = isB ? bits.ue() + 1 : 0;
  if (first > 32 || second > 32) throw new CodecError('invalid', `a slice looks at ${Math.max(first, second)} pictures`);
  return [first, second];
};

/** 7.3.3.1: ref_pic_list_modification of one list. */
const skipReordering = (bits: BitReader): void => {
  if (!bits.flag()) return;
  for (let entry = 0; entry <= mostEntries; entry += 1) {
    const operation = bits.ue();
    if (operation === 3) return;
    if (operation > 3) throw new CodecError('invalid', `a list of references is changed by ${operation}`);
    bits.ue();
  }
  throw new CodecError('limit', 'a list of references is changed without end');
};

/** 7.3.3.2. */
const skipWeights = (bits: BitReader, { chromaFormat, slices }: SpsInfo, lists: readonly number[]): void => {
  const hasChroma = chromaFormat !== 0 && !slices.separatePlanes;
  bits.ue(); // luma_log2_weight_denom
  if (hasChroma) bits.ue();
  for (const count of lists) {
    for (let picture = 0; picture < count; picture += 1) {
      if (bits.flag()) skipNumbers(bits, 2);
      if (hasChroma && bits.flag()) skipNumbers(bits, 4);
    }
  }
};

const skipNumbers = (bits: BitReader, count: number): void => {
  for (let number = 0; number < count; number += 1) bits.se();
};

/** 7.3.3.3: dec_ref_pic_marking. */
const skipMarking = (bits: BitReader, idr: boolean): void => {
  if (idr) return bits.skip(2);
  if (!bits.flag()) return;
  for (let entry = 0; entry <= mostEntries; entry += 1) {
    const operation = bits.ue();
    if (operation === 0) return;
    if (operation > 6) throw new CodecError('invalid', `a picture is marked by ${operation}`);
    if (operation !== 5) bits.ue();
    if (operation === 3) bits.ue();
  }
  throw new CodecError('limit', 'pictures are marked without end');
};

/** Fills `payload` with what is behind the first byte, without emulation prevention (7.4.1); returns how much. */
const withoutPrevention = (nal: Uint8Array, payload: Uint8Array): number => {
  let length = 0;
  let zeros = 0;
  for (let at = 1; at < nal.length && length < payload.length; at += 1) {
    const byte = nal[at] ?? 0;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    payload[length] = byte;
    length += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return length;
};

/** Where in the unit so many bytes of its payload end. */
const withPrevention = (nal: Uint8Array, used: number): number => {
  let zeros = 0;
  let at = 1;
  for (let left = used; left > 0; at += 1) {
    const byte = nal[at] ?? 0;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    left -= 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return at;
};

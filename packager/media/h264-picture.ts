/**
 * One picture as a sender wraps it, turned into a sample that an `avc1` track may hold (ISO 14496-15, 5.3 and
 * 5.4.2): every NAL unit behind four bytes of length, parameter sets only in the sample entry.
 */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { isVcl, nalType, rbsp } from './h264-nal.ts';
import { hasRecoveryPoint } from './h264-sei.ts';

export type AvcPicture = {
  /** The buffer that came in when nothing had to change: no copy. */
  readonly data: Buffer;
  readonly idr: boolean;
  /** An I picture that is no IDR, but from which decoding can start: the key frame of an open GOP. */
  readonly recoveryPoint: boolean;
  /** Nothing of a picture is left: there is no sample to write. */
  readonly empty: boolean;
  /** What was taken out; a sender that changes these in mid-stream has changed its configuration. */
  readonly parameterSets: { readonly sps: readonly Buffer[]; readonly pps: readonly Buffer[] };
};

/** A picture of level 6.2 in macroblock-sized slices stays below; a flood of tiny units does not. */
const mostNals = 16_384;
/** ids of PPS reach to 255, of SPS to 31. */
const mostParameterSets = 256;
const lengthBytes = 4;

// Parameter sets belong into the sample entry; delimiters, filler and end marks say nothing that a sample does not.
const removed: ReadonlySet<number> = new Set([
  nalType.sps,
  nalType.pps,
  nalType.accessUnitDelimiter,
  nalType.endOfSequence,
  nalType.endOfStream,
  nalType.filler,
  nalType.spsExtension,
  nalType.subsetSps,
]);

const noSets: AvcPicture['parameterSets'] = { sps: [], pps: [] };

type Survey = {
  readonly kept: readonly Buffer[];
  readonly dropped: boolean;
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
};

const survey = (data: Buffer, lengthSize: number): Survey => {
  const kept: Buffer[] = [];
  const sps: Buffer[] = [];
  const pps: Buffer[] = [];
  let dropped = false;
  for (let at = 0; at < data.length; ) {
    const start = at + lengthSize;
    if (start > data.length) throw new CodecError('truncated', 'the picture ends inside the length of a NAL unit');
    const end = start + data.readUIntBE(at, lengthSize);
    if (end > data.length) throw new CodecError('truncated', 'a NAL unit is longer than its picture');
    at = end;
    const nal = data.subarray(start, end);
    const header = nal[0];
    if (header === undefined) {
      dropped = true; // some encoders pad with units of length 0
      continue;
    }
    if (header & 0x80) throw new CodecError('invalid', 'a NAL unit has its forbidden bit set');
    const type = header & 0x1f;
    if (type === nalType.sps) sps.push(nal);
    if (type === nalType.pps) pps.push(nal);
    if (removed.has(type)) dropped = true;
    else kept.push(nal);
    if (kept.length > mostNals) throw new CodecError('limit', `a picture has more than ${mostNals} NAL units`);
    if (sps.length + pps.length > mostParameterSets) {
      throw new CodecError('limit', `a picture carries more than ${mostParameterSets} parameter sets`);
    }
  }
  return { kept, dropped, sps, pps };
};

const join = (nals: readonly Buffer[]): Buffer => {
  let size = 0;
  for (const nal of nals) size += lengthBytes + nal.length;
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const nal of nals) {
    at = out.writeUInt32BE(nal.length, at);
    at += nal.copy(out, at);
  }
  return out;
};

/** Slice types 2 and 7 are I, 4 and 9 SI (ISO 14496-10, table 7-6). */
const isIntraSlice = (nal: Buffer): boolean => {
  const bits = new BitReader(rbsp(nal, 24)); // two numbers of at most 8 bytes each
  bits.ue(); // first_mb_in_slice
  const type = bits.ue() % 5;
  return type === 2 || type === 4;
};

/** In a pair of fields the second may well be P, so the first slice speaks for the picture. */
const isRecoveryPoint = (nals: readonly Buffer[]): boolean => {
  const types = nals.map((nal) => (nal[0] ?? 0) & 0x1f);
  const sei = nals.filter((_, i) => types[i] === nalType.sei);
  if (!sei.some(hasRecoveryPoint)) return false;
  const slice = nals[types.findIndex((type) => type === nalType.slice || type === nalType.partitionA)];
  return slice !== undefined && isIntraSlice(slice);
};

export const normaliseAvc = (data: Buffer, lengthSize: number): AvcPicture => {
  if (lengthSize !== 1 && lengthSize !== 2 && lengthSize !== 4) {
    throw new CodecError('invalid', `NAL lengths of ${lengthSize} bytes`);
  }
  const { kept, dropped, sps, pps } = survey(data, lengthSize);
  const idr = kept.some((nal) => ((nal[0] ?? 0) & 0x1f) === nalType.idr);
  return {
    data: dropped || lengthSize !== lengthBytes ? join(kept) : data,
    idr,
    recoveryPoint: !idr && isRecoveryPoint(kept),
    empty: !kept.some((nal) => isVcl((nal[0] ?? 0) & 0x1f)),
    parameterSets: sps.length + pps.length === 0 ? noSets : { sps, pps },
  };
};

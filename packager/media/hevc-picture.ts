/**
 * One picture of HEVC as a sender wraps it, turned into a sample that an `hvc1` track may hold (ISO 14496-15, 8.3 and
 * 8.4.1): every NAL unit behind four bytes of length, parameter sets only in the sample entry.
 */
import { CodecError } from './codec-error.ts';
import { hevcNal, hevcTypeOf } from './hevc-nal.ts';

export type HevcParameterSets = { readonly vps: readonly Buffer[]; readonly sps: readonly Buffer[]; readonly pps: readonly Buffer[] };

export type HevcPicture = {
  /** The buffer that came in when nothing had to change: no copy. */
  readonly data: Buffer;
  /** Decoding can start here: IDR, CRA or BLA. */
  readonly key: boolean;
  /** Nothing of a picture is left: there is no sample to write. */
  readonly empty: boolean;
  /** What was taken out; null: nothing. */
  readonly parameterSets: HevcParameterSets | null;
};

/** As for H.264. */
const mostNals = 16_384;
const mostParameterSets = 256;
const lengthBytes = 4;

// Table 7-1: delimiter, end of sequence, end of bitstream, filler.
const idle: ReadonlySet<number> = new Set([35, 36, 37, 38]);

const nalsOf = (data: Buffer): Buffer[] => {
  const nals: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const start = at + lengthBytes;
    if (start > data.length) throw new CodecError('truncated', 'the picture ends inside the length of a NAL unit');
    at = start + data.readUInt32BE(at);
    if (at > data.length) throw new CodecError('truncated', 'a NAL unit is longer than its picture');
    const nal = data.subarray(start, at);
    if (nal.length < 2 ? nal.length === 1 : (nal[0] ?? 0) & 0x80) throw new CodecError('invalid', 'a NAL unit without its header');
    nals.push(nal);
    if (nals.length > mostNals) throw new CodecError('limit', `a picture has more than ${mostNals} NAL units`);
  }
  return nals;
};

const withLengths = (nals: readonly Buffer[]): Buffer =>
  Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.allocUnsafe(lengthBytes);
      length.writeUInt32BE(nal.length);
      return [length, nal];
    }),
  );

export const normaliseHevc = (data: Buffer): HevcPicture => {
  const nals = nalsOf(data);
  const setsOf = (type: number): Buffer[] => nals.filter((nal) => hevcTypeOf(nal) === type);
  const [vps, sps, pps] = [setsOf(hevcNal.vps), setsOf(hevcNal.sps), setsOf(hevcNal.pps)];
  const sets = vps.length + sps.length + pps.length;
  if (sets > mostParameterSets) throw new CodecError('limit', `a picture carries more than ${mostParameterSets} parameter sets`);
  const kept = nals.filter((nal) => nal.length > 0 && !idle.has(hevcTypeOf(nal)) && !(hevcTypeOf(nal) >= hevcNal.vps && hevcTypeOf(nal) <= hevcNal.pps));
  const first = kept.map(hevcTypeOf).find((type) => type < hevcNal.firstNonVcl);
  return {
    data: kept.length === nals.length ? data : withLengths(kept),
    key: first !== undefined && first >= hevcNal.firstIrap && first <= hevcNal.lastIrap,
    empty: first === undefined,
    parameterSets: sets === 0 ? null : { vps, sps, pps },
  };
};

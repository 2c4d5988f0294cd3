/**
 * HEVCDecoderConfigurationRecord, the `hvcC` of an MP4 (ISO 14496-15, 8.3.3.1):
 *
 *     1 | space, tier, profile | u32 compatibility | 6 bytes of constraints | level | … | lengthSize-1 | #arrays
 *     array: type of NAL unit | u16 count | (u16 length, NAL unit)*
 */
import { CodecError } from './codec-error.ts';

export type HevcConfig = {
  readonly profileSpace: number;
  readonly highTier: boolean;
  readonly profile: number;
  readonly compatibility: number;
  readonly constraints: Buffer;
  readonly level: number;
  readonly bitDepth: number;
  /** 1: 4:2:0. */
  readonly chromaFormat: number;
  /** Bytes of the length in front of every NAL unit. */
  readonly lengthSize: 1 | 2 | 4;
  readonly vps: readonly Buffer[];
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
};

const largestConfig = 16 * 1024;
const headSize = 23;
// ISO 23008-2, table 7-1.
const setTypes = { vps: 32, sps: 33, pps: 34 } as const;

type SetArray = { readonly at: number; readonly type: number; readonly sets: Buffer[] };

const readArrays = (config: Buffer): SetArray[] => {
  if (config.length > largestConfig) throw new CodecError('limit', `hvcC has ${config.length} bytes`);
  const arrays: SetArray[] = [];
  let at = headSize;
  const step = (bytes: number): number => {
    const from = at;
    at += bytes;
    if (at > config.length) throw new CodecError('truncated', 'hvcC ends inside its parameter sets');
    return from;
  };
  for (let left = config[headSize - 1] ?? 0; left > 0; left -= 1) {
    const start = step(1);
    const sets: Buffer[] = [];
    arrays.push({ at: start, type: (config[start] ?? 0) & 0x3f, sets });
    for (let count = config.readUInt16BE(step(2)); count > 0; count -= 1) {
      const length = config.readUInt16BE(step(2));
      const from = step(length);
      sets.push(config.subarray(from, at));
    }
  }
  return arrays;
};

export const parseHevcConfig = (config: Buffer): HevcConfig => {
  if (config.length < headSize) throw new CodecError('truncated', `hvcC has only ${config.length} bytes`);
  // Version 0 was written before the standard was done, and means the same.
  if ((config[0] ?? 0) > 1) throw new CodecError('unsupported', `hvcC has version ${config[0]}`);
  const byte = (at: number): number => config[at] ?? 0;
  const lengthSize = (byte(21) & 3) + 1;
  if (lengthSize === 3) throw new CodecError('invalid', 'hvcC announces NAL lengths of 3 bytes');
  const arrays = readArrays(config);
  const setsOf = (wanted: number) => arrays.flatMap(({ type, sets }) => (type === wanted ? sets : []));
  return {
    profileSpace: byte(1) >> 6,
    highTier: (byte(1) & 0x20) !== 0,
    profile: byte(1) & 0x1f,
    compatibility: config.readUInt32BE(2),
    constraints: config.subarray(6, 12),
    level: byte(12),
    bitDepth: Math.max(byte(17) & 7, byte(18) & 7) + 8,
    chromaFormat: byte(16) & 3,
    lengthSize: lengthSize as 1 | 2 | 4,
    vps: setsOf(setTypes.vps),
    sps: setsOf(setTypes.sps),
    pps: setsOf(setTypes.pps),
  };
};

/**
 * The record as an `hvc1` entry has it: its parameter sets are all that there are (array_completeness). `hev1` leaves that
 * open; whoever writes it anew under the other name has to know.
 */
export const completeHevcConfig = (config: Buffer): Buffer => {
  const copy = Buffer.from(config);
  const sets: readonly number[] = Object.values(setTypes);
  for (const { at, type } of readArrays(config)) if (sets.includes(type)) copy[at] = 0x80 | (copy[at] ?? 0);
  return copy;
};

const reversedBits = (value: number): number => {
  let out = 0;
  for (let bit = 0; bit < 32; bit += 1) out = out * 2 + ((value >>> bit) & 1);
  return out;
};

/** ISO 14496-15, E.3: `hvc1`, since all parameter sets stand in the init segment. */
export const hevcCodecString = ({ profileSpace, profile, compatibility, highTier, level, constraints }: HevcConfig): string => {
  const space = ['', 'A', 'B', 'C'][profileSpace] ?? '';
  let used = constraints.length;
  while (used > 0 && constraints[used - 1] === 0) used -= 1;
  const bytes = Array.from(constraints.subarray(0, used), (one) => `.${one.toString(16).toUpperCase()}`).join('');
  return `hvc1.${space}${profile}.${reversedBits(compatibility).toString(16).toUpperCase()}.${highTier ? 'H' : 'L'}${level}${bytes}`;
};

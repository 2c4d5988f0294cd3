/**
 * AVCDecoderConfigurationRecord, the `avcC` of an MP4 and the sequence header of RTMP (ISO 14496-15, 5.3.3.1):
 *
 *     1 | profile | compatibility | level | 111111 lengthSize-1 | 111 #sps | (u16 sps)* | #pps | (u16 pps)* | ext
 */
import { CodecError } from './codec-error.ts';
import { nalType, typeOf } from './h264-nal.ts';

/** The fields at the end, which only profiles above Main carry and which old muxers leave out. */
export type AvcConfigExtension = {
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly spsExtensions: readonly Buffer[];
};

export type AvcConfig = {
  readonly profile: number;
  readonly compatibility: number;
  readonly level: number;
  /** Bytes of the length in front of every NAL unit. */
  readonly lengthSize: 1 | 2 | 4;
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
  readonly extension: AvcConfigExtension | null;
};

/** Real records have 30 to 200 bytes; the largest scaling lists fit many times over. */
const largestConfig = 16 * 1024;
/** Byte of the record that holds lengthSizeMinusOne. */
const lengthSizeAt = 4;

const readSets = (config: Buffer, from: number, count: number, type: number): { sets: Buffer[]; end: number } => {
  const sets: Buffer[] = [];
  let at = from;
  for (let i = 0; i < count; i += 1) {
    if (at + 2 > config.length) throw new CodecError('truncated', 'avcC ends inside the length of a parameter set');
    const end = at + 2 + config.readUInt16BE(at);
    if (end > config.length) throw new CodecError('truncated', 'avcC ends inside a parameter set');
    const nal = config.subarray(at + 2, end);
    if (nal.length < 2 || typeOf(nal) !== type) {
      throw new CodecError('invalid', `avcC holds NAL type ${typeOf(nal)} in the place of type ${type}`);
    }
    sets.push(nal);
    at = end;
  }
  return { sets, end: at };
};

const byteAt = (config: Buffer, at: number): number => {
  const byte = config[at];
  if (byte === undefined) throw new CodecError('truncated', 'avcC ends too early');
  return byte;
};

// 5.3.3.1.2: everything but Baseline (66), Main (77) and Extended (88) may have the extension.
const hasExtension = (profile: number): boolean => profile !== 66 && profile !== 77 && profile !== 88;

const readExtension = (config: Buffer, at: number): AvcConfigExtension => ({
  chromaFormat: byteAt(config, at) & 3,
  bitDepthLuma: (byteAt(config, at + 1) & 7) + 8,
  bitDepthChroma: (byteAt(config, at + 2) & 7) + 8,
  spsExtensions: readSets(config, at + 4, byteAt(config, at + 3), nalType.spsExtension).sets,
});

export const parseAvcConfig = (config: Buffer): AvcConfig => {
  if (config.length > largestConfig) throw new CodecError('limit', `avcC has ${config.length} bytes`);
  if (config.length < 7) throw new CodecError('truncated', `avcC has only ${config.length} bytes`);
  if (config[0] !== 1) throw new CodecError('unsupported', `avcC has version ${byteAt(config, 0)}`);
  const lengthSize = (byteAt(config, lengthSizeAt) & 3) + 1;
  if (lengthSize === 3) throw new CodecError('invalid', 'avcC announces NAL lengths of 3 bytes');

  const profile = byteAt(config, 1);
  const sps = readSets(config, 6, byteAt(config, 5) & 0x1f, nalType.sps);
  const pps = readSets(config, sps.end + 1, byteAt(config, sps.end), nalType.pps);
  const [first] = sps.sets;
  if (!first || pps.sets.length === 0) throw new CodecError('invalid', 'avcC holds no complete parameter sets');
  if (first.length < 4) throw new CodecError('truncated', 'the SPS ends before its level');
  return {
    profile,
    compatibility: byteAt(config, 2),
    level: byteAt(config, 3),
    lengthSize: lengthSize as 1 | 2 | 4,
    sps: sps.sets,
    pps: pps.sets,
    extension: hasExtension(profile) && config.length - pps.end >= 4 ? readExtension(config, pps.end) : null,
  };
};

/** RFC 6381, 3.3. Read from the SPS itself: some encoders write another profile into the record. */
export const avcCodecString = (config: AvcConfig): string => {
  const [sps] = config.sps;
  const bytes = sps ? sps.subarray(1, 4) : Buffer.from([config.profile, config.compatibility, config.level]);
  return `avc1.${bytes.toString('hex').toUpperCase()}`;
};

/** The record whose samples have lengths of 4 bytes, as `normaliseAvc` makes them; the same buffer if it says so already. */
export const configWithLength4 = (config: Buffer): Buffer => {
  if ((byteAt(config, lengthSizeAt) & 3) === 3) return config;
  const copy = Buffer.from(config);
  copy[lengthSizeAt] = 0xff;
  return copy;
};

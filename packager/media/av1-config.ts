/**
 * AV1CodecConfigurationRecord, the `av1C` of an MP4 and the sequence header of Enhanced RTMP (AV1 in ISOBMFF, 2.3.3):
 *
 *     1 version | profile, level | tier, depth, monochrome, subsampling | presentation delay | OBUs: the sequence header
 */
import { obuType, obusOf } from './av1-obu.ts';
import { parseAv1Sequence, type Av1Sequence } from './av1-sequence.ts';
import { CodecError } from './codec-error.ts';

export type Av1Config = {
  /** Null: the record leaves it to the key pictures. */
  readonly sequence: Av1Sequence | null;
  /** Payload of the OBU that it was read of. */
  readonly header: Buffer | null;
};

const largestConfig = 4096;
const headSize = 4;
const markerAndVersion = 0x81;

export const parseAv1Config = (config: Buffer): Av1Config => {
  if (config.length > largestConfig) throw new CodecError('limit', `av1C has ${config.length} bytes`);
  if (config.length < headSize) throw new CodecError('truncated', `av1C has only ${config.length} bytes`);
  if (config[0] !== markerAndVersion) throw new CodecError('unsupported', `av1C begins with ${config[0]}`);
  const header = obusOf(config.subarray(headSize)).find(({ type }) => type === obuType.sequence)?.payload ?? null;
  return { header, sequence: header && parseAv1Sequence(header) };
};

/** The record of a sequence header. */
export const encodeAv1Config = (header: Buffer): Buffer => {
  const { profile, level, highTier, bitDepth, monochrome, subsamplingX, subsamplingY, chromaPosition } = parseAv1Sequence(header);
  const shades =
    (highTier ? 0x80 : 0) | (bitDepth > 8 ? 0x40 : 0) | (bitDepth === 12 ? 0x20 : 0) | (monochrome ? 0x10 : 0) | (subsamplingX << 3) | (subsamplingY << 2) | chromaPosition;
  // The size of the OBU in two bytes: `parseAv1Sequence` takes no more than they can say.
  const obu = [(obuType.sequence << 3) | 2, 0x80 | (header.length & 0x7f), header.length >> 7];
  return Buffer.concat([Buffer.from([markerAndVersion, (profile << 5) | level, shades, 0, ...obu]), header]);
};

const two = (value: number): string => String(value).padStart(2, '0');

/**
 * AV1 in ISOBMFF, section 5: `av01.P.LLT.DD`. The rest is all or nothing, and left out where it is what players
 * assume: 4:2:0, nothing said of the colour or that of HDTV.
 */
export const av1CodecString = (sequence: Av1Sequence): string => {
  const { profile, level, highTier, bitDepth, monochrome, subsamplingX, subsamplingY, chromaPosition, fullRange } = sequence;
  const colour = sequence.colour ?? { primaries: 2, transfer: 2, matrix: 2 };
  const head = `av01.${profile}.${two(level)}${highTier ? 'H' : 'M'}.${two(bitDepth)}`;
  const codes = [colour.primaries, colour.transfer, colour.matrix];
  const usual = codes.every((code) => code === 1) || codes.every((code) => code === 2);
  if (usual && !monochrome && !fullRange && subsamplingX === 1 && subsamplingY === 1) return head;
  const chroma = `${subsamplingX}${subsamplingY}${chromaPosition}`;
  return [head, monochrome ? 1 : 0, chroma, ...codes.map(two), fullRange ? 1 : 0].join('.');
};

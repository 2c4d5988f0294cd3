/** An AVCDecoderConfigurationRecord from bare parameter sets, as MPEG-TS and in-band changes bring them. */
import { CodecError } from './codec-error.ts';
import { parseSps } from './h264-sps.ts';

const withLength = (nal: Buffer): Buffer[] => {
  if (nal.length > 0xffff) throw new CodecError('limit', `a parameter set has ${nal.length} bytes`);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(nal.length);
  return [length, nal];
};

/** Samples of the record have NAL lengths of 4 bytes. Throws CodecError when the sets cannot make one. */
export const encodeAvcConfig = (sps: readonly Buffer[], pps: readonly Buffer[]): Buffer => {
  const [first] = sps;
  if (!first || pps.length === 0) throw new CodecError('invalid', 'a configuration needs an SPS and a PPS');
  if (sps.length > 31 || pps.length > 255) throw new CodecError('limit', 'too many parameter sets');
  const { profile, compatibility, level, chromaFormat, bitDepth } = parseSps(first);
  const parts = [
    Buffer.from([1, profile, compatibility, level, 0xff, 0xe0 | sps.length]),
    ...sps.flatMap(withLength),
    Buffer.from([pps.length]),
    ...pps.flatMap(withLength),
  ];
  if (profile !== 66 && profile !== 77 && profile !== 88) {
    parts.push(Buffer.from([0xfc | chromaFormat, 0xf8 | (bitDepth - 8), 0xf8 | (bitDepth - 8), 0]));
  }
  return Buffer.concat(parts);
};

/** NAL units lie behind lengths of one to four bytes, as the decoder configuration says; everything behind this edge counts on four. */
import { RtmpError } from './errors.ts';

export type NalLengths = {
  /** Bytes before each NAL unit. */
  readonly lengthSize: number;
  /** The record as it reads once every length has four bytes. */
  readonly config: Buffer;
};

const withSizeAt = (config: Buffer, at: number): NalLengths => {
  const sizes = config[at] ?? 0;
  const lengthSize = (sizes & 3) + 1;
  if (lengthSize === 4) return { lengthSize, config };
  const rewritten = Buffer.from(config);
  rewritten[at] = sizes | 3;
  return { lengthSize, config: rewritten };
};

/** AVCDecoderConfigurationRecord, ISO 14496-15 5.3.3.1.2. */
export const avcLengths = (config: Buffer): NalLengths => {
  // Version 1, profile, two more, length size, number of SPS and the length of the first at the least.
  if (config[0] !== 1 || config.length < 7) throw new RtmpError('avc-config');
  return withSizeAt(config, 4);
};

/** HEVCDecoderConfigurationRecord, ISO 14496-15 8.3.3.1.2: version 0 was written before the standard was done. */
export const hevcLengths = (config: Buffer): NalLengths => {
  if ((config[0] ?? 2) > 1 || config.length < 23) throw new RtmpError('codec-config', 'HEVC');
  return withSizeAt(config, 21);
};

/** A picture in slices of a macroblock stays below; lengths of one byte let every byte of a message be a unit. */
const mostUnits = 16_384;

/** The same NAL units, each behind a length of four bytes. */
export const withFourByteLengths = (data: Buffer, lengthSize: number): Buffer => {
  if (lengthSize === 4) return data;
  const units: Buffer[] = [];
  let size = 0;
  for (let at = 0; at < data.length;) {
    if (data.length - at < lengthSize) throw new RtmpError('avc-lengths');
    const length = data.readUIntBE(at, lengthSize);
    at += lengthSize;
    if (data.length - at < length) throw new RtmpError('avc-lengths');
    units.push(data.subarray(at, at + length));
    if (units.length > mostUnits) throw new RtmpError('avc-lengths');
    at += length;
    size += 4 + length;
  }
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const unit of units) {
    at = out.writeUInt32BE(unit.length, at);
    at += unit.copy(out, at);
  }
  return out;
};

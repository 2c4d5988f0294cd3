/** An HEVCDecoderConfigurationRecord from bare parameter sets, as pictures bring them (ISO 14496-15, 8.3.3.1). */
import { CodecError } from './codec-error.ts';
import { rbsp } from './h264-nal.ts';
import { parseHevcSps } from './hevc-sps.ts';
import { hevcNal } from './hevc-nal.ts';
import type { HevcParameterSets } from './hevc-picture.ts';

const complete = 0x80;
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

const arrayOf = (type: number, nals: readonly Buffer[]): Buffer[] => {
  if (nals.some(({ length }) => length > 0xffff)) throw new CodecError('limit', 'a parameter set is too long for its record');
  return [Buffer.from([complete | type]), u16(nals.length), ...nals.flatMap((nal) => [u16(nal.length), nal])];
};

/** Samples of the record have NAL lengths of 4 bytes. Throws CodecError when the sets cannot make one. */
export const encodeHevcConfig = ({ vps, sps, pps }: HevcParameterSets): Buffer => {
  const [first] = sps;
  if (!first || vps.length === 0 || pps.length === 0) throw new CodecError('invalid', 'a configuration of HEVC needs VPS, SPS and PPS');
  const { chromaFormat, bitDepth } = parseHevcSps(first);
  // 7.3.2.2: behind the second byte of the NAL header, ids and layers take a byte; then comes profile_tier_level().
  const bytes = Buffer.from(rbsp(first, 32));
  const layers = bytes[1] ?? 0;
  const temporalLayers = ((layers >> 1) & 7) + 1;
  return Buffer.concat([
    Buffer.from([1]),
    bytes.subarray(2, 14), // profile space, tier and profile, compatibility, constraints, level
    Buffer.from([0xf0, 0, 0xfc]), // segmentation and parallelism: not said
    Buffer.from([0xfc | chromaFormat, 0xf8 | (bitDepth - 8), 0xf8 | (bitDepth - 8)]),
    u16(0), // frame rate: not said
    Buffer.from([(temporalLayers << 3) | ((layers & 1) << 2) | 3, 3]),
    ...arrayOf(hevcNal.vps, vps),
    ...arrayOf(hevcNal.sps, sps),
    ...arrayOf(hevcNal.pps, pps),
  ]);
};

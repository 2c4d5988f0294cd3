/** Program config element (ISO 14496-3, 4.4.1.1): channel layouts that have no number of their own. */
import type { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';

/** Reads the whole element, so that what follows it is found, and returns the number of channels. */
export const readProgramChannels = (bits: BitReader): number => {
  bits.skip(4 + 2 + 4); // element_instance_tag, object_type, sampling_frequency_index
  const pairsMayFollow = [bits.bits(4), bits.bits(4), bits.bits(4)]; // front, side, back
  const lfe = bits.bits(2);
  const associatedData = bits.bits(3);
  const coupling = bits.bits(4);
  if (bits.flag()) bits.skip(4); // mono mixdown
  if (bits.flag()) bits.skip(4); // stereo mixdown
  if (bits.flag()) bits.skip(3); // matrix mixdown
  let channels = lfe;
  for (const elements of pairsMayFollow) {
    for (let i = 0; i < elements; i += 1) {
      channels += bits.flag() ? 2 : 1;
      bits.skip(4);
    }
  }
  bits.skip(4 * lfe + 4 * associatedData + 5 * coupling);
  bits.align();
  bits.skip(8 * bits.bits(8)); // comment
  if (channels === 0 || channels > 8) throw new CodecError('unsupported', `AAC: a program of ${channels} channels`);
  return channels;
};

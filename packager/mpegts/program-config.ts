/**
 * A layout of channels without a number: MP4 describes it once, in the AudioSpecificConfig; ADTS has it inside
 * the frames. The element (ISO 14496-3, 4.4.1.1) is copied bit by bit, because it begins elsewhere in a byte.
 */
import { BitReader } from '../media/bits.ts';

const programConfigId = 5;

class BitWriter {
  readonly #bytes: number[] = [];
  #used = 0;

  write(value: number, count: number): number {
    for (let bit = count - 1; bit >= 0; bit -= 1) {
      if (this.#used % 8 === 0) this.#bytes.push(0);
      const last = this.#bytes.length - 1;
      this.#bytes[last] = (this.#bytes[last] ?? 0) | (((value >> bit) & 1) << (7 - (this.#used % 8)));
      this.#used += 1;
    }
    return value;
  }

  align(): void {
    this.#used = this.#bytes.length * 8;
  }

  get bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

/** `config` has been parsed before and has a channel configuration of 0. The result ends on a whole byte. */
export const programConfigElement = (config: Buffer): Buffer => {
  const bits = new BitReader(config);
  const out = new BitWriter();
  const skipRate = (): void => {
    if (bits.bits(4) === 15) bits.skip(24);
  };
  const copy = (count: number): number => out.write(bits.bits(count), count);

  const sbrOrPs = [5, 29].includes(bits.bits(5));
  skipRate();
  bits.skip(4); // channelConfiguration
  if (sbrOrPs) {
    skipRate();
    bits.skip(5); // the object type of the core
  }
  bits.skip(1); // frameLengthFlag
  if (bits.flag()) bits.skip(14); // coreCoderDelay
  bits.skip(1); // extensionFlag

  out.write(programConfigId, 3);
  copy(4 + 2 + 4); // element_instance_tag, object_type, sampling_frequency_index
  const pairs = copy(4) + copy(4) + copy(4); // front, side, back
  const lfe = copy(2);
  const associatedData = copy(3);
  const coupling = copy(4);
  if (copy(1)) copy(4); // mono mixdown
  if (copy(1)) copy(4); // stereo mixdown
  if (copy(1)) copy(3); // matrix mixdown
  for (let element = 0; element < pairs; element += 1) copy(5);
  for (let element = 0; element < lfe + associatedData; element += 1) copy(4);
  for (let element = 0; element < coupling; element += 1) copy(5);
  bits.align();
  out.align();
  for (let left = copy(8); left > 0; left -= 1) copy(8); // comment
  return out.bytes;
};

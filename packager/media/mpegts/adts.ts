/** A frame of AAC behind an ADTS header (ISO 14496-3, 1.A.2.2), and the AudioSpecificConfig that says the same. */
import { parseAudioSpecificConfig } from '../aac.ts';
import { BitReader, BitWriter } from '../bits.ts';
import { readProgramChannels } from '../aac-pce.ts';
import type { Framing } from './frames.ts';

const plainHeader = 7;
const crcSize = 2;
const programConfigId = 5;

export class AdtsReader {
  /** What a program config element said: encoders say it once and then only "as before". */
  #program: Buffer | null = null;

  /** Throws CodecError for a configuration that nothing can carry. */
  read(bytes: Buffer, at: number): Framing {
    if (bytes[at] !== 0xff) return 'garbage';
    if (bytes.length - at < plainHeader) return 'more';
    const [second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0, seventh = 0] = bytes.subarray(at + 1, at + plainHeader);
    // The rest of the syncword, and a layer of 0.
    if ((second & 0xf6) !== 0xf0) return 'garbage';
    const header = plainHeader + ((second & 1) === 0 ? crcSize : 0);
    const size = ((fourth & 3) << 11) | (fifth << 3) | (sixth >> 5);
    // More than one block of 1024 samples in a frame: nobody sends it, and the blocks cannot be told apart.
    if (size <= header || (seventh & 3) !== 0) return 'garbage';
    if (bytes.length - at < size) return 'more';
    const next = at + size;
    if (next + 1 < bytes.length && (bytes[next] !== 0xff || ((bytes[next + 1] ?? 0) & 0xf6) !== 0xf0)) return 'garbage';
    const data = bytes.subarray(at + header, next);
    const config = this.#configOf((third >> 6) + 1, (third >> 2) & 15, ((third & 1) << 2) | (fourth >> 6), data);
    if (!config) return { size, frames: [] };
    const { sampleRate, frameLength } = parseAudioSpecificConfig(config);
    return { size, frames: [{ config, sampleRate, frameLength, data }] };
  }

  /** Null: how many channels there are has not been said yet. */
  #configOf(objectType: number, rate: number, channels: number, data: Buffer): Buffer | null {
    const writer = new BitWriter().bits(objectType, 5).bits(rate, 4).bits(channels, 4).bits(0, 3);
    if (channels !== 0) return writer.bytes();
    if ((data[0] ?? 0) >> 5 === programConfigId) this.#program = withProgram(writer, data);
    return this.#program;
  }
}

/**
 * Channels without a number: the frame begins with a program config element, which an MP4 wants in the configuration.
 * Both begin 3 bits after a whole byte or at one, so the comment is found again by its own alignment.
 */
const withProgram = (writer: BitWriter, data: Buffer): Buffer => {
  const bits = new BitReader(data);
  bits.skip(3);
  const measured = new BitReader(data);
  measured.skip(3);
  readProgramChannels(measured);
  const copy = (count: number): number => {
    const value = bits.bits(count);
    writer.bits(value, count);
    return value;
  };
  copy(4 + 2 + 4);
  const elements = copy(4) + copy(4) + copy(4);
  const lfe = copy(2);
  const associated = copy(3);
  const coupling = copy(4);
  if (copy(1)) copy(4);
  if (copy(1)) copy(4);
  if (copy(1)) copy(3);
  for (let left = elements + coupling; left > 0; left -= 1) copy(5);
  for (let left = lfe + associated; left > 0; left -= 1) copy(4);
  const head = writer.bytes();
  // Comments are nobody's business: one of 0 bytes.
  return Buffer.concat([head, Buffer.alloc(1)]);
};

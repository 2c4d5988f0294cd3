/**
 * AAC in LATM behind LOAS headers (ISO 14496-3, 1.7): a syncword and a length, then, at no whole byte, a
 * configuration now and then and the frames. One programme, one layer, frames whose length is said: what broadcast
 * and encoders send.
 */
import { parseAudioSpecificConfig } from '../aac.ts';
import { BitReader, BitWriter } from '../bits.ts';
import { CodecError } from '../codec-error.ts';
import type { Framing, SoundFrame } from './frames.ts';

const headerSize = 3;
type StreamConfig = { readonly config: Buffer; readonly sampleRate: number; readonly frameLength: number; readonly frames: number };

export class LatmReader {
  #stream: StreamConfig | null = null;

  /** Throws CodecError. */
  read(bytes: Buffer, at: number): Framing {
    if (bytes[at] !== 0x56) return 'garbage';
    if (bytes.length - at < headerSize) return 'more';
    const second = bytes[at + 1] ?? 0;
    if ((second & 0xe0) !== 0xe0) return 'garbage';
    const size = headerSize + (((second & 0x1f) << 8) | (bytes[at + 2] ?? 0));
    if (bytes.length - at < size) return 'more';
    if (at + size < bytes.length && bytes[at + size] !== 0x56) return 'garbage';
    return { size, frames: this.#element(bytes.subarray(at + headerSize, at + size)) };
  }

  /** AudioMuxElement(1), 1.7.3. */
  #element(bytes: Buffer): SoundFrame[] {
    const bits = new BitReader(bytes);
    if (!bits.flag()) this.#stream = readStreamConfig(bits, bytes);
    const stream = this.#stream;
    if (!stream) return [];
    const { config, sampleRate, frameLength } = stream;
    const frames: SoundFrame[] = [];
    for (let left = stream.frames; left > 0; left -= 1) {
      frames.push({ config, sampleRate, frameLength, data: readBytes(bits, readLength(bits)) });
    }
    return frames;
  }
}

/** StreamMuxConfig, 1.7.3, table 1.42. */
const readStreamConfig = (bits: BitReader, bytes: Buffer): StreamConfig => {
  const version = bits.bits(1);
  if (version === 1 && bits.flag()) throw new CodecError('unsupported', 'LATM: audioMuxVersionA');
  if (version === 1) readValue(bits);
  if (!bits.flag()) throw new CodecError('unsupported', 'LATM: streams of different framing');
  const frames = bits.bits(6) + 1;
  if (bits.bits(4) !== 0 || bits.bits(3) !== 0) throw new CodecError('unsupported', 'LATM: more than one programme or layer');
  const said = version === 1 ? readValue(bits) : null;
  const from = bytes.length * 8 - bits.left;
  const size = said ?? measure(bits);
  const config = bitsOf(bytes, from, size);
  // The configuration was measured by reading it, or is to be read now.
  if (said !== null) bits.skip(said);
  if (bits.bits(3) !== 0) throw new CodecError('unsupported', 'LATM: frames whose length is not said');
  bits.skip(8); // latmBufferFullness
  if (bits.flag()) readOther(bits, version); // how much stands behind the frames, and is none of them
  if (bits.flag()) bits.skip(8); // crcCheckSum
  const { sampleRate, frameLength } = parseAudioSpecificConfig(config);
  return { config, sampleRate, frameLength, frames };
};

/** Reads an AudioSpecificConfig that has no length (1.6.2.1) and tells how many bits it has. */
const measure = (bits: BitReader): number => {
  const before = bits.left;
  const type = readObjectType(bits);
  readRate(bits);
  const channels = bits.bits(4);
  if (type === 5 || type === 29) {
    readRate(bits);
    readObjectType(bits);
  }
  if (channels === 0) throw new CodecError('unsupported', 'LATM: channels without a number');
  bits.skip(1); // frameLengthFlag
  if (bits.flag()) bits.skip(14); // coreCoderDelay
  bits.skip(1); // extensionFlag
  return before - bits.left;
};

const readObjectType = (bits: BitReader): number => {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
};
const readRate = (bits: BitReader): void => {
  if (bits.bits(4) === 15) bits.skip(24);
};

/** LatmGetValue */
const readValue = (bits: BitReader): number => bits.bits((bits.bits(2) + 1) * 8);

const readOther = (bits: BitReader, version: number): number => {
  if (version === 1) return readValue(bits);
  let size = 0;
  for (let more = true; more; ) {
    more = bits.flag();
    size = Math.min(size * 256 + bits.bits(8), 2 ** 32);
  }
  return size;
};

/** PayloadLengthInfo: 255 as often as it fits, then the rest. */
const readLength = (bits: BitReader): number => {
  let size = 0;
  for (let part = 255; part === 255; ) {
    part = bits.bits(8);
    size += part;
  }
  return size;
};

const readBytes = (bits: BitReader, size: number): Buffer => {
  if (size * 8 > bits.left) throw new CodecError('truncated', 'LATM: a frame goes beyond its element');
  const out = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; at += 1) out[at] = bits.bits(8);
  return out;
};

const bitsOf = (bytes: Buffer, from: number, size: number): Buffer => {
  // No real configuration has as many, and `size` is what a sender said.
  if (size > 4096) throw new CodecError('limit', `LATM: a configuration of ${size} bits`);
  const bits = new BitReader(bytes);
  bits.skip(from);
  const writer = new BitWriter();
  for (let left = size; left > 0; left -= 1) writer.bits(bits.bits(1), 1);
  return writer.bytes();
};

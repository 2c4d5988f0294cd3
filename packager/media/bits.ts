/** Bits of a buffer, most significant first, with the Exp-Golomb codes of ISO 14496-10, 9.1. */
import { CodecError } from './codec-error.ts';

export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length * 8;
  }

  /** Bits not read yet. */
  get left(): number {
    return this.#end - this.#at;
  }

  bit(): number {
    if (this.#at >= this.#end) throw new CodecError('truncated', 'the bits end too early');
    const byte = this.#bytes[this.#at >> 3] ?? 0;
    const bit = (byte >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return bit;
  }

  flag(): boolean {
    return this.bit() === 1;
  }

  /** Up to 32 bits, unsigned. */
  bits(count: number): number {
    if (count > this.left) throw new CodecError('truncated', 'the bits end too early');
    let value = 0;
    for (let left = count; left > 0; ) {
      const byte = this.#bytes[this.#at >> 3] ?? 0;
      const free = 8 - (this.#at & 7);
      const take = Math.min(free, left);
      // Multiplied and not shifted: 32 bits do not fit a signed integer.
      value = value * 2 ** take + ((byte >> (free - take)) & ((1 << take) - 1));
      this.#at += take;
      left -= take;
    }
    return value;
  }

  skip(count: number): void {
    if (count > this.left) throw new CodecError('truncated', 'the bits end too early');
    this.#at += count;
  }

  /** To the next whole byte. */
  align(): void {
    this.#at = (this.#at + 7) & ~7;
  }

  /** ue(v): at most 2^32 - 2. */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros += 1;
      if (zeros > 32) throw new CodecError('invalid', 'an Exp-Golomb code has more than 32 leading zeros');
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v). */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}

/** The writer's side: silence and test streams are made of single bits too. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #used = 8;

  bits(value: number, count: number): this {
    for (let shift = count - 1; shift >= 0; shift -= 1) {
      if (this.#used === 8) {
        this.#bytes.push(0);
        this.#used = 0;
      }
      const bit = Math.floor(value / 2 ** shift) % 2;
      const last = this.#bytes.length - 1;
      this.#bytes[last] = (this.#bytes[last] ?? 0) | (bit << (7 - this.#used));
      this.#used += 1;
    }
    return this;
  }

  /** What was written, with zeros up to the next whole byte. */
  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

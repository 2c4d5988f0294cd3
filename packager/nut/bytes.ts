/** Bytes that may not all have come yet. */
import { NutError } from './nut.ts';

/** More is needed, counted from where the reading began. No fault, and nothing that leaves the reader. */
export class Short extends Error {
  readonly needed: number;
  constructor(needed: number) {
    super('there is more to come');
    this.needed = needed;
  }
}

export class Bytes {
  readonly #bytes: Buffer;
  /** All of it is there: an end is a fault. */
  readonly #whole: boolean;
  at = 0;

  constructor(bytes: Buffer, whole = false) {
    this.#bytes = bytes;
    this.#whole = whole;
  }

  static whole(bytes: Buffer): Bytes {
    return new Bytes(bytes, true);
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  peek(): number {
    const [byte] = this.#need(1);
    return byte ?? 0;
  }

  take(count: number): Buffer {
    const taken = this.#need(count);
    this.at += count;
    return taken;
  }

  u8(): number {
    return this.take(1)[0] ?? 0;
  }

  u32(): number {
    return this.take(4).readUInt32BE(0);
  }

  /** What was read, from there on. */
  since(at: number): Buffer {
    return this.#bytes.subarray(at, this.at);
  }

  varint(): number {
    let value = 0;
    for (;;) {
      const byte = this.u8();
      value = value * 128 + (byte & 127);
      if (value > Number.MAX_SAFE_INTEGER) throw new NutError('limit', 'a number beyond all numbers');
      if (byte < 128) return value;
    }
  }

  /** Of up to 64 bits, and of no interest. */
  skipVarint(): void {
    for (let bytes = 1; this.u8() >= 128; bytes += 1) if (bytes === 10) throw new NutError('limit', 'a number beyond all numbers');
  }

  varintBelow(end: number): number {
    const value = this.varint();
    if (value >= end) throw new NutError('limit', `${value} where less than ${end} is allowed`);
    return value;
  }

  /** `s`: 0, 1, -1, 2, -2 … */
  signed(): number {
    const coded = this.varint() + 1;
    return coded % 2 === 1 ? -Math.floor(coded / 2) : coded / 2;
  }

  #need(count: number): Buffer {
    if (count > this.left) {
      if (this.#whole) throw new NutError('invalid', 'a packet ends inside one of its fields');
      throw new Short(this.at + count);
    }
    return this.#bytes.subarray(this.at, this.at + count);
  }
}

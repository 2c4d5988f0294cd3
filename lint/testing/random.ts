/** For tests: random numbers that are the same in every run, and bytes put out of order by them. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Some bytes are others, some are gone, some stand twice. */
  damage(bytes: Buffer): Buffer {
    const out = Buffer.from(bytes);
    for (let count = 1 + this.below(6); count > 0 && out.length > 0; count -= 1) out[this.below(out.length)] = this.below(256);
    const [from, to] = [this.below(out.length + 1), this.below(out.length + 1)].sort((a, b) => a - b);
    switch (this.below(4)) {
      case 0:
        return out.subarray(0, to);
      case 1:
        return Buffer.concat([out.subarray(0, from), out.subarray(to)]);
      case 2:
        return Buffer.concat([out.subarray(0, to), out.subarray(from)]);
      default:
        return out;
    }
  }
}

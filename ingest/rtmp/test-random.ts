/** For tests: the same random numbers in every run (mulberry32), and ways to spoil bytes with them. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** An integer from 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }
  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at += 1) bytes[at] = this.below(256);
    return bytes;
  }
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
  /** The same bytes with some of them flipped, set to extremes, left out, doubled or cut off. */
  spoil(good: Buffer, from = 0): Buffer {
    let bytes: Buffer = Buffer.from(good);
    for (let rounds = 1 + this.below(4); rounds > 0; rounds -= 1) {
      const at = Math.min(bytes.length, from + this.below(Math.max(1, bytes.length - from)));
      const some = Math.min(bytes.length, at + 1 + this.below(16));
      switch (this.below(6)) {
        case 0:
          bytes[at] = (bytes[at] ?? 0) ^ (1 << this.below(8));
          break;
        case 1:
          bytes.fill(this.pick([0, 0xff, 0x7f, 0x80]), at, some);
          break;
        case 2:
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(some)]);
          break;
        case 3:
          bytes = Buffer.concat([bytes.subarray(0, some), bytes.subarray(at)]);
          break;
        case 4:
          bytes = Buffer.concat([bytes.subarray(0, at), this.bytes(this.below(32)), bytes.subarray(at)]);
          break;
        default:
          bytes = bytes.subarray(0, at);
      }
    }
    return bytes;
  }
}

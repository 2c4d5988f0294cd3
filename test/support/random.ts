/** Seeded numbers for fuzz tests (mulberry32): the same inputs in every run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to 2^32 - 1. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 to `end` - 1. */
  below(end: number): number {
    return this.u32() % end;
  }

  bytes(length: number): Buffer {
    const out = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i += 1) out[i] = this.u32();
    return out;
  }

  /** A damaged copy: bits flipped, bytes and lengths replaced by telling values, cut, doubled or grown. */
  mutate(valid: Buffer): Buffer {
    const telling = [0, 1, 2, 3, 0x7f, 0x80, 0xff];
    let out: Buffer = Buffer.from(valid);
    for (let left = 1 + this.below(4); left > 0; left -= 1) {
      const at = this.below(out.length + 1);
      const kind = this.below(6);
      if (kind === 0 && at < out.length) out[at] = (out[at] ?? 0) ^ (1 << this.below(8));
      if (kind === 1 && at < out.length) out[at] = telling[this.below(telling.length)] ?? 0;
      if (kind === 2 && at + 4 <= out.length) out.writeUInt32BE(this.below(2) ? 0xffff_ffff : this.below(64), at);
      if (kind === 3) out = out.subarray(0, at);
      if (kind === 4) out = Buffer.concat([out.subarray(0, at), out.subarray(this.below(at + 1))]).subarray(0, 1 << 16);
      if (kind === 5) out = Buffer.concat([out.subarray(0, at), this.bytes(1 + this.below(8)), out.subarray(at)]);
    }
    return out;
  }
}

/**
 * Feeds `count` inputs to a parser: half damaged copies of valid ones, half noise. Any error but `expected`
 * leaves with the input in its message.
 */
export const fuzz = (
  parse: (input: Buffer) => unknown,
  expected: new (...args: never[]) => Error,
  valid: readonly Buffer[],
  { seed = 1, count = 100_000, longest = 96 }: { seed?: number; count?: number; longest?: number } = {},
): { accepted: number; refused: number } => {
  const random = new Random(seed);
  let accepted = 0;
  for (let i = 0; i < count; i += 1) {
    const model = valid[random.below(valid.length)];
    const input = model && i % 2 === 0 ? random.mutate(model) : random.bytes(random.below(longest));
    try {
      parse(input);
      accepted += 1;
    } catch (error) {
      if (error instanceof expected) continue;
      throw new Error(`input ${i} (${input.toString('hex').slice(0, 400)})`, { cause: error });
    }
  }
  return { accepted, refused: count - accepted };
};

/** The same for parsers that read as they go: damaged copies alone, since noise seldom gets beyond the first read. */
export const fuzzReading = async (
  read: (input: Buffer) => Promise<unknown>,
  expected: new (...args: never[]) => Error,
  valid: readonly Buffer[],
  { seed = 1, count = 100_000 }: { seed?: number; count?: number } = {},
): Promise<{ accepted: number; refused: number }> => {
  const random = new Random(seed);
  let accepted = 0;
  for (let i = 0; i < count; i += 1) {
    const input = random.mutate(valid[i % valid.length] ?? Buffer.alloc(0));
    try {
      await read(input);
      accepted += 1;
    } catch (error) {
      if (error instanceof expected) continue;
      throw new Error(`input ${i} (${input.toString('hex')})`, { cause: error });
    }
  }
  return { accepted, refused: count - accepted };
};

/** Token buckets by key: `burst` at once, then one every `refillMs`. Bounded memory: the key unused longest is forgotten. */
import type { Clock } from '../../packager/clock.ts';

export type BucketRule = { readonly burst: number; readonly refillMs: number };

type Bucket = { tokens: number; at: number };

export class TokenBuckets {
  readonly #rule: BucketRule;
  readonly #clock: Clock;
  readonly #mostKeys: number;
  /** In the order of last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rule: BucketRule, clock: Clock, mostKeys = 20_000) {
    this.#rule = rule;
    this.#clock = clock;
    this.#mostKeys = mostKeys;
  }
  get size(): number {
    return this.#buckets.size;
  }
  /** 0: taken. Else nothing was taken, and this many ms from now there will be one. */
  take(key: string): number {
    const bucket = this.#touch(key);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - bucket.tokens) * this.#rule.refillMs));
  }
  /** What was taken turned out to be nobody's fault. */
  giveBack(key: string): void {
    const bucket = this.#touch(key);
    bucket.tokens = Math.min(this.#rule.burst, bucket.tokens + 1);
  }
  #touch(key: string): Bucket {
    const now = this.#clock.now();
    const known = this.#buckets.get(key);
    this.#buckets.delete(key);
    const tokens = known ? Math.min(this.#rule.burst, known.tokens + (now - known.at) / this.#rule.refillMs) : this.#rule.burst;
    const bucket = { tokens, at: now };
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#mostKeys) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}

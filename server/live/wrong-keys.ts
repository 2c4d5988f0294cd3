/** Slows down whoever tries stream keys: a few mistakes are free, then each costs a longer wait. Memory is bounded. */
import type { Clock } from '../../packager/clock.ts';

const FREE_TRIES = 10;
const LONGEST_WAIT_MS = 60_000;
const FORGET_AFTER_MS = 10 * 60_000;
const MOST_ADDRESSES = 20_000;

type Tries = { count: number; last: number };

export class WrongKeys {
  readonly #clock: Clock;
  /** Oldest first, since each failure moves its address to the end. */
  readonly #tries = new Map<string, Tries>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  waitSeconds(address: string): number {
    const tries = this.#tries.get(address);
    if (!tries || tries.count < FREE_TRIES) return 0;
    const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (tries.count - FREE_TRIES));
    return Math.max(0, Math.ceil((tries.last + wait - this.#clock.now()) / 1000));
  }

  failed(address: string): void {
    const now = this.#clock.now();
    const tries = this.#tries.get(address);
    const count = tries && now - tries.last < FORGET_AFTER_MS ? tries.count + 1 : 1;
    this.#tries.delete(address);
    this.#tries.set(address, { count, last: now });
    for (const [oldest, { last }] of this.#tries) {
      if (this.#tries.size <= MOST_ADDRESSES && now - last < FORGET_AFTER_MS) break;
      this.#tries.delete(oldest);
    }
  }
}

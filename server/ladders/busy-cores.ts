/** What an encoder keeps busy, from one look at it to the next: nobody measures while nobody asks. */
import type { Clock } from '../../packager/clock.ts';

/** The system counts in hundredths of a second: over less than this they would say little. */
const leastMs = 2_000;

export class BusyCores {
  readonly #clock: Clock;
  readonly #coreSeconds: () => number | null;
  #seen: { readonly at: number; readonly coreSeconds: number };
  #cores: number | null = null;

  /** `coreSeconds`: that it has cost so far; null: it is over. */
  constructor(clock: Clock, coreSeconds: () => number | null) {
    this.#clock = clock;
    this.#coreSeconds = coreSeconds;
    this.#seen = { at: clock.now(), coreSeconds: 0 };
  }

  now(): number | null {
    const coreSeconds = this.#coreSeconds();
    if (coreSeconds === null) return null;
    const at = this.#clock.now();
    const { at: before, coreSeconds: cost } = this.#seen;
    if (at - before < leastMs) return this.#cores;
    this.#seen = { at, coreSeconds };
    this.#cores = Math.max(0, ((coreSeconds - cost) * 1000) / (at - before));
    return this.#cores;
  }
}

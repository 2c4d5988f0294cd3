/** The wire counts in a few bits and wraps; inside, time only grows. */
import type { WireClock } from './unit.ts';

/** `raw - reference` on a counter of so many bits, as the nearest signed distance. */
export const wireDistance = (raw: number, reference: number, bits: number): number => {
  const turn = 2 ** bits;
  const ahead = (((raw - reference) % turn) + turn) % turn;
  return ahead < turn / 2 ? ahead : ahead - turn;
};

/** Unrolls a wrapped counter: each reading is taken as the one nearest to the reading before. */
export class Unwrapper {
  readonly #bits: number;
  #last: number | null = null;

  constructor(clock: WireClock) {
    this.#bits = clock.bits;
  }
  unwrap(raw: number): number {
    const turn = 2 ** this.#bits;
    this.#last = this.#last === null ? ((raw % turn) + turn) % turn : this.#last + wireDistance(raw, this.#last, this.#bits);
    return this.#last;
  }

  /** The same without moving on: for stamps of something that is beside the media, and may lie ahead of it. */
  near(raw: number): number {
    return this.#last === null ? raw : this.#last + wireDistance(raw, this.#last, this.#bits);
  }
}

/** Converts ticks between timescales, to the nearest. Exact while ticks × `to` stays below 2^53: ten years of 90 kHz at 1e6. */
export const rescale = (ticks: number, from: number, to: number): number => {
  if (from === to) return ticks;
  const whole = Math.floor(ticks / from);
  return whole * to + Math.round(((ticks - whole * from) * to) / from);
};

export const MICROS = 1_000_000;

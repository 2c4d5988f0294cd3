/**
 * What of a file is still to be sent, and what is sent next. A piece is an aligned power of two of bytes, as the server
 * counts parts of any size, cut off where the file ends: so pieces of all sizes fill it without sending anything twice.
 */
import type { Span } from './boxes.ts';

/** The server keeps account in these, and takes no smaller parts. */
export const unit = 262_144;

export type Piece = {
  readonly from: number;
  readonly to: number;
  /** The part size by which it is counted: `from` is a multiple of it. */
  readonly size: number;
};

const missing = 0;
const underWay = 1;
const landed = 2;

export class Pieces {
  readonly size: number;
  readonly #units: Uint8Array;
  readonly #first: readonly Span[];
  #landedBytes = 0;

  /** `first`: spans that go before everything else, in this order. */
  constructor(size: number, first: readonly Span[] = []) {
    this.size = size;
    this.#units = new Uint8Array(Math.ceil(size / unit));
    this.#first = first;
  }

  get landedBytes(): number {
    return this.#landedBytes;
  }
  get isWhole(): boolean {
    return this.#landedBytes === this.size;
  }

  /** The next piece of at most so many bytes; null: all the rest has landed or is under way. */
  take(most: number): Piece | null {
    for (const { from, to } of this.#first) {
      const piece = this.#takeWithin(Math.floor(from / unit), Math.ceil(to / unit), most);
      if (piece) return piece;
    }
    return this.#takeWithin(0, this.#units.length, most);
  }
  /** It did not arrive. */
  giveBack({ from, to }: Piece): void {
    this.#mark(from, to, missing, (state) => state === underWay);
  }
  hasLanded({ from, to }: Piece): void {
    this.#mark(from, to, landed);
  }
  /** What the server says, in place of what was believed. Nothing may be under way. */
  replaceLanded(spans: readonly Span[]): void {
    this.#units.fill(missing);
    this.#landedBytes = 0;
    for (const { from, to } of spans) {
      const inside = Math.min(to, this.size);
      // Half a unit is sent again.
      const end = inside === this.size ? inside : Math.floor(inside / unit) * unit;
      this.#mark(Math.ceil(Math.max(0, from) / unit) * unit, end, landed);
    }
  }
  /** The server misses them, whatever was believed. */
  lose(spans: readonly Span[]): void {
    for (const { from, to } of spans) this.#mark(Math.max(0, from), Math.min(to, this.size), missing);
  }

  #takeWithin(begin: number, end: number, most: number): Piece | null {
    const start = this.#units.indexOf(missing, begin);
    if (start < 0 || start >= end) return null;
    let count = 1;
    while (count * 2 * unit <= most && start % (count * 2) === 0 && this.#allMissing(start + count, start + count * 2, end)) count *= 2;
    const piece = { from: start * unit, to: Math.min(this.size, (start + count) * unit), size: count * unit };
    this.#mark(piece.from, piece.to, underWay);
    return piece;
  }
  /** Up to the end of the file, behind which nothing has to be missing; and something of it before `end`. */
  #allMissing(begin: number, end: number, limit: number): boolean {
    if (begin >= limit) return false;
    if (end > limit && limit < this.#units.length) return false;
    return this.#units.subarray(begin, end).every((state) => state === missing);
  }
  #mark(from: number, to: number, state: number, when: (before: number) => boolean = () => true): void {
    for (let index = Math.floor(from / unit); index * unit < to; index++) {
      const before = this.#units[index];
      if (before === undefined || !when(before)) continue;
      const bytes = Math.min(this.size, (index + 1) * unit) - index * unit;
      if (before === landed) this.#landedBytes -= bytes;
      if (state === landed) this.#landedBytes += bytes;
      this.#units[index] = state;
    }
  }
}

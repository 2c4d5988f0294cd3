/**
 * Which bytes of a file have landed. By tus they come in order, and one number says it all; parts come in any order, and
 * each unit of the file has a bit. One upload uses one of the two.
 */
import type { Landed } from './desk.ts';
import { unit } from './limits.ts';

export type Range = readonly [from: number, to: number];

export const bitmapBytes = (size: number): number => Math.ceil(Math.ceil(size / unit) / 8);

export class LandedMap implements Landed {
  readonly size: number;
  readonly bits: Uint8Array;
  readonly #units: number;
  #prefix = 0;
  #inBits = 0;

  constructor(size: number, bits: Uint8Array = new Uint8Array(bitmapBytes(size)), prefix = 0) {
    this.size = size;
    this.bits = bits;
    this.#units = Math.ceil(size / unit);
    // Whatever a file says: no bit stands for a unit that there is not.
    const last = this.#units & 7;
    if (last !== 0) bits[bits.length - 1] = (bits[bits.length - 1] ?? 0) & ((1 << last) - 1);
    this.#prefix = Math.min(prefix, size);
    this.#inBits = this.#countBits();
  }

  get bytes(): number {
    return this.#prefix + this.#inBits;
  }
  get whole(): boolean {
    return this.bytes >= this.size;
  }
  /** Bytes from the beginning, of what came in order. */
  get prefix(): number {
    return this.#prefix;
  }

  has(from: number, to: number): boolean {
    if (to > this.size) return false;
    const begin = Math.max(from, this.#prefix);
    if (begin >= to) return true;
    for (let at = Math.floor(begin / unit); at * unit < to; at += 1) if (!this.#bit(at)) return false;
    return true;
  }

  /** From the border of a unit to the border of a unit, or to the end. */
  add(from: number, to: number): void {
    if (from % unit !== 0 || (to % unit !== 0 && to !== this.size) || to > this.size) throw new RangeError(`${from} to ${to} are no whole units`);
    for (let at = from / unit; at * unit < to; at += 1) {
      if (this.#bit(at)) continue;
      this.bits[at >> 3] = (this.bits[at >> 3] ?? 0) | (1 << (at & 7));
      this.#inBits += Math.min(this.size, (at + 1) * unit) - at * unit;
    }
  }

  addPrefix(to: number): void {
    if (to > this.size) throw new RangeError(`${to} lies beyond the end`);
    this.#prefix = Math.max(this.#prefix, to);
  }

  /** Is from now on what the other is. */
  become(other: LandedMap): void {
    this.bits.set(other.bits);
    this.#prefix = other.prefix;
    this.#inBits = other.#inBits;
  }

  copy(): LandedMap {
    return new LandedMap(this.size, this.bits.slice(), this.#prefix);
  }

  ranges(most: number): Range[] {
    return this.#runs(true, most);
  }
  missing(most: number): Range[] {
    return this.#runs(false, most);
  }

  #runs(landed: boolean, most: number): Range[] {
    const runs: Range[] = [];
    if (this.#prefix > 0) {
      // Nothing but a prefix: see above.
      if (landed) return [[0, this.#prefix]];
      return this.#prefix < this.size ? [[this.#prefix, this.size]] : [];
    }
    for (let at = this.#next(0, landed); at < this.#units && runs.length < most; ) {
      const end = this.#next(at, !landed);
      runs.push([at * unit, Math.min(this.size, end * unit)]);
      at = this.#next(end, landed);
    }
    return runs;
  }

  /** The first unit from there on that has landed, or has not; as many as there are when there is none. */
  #next(from: number, landed: boolean): number {
    const boring = landed ? 0 : 0xff;
    for (let at = from; at < this.#units; at += 1) {
      if ((at & 7) === 0) while (at + 8 <= this.#units && this.bits[at >> 3] === boring) at += 8;
      if (at < this.#units && this.#bit(at) === landed) return at;
    }
    return this.#units;
  }

  #bit(at: number): boolean {
    return ((this.bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  #countBits(): number {
    let bytes = 0;
    for (let at = this.#next(0, true); at < this.#units; at = this.#next(at + 1, true)) bytes += Math.min(this.size, (at + 1) * unit) - at * unit;
    return bytes;
  }
}

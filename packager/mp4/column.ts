/**
 * One number for every sample (sizes, durations, offsets of composition), in whichever form takes the least room: one
 * number for all, runs of equal ones, or an array of the narrowest kind that holds them.
 */

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array | Float64Array;

export interface Column {
  /** Memory held. */
  readonly weight: number;
  /** Writes the numbers [from, to) to the beginning of `out`. */
  write(out: Numbers, from: number, to: number): void;
}

const constant = (value: number): Column => ({
  weight: 0,
  write: (out, from, to) => void out.fill(value, 0, to - from),
});

/** The place of the first end beyond `at`: `ends` rises. */
export const firstBeyond = (ends: Uint32Array, at: number): number => {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] ?? 0) > at) high = middle;
    else low = middle + 1;
  }
  return low;
};

const runs = (ends: Uint32Array, values: Numbers): Column => ({
  weight: ends.byteLength + values.byteLength,
  write(out, from, to) {
    let run = firstBeyond(ends, from);
    for (let at = from; at < to; run += 1) {
      const end = Math.min(ends[run] ?? to, to);
      out.fill(values[run] ?? 0, at - from, end - from);
      at = end;
    }
  },
});

const dense = (values: Numbers): Column => ({
  weight: values.byteLength,
  write: (out, from, to) => out.set(values.subarray(from, to)),
});

const narrowest = (least: number, most: number, count: number): Numbers => {
  if (least >= 0) {
    if (most <= 0xff) return new Uint8Array(count);
    return most <= 0xffff ? new Uint16Array(count) : new Uint32Array(count);
  }
  if (least >= -0x80 && most <= 0x7f) return new Int8Array(count);
  return least >= -0x8000 && most <= 0x7fff ? new Int16Array(count) : new Int32Array(count);
};

/** Of the first block: so much lies on the heap itself, and most lists of small files need no more. */
const firstBytes = 64;

/** Integers one after the other, in blocks: what is there is never moved while it grows. */
export class GrowingList {
  readonly #kind: typeof Int32Array | typeof Float64Array;
  readonly #full: (Int32Array | Float64Array)[] = [];
  #block: Int32Array | Float64Array;
  #at = 0;
  #before = 0;

  /** What an Int32Array holds may come out without sign again (`copyTo`). */
  constructor(kind: typeof Int32Array | typeof Float64Array) {
    this.#kind = kind;
    this.#block = new kind(firstBytes / kind.BYTES_PER_ELEMENT);
  }

  get length(): number {
    return this.#before + this.#at;
  }

  push(value: number): void {
    if (this.#at === this.#block.length) {
      this.#full.push(this.#block);
      this.#before += this.#at;
      this.#block = new this.#kind(Math.min(2 * this.#at, 1 << 18));
      this.#at = 0;
    }
    this.#block[this.#at] = value;
    this.#at += 1;
  }

  copyTo<T extends Numbers>(out: T): T {
    let at = 0;
    for (const block of this.#full) {
      out.set(block, at);
      at += block.length;
    }
    out.set(this.#block.subarray(0, this.#at), at);
    return out;
  }
}

/** Bytes of a run's end. */
const endBytes = Uint32Array.BYTES_PER_ELEMENT;
/** So many runs are tried before they are held against single numbers. */
const patience = 256;

/** Takes numbers of 32 bits as runs, which is how files tell them, and finds the form for all of them. */
export class ColumnBuilder {
  #values = new GrowingList(Int32Array);
  #ends = new GrowingList(Int32Array);
  /** Every number of its own, once runs would take more room. */
  #single: GrowingList | null = null;
  #last = Number.NaN;
  #count = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;

  push(value: number, times = 1): void {
    if (times < 1) return;
    if (value !== this.#last) {
      this.#endRun();
      this.#last = value;
      if (value < this.#least) this.#least = value;
      if (value > this.#most) this.#most = value;
    }
    this.#count += times;
    if (this.#single) for (let i = 0; i < times; i += 1) this.#single.push(value);
  }

  finish(): Column {
    if (this.#least >= this.#most) return constant(this.#count > 0 ? this.#least : 0);
    this.#endRun();
    const count = this.#single ? this.#count : this.#ends.length;
    const values = (this.#single ?? this.#values).copyTo(narrowest(this.#least, this.#most, count));
    if (this.#single) return dense(values);
    const found = runs(this.#ends.copyTo(new Uint32Array(count)), values);
    if (found.weight <= this.#count * values.BYTES_PER_ELEMENT) return found;
    const single = narrowest(this.#least, this.#most, this.#count);
    found.write(single, 0, this.#count);
    return dense(single);
  }

  #endRun(): void {
    if (this.#single || this.#count === 0) return;
    this.#values.push(this.#last);
    this.#ends.push(this.#count);
    if (this.#ends.length < patience || this.#ends.length * (endBytes + 1) < this.#count * 4) return;
    const single = new GrowingList(Int32Array);
    const ends = this.#ends.copyTo(new Uint32Array(this.#ends.length));
    const values = this.#values.copyTo(new Int32Array(ends.length));
    let at = 0;
    ends.forEach((end, run) => {
      for (; at < end; at += 1) single.push(values[run] ?? 0);
    });
    this.#single = single;
    this.#values = new GrowingList(Int32Array);
    this.#ends = new GrowingList(Int32Array);
  }
}

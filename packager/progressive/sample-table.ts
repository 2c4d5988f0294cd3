/**
 * The samples of one track as the tables of a `stbl` want them: sizes one by one, all else in runs. 8 to 16 bytes
 * a picture, 4 a frame of sound, whatever the length of the show.
 */
import { ProgressiveError } from './progressive-error.ts';

/** A day of 60 pictures a second, or of sound in 48 kHz. */
const mostSamples = 6_000_000;

/** Numbers of 32 bits, as many as come. */
export class Column {
  #values = new Uint32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }
  get values(): Uint32Array {
    return this.#values.subarray(0, this.#length);
  }
  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Uint32Array(2 * this.#length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }
}

/** (count, value) pairs; a value that repeats only counts. Negative values are kept in two's complement. */
class Runs {
  readonly counts = new Column();
  readonly values = new Column();
  #value: number | null = null;
  #count = 0;

  push(value: number): void {
    if (value !== this.#value) this.end();
    this.#value = value;
    this.#count += 1;
  }
  end(): void {
    if (this.#count === 0 || this.#value === null) return;
    this.counts.push(this.#count);
    this.values.push(this.#value);
    this.#count = 0;
  }
}

export class SampleTable {
  readonly sizes = new Column();
  readonly durations = new Runs();
  /** Composition offsets, signed; `shift` makes them positive. */
  readonly offsets = new Runs();
  readonly keys = new Column();
  #begin: number | null = null;
  #firstShown = Number.POSITIVE_INFINITY;
  #shownUntil = Number.NEGATIVE_INFINITY;
  #lowest = 0;
  #hasOffsets = false;
  /** Decode time at which the last sample begins, as the written durations add up. */
  #written = 0;
  #pending: number | null = null;

  get count(): number {
    return this.sizes.length;
  }
  /** Decode time of the first sample, in media time. */
  get begin(): number {
    return this.#begin ?? 0;
  }
  /** Media time of the first picture that is shown. */
  get firstShown(): number {
    return this.#firstShown;
  }
  /** Media time at which the last picture has been shown. */
  get shownUntil(): number {
    return this.#shownUntil;
  }
  /** Added to all composition offsets, so that old readers, which know only positive ones, read them right. */
  get shift(): number {
    return -this.#lowest;
  }
  get hasOffsets(): boolean {
    return this.#hasOffsets;
  }
  /** Ticks from the first decode time to the end of the last sample. */
  get duration(): number {
    return this.#written + (this.#pending ?? 0) - this.begin;
  }

  /**
   * Samples have no times of their own in a `stts`, only durations: each lasts until the next begins, so a hole
   * (between epochs, or where nothing was recorded) makes the sample before it longer.
   */
  add(time: number, duration: number, size: number, compositionOffset: number, key: boolean): void {
    if (this.count >= mostSamples) throw new ProgressiveError('limit', `more than ${mostSamples} samples`);
    if (this.#begin === null) {
      this.#begin = time;
      this.#written = time;
    } else {
      this.#end(Math.max(0, time - this.#written));
    }
    // Where durations could not catch up with a step back, the presentation time is what counts.
    const offset = time + compositionOffset - this.#written;
    if (offset !== (offset | 0)) throw new ProgressiveError('invalid', `a composition offset of ${offset} ticks`);
    this.#pending = duration;
    this.sizes.push(size);
    this.offsets.push(offset);
    if (key) this.keys.push(this.count);
    this.#hasOffsets ||= offset !== 0;
    this.#lowest = Math.min(this.#lowest, offset);
    this.#firstShown = Math.min(this.#firstShown, time + compositionOffset);
    this.#shownUntil = Math.max(this.#shownUntil, time + compositionOffset + duration);
  }

  /** No more samples will come. */
  close(): void {
    if (this.#pending !== null) this.#end(this.#pending);
    this.#pending = null;
    this.durations.end();
    this.offsets.end();
  }

  #end(duration: number): void {
    if (duration > 0xffff_ffff) throw new ProgressiveError('invalid', `a sample of ${duration} ticks`);
    this.durations.push(duration);
    this.#written += duration;
  }
}

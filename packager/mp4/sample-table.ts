/**
 * The sample table of one track, packed: a column each for sizes, durations and composition offsets, the places of
 * chunks and how many samples each has, and marks at every 256th sample, from where rows are counted on.
 *
 *     sizes      ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒      one number a sample, narrow
 *     chunks     │    │  │    │    │       where each begins, and its samples
 *     marks      ●         ●         ●     place, decode time, chunk
 */
import { ColumnBuilder, firstBeyond, GrowingList, type Column } from './column.ts';
import type { Allowance } from './limits.ts';
import { Mp4Error, type SampleRows, type SampleTable } from './movie.ts';

const markEvery = 256;

type Chunks = {
  /** Of each chunk's first byte. */
  readonly offsets: Uint32Array | Float64Array;
  readonly samples: Column;
};

type Parts = {
  readonly count: number;
  readonly start: number;
  readonly duration: number;
  readonly keys: Uint32Array | null;
  readonly sizes: Column;
  readonly durations: Column;
  readonly offsets: Column;
  readonly chunks: Chunks;
};

type Mark = { readonly place: number; readonly chunk: number; readonly left: number };

/** Walks through chunks, sample by sample. */
class ChunkWalk {
  readonly #chunks: Chunks;
  /** Samples of the chunks from `#countsFrom` on. */
  readonly #counts: Uint32Array;
  #countsFrom: number;
  chunk: number;
  /** Samples of the chunk that have not been walked over. */
  left: number;
  place: number;

  /** Goes over so many chunks in most cases. */
  constructor(chunks: Chunks, { place, chunk, left }: Mark, about: number) {
    this.#chunks = chunks;
    this.#counts = new Uint32Array(about);
    this.#countsFrom = chunk - about;
    this.chunk = chunk;
    this.place = place;
    this.left = left;
  }

  /** The sample here has so many bytes: on to the next one. */
  step(size: number): void {
    this.left -= 1;
    if (this.left > 0) {
      this.place += size;
      return;
    }
    this.chunk += 1;
    const { offsets, samples } = this.#chunks;
    if (this.chunk >= this.#countsFrom + this.#counts.length) {
      this.#countsFrom = this.chunk;
      samples.write(this.#counts, this.chunk, Math.min(this.chunk + this.#counts.length, Math.max(offsets.length, this.chunk)));
    }
    this.left = this.#counts[this.chunk - this.#countsFrom] ?? 0;
    this.place = offsets[this.chunk] ?? 0;
  }
}

class Marks {
  readonly places: Float64Array;
  readonly times: Float64Array;
  readonly chunks: Uint32Array;
  readonly left: Uint32Array;

  constructor(samples: number) {
    const count = Math.ceil(samples / markEvery);
    this.places = new Float64Array(count);
    this.times = new Float64Array(count);
    this.chunks = new Uint32Array(count);
    this.left = new Uint32Array(count);
  }

  set(i: number, { place, chunk, left }: Mark, time: number): void {
    this.places[i] = place;
    this.chunks[i] = chunk;
    this.left[i] = left;
    this.times[i] = time;
  }

  at(i: number): Mark & { readonly time: number } {
    return { place: this.places[i] ?? 0, chunk: this.chunks[i] ?? 0, left: this.left[i] ?? 0, time: this.times[i] ?? 0 };
  }

  get weight(): number {
    return this.places.byteLength + this.times.byteLength + this.chunks.byteLength + this.left.byteLength;
  }
}

/** Where each 256th sample lies and when it is decoded; every sample must lie inside the file. */
const mark = async ({ count, start, sizes, durations, chunks }: Parts, fileSize: number, allowance: Allowance): Promise<Marks> => {
  const marks = new Marks(count);
  const size = new Uint32Array(markEvery);
  const duration = new Uint32Array(markEvery);
  const first = new Uint32Array(1);
  chunks.samples.write(first, 0, Math.min(1, chunks.offsets.length));
  const walk = new ChunkWalk(chunks, { place: chunks.offsets[0] ?? 0, chunk: 0, left: first[0] ?? 0 }, markEvery);
  let time = start;
  for (let from = 0; from < count; from += markEvery) {
    const to = Math.min(from + markEvery, count);
    sizes.write(size, from, to);
    durations.write(duration, from, to);
    marks.set(from / markEvery, walk, time);
    for (let i = 0; i < to - from; i += 1) {
      const bytes = size[i] ?? 0;
      if (walk.place + bytes > fileSize) {
        throw new Mp4Error('truncated', `sample ${from + i} ends at ${walk.place + bytes}, and the file at ${fileSize}`);
      }
      time += duration[i] ?? 0;
      walk.step(bytes);
    }
    if (allowance.isDue(markEvery)) await allowance.turn();
  }
  return marks;
};

class PackedTable implements SampleTable {
  readonly count: number;
  readonly duration: number;
  readonly keys: Uint32Array | null;
  readonly weight: number;
  readonly #parts: Parts;
  readonly #marks: Marks;

  constructor(parts: Parts, marks: Marks) {
    this.count = parts.count;
    this.duration = parts.duration;
    this.keys = parts.keys;
    this.#parts = parts;
    this.#marks = marks;
    const { sizes, durations, offsets, chunks } = parts;
    const chunkWeight = chunks.offsets.byteLength + chunks.samples.weight;
    this.weight = sizes.weight + durations.weight + offsets.weight + chunkWeight + marks.weight + (parts.keys?.byteLength ?? 0);
  }

  rows(from: number, to: number): SampleRows {
    if (!(from >= 0 && from <= to && to <= this.count)) throw new RangeError(`samples [${from}, ${to}) of ${this.count}`);
    const count = to - from;
    const rows = {
      count,
      offset: new Float64Array(count),
      size: new Uint32Array(count),
      dts: new Float64Array(count),
      cts: new Int32Array(count),
      duration: new Uint32Array(count),
      key: new Uint8Array(count),
    };
    if (count === 0) return rows;
    this.#parts.sizes.write(rows.size, from, to);
    this.#parts.durations.write(rows.duration, from, to);
    this.#parts.offsets.write(rows.cts, from, to);
    this.#placesAndTimes(rows, from);
    this.#keysOf(rows, from, to);
    return rows;
  }

  #placesAndTimes({ count, offset, size, dts, duration }: SampleRows, from: number): void {
    const ahead = from % markEvery;
    const { time: marked, ...place } = this.#marks.at((from - ahead) / markEvery);
    const walk = new ChunkWalk(this.#parts.chunks, place, Math.min(ahead + count, markEvery));
    const skipped = new Uint32Array(ahead);
    this.#parts.sizes.write(skipped, from - ahead, from);
    for (let i = 0; i < ahead; i += 1) walk.step(skipped[i] ?? 0);
    this.#parts.durations.write(skipped, from - ahead, from);
    let time = skipped.reduce((sum, one) => sum + one, marked);
    for (let i = 0; i < count; i += 1) {
      offset[i] = walk.place;
      dts[i] = time;
      time += duration[i] ?? 0;
      walk.step(size[i] ?? 0);
    }
  }

  #keysOf({ key }: SampleRows, from: number, to: number): void {
    const { keys } = this;
    if (!keys) {
      key.fill(1);
      return;
    }
    for (let i = from === 0 ? 0 : firstBeyond(keys, from - 1); i < keys.length; i += 1) {
      const sample = keys[i] ?? to;
      if (sample >= to) return;
      key[sample - from] = 1;
    }
  }
}

/** Takes the tables of a moov, the runs of fragments, or one after the other. */
export class TableBuilder {
  readonly #allowance: Allowance;
  readonly #sizes = new ColumnBuilder();
  readonly #durations = new ColumnBuilder();
  readonly #offsets = new ColumnBuilder();
  readonly #chunks = new GrowingList(Float64Array);
  readonly #inChunk = new ColumnBuilder();
  readonly #keys = new GrowingList(Int32Array);
  #inChunks = 0;
  #furthest = 0;
  #count = 0;
  #timed = 0;
  #composed = 0;
  #start = 0;
  #duration = 0;
  /** Duration of the last sample, which the next one may still change. */
  #held: number | null = null;
  #allKeys = true;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  get count(): number {
    return this.#count;
  }
  /** Decode time of the next sample, as far as durations are known. */
  get end(): number {
    return this.#start + this.#duration;
  }
  sizes(size: number, times = 1): void {
    this.#allowance.samples(times);
    this.#count += times;
    this.#sizes.push(size, times);
  }

  /** No more than there are samples: what tables say beyond that is about nothing. */
  durations(duration: number, times = 1): void {
    const taken = Math.min(times, this.#count - this.#timed);
    if (taken < 1) return;
    this.#giveHeld();
    this.#timed += taken;
    this.#duration += duration * taken;
    this.#durations.push(duration, taken - 1);
    this.#held = duration;
    this.#checkTimes();
  }

  /**
   * The next sample is decoded at this time. A gap makes the sample before it longer and an overlap makes it shorter,
   * so that decode times and durations always agree.
   */
  continueAt(time: number): void {
    if (this.#count === 0) {
      this.#start = time;
      return;
    }
    const gap = time - this.end;
    if (gap === 0) return;
    if (this.#held === null || this.#held + gap < 0) throw new Mp4Error('unsupported', `decode times go back from ${this.end} to ${time}`);
    this.#held += gap;
    this.#duration += gap;
    this.#checkTimes();
  }

  #giveHeld(): void {
    if (this.#held !== null) this.#durations.push(this.#held);
    this.#held = null;
  }

  #checkTimes(): void {
    if ((this.#held ?? 0) > 0x7fff_ffff) throw new Mp4Error('invalid', `a sample of ${this.#held} ticks`);
    if (!Number.isSafeInteger(this.end)) throw new Mp4Error('invalid', `decode times reach ${this.end}`);
  }

  compositionOffsets(offset: number, times = 1): void {
    const taken = Math.min(times, this.#count - this.#composed);
    this.#composed += taken;
    this.#offsets.push(offset, taken);
  }

  chunk(offset: number, samples: number): void {
    const taken = Math.min(samples, this.#count - this.#inChunks);
    if (taken < 1) return;
    this.#inChunk.push(taken);
    this.#chunks.push(offset);
    this.#inChunks += taken;
    if (offset > this.#furthest) this.#furthest = offset;
  }

  /** Whether the samples [from, from + times) are keys; asked for in rising order. Samples are, unless this says no. */
  keys(from: number, times: number, key: boolean): void {
    if (!key && this.#allKeys && times > 0) {
      this.#allKeys = false;
      for (let i = 0; i < from; i += 1) this.#keys.push(i);
    }
    if (key && !this.#allKeys) for (let i = 0; i < times; i += 1) this.#keys.push(from + i);
  }

  async finish(fileSize: number): Promise<SampleTable> {
    const count = this.#count;
    if (this.#timed < count) throw new Mp4Error('invalid', `${count} samples, and durations for ${this.#timed}`);
    if (this.#inChunks < count) throw new Mp4Error('invalid', `${count} samples, and chunks for ${this.#inChunks}`);
    this.#giveHeld();
    const chunkCount = this.#chunks.length;
    const places = this.#chunks.copyTo(this.#furthest < 2 ** 32 ? new Uint32Array(chunkCount) : new Float64Array(chunkCount));
    const chunks: Chunks = { offsets: places, samples: await this.#packed(this.#inChunk) };
    const [sizes, durations] = [await this.#packed(this.#sizes), await this.#packed(this.#durations)];
    const offsets = await this.#packed(this.#offsets);
    const keys = this.#allKeys ? null : this.#keys.copyTo(new Uint32Array(this.#keys.length));
    const parts: Parts = { count, start: this.#start, duration: this.#duration, keys, sizes, durations, offsets, chunks };
    return new PackedTable(parts, await mark(parts, fileSize, this.#allowance));
  }
  /** A column is packed in one go: others have a turn before the next one. */
  async #packed(column: ColumnBuilder): Promise<Column> {
    const packed = column.finish();
    if (this.#allowance.isDue(this.#count)) await this.#allowance.turn();
    return packed;
  }
}

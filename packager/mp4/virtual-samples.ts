/**
 * The samples of one segment as its fragment has them: when each is decoded, how long it lasts, how far behind its decode
 * time it is shown. Pure functions of the rows of the index.
 *
 *     source    dts   0   1   2   3 │ 4 …       a key frame's picture comes two frames after its decoding
 *               pts   2   4   3   5 │ 6 …
 *     segment   dts   2   3   4   5 │ 6 …       decoding begins with the moment that the key frame is shown at:
 *               cts   0  +1  -1   0 │ 0 …       segments follow each other without hole or overlap
 */
import type { SampleColumns } from '../cmaf/fragment.ts';
import type { SampleRows, SampleTable } from './movie.ts';

/** From where in media time a segment reaches to where. */
export type Span = { readonly start: number; readonly end: number };

/** `shift`: what brings composition times of the file to media time. */
export const pictureColumns = (rows: SampleRows, { start, end }: Span, shift: number): SampleColumns => {
  const { count, dts, cts } = rows;
  // Plain arrays: these are small, there are thousands, and typed ones cost more than what is in them.
  const times: number[] = [];
  const first = dts[0] ?? 0;
  for (let index = 0; index < count; index += 1) times.push(start + (dts[index] ?? 0) - first);
  times.push(end);
  // The next key frame may be shown sooner after its decoding than this one was: the last pictures make room, a tick each.
  for (let index = count - 1; index > 0; index -= 1) {
    const latest = (times[index + 1] ?? end) - 1;
    if ((times[index] ?? 0) <= latest) break;
    times[index] = Math.max(start, latest);
  }
  const compositionOffset: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const shown = Math.max(0, (dts[index] ?? 0) + (cts[index] ?? 0) + shift);
    compositionOffset.push(shown - (times[index] ?? 0));
  }
  return columns(rows, times, compositionOffset);
};

/** Sound is decoded when it is heard. */
export const soundColumns = (rows: SampleRows, { start, end }: Span, shift: number): SampleColumns => {
  const { count, dts, cts } = rows;
  const times: number[] = [];
  const compositionOffset: number[] = [];
  let last = start;
  for (let index = 0; index < count; index += 1) {
    last = Math.max(last, (dts[index] ?? 0) + (cts[index] ?? 0) + shift);
    times.push(last);
    compositionOffset.push(0);
  }
  times.push(Math.max(last, end));
  return columns(rows, times, compositionOffset);
};

const columns = ({ count, size, key }: SampleRows, times: readonly number[], compositionOffset: readonly number[]): SampleColumns => {
  const duration: number[] = [];
  for (let index = 0; index < count; index += 1) duration.push((times[index + 1] ?? 0) - (times[index] ?? 0));
  return { count, duration, size, key, compositionOffset };
};

/** Bytes [from, to) of the file. */
export type ByteRun = { readonly from: number; to: number };

/** Where samples lie, one run for those that lie together: others in between are read over where that costs less than a read of its own. */
export const byteRuns = ({ count, offset, size }: SampleRows, widestHole: number, longest: number): ByteRun[] => {
  const runs: ByteRun[] = [];
  let last: ByteRun | undefined;
  for (let index = 0; index < count; index += 1) {
    const from = offset[index] ?? 0;
    const to = from + (size[index] ?? 0);
    if (to === from) continue;
    if (last && from >= last.to && from - last.to <= widestHole && to - last.from <= longest) {
      last.to = to;
      continue;
    }
    last = { from, to };
    runs.push(last);
  }
  return runs;
};

const rowsAtOnce = 4096;

/** Samples [from, to) in blocks that are cheap to make. */
export function* blocksOf(table: SampleTable, from: number, to: number): Generator<{ readonly at: number; readonly rows: SampleRows }> {
  for (let at = from; at < to; at += rowsAtOnce) yield { at, rows: table.rows(at, Math.min(to, at + rowsAtOnce)) };
}

/** Samples of one segment after the other, out of the same blocks. */
export class Blocks {
  readonly #table: SampleTable;
  #at = 0;
  #rows: SampleRows | null = null;

  constructor(table: SampleTable) {
    this.#table = table;
  }

  rows(from: number, to: number): SampleRows {
    if (!this.#rows || from < this.#at || to > this.#at + this.#rows.count) {
      this.#at = from;
      this.#rows = this.#table.rows(from, Math.max(to, Math.min(from + rowsAtOnce, this.#table.count)));
    }
    const [begin, end] = [from - this.#at, to - this.#at];
    const { offset, size, dts, cts, duration, key } = this.#rows;
    return {
      count: to - from,
      ...{ offset: offset.subarray(begin, end), size: size.subarray(begin, end), dts: dts.subarray(begin, end) },
      ...{ cts: cts.subarray(begin, end), duration: duration.subarray(begin, end), key: key.subarray(begin, end) },
    };
  }
}

/** Composition time of one sample. */
export const timeOf = (table: SampleTable, index: number): number => {
  const { dts, cts } = table.rows(index, index + 1);
  return (dts[0] ?? 0) + (cts[0] ?? 0);
};

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
  const times = new Float64Array(count + 1);
  const first = dts[0] ?? 0;
  for (let index = 0; index < count; index += 1) times[index] = start + (dts[index] ?? 0) - first;
  times[count] = end;
  // The next key frame may be shown sooner after its decoding than this one was: the last pictures make room, a tick each.
  for (let index = count - 1; index > 0; index -= 1) {
    const latest = (times[index + 1] ?? end) - 1;
    if ((times[index] ?? 0) <= latest) break;
    times[index] = Math.max(start, latest);
  }
  const compositionOffset = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const shown = Math.max(0, (dts[index] ?? 0) + (cts[index] ?? 0) + shift);
    compositionOffset[index] = shown - (times[index] ?? 0);
  }
  return columns(rows, times, compositionOffset);
};

/** Sound is decoded when it is heard. */
export const soundColumns = (rows: SampleRows, { start, end }: Span, shift: number): SampleColumns => {
  const { count, dts, cts } = rows;
  const times = new Float64Array(count + 1);
  let last = start;
  for (let index = 0; index < count; index += 1) {
    last = Math.max(last, (dts[index] ?? 0) + (cts[index] ?? 0) + shift);
    times[index] = last;
  }
  times[count] = Math.max(last, end);
  return columns(rows, times, new Float64Array(count));
};

const columns = ({ count, size, key }: SampleRows, times: Float64Array, compositionOffset: Float64Array): SampleColumns => {
  const duration = new Float64Array(count);
  for (let index = 0; index < count; index += 1) duration[index] = (times[index + 1] ?? 0) - (times[index] ?? 0);
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

/** Composition time of one sample. */
export const timeOf = (table: SampleTable, index: number): number => {
  const { dts, cts } = table.rows(index, index + 1);
  return (dts[0] ?? 0) + (cts[0] ?? 0);
};

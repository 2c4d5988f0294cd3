/**
 * Sound on the grid: a segment has the frames that begin in it, each at its own exact time. What lies ahead of the
 * beginning (priming) is left out; where nothing is heard is a declared hole; what goes on behind the last picture goes
 * into further segments of about the usual length.
 */
import type { Steps } from '../progressive/steps.ts';
import { leastSegmentSeconds, mostSegments, OwnLines, soundSegmentSeconds, type Grid } from './grid.ts';
import { Mp4Error, type MovieAudio, type SampleTable } from './movie.ts';
import { lineAfter, measured, type Cutting, type TrackPlan } from './virtual-plan.ts';
import { blocksOf, timeOf } from './virtual-samples.ts';

export type SoundPlan = TrackPlan & { readonly track: MovieAudio };

type Heard = {
  readonly shift: number;
  /** Samples [from, to). */
  readonly from: number;
  readonly to: number;
  /** Ticks of a frame. */
  readonly usual: number;
  /** Media time at which the last one ends. */
  readonly end: number;
};

const heardOf = ({ edit, samples, id, timescale }: MovieAudio): Heard => {
  if (edit.kind === 'complex') throw new Mp4Error('unsupported', `the edit list of track ${id}: ${edit.why}`);
  const { from: begin, delay, length } = edit;
  const from = firstAt(samples, begin);
  const to = length === null ? samples.count : firstAt(samples, begin + length);
  if (to <= from) throw new Mp4Error('unsupported', `nothing of track ${id} is heard`);
  const shift = delay - begin;
  const usual = samples.rows(from, from + 1).duration[0] || Math.max(1, Math.round(timescale / 40));
  const lasts = samples.rows(to - 1, to).duration[0] || usual;
  return { shift, from, to, usual, end: timeOf(samples, to - 1) + shift + Math.min(lasts, usual) };
};

/** The first sample that begins at this composition time or after it. */
const firstAt = (samples: SampleTable, time: number): number => {
  let low = 0;
  let high = samples.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timeOf(samples, middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The grid of an asset without pictures: about four seconds of whole frames. */
function* soundGrid({ samples, timescale }: MovieAudio, { shift, from, to, usual, end }: Heard): Steps<Grid> {
  const lines = new OwnLines(timescale, soundSegmentSeconds - usual / 2 / timescale);
  for (const { rows } of blocksOf(samples, from, to)) {
    yield;
    for (let index = 0; index < rows.count; index += 1) {
      lines.begins((rows.dts[index] ?? 0) + (rows.cts[index] ?? 0) + shift);
    }
  }
  return lines.finish(end);
}

/** More than two days of sound behind the last picture are a file that lies about its times. */
const mostFurther = 100_000;

/** What is heard after the last picture needs lines of its own. */
const goingOn = (grid: Grid, end: number, timescale: number): Grid => {
  const { starts } = grid;
  const usual = Math.max(leastSegmentSeconds * grid.timescale, (grid.end - (starts[0] ?? 0)) / starts.length);
  const latest = (end * grid.timescale) / timescale - leastSegmentSeconds * grid.timescale;
  if ((latest - grid.end) / usual > mostFurther) throw new Mp4Error('limit', 'sound that goes on for days behind the last picture');
  if ((latest - grid.end) / usual > mostSegments) throw new Mp4Error('limit', 'sound that goes on for ever behind the pictures');
  const further: number[] = [];
  for (let line = grid.end; line <= latest; line += usual) further.push(line);
  return { ...grid, starts: Float64Array.from([...starts, ...further]) };
};

function* cut(track: MovieAudio, { shift, from, to, usual, end }: Heard, grid: Grid): Steps<Cutting> {
  const { samples, timescale } = track;
  const lines = goingOn(grid, end, timescale);
  const first: number[] = [from];
  const starts: number[] = [];
  let next = 1;
  /** Where the frame before ends. */
  let ended = Math.max(0, Math.ceil(((lines.starts[0] ?? 0) * timescale) / lines.timescale));
  for (const { at, rows } of blocksOf(samples, from, to)) {
    yield;
    for (let index = 0; index < rows.count; index += 1) {
      const time = (rows.dts[index] ?? 0) + (rows.cts[index] ?? 0) + shift;
      const line = lineAfter(lines, time, timescale, next);
      // Segments in which no frame begins lie on the grid.
      for (; next < line; next += 1) {
        if (starts.length < next) starts.push(ended);
        first.push(at + index);
        ended = Math.max(ended, Math.ceil(((lines.starts[next] ?? 0) * timescale) / lines.timescale));
      }
      if (starts.length < next) starts.push(time);
      ended = Math.max(ended, time + Math.min(rows.duration[index] || usual, usual));
    }
  }
  first.push(to);
  starts.push(ended);
  return { track, shift, first: Uint32Array.from(first), starts: Float64Array.from(starts) };
}

/** `on`: the grid of the asset; null: this is the track that it is made of. */
export function* sounds(track: MovieAudio, on: Grid | null): Steps<{ readonly grid: Grid; readonly plan: SoundPlan }> {
  const heard = heardOf(track);
  const grid = on ?? (yield* soundGrid(track, heard));
  return { grid, plan: { ...(yield* measured(yield* cut(track, heard, grid))), track } };
}

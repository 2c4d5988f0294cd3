/**
 * What a track of an uploaded file becomes: which of its samples each segment of the grid has, and how many bytes the
 * fragment is made of, all known from the index and without a look at the media. Work is done in steps: a film has
 * hundreds of thousands of samples, and others are live meanwhile.
 */
import { fragmentHeadSize, type SampleColumns } from '../cmaf/fragment.ts';
import type { Steps } from '../progressive/steps.ts';
import type { Grid } from './grid.ts';
import { Mp4Error, type MovieAudio, type MovieVideo, type SampleRows } from './movie.ts';
import { Blocks, pictureColumns, soundColumns } from './virtual-samples.ts';

export type PlannableTrack = MovieVideo | MovieAudio;

export type TrackPlan = {
  readonly track: PlannableTrack;
  readonly segments: number;
  /** Segment k has the samples [first[k], first[k + 1]) in decoding order; none: nothing is heard in it. */
  readonly first: Uint32Array;
  /** Media time at which each begins; behind the last one: where that ends. */
  readonly starts: Float64Array;
  /** Bytes of each fragment; 0 where there are no samples. */
  readonly sizes: Uint32Array;
  /** Bytes of the file between which its samples lie. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
  /** Brings composition times of the file to media time. */
  readonly shift: number;
  /** How far a picture's decode time lies behind its presentation time at the most. */
  readonly reorderDelay: number;
};

/** What has been decided of a track before its segments are measured. */
export type Cutting = Pick<TrackPlan, 'track' | 'first' | 'starts' | 'shift'>;

/** Readers of fragments take no more. */
const mostSamples = 65_536;
/**
 * A segment is put together in memory for whoever asks, and dozens may ask at once for segments that all lie in the same
 * few bytes of a file that was made for it. 16 MiB are allowed to a GOP; more than four of them in a segment of two
 * seconds are pictures that no line carries.
 */
const mostBytes = 64 * 1024 * 1024;
const longest = 0xffff_ffff;
/**
 * Nothing that is sent here is shown two months after it began. A file may say so all the same, and up to 285,000 years:
 * no date can be told of that, and no player counts so far.
 */
const latestSeconds = 60 * 86_400;

/** Memory that a plan holds. */
export const weightOf = ({ first, starts, sizes, lows, highs }: TrackPlan): number =>
  [first, starts, sizes, lows, highs].reduce((sum, { byteLength }) => sum + byteLength, 0);

type Placed = Pick<TrackPlan, 'track' | 'starts' | 'shift'>;

/** The rows of segment `index` as its fragment says them. */
export const columnsOf = ({ track, starts, shift }: Placed, index: number, rows: SampleRows): SampleColumns => {
  const span = { start: starts[index] ?? 0, end: starts[index + 1] ?? 0 };
  return track.kind === 'video' ? pictureColumns(rows, span, shift) : soundColumns(rows, span, shift);
};

const stepSegments = 16;

export function* measured(cutting: Cutting): Steps<TrackPlan> {
  const { track, first } = cutting;
  const segments = first.length - 1;
  const end = (cutting.starts[segments] ?? 0) / track.timescale;
  if (end > latestSeconds) throw new Mp4Error('unsupported', `track ${track.id} ends after ${Math.round(end / 86_400)} days`);
  const sizes = new Uint32Array(segments);
  const lows = new Float64Array(segments);
  const highs = new Float64Array(segments);
  const blocks = new Blocks(track.samples);
  let lowest = 0;
  for (let index = 0; index < segments; index += 1) {
    if (index % stepSegments === 0) yield;
    const from = first[index] ?? 0;
    const to = first[index + 1] ?? from;
    if (to === from) continue;
    if (to - from > mostSamples) throw new Mp4Error('limit', `${to - from} samples in one segment of track ${track.id}`);
    const rows = blocks.rows(from, to);
    const columns = columnsOf(cutting, index, rows);
    check(columns, track);
    let bytes = 0;
    let low = Infinity;
    let high = 0;
    for (let sample = 0; sample < rows.count; sample += 1) {
      const size = rows.size[sample] ?? 0;
      const offset = rows.offset[sample] ?? 0;
      bytes += size;
      low = Math.min(low, offset);
      high = Math.max(high, offset + size);
      lowest = Math.min(lowest, columns.compositionOffset[sample] ?? 0);
    }
    if (bytes > mostBytes) throw new Mp4Error('limit', `${bytes} bytes in one segment of track ${track.id}`);
    sizes[index] = fragmentHeadSize(track.kind, columns) + bytes;
    lows[index] = low;
    highs[index] = high;
  }
  return { ...cutting, segments, sizes, lows, highs, reorderDelay: -lowest };
}

const check = ({ count, duration, compositionOffset }: SampleColumns, { id }: PlannableTrack): void => {
  for (let index = 0; index < count; index += 1) {
    const ticks = duration[index] ?? 0;
    const offset = compositionOffset[index] ?? 0;
    if (ticks > longest || offset !== (offset | 0)) throw new Mp4Error('unsupported', `a sample of track ${id} that no fragment can say the time of`);
  }
};

/** The first line of the grid that lies behind this moment of a track. */
export const lineAfter = ({ timescale, starts }: Grid, time: number, trackTimescale: number, from: number): number => {
  let line = from;
  while (line < starts.length && (starts[line] ?? 0) * trackTimescale <= time * timescale) line += 1;
  return line;
};

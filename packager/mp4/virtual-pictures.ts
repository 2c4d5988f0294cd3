/**
 * Pictures on the grid: a segment has the samples from one key frame of the grid to the next, and lasts from the moment
 * that the one is shown at to that of the other. What is shown is what the edit list says, no picture more or less.
 */
import type { Steps } from '../progressive/steps.ts';
import { CodecError } from '../media/codec-error.ts';
import { parseAvcConfig } from '../media/h264.ts';
import { parseHevcConfig } from '../media/hevc-config.ts';
import { GivenLines, OwnLines, type Grid, type Lines } from './grid.ts';
import { Mp4Error, type MovieVideo } from './movie.ts';
import { measured, type TrackPlan } from './virtual-plan.ts';
import { blocksOf } from './virtual-samples.ts';

export type PicturePlan = TrackPlan & { readonly track: MovieVideo };

type Shown = {
  readonly shift: number;
  /** Samples that segments begin with, and the media time of their pictures. */
  readonly first: readonly number[];
  readonly starts: readonly number[];
  /** Behind the last sample that is needed. */
  readonly to: number;
  readonly end: number;
};

/** A picture that lasts no time is shown for as long as those before it, or for so long. */
const unknownSeconds = 1 / 25;

function* shownOf(track: MovieVideo, lines: Lines): Steps<Shown> {
  const { edit, samples, id, timescale } = track;
  if (edit.kind === 'complex') throw new Mp4Error('unsupported', `the edit list of track ${id}: ${edit.why}`);
  const { from, delay } = edit;
  const until = edit.length === null ? Infinity : from + edit.length;
  const shift = delay - from;
  const first: number[] = [];
  const starts: number[] = [];
  let lastKey = -1;
  let usual = Math.round(unknownSeconds * timescale);
  let latest = -1;
  let reached = 0;
  let to = 0;
  let end = 0;
  for (const { at, rows } of blocksOf(samples, 0, samples.count)) {
    yield;
    for (let index = 0; index < rows.count; index += 1) {
      const time = (rows.dts[index] ?? 0) + (rows.cts[index] ?? 0);
      const lasts = rows.duration[index] || usual;
      usual = lasts;
      if (lastKey < 0 && !(rows.key[index] && time + lasts > from)) {
        if (time >= from) throw new Mp4Error('unsupported', `what is shown of track ${id} does not begin with a key frame`);
        continue;
      }
      const media = Math.max(0, time + shift);
      if (rows.key[index] && time < until) {
        if (media <= latest) throw new Mp4Error('unsupported', `track ${id} shows a picture after the key frame that it was decoded before`);
        lastKey = media;
        if (lines.begins(media)) {
          first.push(at + index);
          starts.push(media);
        }
      }
      if (media < lastKey) throw new Mp4Error('unsupported', `track ${id} shows a picture ahead of the key frame that it follows`);
      latest = Math.max(latest, media);
      reached = Math.max(reached, media + lasts);
      // What comes after the last picture that is shown is needed by none of them.
      if (time >= until) continue;
      to = at + index + 1;
      end = reached;
    }
  }
  if (first.length === 0) throw new Mp4Error('unsupported', `nothing of track ${id} is shown`);
  return { shift, first, starts, to, end };
}

/**
 * Fragments have lengths of four bytes in front of NAL units, and samples are not written anew here: files of old
 * encoders that have shorter ones are remuxed instead.
 */
const mustHaveLength4 = ({ codec, config, id }: MovieVideo): void => {
  try {
    const { lengthSize } = codec === 'hevc' ? parseHevcConfig(config) : parseAvcConfig(config);
    if (lengthSize !== 4) throw new Mp4Error('unsupported', `track ${id} has NAL lengths of ${lengthSize} bytes`);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new Mp4Error('unsupported', `the decoder configuration of track ${id} cannot be read`, { cause: error });
  }
};

/** `on`: the grid of the asset, where this is not the track that it is made of. */
export function* pictures(track: MovieVideo, on: Grid | null): Steps<{ readonly grid: Grid; readonly plan: PicturePlan }> {
  mustHaveLength4(track);
  const lines = on ? new GivenLines(on, track.timescale) : new OwnLines(track.timescale);
  const { shift, to, end, ...begin } = yield* shownOf(track, lines);
  const grid = lines.finish(end);
  const count = grid.starts.length;
  const first = Uint32Array.from([...begin.first.slice(0, count), to]);
  const starts = Float64Array.from([...begin.starts.slice(0, count), end]);
  return { grid, plan: { ...(yield* measured({ track, first, starts, shift })), track } };
}

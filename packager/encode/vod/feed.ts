/**
 * The pictures of a chunk as they are fed to its ffmpeg: in decoding order, each with a stamp that says when it is shown and
 * whether a segment of the rungs begins with it. Stamps rise in the order in which pictures are shown, also where the
 * source says one moment twice: what comes out is told apart by them.
 */
import { stampOf, type RunUp } from './command.ts';
import type { MatchSegment } from './match.ts';
import { picturesFrom, type SourceLog, type Span } from './span.ts';

export type Stamps = {
  readonly segments: readonly MatchSegment[];
  /** Pictures with stamps from this one to that one are wanted; what is not is thrown away when it comes out. */
  readonly wanted: { readonly from: number; readonly to: number };
  readonly runUp: RunUp | null;
  /** Of all that are fed, in the order in which they are shown, with their times. */
  readonly all: readonly { readonly pts: number; readonly stamp: number }[];
};

const ticksPerSecond = 90_000;
/** As many as it takes until its key pictures look as they do later on: less than a fortieth of a chunk. */
const runUpPictures = 20;
/** What lies further apart says little. */
const mostAhead = 20 * 2 * ticksPerSecond;

export const stampsOf = ({ segments, thrown }: Pick<Span, 'segments' | 'thrown'>, timescale: number): Stamps => {
  const first = segments[0]?.pts[0] ?? 0;
  const all: { pts: number; stamp: number }[] = [];
  let last = -1;
  const stamp = (pts: number, key: boolean): number => {
    last = Math.max(last + 1, Math.round(((pts - first) * ticksPerSecond) / timescale));
    const made = stampOf(last, key);
    all.push({ pts, stamp: made });
    return made;
  };
  const matched = segments.map(({ start, end, pts }) => ({ start, end, pts, stamps: pts.map((time, at) => stamp(time, at === 0)) }));
  const behind = thrown.map((time, at) => stamp(time, at === 0));
  const from = all[0]?.stamp ?? 0;
  return { segments: matched, wanted: { from, to: behind[0] ?? Infinity }, runUp: runUpOf(all), all };
};

/** As far ahead as they last; an even number, so that stamps stay as odd as they are. */
const runUpOf = (all: Stamps['all']): RunUp | null => {
  const [first, next] = [all[0], all[runUpPictures]];
  if (!first || !next || all.length < 2 * runUpPictures) return null;
  const ahead = 2 * Math.ceil((next.stamp - first.stamp) / 2);
  return ahead < mostAhead ? { pictures: runUpPictures, ahead, first: first.stamp, next: next.stamp } : null;
};

export type FedPicture = { readonly stamp: number; readonly key: boolean; readonly data: Buffer };

/** `from`: the first fragment of the chunk. */
export async function* pictures(log: SourceLog, from: number, { skipped, count }: Pick<Span, 'skipped' | 'count'>, { all }: Pick<Stamps, 'all'>): AsyncGenerator<FedPicture> {
  // Of each moment the next picture that has it.
  const next = new Map<number, number>();
  for (const [rank, { pts }] of all.entries()) if (!next.has(pts)) next.set(pts, rank);
  let at = 0;
  for await (const { pts, key, data } of picturesFrom(log, from, log.snapshot().end)) {
    if (!skipped.has(at)) {
      const rank = next.get(pts);
      const known = rank === undefined ? undefined : all[rank];
      if (rank === undefined || known?.pts !== pts) throw new RangeError(`The source has a picture at ${pts} that it did not have before.`);
      next.set(pts, rank + 1);
      yield { stamp: known.stamp, key, data };
    }
    at += 1;
    // What follows may be a hole: it is not even read.
    if (at === count) return;
  }
}

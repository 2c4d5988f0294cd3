/**
 * Pictures of a rung come out of its encoder, and become segments with the times of the source. Each of them has to have as
 * many pictures as the source shows in it, with the stamps that they were fed with, and begins with an IDR picture:
 * what does not is a fault, and nothing of it is kept. One segment is held at a time.
 *
 * A damaged source has pictures that no decoder makes anything of: where that is known, the time of one that does not come
 * belongs to the one before it.
 */
import type { Sample } from '../../cmaf/fragment.ts';

/** What a segment of the rung has to be. */
export type MatchSegment = {
  readonly start: number;
  readonly end: number;
  /** Of the source, in the order in which they are shown. */
  readonly pts: readonly number[];
  /** That they were fed with, in the same order: rising. */
  readonly stamps: readonly number[];
};

/** Pictures with stamps from this one to that one; those before come ahead of all others, and those behind after them. */
export type Wanted = { readonly from: number; readonly to: number };

export type MatchedSegment = { readonly index: number; readonly firstPts: number; readonly samples: readonly Sample[] };

export class MatchError extends Error {
  override readonly name = 'MatchError';
}

export type MatchPicture = { readonly stamp: number; readonly idr: boolean; readonly data: Buffer };

/** Of a segment that is held: the highest rate for minutes. An encoder that makes more of it is none of ours. */
const mostBytes = 128 * 2 ** 20;

export class RungMatch {
  readonly #segments: readonly MatchSegment[];
  readonly #wanted: Wanted;
  readonly #emit: (segment: MatchedSegment) => void;
  readonly #mayLose: boolean;
  readonly #lost: number[] = [];
  #index = 0;
  #held: MatchPicture[] = [];
  #heldBytes = 0;
  #count = 0;

  constructor(segments: readonly MatchSegment[], wanted: Wanted, emit: (segment: MatchedSegment) => void, mayLose = false) {
    this.#segments = segments;
    this.#wanted = wanted;
    this.#emit = emit;
    this.#mayLose = mayLose;
  }

  /** Pictures that came, of those that are wanted. */
  get count(): number {
    return this.#count;
  }

  /** Stamps of those that did not come, and need not. */
  get lost(): readonly number[] {
    return this.#lost;
  }

  /** In decoding order. Throws a MatchError. */
  picture(picture: MatchPicture): void {
    const { from, to } = this.#wanted;
    const wanted = picture.stamp >= from && picture.stamp < to;
    if (this.#held.length > 0 && (picture.idr || !wanted)) this.#complete();
    if (!wanted) return;
    const segment = this.#segments[this.#index];
    if (!segment) throw new MatchError('There are more segments than the source has.');
    if (this.#held.length === 0 && !picture.idr) throw new MatchError(`Segment ${this.#index} does not begin with an IDR picture.`);
    if (this.#held.length === segment.pts.length) throw new MatchError(`Segment ${this.#index} has more pictures than the source: ${segment.pts.length}.`);
    this.#heldBytes += picture.data.length;
    if (this.#heldBytes > mostBytes) throw new MatchError(`Segment ${this.#index} has more than ${mostBytes} bytes.`);
    this.#held.push(picture);
    this.#count += 1;
  }

  /** There are no more. Throws a MatchError. */
  end(): void {
    if (this.#held.length > 0) this.#complete();
    if (this.#index < this.#segments.length) throw new MatchError(`There are ${this.#index} segments where the source has ${this.#segments.length}.`);
  }

  #complete(): void {
    const index = this.#index;
    const held = this.#held;
    const segment = this.#mayLose ? this.#without(this.#segments[index], held) : this.#segments[index];
    if (!segment || held.length !== segment.pts.length) throw new MatchError(`Segment ${index} has ${held.length} pictures where the source has ${segment?.pts.length ?? 0}.`);
    // Which of those that are shown each of them is.
    const shown = [...held.keys()].sort((a, b) => (held[a]?.stamp ?? 0) - (held[b]?.stamp ?? 0));
    const places: number[] = [];
    for (const [place, at] of shown.entries()) {
      if (held[at]?.stamp !== segment.stamps[place]) throw new MatchError(`Picture ${place} of segment ${index} has another time than it was given.`);
      places[at] = place;
    }
    this.#held = [];
    this.#heldBytes = 0;
    this.#index += 1;
    this.#emit({ index, firstPts: segment.pts[0] ?? segment.start, samples: samplesOf(segment, held, places) });
  }

  /** As if the source did not show what has not come; but for its first picture, which the segment begins with. */
  #without(segment: MatchSegment | undefined, held: readonly MatchPicture[]): MatchSegment | undefined {
    if (!segment) return undefined;
    const came = new Set(held.map(({ stamp }) => stamp));
    const kept = [...segment.pts.keys()].filter((at) => at === 0 || came.has(segment.stamps[at] ?? 0));
    this.#lost.push(...segment.stamps.filter((stamp, at) => at > 0 && !came.has(stamp)));
    return { ...segment, pts: kept.map((at) => segment.pts[at] ?? 0), stamps: kept.map((at) => segment.stamps[at] ?? 0) };
  }
}

/**
 * The n-th that is decoded has the time of the n-th that is shown: decoding begins with the segment, and keeps the distance
 * that the first picture has to it. What would be decoded behind the end of the segment makes room, a tick each.
 */
const samplesOf = ({ start, end, pts }: MatchSegment, held: readonly MatchPicture[], places: readonly number[]): Sample[] => {
  const times = decodeTimes(pts, start, end);
  return held.map(({ data, idr }, at) => {
    const dts = times[at] ?? start;
    return { duration: (times[at + 1] ?? end) - dts, size: data.length, key: idr, compositionOffset: (pts[places[at] ?? 0] ?? dts) - dts, data };
  });
};

export const decodeTimes = (pts: readonly number[], start: number, end: number): number[] => {
  const shift = (pts[0] ?? start) - start;
  const times: number[] = [];
  for (const time of pts) times.push(times.length === 0 ? start : Math.max((times.at(-1) ?? start) + 1, time - shift));
  for (let at = times.length - 1; at > 0; at -= 1) {
    const latest = (at === times.length - 1 ? end : (times[at + 1] ?? end)) - 1;
    if ((times[at] ?? 0) <= latest) break;
    times[at] = Math.max(start, latest);
  }
  return times;
};

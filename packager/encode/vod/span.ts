/**
 * What a chunk has to become: the pictures of the source that are shown from the key picture of one interval to that of
 * another, in the segments of the rung. All of it stands in the heads of the source's fragments, and is known before the
 * first picture is encoded.
 *
 *     decoded   K·····|·····|K b b·····|K b b         b: shown before the K that they are decoded behind
 *     chunk      [----------------------)             they belong to the interval before: left out at the beginning, and fed
 *                                        K b b        at the end, with the K that they hang on, which is thrown away then
 *
 * Where live had to cut without a key picture, a segment of a rung begins with the picture of the same number: as many are
 * shown before it as the source has decoded.
 */
import { CmafError } from '../../cmaf/cmaf-error.ts';
import { readFragments } from '../../cmaf/reader.ts';
import type { TrackLogReader } from '../../log/types.ts';
import { EncodeError } from '../runs.ts';
import { segmentsOf } from './intervals.ts';

/** What is read of a source. */
export type SourceLog = Pick<TrackLogReader, 'readChecked' | 'snapshot'>;

export type SourcePicture = { readonly pts: number; readonly dts: number; readonly key: boolean; readonly data: Buffer };

/** A segment of a rung: its place is that of the source's, and its pictures are those that are shown in it. */
export type SpanSegment = {
  /** The source's fragment that it begins with. */
  readonly seq: number;
  readonly start: number;
  readonly end: number;
  /** Rising. */
  readonly pts: readonly number[];
};

export type Span = {
  readonly segments: readonly SpanSegment[];
  /** Of what is fed and thrown away when it comes out, rising: shown behind all the others. */
  readonly thrown: readonly number[];
  /** Pictures that are not fed: led up to the first key picture. In decoding order, by their numbers from `from` on. */
  readonly skipped: ReadonlySet<number>;
  /** So many pictures from `from` on are read, in decoding order; those of the last ones lie in the interval behind it. */
  readonly count: number;
  /** Pictures that a decoder has to hold back to show them in order. */
  readonly reorder: number;
};

/** An hour at more than 200 pictures a second: no chunk has so many, and an interval that has is not one of video. */
const mostPictures = 800_000;

const broken = (why: string, cause?: unknown): EncodeError => new EncodeError('encode-failed', why, false, { cause });

/** The pictures of the fragments [from, …), in decoding order, one fragment in memory at a time. */
export async function* picturesFrom(log: SourceLog, from: number, to: number): AsyncGenerator<SourcePicture & { readonly seq: number }> {
  for (let seq = from; seq < to; seq += 1) {
    for (const data of await log.readChecked(seq, seq + 1)) {
      for (const picture of picturesIn(data)) yield { seq, ...picture };
    }
  }
}

export const picturesIn = (bytes: Buffer): SourcePicture[] => {
  try {
    return readFragments(bytes).flatMap(({ baseDecodeTime, samples }) => {
      let dts = baseDecodeTime;
      return samples.map(({ offset, size, cts, key, duration }) => {
        const picture = { pts: dts + cts, dts, key, data: bytes.subarray(offset, offset + size) };
        dts += duration;
        return picture;
      });
    });
  } catch (error) {
    if (!(error instanceof CmafError)) throw error;
    throw broken('A part of the source cannot be read.', error);
  }
};

type Seen = { readonly pts: number; readonly key: boolean; readonly segment: number };

/** `from`, `to`: of whole intervals of one epoch, without a gap. */
export const spanOf = async (log: SourceLog, from: number, to: number): Promise<Span> => {
  const snapshot = log.snapshot();
  if (from < snapshot.first || to > snapshot.end || from >= to) throw broken(`The source has no fragments ${from} to ${to}.`);
  const lines = segmentsOf({ first: from, end: to, entry: snapshot.entry });
  const epoch = lines[0]?.epoch;
  if (lines.some((line) => line.gap || line.epoch !== epoch) || !lines[0]?.key) throw broken('A chunk goes across a gap of the source.');
  const seen: Seen[] = [];
  let segment = 0;
  for await (const { seq, pts, key } of picturesFrom(log, from, to)) {
    while (seq >= (lines[segment]?.to ?? Infinity)) segment += 1;
    seen.push({ pts, key, segment });
    if (seen.length > mostPictures) throw broken(`More than ${mostPictures} pictures without an end of their interval.`);
  }
  const behind = await leading(log, to);
  return spanFrom(lines, seen, behind);
};

type Line = ReturnType<typeof segmentsOf>[number];
/** What is decoded from the next key picture on, up to the last one that is shown before it; none: nothing is, or nothing follows. */
type Behind = { readonly until: number; readonly pts: readonly number[] };

const leading = async (log: SourceLog, to: number): Promise<Behind> => {
  const nothing = { until: Infinity, pts: [] };
  const { end, entry, epochs } = log.snapshot();
  if (to >= end) return nothing;
  const next = entry(to);
  if (next.epoch !== entry(to - 1).epoch || next.gap || !next.key) return nothing;
  const reorder = epochs.find(({ epoch }) => epoch === next.epoch)?.reorderDelay ?? 0;
  const pts: number[] = [];
  let until = Infinity;
  let needed = 0;
  for (let seq = to; seq < end; seq += 1) {
    const { epoch, gap, segmentStart } = entry(seq);
    if (epoch !== next.epoch || gap || (segmentStart && seq > to)) break;
    const [bytes] = await log.readChecked(seq, seq + 1);
    const pictures = bytes ? picturesIn(bytes) : [];
    for (const picture of pictures) {
      if (until === Infinity) until = picture.pts;
      pts.push(picture.pts);
      if (picture.pts < until) needed = pts.length;
    }
    // What is decoded so late is not shown before it.
    if ((pictures.at(-1)?.dts ?? Infinity) > until + reorder) break;
  }
  return { until, pts: pts.slice(0, needed) };
};

const rising = (a: number, b: number): number => a - b;

const spanFrom = (lines: readonly Line[], seen: readonly Seen[], { until, pts: behind }: Behind): Span => {
  // Where intervals begin, by the key picture of their first segment.
  const keys = lines.map(({ key }, segment) => (key ? seen.find((picture) => picture.segment === segment)?.pts : undefined));
  const begin = keys[0];
  if (begin === undefined) throw broken('An interval of the source begins with nothing.');
  const skipped = new Set<number>();
  for (const [index, { pts }] of seen.entries()) if (pts < begin) skipped.add(index);
  const all = [...seen.filter(({ pts }) => pts >= begin).map(({ pts }) => pts), ...behind].sort(rising);
  const kept = all.filter((pts) => pts < until);
  const starts = startsOf(lines, keys, seen, kept);
  const segments = lines.map(({ from, start, end }, index) => ({ seq: from, start, end, pts: kept.slice(starts[index], starts[index + 1] ?? kept.length) }));
  if (segments.some(({ pts }) => pts.length === 0)) throw broken('No picture is shown in one of the segments of the source.');
  return { segments, thrown: all.slice(kept.length), skipped, count: seen.length + behind.length, reorder: reorderOf([...seen.map(({ pts }) => pts), ...behind]) };
};

/** Of each segment, the number of the picture (in the order in which they are shown) that it begins with. */
const startsOf = (lines: readonly Line[], keys: readonly (number | undefined)[], seen: readonly Seen[], kept: readonly number[]): number[] => {
  const starts: number[] = [];
  // In the interval so far: where it begins among those that are shown, and how many of it have been decoded.
  let interval = 0;
  let decoded = 0;
  const counts = lines.map(() => 0);
  const own = lines.map(() => 0);
  let key = -Infinity;
  let at = -1;
  for (const { pts, segment } of seen) {
    if (segment !== at) {
      at = segment;
      key = keys[segment] ?? key;
    }
    counts[segment] = (counts[segment] ?? 0) + 1;
    if (pts >= key) own[segment] = (own[segment] ?? 0) + 1;
  }
  for (const [index] of lines.entries()) {
    const pts = keys[index];
    if (pts !== undefined) {
      interval = lowerBound(kept, pts);
      decoded = 0;
      starts.push(interval);
    } else starts.push(Math.max((starts.at(-1) ?? 0) + 1, interval + decoded));
    decoded += own[index] ?? 0;
  }
  return starts;
};

/** No codec has more of them. */
const mostReordered = 16;

/** The most pictures that are decoded ahead of one and shown behind it. */
const reorderOf = (decoded: readonly number[]): number => {
  let most = 0;
  for (const [at, pts] of decoded.entries()) {
    let later = 0;
    for (let back = Math.max(0, at - 2 * mostReordered); back < at; back += 1) later += (decoded[back] ?? 0) > pts ? 1 : 0;
    most = Math.max(most, later);
  }
  return Math.min(mostReordered, most);
};

const lowerBound = (rising: readonly number[], value: number): number => {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

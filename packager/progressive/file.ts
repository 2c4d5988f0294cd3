/**
 * A progressive MP4 that exists only as a description: the bytes of its head, and behind them the samples of one
 * fragment after the other, as they lie in the logs.
 *
 *     ftyp | moov | mdat header ║ samples of v #0 | samples of a #0 | samples of v #1 | …
 *
 * Any range of it is bytes of the head and ranges of fragments; nothing is copied, and the length is exact.
 */
import { createHash } from 'node:crypto';
import { ascii, box, encode, u32, type Part } from '../cmaf/box.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { readHead } from './fragment-head.ts';
import { movieOf, type Chunk } from './moov.ts';
import type { PlannedFragment, ProgressivePlan } from './plan.ts';
import { ProgressiveError } from './progressive-error.ts';
import { toTheEnd, type Steps } from './steps.ts';
import { SampleTable } from './sample-table.ts';

export type FilePiece =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Bytes [from, to) of a fragment of the track's log. */
  | { readonly kind: 'fragment'; readonly track: string; readonly seq: number; readonly size: number; readonly from: number; readonly to: number };

export type ProgressiveFile = {
  readonly length: number;
  /** Of the head, which says where every sample lies: the same plan gives the same. */
  readonly etag: string;
  /** Memory that the description takes: for whoever keeps it. */
  readonly cost: number;
  /** What bytes [from, to) of the file are. */
  readonly pieces: (from: number, to: number) => Iterable<FilePiece>;
};

/** Takes the heads of all fragments of a plan, in the plan's order, and describes the file. */
export class ProgressiveBuilder {
  readonly #plan: ProgressivePlan;
  readonly #tables: SampleTable[];
  readonly #chunks: Chunk[][];
  /** Where the samples of each fragment begin in the fragment, and in the media of the file. */
  readonly #froms: Uint32Array;
  readonly #starts: Float64Array;
  #added = 0;

  constructor(plan: ProgressivePlan) {
    this.#plan = plan;
    this.#tables = plan.tracks.map(() => new SampleTable());
    this.#chunks = plan.tracks.map(() => []);
    this.#froms = new Uint32Array(plan.fragments.length);
    this.#starts = new Float64Array(plan.fragments.length + 1);
  }

  /** The first bytes of the next fragment of the plan, as far as its moof reaches at least. */
  add(head: Buffer): void {
    const index = this.#added;
    const fragment = this.#plan.fragments[index];
    const table = fragment && this.#tables[fragment.track];
    if (!fragment || !table) throw new RangeError('more fragments than the plan has');
    const rows: number[] = [];
    const { time, from, to } = readFragment(head, fragment, (duration, size, offset, key) => rows.push(duration, size, offset, key ? 1 : 0));
    let at = time;
    for (let row = 0; row < rows.length; row += rowWidth) {
      const [duration = 0, size = 0, offset = 0, key = 0] = rows.slice(row, row + rowWidth);
      table.add(at, duration, size, offset, key === 1);
      at += duration;
    }
    const start = this.#starts[index] ?? 0;
    if (rows.length > 0) this.#chunks[fragment.track]?.push({ samples: rows.length / rowWidth, entry: fragment.entry, at: start });
    this.#froms[index] = from;
    this.#starts[index + 1] = start + to - from;
    this.#added += 1;
  }

  finish(): ProgressiveFile {
    return toTheEnd(this.finishing());
  }

  /** The same in steps: the tables of a night have megabytes. */
  *finishing(): Steps<ProgressiveFile> {
    const { fragments, tracks: planned } = this.#plan;
    if (this.#added < fragments.length) throw new RangeError(`${this.#added} of ${fragments.length} fragments`);
    const tracks = planned.flatMap((plan, index) => {
      const table = this.#tables[index];
      table?.close();
      return table && table.count > 0 ? [{ plan, table, chunks: this.#chunks[index] ?? [] }] : [];
    });
    if (tracks.length === 0) throw new ProgressiveError('empty', 'a file without samples');
    const media = this.#starts[fragments.length] ?? 0;
    const movieAt = yield* movieOf(tracks);
    const dataHeader = mediaHeader(media);
    const headBytes = (wide: boolean): number => fileType.size + movieAt(0, wide).size + (dataHeader.length === 2 ? 8 : 16);
    const wide = headBytes(false) + media > 0xffff_ffff;
    yield;
    const movie = movieAt(headBytes(wide), wide);
    yield;
    const head = encode(fileType, movie, ...dataHeader);
    const digest = createHash('sha256');
    for (let at = 0; at < head.length; at += stepBytes) {
      yield;
      digest.update(head.subarray(at, at + stepBytes));
    }
    return describe(this.#plan, head, `"${digest.digest('base64url').slice(0, 22)}"`, this.#starts, this.#froms);
  }
}

const stepBytes = 1024 * 1024;

/** Duration, size, composition offset, key. */
const rowWidth = 4;

const fileType = box('ftyp', [ascii('isom'), u32(0x200), ascii('isom'), ascii('iso2'), ascii('avc1'), ascii('mp41')]);

/** The size of a box in 32 bits, or as 1 and then in 64 (4.2). */
const mediaHeader = (bytes: number): Part[] => {
  if (bytes + 8 <= 0xffff_ffff) return [u32(bytes + 8), ascii('mdat')];
  return [u32(1), ascii('mdat'), u32(Math.floor((bytes + 16) / 2 ** 32)), u32((bytes + 16) % 2 ** 32)];
};

const readFragment = (head: Buffer, { seq, size }: PlannedFragment, take: Parameters<typeof readHead>[2]): ReturnType<typeof readHead> => {
  try {
    return readHead(head, size, take);
  } catch (error) {
    if (!(error instanceof CmafError)) throw error;
    throw new ProgressiveError('invalid', `fragment ${seq}: ${error.message}`, { cause: error });
  }
};

const describe = ({ tracks, fragments }: ProgressivePlan, head: Buffer, etag: string, starts: Float64Array, froms: Uint32Array): ProgressiveFile => {
  const media = starts[fragments.length] ?? 0;

  /** The last fragment whose samples begin at or before this byte of the media. */
  const fragmentAt = (at: number): number => {
    let low = 0;
    let high = fragments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  };

  const pieces = function* (from: number, to: number): Generator<FilePiece> {
    if (from < head.length && to > from) yield { kind: 'bytes', bytes: head.subarray(from, Math.min(to, head.length)) };
    const begin = Math.max(0, from - head.length);
    const end = Math.min(media, to - head.length);
    if (begin >= end) return;
    for (let index = fragmentAt(begin); index < fragments.length; index += 1) {
      const start = starts[index] ?? 0;
      if (start >= end) return;
      const stop = starts[index + 1] ?? start;
      const fragment = fragments[index];
      const track = fragment && tracks[fragment.track];
      if (!track || stop <= Math.max(begin, start)) continue;
      const inside = froms[index] ?? 0;
      const { seq, size } = fragment;
      yield { kind: 'fragment', track: track.id, seq, size, from: inside + Math.max(0, begin - start), to: inside + Math.min(end, stop) - start };
    }
  };

  return { length: head.length + media, etag, cost: head.length + fragments.length * 100, pieces };
};

/**
 * The way between a progressive file and the logs: reads the heads that its description needs, and the bytes of a
 * range. Memory is bounded by a batch, not by the file.
 */
import { setImmediate } from 'node:timers/promises';
import { headSize } from './fragment-head.ts';
import { ProgressiveBuilder, type FilePiece, type ProgressiveFile } from './file.ts';
import type { PlannedFragment, ProgressivePlan } from './plan.ts';
import { inTurns } from './steps.ts';

/** What of a log is needed here. */
export type FragmentSource = {
  /** Fragments [from, to), whole. */
  read(from: number, to: number): Promise<Buffer[]>;
  /** The first `bytes` bytes of each (all of a shorter one). */
  readHeads(from: number, to: number, bytes: number): Promise<Buffer[]>;
};
export type SourceOf = (track: string) => FragmentSource;

/** Holds the moof of a part of 200 samples. */
const usualHead = 4096;
const headsAtOnce = 256;
const usualBatch = 4 * 1024 * 1024;

/** Runs of fragments that lie together in a log, none of more than a batch (or one fragment). */
type Run = { readonly track: string; readonly from: number; to: number; size: number };

const appendTo = (runs: Run[], track: string, seq: number, size: number, most: number): void => {
  const last = runs.findLast((run) => run.track === track);
  if (last && seq === last.to && last.size + size <= most) {
    last.to += 1;
    last.size += size;
  } else {
    runs.push({ track, from: seq, to: seq + 1, size });
  }
};

/** One pass over the heads of all fragments of the plan. The result is worth keeping: it does not change. */
export const openProgressive = async (plan: ProgressivePlan, sourceOf: SourceOf): Promise<ProgressiveFile> => {
  const builder = new ProgressiveBuilder(plan);
  const { fragments, tracks } = plan;
  for (let start = 0; start < fragments.length; ) {
    const batch = fragments.slice(start, start + headsAtOnce);
    const idOf = ({ track }: PlannedFragment): string => tracks[track]?.id ?? '';
    const runs: Run[] = [];
    for (const one of batch) appendTo(runs, idOf(one), one.seq, 0, Infinity);
    const heads = new Map<string, Buffer>();
    for (const { track, from, to } of runs) {
      const source = sourceOf(track);
      for (const [index, head] of (await source.readHeads(from, to, usualHead)).entries()) {
        // A moof of many samples is longer than was guessed.
        const [whole = head] = headSize(head) > head.length ? await source.read(from + index, from + index + 1) : [];
        // A copy of the head alone, so that the media can go.
        heads.set(`${track} ${from + index}`, Buffer.from(whole.subarray(0, headSize(whole))));
      }
    }
    for (const one of batch) builder.add(heads.get(`${idOf(one)} ${one.seq}`) ?? Buffer.alloc(0));
    start += batch.length;
  }
  return inTurns(builder.finishing(), setImmediate);
};

/** Bytes [from, to) of the file, in buffers to be written one after the other; `batchBytes` are read at once. Rejects when the log does. */
export async function* readProgressive(file: ProgressiveFile, sourceOf: SourceOf, from = 0, to = file.length, batchBytes = usualBatch): AsyncGenerator<Buffer> {
  let window: FilePiece[] = [];
  let bytes = 0;
  for (const piece of file.pieces(from, to)) {
    // What is read for a piece is its whole fragment.
    const size = piece.kind === 'bytes' ? 0 : piece.size;
    if (bytes + size > batchBytes && window.length > 0) {
      yield* await readWindow(window, sourceOf, batchBytes);
      window = [];
      bytes = 0;
    }
    window.push(piece);
    bytes += size;
  }
  yield* await readWindow(window, sourceOf, batchBytes);
}

const readWindow = async (window: readonly FilePiece[], sourceOf: SourceOf, batchBytes: number): Promise<Buffer[]> => {
  const runs: Run[] = [];
  for (const piece of window) if (piece.kind === 'fragment') appendTo(runs, piece.track, piece.seq, piece.size, batchBytes);
  const read = await Promise.all(runs.map(({ track, from, to }) => sourceOf(track).read(from, to)));
  const fragments = new Map<string, Buffer>();
  runs.forEach(({ track, from }, index) => read[index]?.forEach((bytes, offset) => fragments.set(`${track} ${from + offset}`, bytes)));
  return window.map((piece) => {
    if (piece.kind === 'bytes') return piece.bytes;
    const bytes = fragments.get(`${piece.track} ${piece.seq}`);
    if (!bytes || bytes.length < piece.to) throw new RangeError(`fragment ${piece.seq} of ${piece.track} is shorter than it was`);
    return bytes.subarray(piece.from, piece.to);
  });
};

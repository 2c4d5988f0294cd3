/**
 * A track of an uploaded file as a track log: one fragment a segment, made when somebody reads it out of a head that is
 * written anew, the same every time, and samples that lie in the file. Nothing is kept but the plan.
 *
 * There are no checksums of an original to check: what the disk gives is what is served.
 */
import { fragmentHead } from '../cmaf/fragment.ts';
import { LogError, type EpochFacts, type FragmentEntry, type LogSnapshot, type TrackLogReader } from '../log/types.ts';
import { Mp4Error, type RangeSource, type SampleRows } from './movie.ts';
import { columnsOf, type TrackPlan } from './virtual-plan.ts';
import { byteRuns, type ByteRun } from './virtual-samples.ts';

/** Reading over the samples of other tracks costs less than a read of its own. */
const widestHole = 65_536;
const longestRun = 4 * 1024 * 1024;
/** Of one fragment, at the same time. */
const readsAtOnce = 4;
/** Heads are asked for by the hundred. */
const widestHoleOfHeads = 4_096;
const headsAtOnce = 8;

export class VirtualTrackLog implements TrackLogReader {
  readonly plan: TrackPlan;
  readonly #source: RangeSource;
  readonly #epochs: readonly EpochFacts[];
  #end: number;
  #closed = false;

  /** `end`: so many segments are there; the rest has not arrived. */
  constructor(plan: TrackPlan, source: RangeSource, epoch: EpochFacts, end = plan.segments) {
    this.plan = plan;
    this.#source = source;
    this.#epochs = [epoch];
    this.#end = end;
  }

  /** More of the file has arrived. */
  reach(end: number): void {
    this.#end = Math.max(this.#end, Math.min(end, this.plan.segments));
  }

  snapshot(): LogSnapshot {
    const end = this.#end;
    return {
      first: 0,
      end,
      epochs: this.#epochs,
      entry: (seq) => {
        if (!Number.isInteger(seq) || seq < 0 || seq >= end) throw outside(seq, end);
        return this.#entry(seq);
      },
    };
  }

  /** One fragment after the other: memory is bounded by the largest of them, beyond what is asked for. */
  read(from: number, to: number): Promise<Buffer[]> {
    return this.#read(from, to, Infinity, widestHole, 1);
  }

  readChecked(from: number, to: number): Promise<Buffer[]> {
    return this.read(from, to);
  }

  readHeads(from: number, to: number, bytes: number): Promise<Buffer[]> {
    return this.#read(from, to, bytes, widestHoleOfHeads, headsAtOnce);
  }

  /** The file is not this reader's: other tracks read it too. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  #entry(seq: number): FragmentEntry {
    const { starts, sizes } = this.plan;
    const dts = starts[seq] ?? 0;
    const size = sizes[seq] ?? 0;
    // The first picture of a segment is shown when the segment begins.
    return { seq, epoch: 0, dts, firstPts: dts, duration: (starts[seq + 1] ?? dts) - dts, size, key: true, segmentStart: true, gap: size === 0, volatile: false };
  }

  async #read(from: number, to: number, bytes: number, hole: number, atOnce: number): Promise<Buffer[]> {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from > to) throw new RangeError(`no range: ${from} to ${to}`);
    const out: Buffer[] = [];
    if (from < 0) throw outside(from, this.#end);
    if (to > this.#end) throw outside(to - 1, this.#end);
    if (this.#closed) throw closed();
    for (let seq = from; seq < to; seq += atOnce) {
      const some = Array.from({ length: Math.min(atOnce, to - seq) }, (_, index) => this.#fragment(seq + index, bytes, hole));
      out.push(...(await Promise.all(some)));
    }
    return out;
  }

  /** The first `bytes` bytes of a fragment. */
  async #fragment(seq: number, bytes: number, hole: number): Promise<Buffer> {
    const { track, first, starts, sizes } = this.plan;
    const from = first[seq] ?? 0;
    const to = first[seq + 1] ?? from;
    const size = sizes[seq] ?? 0;
    if (size === 0) return Buffer.alloc(0);
    const rows = track.samples.rows(from, to);
    const samples = columnsOf(this.plan, seq, rows);
    const head = fragmentHead({ sequence: seq + 1, baseDecodeTime: starts[seq] ?? 0, kind: track.kind, samples });
    const length = Math.min(size, bytes);
    // Memory of its own: nothing that is kept of it keeps more.
    const out = Buffer.allocUnsafeSlow(length);
    head.copy(out);
    if (length > head.length) await this.#fill(out, head.length, rows, hole);
    return out;
  }

  /** Puts the samples' bytes one after the other, as far as there is room for them. */
  async #fill(out: Buffer, start: number, rows: SampleRows, hole: number): Promise<void> {
    const needed = headOf(rows, out.length - start);
    const runs = byteRuns(needed, hole, longestRun);
    const places = placesOf(needed, runs, start);
    for (let at = 0; at < runs.length; at += readsAtOnce) {
      await Promise.all(
        runs.slice(at, at + readsAtOnce).map(async (run, index) => {
          const data = await this.#bytes(run);
          for (const { offset, size, target } of places[at + index] ?? []) data.copy(out, target, offset - run.from, offset - run.from + size);
        }),
      );
    }
  }

  async #bytes({ from, to }: ByteRun): Promise<Buffer> {
    if (this.#closed) throw closed();
    try {
      return await this.#source.read(from, to - from);
    } catch (error) {
      throw asLogError(error, from, to);
    }
  }
}

type Place = { readonly offset: number; readonly size: number; readonly target: number };

/** Which samples lie in each run, and where they go. Runs are made in the order of the samples. */
const placesOf = ({ count, offset, size }: SampleRows, runs: readonly ByteRun[], start: number): Place[][] => {
  const places: Place[][] = runs.map(() => []);
  let run = 0;
  let target = start;
  for (let index = 0; index < count; index += 1) {
    const bytes = size[index] ?? 0;
    const from = offset[index] ?? 0;
    if (bytes === 0) continue;
    while (run < runs.length - 1 && !(from >= (runs[run]?.from ?? 0) && from + bytes <= (runs[run]?.to ?? 0))) run += 1;
    places[run]?.push({ offset: from, size: bytes, target });
    target += bytes;
  }
  return places;
};

/** The samples, and of the last one the part, that the first `bytes` bytes of their media are made of. */
const headOf = (rows: SampleRows, bytes: number): SampleRows => {
  let left = bytes;
  let count = 0;
  const size = rows.size.slice();
  while (count < rows.count && left > 0) {
    size[count] = Math.min(size[count] ?? 0, left);
    left -= size[count] ?? 0;
    count += 1;
  }
  return { ...rows, count, size };
};

const outside = (seq: number, end: number): LogError => new LogError(seq < 0 ? 'gone' : 'not-yet', `fragment ${seq} is not there; the log ends at ${end}`);
const closed = (): LogError => new LogError('closed', 'the log has been closed');

const asLogError = (error: unknown, from: number, to: number): LogError => {
  const what = `bytes ${from} to ${to} of the original`;
  if (!(error instanceof Mp4Error)) return error instanceof LogError ? error : new LogError('io', what, { cause: error });
  return new LogError(error.code === 'not-yet' ? 'not-yet' : 'corrupt', `${what}: ${error.message}`, { cause: error });
};

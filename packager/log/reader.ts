/** Reads fragments out of the extents, one disk read for all that lie together, and out of memory what waits there. */
import { crc32 } from 'node:zlib';
import type { ExtentFiles } from './extent-files.ts';
import { asLogError } from './faults.ts';
import type { OnFault } from './faults.ts';
import { recordBytes } from './record.ts';
import { outside } from './table.ts';
import type { FragmentTable } from './table.ts';
import { LogError } from './types.ts';
import type { EpochFacts, LogSnapshot, TrackLogReader } from './types.ts';

/** What the reader sees of the log; the writer's part of it changes under its hands. */
export type LogView = {
  readonly table: FragmentTable;
  readonly files: ExtentFiles;
  readonly epochs: () => readonly EpochFacts[];
  /** One past the last fragment that has been announced. */
  readonly end: () => number;
  /** Bytes of a fragment that is not on the disk (yet). */
  readonly waiting: (seq: number) => readonly Buffer[] | null;
  readonly onFault: OnFault;
};

/** Fragments that lie together in one extent, at most this far apart (the facts of an epoch may lie between). */
type Run = { readonly extent: number; readonly seqs: number[]; readonly from: number; to: number };
const widestGap = 65_536;
const longestRun = 16 * 1024 * 1024;
/** Between two heads lies the media of one: reading over less than this is cheaper than a read of its own. */
const widestGapOfHeads = 16_384;
const longestRunOfHeads = 1024 * 1024;

/** What is wanted of each fragment: all of it, or its first bytes. */
type Wanted = { readonly bytes: number; readonly gap: number; readonly longest: number; readonly check: boolean };
const whole = { bytes: Infinity, gap: widestGap, longest: longestRun } as const;

export class ExtentReader implements TrackLogReader {
  readonly #view: LogView;
  #closed = false;

  constructor(view: LogView) {
    this.#view = view;
  }

  snapshot(): LogSnapshot {
    return this.#view.table.snapshot(this.#view.end(), this.#view.epochs());
  }

  read(from: number, to: number): Promise<Buffer[]> {
    return this.#read(from, to, { ...whole, check: false });
  }

  readChecked(from: number, to: number): Promise<Buffer[]> {
    return this.#read(from, to, { ...whole, check: true });
  }

  readHeads(from: number, to: number, bytes: number): Promise<Buffer[]> {
    return this.#read(from, to, { bytes, gap: widestGapOfHeads, longest: longestRunOfHeads, check: false });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#view.files.closeAll();
  }

  async #read(from: number, to: number, wanted: Wanted): Promise<Buffer[]> {
    if (this.#closed) throw new LogError('closed', 'the log has been closed');
    const { table } = this.#view;
    const end = this.#view.end();
    if (!Number.isInteger(from) || !Number.isInteger(to) || from > to) throw new RangeError(`no range: ${from} to ${to}`);
    if (from < table.first) throw outside(from, table.first, end);
    if (to > end) throw outside(to - 1, table.first, end);
    const out: Buffer[] = Array.from({ length: to - from }, () => empty);
    const runs: Run[] = [];
    // Everything that the table says is taken before the first wait: it may change during one.
    for (let seq = from; seq < to; seq++) {
      const held = this.#held(seq);
      if (held) out[seq - from] = held.subarray(0, wanted.bytes);
      else this.#plan(runs, seq, wanted);
    }
    const sizes = runs.map((run) => run.seqs.map((seq) => ({ seq, ...table.place(seq), size: table.size(seq), crc: table.crc(seq) })));
    await Promise.all(
      runs.map(async (run, at) => {
        const bytes = await this.#readRun(run);
        for (const { seq, offset, size, crc } of sizes[at] ?? []) {
          const start = offset + recordBytes - run.from;
          const length = Math.min(size, wanted.bytes);
          const data = bytes.subarray(start, start + length);
          if (data.length !== length) throw new LogError('corrupt', `extent ${run.extent} ends within fragment ${seq}`);
          if (wanted.check && crc32(data) !== crc) throw this.#damaged(seq, crc);
          out[seq - from] = data;
        }
      }),
    );
    return out;
  }

  /** The bytes of a fragment for which the disk need not be asked, or null. */
  #held(seq: number): Buffer | null {
    const { table } = this.#view;
    const state = table.state(seq);
    if (state === 'quarantined') throw new LogError('corrupt', `fragment ${seq} is damaged`);
    if (state === 'dropped' || table.lost(seq)) throw new LogError('gone', `fragment ${seq} was held in memory only`);
    if (state === 'waiting') return joined(this.#view.waiting(seq) ?? []);
    return table.size(seq) === 0 ? empty : null;
  }

  #plan(runs: Run[], seq: number, wanted: Wanted): void {
    const { extent, offset } = this.#view.table.place(seq);
    const from = offset + recordBytes;
    const to = from + Math.min(this.#view.table.size(seq), wanted.bytes);
    const last = runs.at(-1);
    if (last && last.extent === extent && from >= last.to && from - last.to <= wanted.gap && to - last.from <= wanted.longest) {
      last.seqs.push(seq);
      last.to = to;
    } else {
      runs.push({ extent, seqs: [seq], from, to });
    }
  }

  async #readRun(run: Run): Promise<Buffer> {
    try {
      return await this.#view.files.use(run.extent, (file) => file.read(run.from, run.to - run.from));
    } catch (error) {
      throw asLogError(error, `extent ${run.extent}`);
    }
  }

  #damaged(seq: number, crc: number): LogError {
    const { table, onFault } = this.#view;
    // Trimmed, or closed and begun anew, while the read was on its way: nothing to mark.
    if (seq >= table.first && seq < table.end && table.crc(seq) === crc) table.setState(seq, 'quarantined');
    onFault({ kind: 'corrupt', message: `fragment ${seq} is damaged` });
    return new LogError('corrupt', `fragment ${seq} is damaged`);
  }
}

const empty = Buffer.alloc(0);
const joined = (data: readonly Buffer[]): Buffer => (data.length === 1 ? (data[0] ?? empty) : Buffer.concat(data));

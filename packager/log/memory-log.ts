/** A track log that lives in memory: for tests of what stands on a log. It passes the same conformance suite. */
import { LogError, type EpochFacts, type FragmentEntry, type FragmentFacts, type LogSnapshot, type LogStats, type TrackLogReader, type TrackLogWriter } from './types.ts';

export class MemoryLog implements TrackLogWriter, TrackLogReader {
  readonly reader: TrackLogReader = this;
  readonly #entries: FragmentEntry[] = [];
  readonly #data: Buffer[] = [];
  readonly #epochs: EpochFacts[] = [];
  #first = 0;
  #closed = false;

  async beginEpoch(facts: EpochFacts): Promise<void> {
    const last = this.#epochs.at(-1);
    if (last && facts.epoch <= last.epoch) throw new LogError('out-of-order', `epoch ${facts.epoch} after ${last.epoch}`);
    this.#epochs.push(facts);
  }

  async append(facts: FragmentFacts, data: readonly Buffer[]): Promise<FragmentEntry> {
    if (this.#closed) throw new LogError('closed', 'the log is closed');
    const epoch = this.#epochs.at(-1)?.epoch;
    if (epoch === undefined) throw new LogError('out-of-order', 'a fragment before its epoch');
    const bytes = Buffer.concat(data);
    const entry = { ...facts, seq: this.#entries.length, epoch, size: bytes.length, volatile: false };
    this.#entries.push(entry);
    this.#data.push(bytes);
    return entry;
  }

  snapshot(): LogSnapshot {
    const first = this.#first;
    const end = this.#entries.length;
    return {
      first,
      end,
      epochs: this.#epochs.slice(),
      entry: (seq) => {
        const entry = seq >= first && seq < end ? this.#entries[seq] : undefined;
        if (!entry) throw new LogError('gone', `fragment ${seq} is not in the log`);
        return entry;
      },
    };
  }

  async read(from: number, to: number): Promise<Buffer[]> {
    if (from < this.#first) throw new LogError('gone', `fragment ${from} has been trimmed`);
    if (to > this.#data.length) throw new LogError('not-yet', `fragment ${to - 1} is not there yet`);
    return this.#data.slice(from, to);
  }

  readChecked(from: number, to: number): Promise<Buffer[]> {
    return this.read(from, to);
  }

  async sync(): Promise<void> {}

  async trim(seq: number): Promise<number> {
    this.#first = Math.max(this.#first, Math.min(seq, this.#entries.length));
    return this.#first;
  }

  stats(): LogStats {
    return { bytes: this.#data.reduce((sum, part) => sum + part.length, 0), extents: 1, volatileBytes: 0, failed: false };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

/** A track log that lives in memory: for tests of what stands on a log. It passes the same conformance suite. */
import { LogError, rankOf, withEpoch, type EpochFacts, type FragmentEntry, type FragmentFacts, type LogSnapshot, type LogStats, type TrackLogReader, type TrackLogWriter } from './types.ts';

type Store = { readonly entries: FragmentEntry[]; readonly data: Buffer[]; epochs: readonly EpochFacts[]; first: number };

export class MemoryLog implements TrackLogWriter, TrackLogReader {
  readonly reader: TrackLogReader = this;
  readonly #store: Store;
  #closed = false;

  constructor(store: Store = { entries: [], data: [], epochs: [], first: 0 }) {
    this.#store = store;
  }

  /** The same log, as a later start finds it. */
  reopen(): MemoryLog {
    return new MemoryLog(this.#store);
  }

  async beginEpoch(facts: EpochFacts): Promise<void> {
    this.#refuseWhenClosed();
    const { epochs } = this.#store;
    const last = epochs.at(-1);
    if (last && (facts.epoch < last.epoch || rankOf(facts) <= rankOf(last))) throw new LogError('out-of-order', `epoch ${facts.epoch} after ${last.epoch}`);
    this.#store.epochs = withEpoch(epochs, facts);
  }

  async append(facts: FragmentFacts, data: readonly Buffer[]): Promise<FragmentEntry> {
    this.#refuseWhenClosed();
    const { entries, epochs } = this.#store;
    const epoch = epochs.at(-1)?.epoch;
    if (epoch === undefined) throw new LogError('out-of-order', 'a fragment came before the first epoch');
    if (![facts.dts, facts.firstPts, facts.duration].every(Number.isSafeInteger)) throw new RangeError('times are whole ticks');
    const bytes = Buffer.concat(data);
    if (facts.gap && bytes.length > 0) throw new RangeError('a gap has no bytes');
    const entry = { ...facts, seq: entries.length, epoch, size: bytes.length, volatile: false };
    entries.push(entry);
    this.#store.data.push(bytes);
    return entry;
  }

  async sync(): Promise<void> {}

  async trim(seq: number): Promise<number> {
    const store = this.#store;
    store.first = Math.max(store.first, Math.min(seq, store.entries.length - 1));
    const oldest = store.entries[store.first]?.epoch ?? 0;
    store.epochs = store.epochs.filter(({ epoch }) => epoch >= oldest);
    return store.first;
  }

  stats(): LogStats {
    return { bytes: this.#store.data.reduce((sum, part) => sum + part.length, 0), extents: 1, volatileBytes: 0, failed: false };
  }

  snapshot(): LogSnapshot {
    const { entries, epochs, first } = this.#store;
    const end = entries.length;
    return {
      first,
      end,
      epochs,
      entry: (seq) => {
        const entry = seq >= first && seq < end ? entries[seq] : undefined;
        if (!entry) throw new LogError(seq < first ? 'gone' : 'not-yet', `fragment ${seq} is not in the log`);
        return entry;
      },
    };
  }

  async read(from: number, to: number): Promise<Buffer[]> {
    const { data, first } = this.#store;
    this.#refuseWhenClosed();
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from > to) throw new RangeError(`no range: ${from} to ${to}`);
    if (from < first) throw new LogError('gone', `fragment ${from} has been trimmed`);
    if (to > data.length) throw new LogError('not-yet', `fragment ${to - 1} is not there yet`);
    return data.slice(from, to);
  }

  readChecked(from: number, to: number): Promise<Buffer[]> {
    return this.read(from, to);
  }

  async readHeads(from: number, to: number, bytes: number): Promise<Buffer[]> {
    return (await this.read(from, to)).map((fragment) => fragment.subarray(0, bytes));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new LogError('closed', 'the log is closed');
  }
}

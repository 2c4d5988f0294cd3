/**
 * The writer of one log. Fragments go to the disk in order, one write each, through one queue; and that queue is
 * the volatile store as well: what the disk has not taken within `stallMs` is announced all the same, read from
 * memory, and written when the disk is back. If memory does not last that long, the oldest give up their bytes
 * and a gap record takes their place in the recording.
 *
 *     append ─▶ waiting ──write returned──▶ stored
 *                  │ too slow, or failed: announced as volatile
 *                  └──over volatileBytes──▶ dropped ──disk is back──▶ hole (gap record)
 */
import { crc32 } from 'node:zlib';
import type { Clock } from '../clock.ts';
import type { ExtentFiles } from './extent-files.ts';
import type { ExtentTail } from './extent-tail.ts';
import type { OnFault } from './faults.ts';
import type { IndexWriter } from './index-writer.ts';
import { ExtentReader } from './reader.ts';
import { encodeEpoch, encodeFragment, maxFragmentBytes } from './record.ts';
import type { FragmentTable } from './table.ts';
import { announce, WaitingQueue } from './waiting.ts';
import type { Waiting } from './waiting.ts';
import { LogError, rankOf, withEpoch } from './types.ts';
import type { EpochFacts, FragmentEntry, FragmentFacts, LogStats, TrackLogReader, TrackLogWriter } from './types.ts';

/** A log on disk can be told to stop recording (the disk is nearly full) while live goes on in memory. */
export interface RecordingLog extends TrackLogWriter {
  setRecording(on: boolean): void;
}

export type WriterOptions = {
  readonly clock: Clock;
  readonly logId: Buffer;
  readonly table: FragmentTable;
  readonly epochs: readonly EpochFacts[];
  readonly tail: ExtentTail;
  readonly files: ExtentFiles;
  readonly index: IndexWriter;
  readonly stallMs: number;
  readonly volatileBytes: number;
  readonly syncEveryMs: number;
  readonly onFault: OnFault;
};

/** Between two tries of a disk that failed twice. */
const retryMs = 1000;
/** How long `close` waits for a disk that does not answer. */
const closeMs = 5000;

export class ExtentWriter implements RecordingLog {
  readonly reader: TrackLogReader;
  readonly #options: WriterOptions;
  readonly #table: FragmentTable;
  readonly #queue: WaitingQueue;
  #epochs: readonly EpochFacts[];
  /** One past the last announced fragment. */
  #end: number;
  /** What came before these has its place in an extent. */
  #written: number;
  #writtenEpoch: EpochFacts | null;
  #extent = 0;
  #pumping = false;
  /** The disk takes what it is given; otherwise appends are announced without waiting for it. */
  #healthy = true;
  #recording = true;
  #holes = 0;
  /** A flush has failed: what was written may not last. */
  #unsure = false;
  #closing: Promise<void> | null = null;
  #syncing: Promise<void> = Promise.resolve();
  #cancelSync: (() => void) | null = null;
  #endPause: () => void = () => undefined;
  /** Records taken, and records written: whoever waits for the disk waits for the one to reach the other. */
  #taken = 0;
  #done = 0;
  #onProgress: (() => void)[] = [];
  #onIdle: (() => void)[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#table = options.table;
    this.#queue = new WaitingQueue(options.volatileBytes);
    this.#epochs = options.epochs;
    this.#end = this.#written = options.table.end;
    this.#writtenEpoch = options.epochs.at(-1) ?? null;
    this.reader = new ExtentReader({
      table: options.table,
      files: options.files,
      epochs: () => this.#epochs,
      end: () => this.#end,
      waiting: (seq) => this.#queue.data(seq),
      onFault: options.onFault,
    });
    if (this.#written > 0) this.#armSync();
  }

  async beginEpoch(epoch: EpochFacts): Promise<void> {
    this.#refuseWhenClosed();
    const last = this.#epochs.at(-1);
    if (last && (epoch.epoch < last.epoch || rankOf(epoch) <= rankOf(last))) {
      throw new LogError('out-of-order', `epoch ${epoch.epoch} cannot follow epoch ${last.epoch}`);
    }
    encodeEpoch(this.#options.logId, epoch, 0); // throws for what could not be written later
    this.#epochs = withEpoch(this.#epochs, epoch);
    await new Promise<void>((resolve) => {
      this.#enqueue({ kind: 'epoch', epoch, announced: false, announce: resolve, cancelStall: () => undefined });
    });
  }

  async append(facts: FragmentFacts, data: readonly Buffer[]): Promise<FragmentEntry> {
    this.#refuseWhenClosed();
    const epoch = this.#epochs.at(-1);
    if (!epoch) throw new LogError('out-of-order', 'a fragment came before the first epoch');
    const size = data.reduce((sum, buffer) => sum + buffer.length, 0);
    checkFacts(facts, size);
    const crc = data.reduce((sum, buffer) => crc32(buffer, sum), 0);
    const row = { ...facts, epoch: epoch.epoch, lost: false, size, crc };
    const seq = this.#table.push(row, 'waiting', { extent: 0, offset: 0 });
    return new Promise((resolve) => {
      const announced = () => {
        this.#end = seq + 1;
        resolve(this.#table.entry(seq));
      };
      const waiting = { announced: false, announce: announced, cancelStall: () => undefined, writing: false };
      this.#enqueue({ kind: 'fragment', epoch, seq, facts, size, crc, data, ...waiting });
    });
  }

  sync(): Promise<void> {
    this.#cancelSync?.();
    this.#cancelSync = null;
    const target = this.#taken;
    this.#syncing = this.#syncing.then(async () => {
      while (this.#healthy && this.#done < target) await new Promise<void>((resolve) => this.#onProgress.push(resolve));
      await this.#flush();
    });
    return this.#syncing;
  }

  async trim(seq: number): Promise<number> {
    this.#refuseWhenClosed();
    const { tail } = this.#options;
    const extents = tail.extents;
    for (const [at, extent] of extents.entries()) {
      const next = extents[at + 1];
      if (next === undefined) break;
      const kept = this.#table.firstIn(next, this.#written);
      // The extent of the last fragment stays, so that a restart knows at which number to go on.
      if (kept > seq || kept >= this.#written) break;
      // Readers are told before the file goes.
      this.#table.dropBefore(kept);
      const oldest = this.#table.entry(kept).epoch;
      this.#epochs = this.#epochs.filter((facts) => facts.epoch >= oldest);
      if (!(await tail.remove(extent))) break;
    }
    return this.#table.first;
  }

  stats(): LogStats {
    const { tail } = this.#options;
    return {
      bytes: tail.bytes,
      extents: tail.extents.length,
      volatileBytes: this.#queue.bytes,
      failed: !this.#healthy || this.#unsure || this.#holes > 0,
    };
  }

  setRecording(on: boolean): void {
    this.#recording = on;
    if (on) this.#pump();
    else this.#giveUp();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, tail, index, onFault } = this.#options;
    this.#cancelSync?.();
    const ended = (async () => {
      this.#endPause();
      if (this.#pumping) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
      await this.sync();
      await Promise.all([tail.close(), index.close(), this.reader.close()]);
    })();
    const late = new Promise<'late'>((resolve) => clock.after(closeMs, () => resolve('late')));
    if ((await Promise.race([ended, late])) === 'late') {
      onFault({ kind: 'stall', message: 'the disk did not answer in time; the log is left as it is' });
    }
    this.#recording = false;
    if (this.#queue.length === 0) return;
    onFault({ kind: 'hole', message: `the recording ends ${this.#queue.length} records early` });
    this.#queue.announceAll();
  }

  #enqueue(item: Waiting): void {
    this.#queue.push(item);
    this.#taken++;
    if (this.#healthy) item.cancelStall = this.#options.clock.after(this.#options.stallMs, () => this.#late(item));
    else this.#giveUp();
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping || !this.#recording) return;
    this.#pumping = true;
    void this.#writeQueue().finally(() => this.#resolve(this.#onIdle));
  }

  async #writeQueue(): Promise<void> {
    let failures = 0;
    for (let item = this.#queue.head; item && this.#recording; item = this.#queue.head) {
      try {
        await this.#write(item);
      } catch (error) {
        this.#options.onFault({ kind: 'write', message: 'a record was not written; its extent is sealed', cause: error });
        failures++;
        // Once more at once, in a new extent: it may have been the spot, or the file.
        if (failures === 1) continue;
        this.#giveUp();
        if (this.#closing) break;
        await this.#pause();
        continue;
      }
      failures = 0;
      this.#queue.shift();
      this.#done++;
      announce(item);
      this.#resolve(this.#onProgress);
      this.#armSync();
    }
    // In the same breath as the last look at the queue, or an append in between would wait for ever.
    this.#pumping = false;
    if (this.#queue.length > 0 || !this.#recording) return;
    this.#healthy = true;
  }

  async #write(item: Waiting): Promise<void> {
    const { tail, logId } = this.#options;
    if (item.kind === 'epoch') {
      await tail.write([encodeEpoch(logId, item.epoch, this.#written)], null);
      this.#writtenEpoch = item.epoch;
      return;
    }
    const { data, facts, seq, size, crc } = item;
    const whole = { ...facts, seq, epoch: item.epoch.epoch };
    const { events: _gone, ...empty } = whole;
    const record = data
      ? [encodeFragment(logId, { ...whole, lost: false, size, crc }), ...data]
      : [encodeFragment(logId, { ...empty, lost: true, gap: true, size: 0, crc: 0 })];
    item.writing = true;
    const place = await tail.write(record, encodeEpoch(logId, item.epoch, seq)).finally(() => {
      item.writing = false;
    });
    if (data) this.#table.store(seq, place);
    else this.#table.storeHole(seq, place);
    this.#written = seq + 1;
    // A full extent begins its way to the platter while the next one fills.
    if (place.extent !== this.#extent && this.#options.syncEveryMs > 0) void this.sync();
    this.#extent = place.extent;
  }

  /** It may have been us who were busy, and not the disk: its answers that lie ready come first. */
  #late(item: Waiting): void {
    setImmediate(() => {
      if (item.announced || !this.#healthy) return;
      this.#options.onFault({ kind: 'stall', message: `the disk took longer than ${this.#options.stallMs} ms` });
      this.#giveUp();
    });
  }

  /** Live goes on without the disk, until the queue has become empty again. */
  #giveUp(): void {
    this.#healthy = false;
    this.#queue.announceAll();
    this.#queue.dropOldest((seq) => {
      this.#table.setState(seq, 'dropped');
      this.#holes++;
      this.#options.onFault({ kind: 'hole', message: `fragment ${seq} will be missing from the recording` });
    });
    this.#resolve(this.#onProgress);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(retryMs, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  #resolve(waiters: (() => void)[]): void {
    for (const resolve of waiters.splice(0)) resolve();
  }

  async #flush(): Promise<void> {
    const { tail, index } = this.#options;
    const end = this.#written;
    const written = this.#writtenEpoch;
    const epochs = this.#epochs.flatMap((facts) => (!written || facts.epoch > written.epoch ? [] : [facts.epoch === written.epoch ? written : facts]));
    if (!(await tail.flush())) this.#unsure = true;
    // The index speaks of nothing that may be missing after a power cut: recovery then looks at the extents.
    if (!this.#unsure) await index.write({ table: this.#table, epochs, end });
  }

  #armSync(): void {
    const { clock, syncEveryMs } = this.#options;
    if (syncEveryMs <= 0 || this.#cancelSync || this.#closing) return;
    this.#cancelSync = clock.after(syncEveryMs, () => void this.sync());
  }

  #refuseWhenClosed(): void {
    if (this.#closing) throw new LogError('closed', 'the log has been closed');
  }
}

/** Wrong facts are a mistake of the caller, who has them from its own segmenter, and not of the outside. */
function checkFacts(facts: FragmentFacts, size: number): void {
  if (![facts.dts, facts.firstPts, facts.duration].every(Number.isSafeInteger) || facts.duration < 0) {
    throw new RangeError('times of a fragment are whole ticks');
  }
  if (size > maxFragmentBytes) throw new RangeError(`a fragment of ${size} bytes does not fit into an extent`);
  if (facts.gap && size > 0) throw new RangeError('a gap has no bytes');
}

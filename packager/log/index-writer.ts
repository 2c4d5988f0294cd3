/** Continues the index file, or writes it anew when it cannot be continued. Its failures never concern the log. */
import type { OnFault } from './faults.ts';
import { encodeBatch, indexName } from './index-file.ts';
import { encodeEpoch } from './record.ts';
import type { FragmentTable } from './table.ts';
import { rankOf, type Disk, type DiskFile, type EpochFacts } from './types.ts';

/** What has reached the platter: these epochs, and the rows before `end`. */
export type Flushed = { readonly table: FragmentTable; readonly epochs: readonly EpochFacts[]; readonly end: number };

/** Rows of trimmed fragments that the file may carry along, besides as many as there are live ones. */
const spareRows = 4096;

export class IndexWriter {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #logId: Buffer;
  readonly #onFault: OnFault;
  #file: DiskFile | null = null;
  #bytes = 0;
  #first = 0;
  #end = 0;
  /** Of the last epoch in it (`rankOf`). */
  #rank = -1;

  constructor(disk: Disk, folder: string, logId: Buffer, onFault: OnFault) {
    this.#disk = disk;
    this.#folder = folder;
    this.#logId = logId;
    this.#onFault = onFault;
  }

  /** Recovery found the file to be true up to here. Otherwise it is left alone until it is replaced: it is stale, not wrong. */
  async resume(known: { readonly bytes: number; readonly end: number; readonly rank: number }, first: number): Promise<void> {
    await this.#guard(async () => {
      this.#file = await this.#disk.open(this.#path, 'append');
      this.#bytes = known.bytes;
      this.#end = known.end;
      this.#rank = known.rank;
      this.#first = first;
    });
  }

  async write(flushed: Flushed): Promise<void> {
    await this.#guard(async () => {
      if (flushed.table.first - this.#first > flushed.end - flushed.table.first + spareRows) await this.close();
      if (!this.#file) await this.#replace(flushed);
      else await this.#append(this.#file, flushed);
    });
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  get #path(): string {
    return `${this.#folder}/${indexName}`;
  }

  async #append(file: DiskFile, { table, epochs, end }: Flushed): Promise<void> {
    // Trimming may have passed rows that were never written here.
    if (table.first > this.#end) return this.close();
    const fresh = epochs.filter((facts) => rankOf(facts) > this.#rank);
    if (end === this.#end && fresh.length === 0) return;
    const batch = this.#batch(table, fresh, this.#end, end);
    await file.write(this.#bytes, batch);
    this.#advance(batch, fresh, end);
  }

  async #replace({ table, epochs, end }: Flushed): Promise<void> {
    const draft = `${this.#path}.new`;
    const names = await this.#disk.list(this.#folder);
    if (names.includes(`${indexName}.new`)) await this.#disk.unlink(draft);
    const file = await this.#disk.open(draft, 'create');
    this.#file = file;
    this.#bytes = 0;
    this.#first = table.first;
    const batch = this.#batch(table, epochs, table.first, end);
    await file.write(0, batch);
    await this.#disk.rename(draft, this.#path);
    this.#advance(batch, epochs, end);
  }

  #batch(table: FragmentTable, epochs: readonly EpochFacts[], from: number, to: number): Buffer[] {
    return encodeBatch(this.#logId, {
      firstSeq: from,
      rows: table.rawRows(from, to),
      epochs: epochs.map((facts) => encodeEpoch(this.#logId, facts, to)),
    });
  }

  #advance(batch: readonly Buffer[], epochs: readonly EpochFacts[], end: number): void {
    this.#bytes += batch.reduce((sum, buffer) => sum + buffer.length, 0);
    this.#end = end;
    this.#rank = Math.max(this.#rank, ...epochs.map(rankOf));
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#onFault({ kind: 'index', message: 'the index file was not written; the next flush writes it anew', cause: error });
      await this.close().catch((cause: unknown) => this.#onFault({ kind: 'cleanup', message: 'the index file was not closed', cause }));
    }
  }
}

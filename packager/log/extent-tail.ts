/**
 * Where the log grows. One owner calls `write`, one call at a time, so that there is one append position, and a
 * write that stalls and completes much later lands where it was meant to. A failed write seals the extent: what
 * it left there is behind the last good record, and the next record goes to a new file.
 */
import { dirname } from 'node:path';
import type { ExtentFiles } from './extent-files.ts';
import { codeOf } from './faults.ts';
import type { OnFault } from './faults.ts';
import type { Place } from './table.ts';
import type { Disk, DiskFile } from './types.ts';

export type TailOptions = {
  readonly disk: Disk;
  readonly folder: string;
  readonly files: ExtentFiles;
  readonly extentBytes: number;
  readonly onFault: OnFault;
};

/** Stays open until it has been left for the next one and everything in it is flushed. */
type Extent = { readonly number: number; readonly file: DiskFile; dirty: boolean; flushing: boolean; left: boolean };

export class ExtentTail {
  readonly #options: TailOptions;
  readonly #open = new Set<Extent>();
  /** Bytes in each extent up to the end of its last record. */
  readonly #bytes = new Map<number, number>();
  #current: Extent | null = null;
  #sealed = false;
  #next = 0;
  #offset = 0;
  /** Folders with names in them that are not on the platter yet. */
  #newNames: string[] = [];

  constructor(options: TailOptions) {
    this.#options = options;
    const parent = dirname(options.folder);
    this.#newNames.push(parent, dirname(parent));
  }

  /** An extent from before this writer. When it may hold bytes that were never flushed, the next flush takes it along. */
  async adopt(number: number, bytes: number, unflushed: boolean): Promise<void> {
    this.#bytes.set(number, bytes);
    this.#next = Math.max(this.#next, number + 1);
    if (!unflushed) return;
    const file = await this.#options.disk.open(this.#options.files.path(number), 'append');
    this.#open.add({ number, file, dirty: true, flushing: false, left: true });
  }

  /** Goes on at the end of the newest extent, once its torn tail is cut off. */
  async resume(place: Place, tornBytes: number): Promise<void> {
    const { disk, files } = this.#options;
    const file = await disk.open(files.path(place.extent), 'append');
    const extent: Extent = { number: place.extent, file, dirty: true, flushing: false, left: false };
    this.#open.add(extent);
    try {
      if (tornBytes > 0) await file.truncate(place.offset);
    } catch (error) {
      // The tail stays as it is, behind the last good record; a new extent goes on.
      extent.left = true;
      this.#options.onFault({ kind: 'write', message: `extent ${place.extent} cannot be continued`, cause: error });
      return;
    }
    this.#current = extent;
    this.#offset = place.offset;
  }

  get extents(): number[] {
    return [...this.#bytes.keys()].sort((a, b) => a - b);
  }
  get bytes(): number {
    return [...this.#bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** `preamble` goes in front when this is the first record of a new extent. */
  async write(record: readonly Buffer[], preamble: Buffer | null): Promise<Place> {
    const length = record.reduce((sum, buffer) => sum + buffer.length, 0);
    const full = this.#offset > 0 && this.#offset + length > this.#options.extentBytes;
    const extent = this.#current && !this.#sealed && !full ? this.#current : await this.#roll();
    const start = this.#offset;
    const skip = start === 0 && preamble ? preamble.length : 0;
    try {
      await extent.file.write(start, skip > 0 && preamble ? [preamble, ...record] : record);
    } catch (error) {
      this.#sealed = true;
      throw error;
    }
    this.#offset = start + skip + length;
    this.#bytes.set(extent.number, this.#offset);
    extent.dirty = true;
    return { extent: extent.number, offset: start + skip };
  }

  async #roll(): Promise<Extent> {
    const { disk, folder, files } = this.#options;
    await this.#leave();
    await disk.mkdir(folder);
    const number = this.#next;
    let file: DiskFile;
    try {
      file = await disk.open(files.path(number), 'create');
    } catch (error) {
      if (codeOf(error) === 'EEXIST') this.#next = number + 1;
      throw error;
    }
    const extent: Extent = { number, file, dirty: false, flushing: false, left: false };
    this.#open.add(extent);
    this.#current = extent;
    this.#next = number + 1;
    this.#newNames.push(folder);
    this.#offset = 0;
    this.#sealed = false;
    return extent;
  }

  /** An extent that failed at its very first record is taken away, so that a full disk does not fill up with names. */
  async #leave(): Promise<void> {
    const extent = this.#current;
    if (!extent) return;
    this.#current = null;
    this.#offset = 0;
    extent.left = true;
    this.#settle(extent);
    if (this.#bytes.has(extent.number)) return;
    try {
      await this.#options.disk.unlink(this.#options.files.path(extent.number));
      this.#next = extent.number;
    } catch (error) {
      this.#cleanupFailed(error);
    }
  }

  /** False when the disk could not promise that everything written before the call will last. */
  async flush(): Promise<boolean> {
    let kept = true;
    const fail = (message: string, cause: unknown) => {
      kept = false;
      this.#options.onFault({ kind: 'sync', message, cause });
    };
    for (const extent of [...this.#open].filter((open) => open.dirty)) {
      extent.dirty = false;
      extent.flushing = true;
      try {
        await extent.file.datasync();
      } catch (error) {
        // The kernel reports a failed write-back once and then calls the pages clean: asking again would "succeed".
        if (this.#current === extent) this.#sealed = true;
        if (this.#bytes.has(extent.number)) fail(`extent ${extent.number} may not be on the disk`, error);
      }
      extent.flushing = false;
      this.#settle(extent);
    }
    for (const folder of new Set(this.#newNames.splice(0))) {
      await this.#options.disk.syncFolder(folder).catch((error: unknown) => fail(`${folder} was not flushed`, error));
    }
    return kept;
  }

  /** Unlinks one extent, never the newest; false when it is still there. */
  async remove(number: number): Promise<boolean> {
    const { disk, files } = this.#options;
    files.forget(number);
    try {
      await disk.unlink(files.path(number));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        this.#cleanupFailed(error);
        return false;
      }
    }
    this.#bytes.delete(number);
    for (const extent of [...this.#open].filter((open) => open.number === number)) {
      extent.dirty = false;
      this.#settle(extent);
    }
    return true;
  }

  async close(): Promise<void> {
    this.#current = null;
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map((extent) => this.#close(extent)));
  }

  #settle(extent: Extent): void {
    if (!extent.left || extent.dirty || extent.flushing || !this.#open.delete(extent)) return;
    void this.#close(extent);
  }

  #close(extent: Extent): Promise<void> {
    return extent.file.close().catch((error: unknown) => this.#cleanupFailed(error));
  }

  #cleanupFailed(error: unknown): void {
    this.#options.onFault({ kind: 'cleanup', message: 'an extent could not be closed or unlinked', cause: error });
  }
}

/** The extents of one log by number: their names, and a few open handles for reading. */
import type { Disk, DiskFile } from './types.ts';

const pattern = /^(\d{5,9})\.cmaf$/;
/** Live readers stay in the newest extent, players of a recording in one or two. */
const keptOpen = 4;

export const extentName = (extent: number): string => `${String(extent).padStart(5, '0')}.cmaf`;

/** Numbers of the extents among the names of a folder, rising. */
export function extentNumbers(names: readonly string[]): number[] {
  return names
    .map((name) => pattern.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

type Handle = { file: Promise<DiskFile>; users: number; retired: boolean };

export class ExtentFiles {
  readonly #disk: Disk;
  readonly #folder: string;
  /** In the order of their last use. */
  readonly #handles = new Map<number, Handle>();
  readonly #onFault: (error: unknown) => void;

  constructor(disk: Disk, folder: string, onFault: (error: unknown) => void) {
    this.#disk = disk;
    this.#folder = folder;
    this.#onFault = onFault;
  }

  path(extent: number): string {
    return `${this.#folder}/${extentName(extent)}`;
  }

  /** Runs with the extent open for reading; it stays open until `work` has ended, whatever else happens. */
  async use<T>(extent: number, work: (file: DiskFile) => Promise<T>): Promise<T> {
    const handle = this.#take(extent);
    handle.users++;
    try {
      return await work(await handle.file);
    } finally {
      handle.users--;
      if (handle.retired && handle.users === 0) this.#close(handle);
    }
  }

  /** The extent has been unlinked, or is not wanted any more. */
  forget(extent: number): void {
    const handle = this.#handles.get(extent);
    if (handle) this.#retire(extent, handle);
  }

  closeAll(): void {
    for (const [extent, handle] of this.#handles) this.#retire(extent, handle);
  }

  #take(extent: number): Handle {
    const known = this.#handles.get(extent);
    if (known) {
      this.#handles.delete(extent);
      this.#handles.set(extent, known);
      return known;
    }
    const handle: Handle = { file: this.#disk.open(this.path(extent), 'read'), users: 0, retired: false };
    this.#handles.set(extent, handle);
    // A failed open is not remembered: the next reader tries again.
    handle.file.catch(() => {
      if (this.#handles.get(extent) === handle) this.#handles.delete(extent);
    });
    for (const [other, old] of this.#handles) {
      if (this.#handles.size <= keptOpen) break;
      if (old !== handle) this.#retire(other, old);
    }
    return handle;
  }

  #retire(extent: number, handle: Handle): void {
    this.#handles.delete(extent);
    handle.retired = true;
    if (handle.users === 0) this.#close(handle);
  }

  #close(handle: Handle): void {
    void handle.file.then(
      (file) => file.close().catch(this.#onFault),
      () => undefined, // told to whoever wanted to read
    );
  }
}

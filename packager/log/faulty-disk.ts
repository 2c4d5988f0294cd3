/** A disk that fails when it is told to: the n-th call, or every call while it is `broken`, or that hangs. For tests. */
import type { Disk, DiskFile } from './types.ts';

export type DiskFailure = 'EIO' | 'ENOSPC' | 'short';

export class FaultyDisk implements Disk {
  readonly #disk: Disk;
  /** Calls so far, of every kind but `close` (whose failure could tell nobody anything). */
  calls = 0;
  /** What was called, in order: for tests that count. */
  readonly log: string[] = [];
  #failAt = 0;
  #failure: DiskFailure = 'EIO';
  /** Every call whose name this matches fails while it is set. */
  #broken: { readonly failure: DiskFailure; readonly calls: RegExp } | null = null;
  #gate: { readonly calls: RegExp; readonly open: Promise<void> } | null = null;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The n-th call from now on fails, once. */
  failAt(n: number, failure: DiskFailure): void {
    this.#failAt = this.calls + n;
    this.#failure = failure;
  }
  get failed(): boolean {
    return this.calls >= this.#failAt;
  }
  break(failure: DiskFailure, calls = /./): void {
    this.#broken = { failure, calls };
  }
  repair(): void {
    this.#broken = null;
  }
  /** Calls that match hang until the function that it returns is called; then they go on as if nothing had been. */
  stall(calls: RegExp): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = { calls, open: promise };
    return () => {
      this.#gate = null;
      resolve();
    };
  }

  mkdir(path: string): Promise<void> {
    return this.#call('mkdir', () => this.#disk.mkdir(path));
  }
  list(path: string): Promise<string[]> {
    return this.#call('list', () => this.#disk.list(path));
  }
  open(path: string, mode: 'read' | 'append' | 'create'): Promise<DiskFile> {
    return this.#call(`open ${mode}`, async () => this.#wrap(await this.#disk.open(path, mode)));
  }
  unlink(path: string): Promise<void> {
    return this.#call('unlink', () => this.#disk.unlink(path));
  }
  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', () => this.#disk.rename(from, to));
  }
  syncFolder(path: string): Promise<void> {
    return this.#call('syncFolder', () => this.#disk.syncFolder(path));
  }
  space(path: string): Promise<{ free: number; total: number }> {
    return this.#call('space', () => this.#disk.space(path));
  }

  #wrap(file: DiskFile): DiskFile {
    return {
      size: () => this.#call('size', () => file.size()),
      read: (offset, length) =>
        this.#call('read', () => file.read(offset, length), async () => {
          const bytes = await file.read(offset, length);
          return bytes.subarray(0, bytes.length >> 1);
        }),
      // A short write leaves half of the bytes behind.
      write: (offset, data) =>
        this.#call('write', () => file.write(offset, data), async () => {
          const bytes = Buffer.concat(data);
          await file.write(offset, [bytes.subarray(0, bytes.length >> 1)]);
          throw new Error(`short write at ${offset}`);
        }),
      truncate: (size) => this.#call('truncate', () => file.truncate(size)),
      datasync: () => this.#call('datasync', () => file.datasync()),
      close: () => file.close(),
    };
  }

  async #call<T>(name: string, run: () => Promise<T>, short: () => Promise<T> = run): Promise<T> {
    this.calls++;
    this.log.push(name);
    const once = this.calls === this.#failAt ? this.#failure : null;
    const failure = once ?? (this.#broken?.calls.test(name) ? this.#broken.failure : null);
    if (this.#gate?.calls.test(name)) await this.#gate.open;
    if (failure === 'short') return short();
    if (failure) throw Object.assign(new Error(`${failure}: ${name}`), { code: failure });
    return run();
  }
}

/** A disk in memory, for tests that damage files or fail calls thousands of times. Flushes do nothing. */
import { basename, dirname } from 'node:path';
import type { Disk, DiskFile } from './types.ts';

const failure = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code });

export class MemoryDisk implements Disk {
  /** By path; a test may change them behind the log's back. An open file keeps its own, whatever its name becomes. */
  readonly files = new Map<string, { bytes: Buffer }>();
  readonly #folders = new Set<string>();

  async mkdir(path: string): Promise<void> {
    this.#folders.add(path);
    if (dirname(path) !== path) await this.mkdir(dirname(path));
  }

  async list(path: string): Promise<string[]> {
    if (this.files.has(path)) throw failure('ENOTDIR', path);
    if (!this.#folders.has(path)) throw failure('ENOENT', path);
    return [...this.files.keys(), ...this.#folders].filter((name) => dirname(name) === path && name !== path).map((name) => basename(name));
  }

  async open(path: string, mode: 'read' | 'append' | 'create'): Promise<DiskFile> {
    if (mode === 'create' && this.files.has(path)) throw failure('EEXIST', path);
    if (mode === 'create' && this.#folders.has(dirname(path))) this.files.set(path, { bytes: Buffer.alloc(0) });
    const inode = this.files.get(path);
    if (!inode) throw failure('ENOENT', path);
    return fileOf(inode);
  }

  async unlink(path: string): Promise<void> {
    if (!this.files.delete(path)) throw failure('ENOENT', path);
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.files.get(from);
    if (!inode) throw failure('ENOENT', from);
    this.files.delete(from);
    this.files.set(to, inode);
  }

  async syncFolder(path: string): Promise<void> {
    await this.list(path);
  }

  async space(): Promise<{ free: number; total: number }> {
    return { free: 2 ** 40, total: 2 ** 41 };
  }
}

function fileOf(inode: { bytes: Buffer }): DiskFile {
  const resized = (size: number) => {
    const bytes = Buffer.alloc(size);
    inode.bytes.copy(bytes);
    return bytes;
  };
  return {
    size: async () => inode.bytes.length,
    read: async (offset, length) => Buffer.from(inode.bytes.subarray(offset, offset + length)),
    write: async (offset, data) => {
      const added = Buffer.concat(data);
      inode.bytes = resized(Math.max(inode.bytes.length, offset + added.length));
      added.copy(inode.bytes, offset);
    },
    truncate: async (size) => {
      inode.bytes = resized(size);
    },
    datasync: async () => undefined,
    close: async () => undefined,
  };
}

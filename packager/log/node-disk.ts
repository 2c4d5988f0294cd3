/** The file calls of a log, by node:fs. */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Disk, DiskFile } from './types.ts';

/** Positions are always given: O_APPEND would make Linux ignore them. 'create' refuses a file that is there. */
const flags = {
  read: constants.O_RDONLY,
  append: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
} as const;

/** Linux takes at most 1024 buffers in one call. */
const mostBuffers = 1024;

export const nodeDisk: Disk = {
  mkdir: async (path) => {
    await mkdir(path, { recursive: true });
  },
  list: (path) => readdir(path),
  open: async (path, mode) => new NodeFile(await open(path, flags[mode], 0o640)),
  unlink,
  rename,
  syncFolder: async (path) => {
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  space: async (path) => {
    const { bsize, blocks, bfree, bavail } = await statfs(path);
    // What is reserved for root is neither free nor part of the whole, as in df.
    return { free: bavail * bsize, total: (blocks - bfree + bavail) * bsize };
  },
};

class NodeFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  async write(offset: number, data: readonly Buffer[]): Promise<void> {
    const buffers = data.length > mostBuffers ? [Buffer.concat(data)] : data;
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const { bytesWritten } = await this.#handle.writev(buffers, offset);
    if (bytesWritten !== length) throw new Error(`short write: ${bytesWritten} of ${length} bytes at ${offset}`);
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size);
  }
  datasync(): Promise<void> {
    return this.#handle.datasync();
  }
  close(): Promise<void> {
    return this.#handle.close();
  }
}

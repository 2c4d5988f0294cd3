/** The file calls of uploads, so that a test can make any of them fail. */
import { constants } from 'node:fs';
import { open, readFile, unlink, type FileHandle } from 'node:fs/promises';

export interface UploadDisk {
  /** 'write' makes the file when there is none. Null: there is none to read. */
  open(path: string, mode: 'write'): Promise<UploadFile>;
  open(path: string, mode: 'read'): Promise<UploadFile | null>;
  /** No matter whether it is there. */
  unlink(path: string): Promise<void>;
  /** Makes new names in the folder durable. */
  syncFolder(path: string): Promise<void>;
}

export interface UploadFile {
  size(): Promise<number>;
  /** So many bytes, or fewer at the end of the file. */
  read(at: number, length: number): Promise<Buffer>;
  /** All of it, or a rejection. */
  write(at: number, data: readonly Buffer[]): Promise<void>;
  truncate(size: number): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

async function openFile(path: string, mode: 'write'): Promise<UploadFile>;
async function openFile(path: string, mode: 'read'): Promise<UploadFile | null>;
async function openFile(path: string, mode: 'write' | 'read'): Promise<UploadFile | null> {
  if (mode === 'write') return new NodeFile(await open(path, constants.O_RDWR | constants.O_CREAT, 0o640));
  try {
    return new NodeFile(await open(path, constants.O_RDONLY));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export const nodeFiles: UploadDisk = {
  open: openFile,
  unlink: (path) =>
    unlink(path).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    }),
  syncFolder: async (path) => {
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

class NodeFile implements UploadFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(at: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(bytes, filled, length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  async write(at: number, data: readonly Buffer[]): Promise<void> {
    const length = data.reduce((sum, piece) => sum + piece.length, 0);
    let { bytesWritten: written } = await this.#handle.writev([...data], at);
    // A disk that is about to be full takes some of it; only the rest is told why.
    const rest = written < length ? Buffer.concat(data) : null;
    while (rest && written < length) {
      const { bytesWritten } = await this.#handle.write(rest, written, length - written, at + written);
      if (bytesWritten === 0) throw new Error(`the disk took ${written} of ${length} bytes`);
      written += bytesWritten;
    }
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

/** Another one after every start of the machine; null where the system has none. */
export const readBootId = async (): Promise<string | null> => {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
  } catch {
    return null;
  }
};

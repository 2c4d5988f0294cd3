/**
 * For tests: a disk in memory that behaves as badly as real ones may. What was not synced survives a power cut or not, each
 * sector for itself; so do names whose folder was not synced. Calls can be made to fail, or to wait.
 */
import type { Random } from '../../test/support/random.ts';
import type { UploadDisk, UploadFile } from './files.ts';

type Stored = { durable: Buffer; pending: { readonly at: number; readonly data: Buffer }[]; now: Buffer; named: boolean };

const sector = 512;

const put = (into: Buffer, at: number, data: Buffer): Buffer => {
  const grown = at + data.length > into.length ? Buffer.concat([into, Buffer.alloc(at + data.length - into.length)]) : into;
  data.copy(grown, at);
  return grown;
};

export type Call = { readonly call: 'open' | 'read' | 'write' | 'truncate' | 'datasync' | 'syncFolder' | 'unlink'; readonly path: string };

export class MemoryDisk implements UploadDisk {
  #files = new Map<string, Stored>();
  /** Every call goes through here, ahead of what it does. */
  before: (call: Call) => Promise<void> | void = () => undefined;
  open_ = 0;

  bytes(path: string): Buffer {
    return Buffer.from(this.#files.get(path)?.now ?? Buffer.alloc(0));
  }
  has(path: string): boolean {
    return this.#files.has(path);
  }

  open(path: string, mode: 'write'): Promise<UploadFile>;
  open(path: string, mode: 'read'): Promise<UploadFile | null>;
  async open(path: string, mode: 'write' | 'read'): Promise<UploadFile | null> {
    await this.before({ call: 'open', path });
    let file = this.#files.get(path);
    if (!file && mode === 'read') return null;
    if (!file) this.#files.set(path, (file = { durable: Buffer.alloc(0), pending: [], now: Buffer.alloc(0), named: false }));
    this.open_ += 1;
    return this.#handle(path, file);
  }

  async unlink(path: string): Promise<void> {
    await this.before({ call: 'unlink', path });
    this.#files.delete(path);
  }

  async syncFolder(path: string): Promise<void> {
    await this.before({ call: 'syncFolder', path });
    for (const [name, file] of this.#files) if (name.startsWith(`${path}/`)) file.named = true;
  }

  /** The power goes, and comes back. */
  powerCut(random: Random): void {
    for (const [path, file] of this.#files) {
      if (!file.named && random.below(2) === 0) {
        this.#files.delete(path);
        continue;
      }
      let left: Buffer = Buffer.from(file.durable);
      for (const { at, data } of file.pending) {
        for (let from = 0; from < data.length; ) {
          const to = Math.min(data.length, from + sector - ((at + from) % sector));
          if (random.below(2) === 0) left = put(left, at + from, data.subarray(from, to));
          from = to;
        }
      }
      this.#files.set(path, { durable: left, pending: [], now: Buffer.from(left), named: true });
    }
  }

  #handle(path: string, file: Stored): UploadFile {
    const { before } = { before: (call: Call['call']) => this.before({ call, path }) };
    return {
      size: async () => file.now.length,
      read: async (at, length) => {
        await before('read');
        return Buffer.from(file.now.subarray(at, at + length));
      },
      write: async (at, data) => {
        await before('write');
        const bytes = Buffer.concat(data);
        file.pending.push({ at, data: bytes });
        file.now = put(file.now, at, bytes);
      },
      truncate: async (size) => {
        await before('truncate');
        const change = (was: Buffer): Buffer => (was.length > size ? was.subarray(0, size) : Buffer.concat([was, Buffer.alloc(size - was.length)]));
        file.now = change(file.now);
        file.durable = change(file.durable);
      },
      datasync: async () => {
        await before('datasync');
        file.durable = Buffer.from(file.now);
        file.pending = [];
      },
      close: async () => {
        this.open_ -= 1;
      },
    };
  }
}

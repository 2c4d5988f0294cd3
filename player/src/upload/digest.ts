/**
 * A piece of a file in memory, with its checksum: what is summed up is what is sent, also when the file changes. In a
 * worker; where there is none, in slices of about a millisecond.
 */
import { contentDigest, crcStart, crcUpdate } from './crc32c.ts';

export type Read = { readonly body: ArrayBuffer; readonly digest: string };

export interface Reader {
  /** Throws Unreadable. */
  read(blob: Blob): Promise<Read>;
  close(): void;
}

/** The file has changed since it was chosen, is gone, or its disk is. */
export class Unreadable extends Error {
  constructor(cause: unknown) {
    super(`the file cannot be read: ${String(cause)}`);
    this.name = 'Unreadable';
  }
}

export type WorkerOrder = { readonly id: number; readonly blob: Blob };
export type WorkerAnswer = { readonly id: number } & (Read | { readonly error: string });

const slice = 1024 * 1024;
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

export const sliceReader: Reader = {
  async read(blob) {
    let body: ArrayBuffer;
    try {
      body = await blob.arrayBuffer();
    } catch (error) {
      throw new Unreadable(error);
    }
    let crc = crcStart;
    for (let at = 0; at < body.byteLength; at += slice) {
      if (at > 0) await breathe();
      crc = crcUpdate(crc, new Uint8Array(body, at, Math.min(slice, body.byteLength - at)));
    }
    return { body, digest: contentDigest(crc) };
  },
  close() {},
};

type Pending = { readonly blob: Blob; resolve(read: Read): void; reject(reason: Unreadable): void };

export const workerReader = (): Reader => {
  const pending = new Map<number, Pending>();
  let worker: Worker | null = null;
  let broken = false;
  let count = 0;

  /** It could not be loaded, or died: whatever it owes is done here. */
  const giveUp = (): void => {
    broken = true;
    worker?.terminate();
    worker = null;
    for (const { blob, resolve, reject } of pending.values()) sliceReader.read(blob).then(resolve, reject);
    pending.clear();
  };
  const start = (): Worker | null => {
    try {
      const started = new Worker(new URL('./digest-worker.ts', import.meta.url), { type: 'module' });
      started.addEventListener('error', giveUp);
      started.addEventListener('messageerror', giveUp);
      started.addEventListener('message', (event: MessageEvent<WorkerAnswer>) => {
        const said = event.data;
        const asked = pending.get(said.id);
        pending.delete(said.id);
        if ('error' in said) asked?.reject(new Unreadable(said.error));
        else asked?.resolve({ body: said.body, digest: said.digest });
      });
      return started;
    } catch {
      broken = true;
      return null;
    }
  };
  return {
    read(blob) {
      if (!broken) worker ??= start();
      const reader = worker;
      if (!reader) return sliceReader.read(blob);
      return new Promise((resolve, reject) => {
        const id = count++;
        pending.set(id, { blob, resolve, reject });
        reader.postMessage({ id, blob } satisfies WorkerOrder);
      });
    },
    close() {
      worker?.terminate();
      worker = null;
      for (const { reject } of pending.values()) reject(new Unreadable('closed'));
      pending.clear();
    },
  };
};

/**
 * Digests of what comes, computed in a thread of their own: they are half of what a byte of an upload costs, and the main
 * thread carries what is live. The thread is started when somebody needs it. It reads the memory that the bytes have been
 * gathered in, so nothing is copied or handed over; whoever asks leaves that memory alone until he hears back.
 */
import { Worker } from 'node:worker_threads';
import type { DigestName } from './digest.ts';

export type DigestOrder =
  | { readonly id: number; readonly of: 'start'; readonly name: DigestName }
  | { readonly id: number; readonly of: 'bytes'; readonly shared: SharedArrayBuffer; readonly length: number }
  | { readonly id: number; readonly of: 'value' }
  | { readonly id: number; readonly of: 'drop' };
/** One for each 'bytes' and each 'value'. */
export type DigestWord = { readonly id: number; readonly value: Uint8Array | null };

/** One thing at a time is asked of it. */
export interface RemoteDigest {
  /** The first bytes of this memory. */
  update(shared: SharedArrayBuffer, length: number): Promise<void>;
  /** Of all of it: the last thing that is asked. */
  value(): Promise<Buffer>;
  /** It is not wanted any more. */
  drop(): void;
}

type Waiting = { readonly resolve: (value: Uint8Array | null) => void; readonly reject: (error: unknown) => void };

export class DigestThread {
  #worker: Worker | null = null;
  #waiting = new Map<number, Waiting>();
  #last = 0;

  start(name: DigestName): RemoteDigest {
    const worker = (this.#worker ??= this.#spawn());
    this.#last += 1;
    const id = this.#last;
    const tell = (order: DigestOrder): void => worker.postMessage(order);
    const ask = (order: DigestOrder): Promise<Uint8Array | null> =>
      new Promise((resolve, reject) => {
        if (worker !== this.#worker) return reject(new Error('the thread of the digests has ended'));
        this.#waiting.set(id, { resolve, reject });
        tell(order);
      });
    tell({ id, of: 'start', name });
    return {
      update: async (shared, length) => void (await ask({ id, of: 'bytes', shared, length })),
      value: async () => Buffer.from((await ask({ id, of: 'value' })) ?? []),
      drop: () => tell({ id, of: 'drop' }),
    };
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #spawn(): Worker {
    const worker = new Worker(new URL('./digest-worker.ts', import.meta.url), { name: 'digests', execArgv: [] });
    worker.unref();
    worker.on('message', ({ id, value }: DigestWord) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      waiting?.resolve(value);
    });
    const over = (error: unknown): void => {
      if (this.#worker === worker) this.#worker = null;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on('error', over);
    worker.on('exit', () => over(new Error('the thread of the digests has ended')));
    return worker;
  }
}

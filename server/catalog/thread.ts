/** The main thread's end of the catalog's thread: every order has one reply, and no reply is waited for when the thread is gone. */
import { Worker } from 'node:worker_threads';
import { CatalogError } from './errors.ts';
import { openingId, type Order, type Outcome, type Reply, type Statement, type Step, type WorkerData } from './wire.ts';

type Waiting = { resolve: (value: unknown) => void; reject: (error: Error) => void };
type OrderBody = Order extends infer O ? (O extends Order ? Omit<O, 'id'> : never) : never;

/** More than this waiting means that the machine cannot keep up: refuse, instead of growing. */
const mostWaiting = 20_000;

export class CatalogThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = openingId + 1;
  #gone: CatalogError | null = null;

  private constructor(worker: Worker, onFault: (error: Error) => void) {
    this.#worker = worker;
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (cause) => {
      const error = new CatalogError('closed', `The catalog's thread failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
      this.#end(error);
      onFault(error);
    });
    worker.on('exit', () => this.#end(new CatalogError('closed', 'The catalog is closed.')));
  }

  static async start(data: WorkerData, onFault: (error: Error) => void): Promise<CatalogThread> {
    // Flags that are for the main thread (a test runner's hooks, --eval's) have no business here.
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: data, name: 'catalog', execArgv: [] });
    const thread = new CatalogThread(worker, onFault);
    try {
      await new Promise((resolve, reject) => thread.#waiting.set(openingId, { resolve, reject }));
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    return thread;
  }

  async run(on: 'read' | 'write', statement: Statement): Promise<Outcome> {
    return (await this.#ask({ op: 'run', on, statement })) as Outcome;
  }
  /** All of the steps or none; null when a step that must touch a row touched none. */
  async atomic(steps: readonly Step[]): Promise<Outcome[] | null> {
    return (await this.#ask({ op: 'atomic', steps })) as Outcome[] | null;
  }
  async backup(path: string): Promise<void> {
    await this.#ask({ op: 'backup', path });
  }
  async close(): Promise<void> {
    if (this.#gone) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    // What was ordered before is done before: the thread takes its messages in order, and this has no reply.
    this.#ask({ op: 'close' }).catch(() => undefined);
    await exited;
  }

  #ask(order: OrderBody): Promise<unknown> {
    if (this.#gone) return Promise.reject(this.#gone);
    if (this.#waiting.size >= mostWaiting) return Promise.reject(new CatalogError('busy', 'The catalog has too much to do.'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...order, id });
    });
  }
  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.value);
    else waiting?.reject(new CatalogError(reply.code, reply.message));
  }
  #end(error: CatalogError): void {
    this.#gone ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
  }
}

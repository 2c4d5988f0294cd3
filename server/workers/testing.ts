/** A desk over a catalog of its own, and workers with handlers that do as they are told, for tests. */
import { mkdir } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../packager/clock.ts';
import { createCoreBudget, type CoreBudget } from '../../packager/encode/budget.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { quiet, testCatalog } from '../catalog/testing.ts';
import { workerClasses } from '../jobs/crew.ts';
import type { Job, NewJob } from '../jobs/queue.ts';
import { roomsOf, type Rooms } from '../jobs/room.ts';
import type { JobContext } from '../jobs/runner.ts';
import { WorkersDesk, type DeskOptions } from './desk.ts';
import { LineReader, lineOf } from './lines.ts';
import { protocol, readSaid, type Said } from './wire.ts';
import { Worker, type WorkerOptions } from './worker.ts';

type Test = { teardown(run: () => unknown): void };

export const silent = { ...quiet, debug: () => undefined, fatal: () => undefined };
export const testVersions = { version: '1.2.3', ffmpeg: '7.1' };

export const work = (key: string, change: Partial<NewJob> = {}): NewJob => ({ key, class: 'encode', kind: 'work', payload: { key }, ...change });

/** Waits for something to have come about; whoever makes it come about does so soon. */
export const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
  for (let look = 0; !(await what()); look += 1) {
    if (look > 20_000) throw new Error('it never came about');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

export type Begun = { readonly worker: string; readonly job: Job; readonly context: JobContext; finish(result?: unknown): void; fail(error: unknown): void };

export type TestDesk = {
  readonly desk: WorkersDesk;
  readonly catalog: Catalog;
  readonly folder: string;
  readonly budget: CoreBudget;
  readonly rooms: Rooms;
  /** Jobs that workers have begun, in their order. */
  readonly begun: Begun[];
  readonly died: { readonly key: string; readonly error: unknown }[];
  /** One that has come, and may have begun already. */
  worker(name: string, options?: Partial<WorkerOptions>): Promise<Worker>;
  nth(count: number): Promise<Begun>;
  stateOf(key: string): Promise<string | undefined>;
};

export type TestDeskOptions = Partial<DeskOptions> & { readonly cores?: number; readonly clock?: Clock };

export const testDesk = async (t: Test, { cores = 4, clock = systemClock, ...options }: TestDeskOptions = {}): Promise<TestDesk> => {
  const { catalog, folder } = await testCatalog(t, { clock });
  await mkdir(join(folder, 'jobs'));
  const budget = createCoreBudget(cores);
  const rooms = roomsOf(budget, { here: cores });
  const begun: Begun[] = [];
  const died: { key: string; error: unknown }[] = [];
  const desk = new WorkersDesk({
    ...{ data: folder, queue: catalog.jobs, room: rooms.workers, classes: workerClasses, clock, log: silent, over: () => undefined, ...testVersions },
    died: async ({ key }, error) => void died.push({ key, error }),
    ...options,
  });
  await desk.open();
  t.teardown(() => desk.stop());
  const handlers = (worker: string): WorkerOptions['handlers'] => async () => ({
    work: (job, context) =>
      new Promise((resolve, reject) => {
        begun.push({ worker, job, context, finish: resolve, fail: reject });
        context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
      }),
  });
  return {
    ...{ desk, catalog, folder, budget, rooms, begun, died },
    async worker(name, change = {}) {
      const made = new Worker({ data: folder, name, slots: 1, ...testVersions, classes: workerClasses, clock: systemClock, log: silent, handlers: handlers(name), ...change });
      t.teardown(() => made.stop());
      void made.run();
      await until(() => desk.workers().some((one) => one.name === name));
      return made;
    },
    async nth(count) {
      await until(() => begun.length >= count);
      return begun[count - 1] as Begun;
    },
    stateOf: async (key) => (await catalog.jobs.byKey(key))?.state,
  };
};

/** A connection that says whatever it is told to. */
export class RawWorker {
  readonly heard: Said[] = [];
  readonly closed: Promise<void>;
  readonly #socket: Socket;

  constructor(folder: string) {
    const reader = new LineReader();
    this.#socket = createConnection(join(folder, 'worker.sock'));
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk) => this.heard.push(...reader.push(chunk).map(readSaid)));
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }
  say(word: unknown): void {
    this.write(lineOf(word));
  }
  greet(change: { readonly [name: string]: unknown } = {}): void {
    this.say({ type: 'hello', protocol, ...testVersions, name: 'raw', pid: 7, slots: 2, classes: ['encode'], ...change });
  }
  /** The first word of this kind, or the answer to this question. */
  async hears<T extends Said['type']>(type: T, n?: number): Promise<Extract<Said, { type: T }>> {
    const find = (): Said | undefined => this.heard.find((said) => said.type === type && (n === undefined || ('n' in said && said.n === n)));
    await until(() => find() !== undefined);
    return find() as Extract<Said, { type: T }>;
  }
  close(): void {
    this.#socket.destroy();
  }
}

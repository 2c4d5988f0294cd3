/**
 * The desk, as a worker sees it: a queue and room for jobs as the server's own runners have them, over one connection. When
 * that is closed nothing is held any more, whatever is still being done.
 */
import { createConnection, type Socket } from 'node:net';
import type { CoreLease } from '../../packager/encode/budget.ts';
import type { FailureCode } from '../intake/types.ts';
import type { LeaseToken } from '../jobs/queue.ts';
import type { Room } from '../jobs/room.ts';
import type { WorkQueue } from '../jobs/runner.ts';
import { LineReader, lineOf, WireError } from './lines.ts';
import { socketPlace } from './socket-place.ts';
import { readSaid, type Ask, type Granted, type Hello, type Said } from './wire.ts';

/** The server does not want this worker. `final`: it will not want it another time. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly final: boolean;
  constructor(said: string, final: boolean) {
    super(said);
    this.final = final;
  }
}

export type Orders = {
  /** Nobody wants this job any more. */
  readonly drop: (job: string) => void;
  /** The server stops, or is gone. Nothing else comes. */
  readonly over: () => void;
};

type Welcome = Extract<Said, { type: 'welcome' }>;
type Value = Extract<Said, { type: 'answer' }>['value'];
type Waiting = { readonly resolve: (value: Value) => void; readonly reject: (error: Error) => void };
type Numbered<A> = A extends unknown ? Omit<A, 'n'> : never;

const mostOfReason = 2_000;
/** The one reason for which a job waits and does not fail. */
const waiting: FailureCode = 'no-room';
const nothing = (): void => undefined;

export class DeskLine {
  readonly queue: WorkQueue;
  readonly room: Room;
  readonly #socket: Socket;
  readonly #slots: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<() => void>();
  readonly #giveWay = new Map<string, () => void>();
  readonly #granted = new Map<string, number>();
  /** To be let go of before they are in anybody's hands: the word may come in one read with the grant. */
  readonly #early = new Set<string>();
  readonly #codes = new Map<string, string>();
  #asked = 0;
  #closed = false;
  #orders: Orders = { drop: nothing, over: nothing };
  #greeted: (welcome: Welcome) => void = nothing;

  private constructor(socket: Socket, { slots }: Hello) {
    this.#socket = socket;
    this.#slots = slots;
    const ofJob = ({ job, fence }: LeaseToken) => ({ job, fence });
    const yes = async (ask: Numbered<Ask>): Promise<boolean> => (await this.#ask(ask)) === true;
    this.queue = {
      lease: async (classes) => {
        this.#early.clear();
        return this.#take(await this.#ask({ type: 'lease', classes }));
      },
      heartbeat: (token) => yes({ type: 'heartbeat', ...ofJob(token) }),
      progress: (token, done) => yes({ type: 'progress', ...ofJob(token), done: Math.min(1, Math.max(0, done)) }),
      complete: (token, result = null) => yes({ type: 'complete', ...ofJob(token), result }),
      fail: (token, { reason, recoverable, later = false }) => yes({ type: 'fail', ...ofJob(token), reason: reason.slice(0, mostOfReason), recoverable, code: later ? waiting : (this.#codes.get(token.job) ?? null) }),
      release: (token) => yes({ type: 'release', ...ofJob(token) }),
    };
    this.room = {
      open: (classes) => (this.#closed || this.#giveWay.size >= this.#slots ? [] : classes),
      take: (job, giveWay) => this.#hold(job.id, giveWay),
      onFree: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  /** Rejects with Refused, or with what the system says where nobody is there. */
  static async open(data: string, hello: Hello, greetMs: number): Promise<{ line: DeskLine; welcome: Welcome }> {
    const place = socketPlace(data);
    const socket = createConnection(place.address);
    const line = new DeskLine(socket, hello);
    const reader = new LineReader();
    const { promise, resolve, reject } = Promise.withResolvers<Welcome>();
    line.#greeted = resolve;
    const late = setTimeout(() => socket.destroy(new Error('The server does not answer.')), greetMs);
    socket.on('connect', () => socket.write(lineOf(hello)));
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      try {
        for (const value of reader.push(chunk)) {
          const said = readSaid(value);
          if (said.type === 'refused') reject(new Refused(said.said, said.final));
          line.#hear(said);
        }
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new WireError(String(error)));
      }
    });
    socket.on('close', () => {
      reject(new Error('The server has closed the connection.'));
      line.#end();
    });
    try {
      return { line, welcome: await promise };
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(late);
      place.close();
    }
  }

  /** From here on its orders are followed. It may be over already. */
  obey(orders: Orders): void {
    this.#orders = orders;
    if (this.#closed) orders.over();
  }

  /** What went wrong with a job that is about to fail, of those things that people are told in words. */
  note(job: string, code: string | null): void {
    if (code !== null) this.#codes.set(job, code);
  }

  close(): void {
    this.#socket.end();
  }

  #ask(ask: Numbered<Ask>): Promise<Value> {
    // Nothing is held any more, so that nothing is to be given back.
    if (this.#closed) return Promise.resolve(null);
    this.#asked += 1;
    const n = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(n, { resolve, reject });
      this.#socket.write(lineOf({ ...ask, n }));
    });
  }

  #hear(said: Said): void {
    switch (said.type) {
      case 'welcome':
        return this.#greeted(said);
      case 'answer':
        return this.#settle(said.n, ({ resolve }) => resolve(said.value));
      case 'trouble':
        return this.#settle(said.n, ({ reject }) => reject(new Error(said.said)));
      case 'wake':
        return this.#free();
      case 'yield':
        return this.#letGo(said.job, (giveWay) => giveWay());
      case 'drop':
        return this.#letGo(said.job, () => this.#orders.drop(said.job));
      case 'refused':
      case 'bye':
        return this.#end();
    }
  }

  #settle(n: number, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(n);
    this.#waiting.delete(n);
    if (waiting) how(waiting);
  }

  #letGo(job: string, how: (giveWay: () => void) => void): void {
    const giveWay = this.#giveWay.get(job);
    if (giveWay) how(giveWay);
    else this.#early.add(job);
  }

  #take(value: Value): { job: Granted['job']; token: LeaseToken } | null {
    if (typeof value !== 'object' || value === null) return null;
    this.#granted.set(value.job.id, value.cores);
    return { job: value.job, token: { job: value.job.id, fence: value.fence } };
  }

  /** The desk has taken the cores already, and gives them back by itself when it hears what became of the job. */
  #hold(job: string, giveWay: () => void): CoreLease | null {
    const cores = this.#granted.get(job);
    this.#granted.delete(job);
    if (cores === undefined || this.#closed) return null;
    this.#giveWay.set(job, giveWay);
    // Not before it is known whose it is.
    if (this.#early.delete(job)) queueMicrotask(giveWay);
    return {
      ...{ ask: { rank: 'vod', cores, name: job, yield: giveWay }, cores },
      resize: () => false,
      release: () => {
        this.#giveWay.delete(job);
        this.#codes.delete(job);
        this.#free();
      },
    };
  }

  #free(): void {
    for (const listener of this.#listeners) listener();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.end();
    for (const { resolve } of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
    this.#orders.over();
  }
}

/**
 * SRT, put together: a thread that owns the socket, and a session for every caller that asks to be let in. A thread that
 * dies takes its connections with it, which come back by themselves, and another one takes its place.
 */
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../packager/clock.ts';
import type { PublishDesk } from '../../packager/media/publish.ts';
import type { SrtStatistics } from './connection.ts';
import { wordsOf } from './errors.ts';
import { defaultLimits, type SrtLimits } from './limits.ts';
import { SrtSession } from './session.ts';
import type { SessionFacts, SrtLog } from './session-context.ts';
import type { ListenerCounters, Order, ThreadData, Word } from './wire.ts';

export type SrtOptions = {
  readonly desk: PublishDesk;
  readonly clock: Clock;
  readonly log: SrtLog;
  readonly limits?: Partial<SrtLimits>;
};

/** Since the start; they only grow. */
export type SrtCounters = ListenerCounters & Pick<SrtStatistics, 'packets' | 'lost' | 'recovered' | 'dropped' | 'undecrypted'>;

export interface SrtServer {
  listen(at: { readonly host: string; readonly port: number }): Promise<{ port: number; receiveBuffer: number }>;
  /** No new callers; those that are there go on. */
  stopAccepting(): void;
  /** Sends away whoever is still there, and resolves when the thread has ended. */
  close(): Promise<void>;
  readonly sessions: number;
  readonly counters: SrtCounters;
  facts(): SessionFacts[];
}

const restartMs = 500;
const noCounters: ListenerCounters = { datagrams: 0, bytes: 0, accepted: 0, rejected: 0, strays: 0 };
const counted = ['packets', 'lost', 'recovered', 'dropped', 'undecrypted'] as const;

export const createSrtServer = (options: SrtOptions): SrtServer => new Server(options);

class Server implements SrtServer {
  readonly #o: SrtOptions;
  readonly #limits: SrtLimits;
  readonly #sessions = new Map<number, SrtSession>();
  #worker: Worker | null = null;
  #closing = false;
  #accepting = true;
  #counters = noCounters;
  /** Of threads that ended, and of sessions that did. */
  #before = noCounters;
  readonly #ended: Record<(typeof counted)[number], number> = { packets: 0, lost: 0, recovered: 0, dropped: 0, undecrypted: 0 };

  constructor(options: SrtOptions) {
    this.#o = options;
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get counters(): SrtCounters {
    const sum = { ...this.#ended };
    for (const { facts } of this.#sessions.values()) for (const name of counted) sum[name] += facts.statistics?.[name] ?? 0;
    const [a, b] = [this.#before, this.#counters];
    return {
      ...{ datagrams: a.datagrams + b.datagrams, bytes: a.bytes + b.bytes, accepted: a.accepted + b.accepted },
      ...{ rejected: a.rejected + b.rejected, strays: a.strays + b.strays, ...sum },
    };
  }

  facts(): SessionFacts[] {
    return [...this.#sessions.values()].map(({ facts }) => facts);
  }

  listen({ host, port }: { readonly host: string; readonly port: number }): Promise<{ port: number; receiveBuffer: number }> {
    return new Promise((resolve, reject) => {
      const data: ThreadData = { host, port, limits: this.#limits };
      // Flags that are for the main thread (a test runner's hooks, --eval's) have no business here.
      const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: data, name: 'srt', execArgv: [] });
      this.#worker = worker;
      let bound: number | null = null;
      worker.on('message', (word: Word) => {
        if (word.type === 'listening') {
          bound = word.port;
          resolve({ port: word.port, receiveBuffer: word.receiveBuffer });
        } else if (word.type === 'failed' && bound === null) {
          reject(Object.assign(new Error(word.message), { code: word.code }));
        } else {
          this.#onWord(word);
        }
      });
      worker.on('error', (error) => {
        this.#o.log({ event: 'srt.thread', level: 'error', err: error });
        reject(error);
      });
      worker.on('exit', () => this.#onExit({ host, port: bound ?? port }, bound !== null));
    });
  }

  stopAccepting(): void {
    this.#accepting = false;
    this.#order({ type: 'stop-accepting' });
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const session of this.#sessions.values()) session.evict('shutting-down');
    const worker = this.#worker;
    if (!worker) return;
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#order({ type: 'close' });
    await gone;
  }

  #order(order: Order): void {
    this.#worker?.postMessage(order);
  }

  #onWord(word: Word): void {
    switch (word.type) {
      case 'ask':
        this.#ask(word);
        return;
      case 'media':
        this.#sessions.get(word.call)?.media(word);
        return;
      case 'closed':
        this.#sessions.get(word.call)?.ended(word.reason, word.statistics);
        return;
      case 'statistics':
        this.#counters = word.counters;
        for (const { call, statistics } of word.calls) this.#sessions.get(call)?.measured(statistics);
        return;
      case 'rejected':
        this.#o.log({ event: 'srt.rejected', level: 'warn', address: plain(word.address), why: wordsOf(word.fault), times: word.times });
        return;
      case 'fault':
      case 'failed':
        this.#o.log({ event: 'srt.fault', level: 'error', why: word.message });
        return;
      case 'listening':
    }
  }

  #ask({ call, address, software, streamKey, keyMaterial }: Extract<Word, { type: 'ask' }>): void {
    const { desk, clock, log } = this.#o;
    if (!this.#accepting) {
      this.#order({ type: 'refuse', call, fault: 'shutting-down' });
      return;
    }
    const session = new SrtSession({
      ...{ call, address: plain(address), software, desk, clock, log, limits: this.#limits },
      order: (order) => this.#order(order),
      onClosed: () => {
        for (const name of counted) this.#ended[name] += session.facts.statistics?.[name] ?? 0;
        this.#sessions.delete(call);
      },
    });
    this.#sessions.set(call, session);
    void session.ask(streamKey, keyMaterial);
  }

  #onExit(at: { readonly host: string; readonly port: number }, wasListening: boolean): void {
    this.#worker = null;
    for (const session of this.#sessions.values()) session.ended('lost', null);
    const { datagrams, bytes, accepted, rejected, strays } = this.counters;
    this.#before = { datagrams, bytes, accepted, rejected, strays };
    this.#counters = noCounters;
    if (this.#closing || !wasListening) return;
    const { clock, log } = this.#o;
    log({ event: 'srt.restart', level: 'error', why: 'the thread of SRT has ended, and is started again' });
    const again = (): void => {
      if (this.#closing) return;
      this.listen(at).catch((error: unknown) => {
        log({ event: 'srt.restart', level: 'error', err: error });
        clock.after(restartMs, again);
      });
    };
    clock.after(restartMs, again);
  }
}

const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

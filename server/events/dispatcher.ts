/**
 * Hands the outbox out: in order, one event at a time, each at least once. An event leaves the outbox when every
 * handler has dealt with it; what a crash left there is handed out again at the next start, so handlers must
 * bear an event twice. A handler that keeps failing holds the line for a bounded time, then its loss is logged.
 */
import type { Clock } from '../../packager/clock.ts';
import type { OutboxStore, StoredEvent } from '../catalog/outbox.ts';
import type { EventOf, EventType, ServerEvent } from './types.ts';

export type EventLog = { error(facts: object, message: string): void; warn(facts: object, message: string): void };

type Subscription = { readonly wants: (type: EventType) => boolean; readonly handle: (event: ServerEvent) => unknown };

/** 50 ms, 100 ms, … 3.2 s: about six seconds in all. */
const mostTries = 8;
const firstPauseMs = 50;
const page = 100;

export class EventDispatcher {
  readonly #outbox: OutboxStore;
  readonly #clock: Clock;
  readonly #log: EventLog;
  #subscriptions: Subscription[] = [];
  #state: 'waiting' | 'running' | 'stopped' = 'waiting';
  #again = false;
  #drained: Promise<void> = Promise.resolve();
  #cutPause: (() => void) | null = null;
  #unwatch: (() => void) | null = null;

  constructor({ outbox, clock, log }: { outbox: OutboxStore; clock: Clock; log: EventLog }) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#log = log;
  }

  /** `video.live` for one type, `video.` for all that begin so, `*` for everything. Returns the way to stop. */
  subscribe<T extends EventType>(type: T, handle: (event: EventOf<T>) => unknown): () => void;
  subscribe(prefix: `${string}.` | '*', handle: (event: ServerEvent) => unknown): () => void;
  subscribe(pattern: string, handle: (event: never) => unknown): () => void {
    const wants = (type: EventType): boolean =>
      pattern === '*' || (pattern.endsWith('.') ? type.startsWith(pattern) : type === pattern);
    const subscription: Subscription = { wants, handle: (event) => handle(event as never) };
    this.#subscriptions.push(subscription);
    return () => {
      this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription);
    };
  }

  /** Call when everybody has subscribed: first what the last run left behind, then what comes. */
  start(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'running';
    this.#unwatch = this.#outbox.onEvent(() => this.#wake());
    this.#again = false;
    this.#drained = this.#run();
  }

  /** Resolves when all that was written before this call has been handed out. */
  async settled(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#wake();
    await this.#drained;
  }

  /** Ends after the event in hand; the rest stays in the outbox for the next start. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#unwatch?.();
    this.#cutPause?.();
    await this.#drained;
  }

  #busy = false;
  #wake(): void {
    if (this.#busy) this.#again = true;
    else if (this.#state === 'running') this.#drained = this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      do {
        this.#again = false;
        await this.#drain();
      } while (this.#again && this.#state === 'running');
    } catch (error) {
      this.#log.error({ err: error }, 'The outbox could not be read; events wait for the next one.');
    } finally {
      this.#busy = false;
    }
  }

  async #drain(): Promise<void> {
    for (;;) {
      const events = await this.#outbox.next(page);
      for (const stored of events) {
        if (this.#state !== 'running') return;
        const dealtWith = await this.#deliver(stored);
        if (!dealtWith) return;
        await this.#outbox.done(stored.seq);
      }
      if (events.length < page) return;
    }
  }

  /** False when we were stopped before every handler had dealt with it. */
  async #deliver({ event, seq }: StoredEvent): Promise<boolean> {
    for (const subscription of [...this.#subscriptions]) {
      if (subscription.wants(event.type) && !(await this.#hand(subscription, event, seq))) return false;
    }
    return true;
  }

  async #hand(subscription: Subscription, event: ServerEvent, seq: number): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        await subscription.handle(event);
        return true;
      } catch (error) {
        const facts = { err: error, event: event.type, seq, tries };
        if (tries >= mostTries) {
          this.#log.error(facts, 'An event was given up: its handler failed every time.');
          return true;
        }
        this.#log.warn(facts, 'A handler failed on an event; trying again.');
        await this.#pause(firstPauseMs * 2 ** (tries - 1));
        if (this.#state !== 'running') return false;
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#cutPause = null;
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#cutPause = () => {
        cancel();
        done();
      };
    });
  }
}

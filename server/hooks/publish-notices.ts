/**
 * Pays what the publish hook is owed: each `publish_done` at least once, or ten times in vain. What a stop or a kill
 * leaves behind is paid by the next start.
 */
import type { Clock } from '../../packager/clock.ts';
import type { PublishNotice, PublishNoticeStore } from '../catalog/publish-notices.ts';
import type { HookCaller } from './call.ts';
import type { Notices } from './publish-hook.ts';

type Options = {
  readonly store: PublishNoticeStore;
  readonly caller: Pick<HookCaller, 'call'>;
  readonly clock: Clock;
  readonly log: { warn(facts: object, message: string): void; error(facts: object, message: string): void };
};

export type NoticeCounters = { readonly delivered: number; readonly givenUp: number };

/** 1 s, 4 s, 16 s … an hour: three and a half hours in all. */
const mostTries = 10;
const firstPauseMs = 1_000;
const longestPauseMs = 3_600_000;
const mostOwed = 10_000;
const atOnce = 4;

export class PublishNotices implements Notices {
  readonly #o: Options;
  readonly #counters = { delivered: 0, givenUp: 0 };
  #state: 'waiting' | 'running' | 'stopped' = 'waiting';
  #work: Promise<void> = Promise.resolve();
  #writes: Promise<void> = Promise.resolve();
  #wanted = false;
  #cancel: () => void = () => undefined;

  constructor(options: Options) {
    this.#o = options;
  }

  get counters(): NoticeCounters {
    return this.#counters;
  }

  /** First what the last run left: publishers that were on have gone with it. */
  async start(): Promise<void> {
    for (const { id, body } of await this.#o.store.left()) await this.#o.store.end(id, body);
    this.#state = 'running';
    this.#wake();
  }

  /** Resolves when what was owed is written down; it is not waited for until it is paid. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#cancel();
    await this.#writes;
    await this.#work;
  }

  owe(id: string, body: object): Promise<void> {
    return this.#o.store.open(id, JSON.stringify(body));
  }

  over(id: string, body: object): void {
    this.#writes = this.#writes.then(async () => {
      try {
        await this.#o.store.end(id, JSON.stringify(body));
        this.#wake();
      } catch (error) {
        this.#o.log.error({ err: error, id }, 'What the publish hook is owed could not be written down.');
      }
    });
  }

  #wake(): void {
    if (this.#state !== 'running' || this.#wanted) return;
    this.#wanted = true;
    this.#cancel();
    this.#work = this.#work.then(async () => {
      this.#wanted = false;
      try {
        await this.#pay();
      } catch (error) {
        this.#o.log.error({ err: error }, 'What the publish hook is owed could not be read; it is tried again.');
        this.#later(longestPauseMs / 60);
      }
    });
  }

  async #pay(): Promise<void> {
    const { store, clock, log } = this.#o;
    const lost = await store.keepNewest(mostOwed);
    if (lost > 0) log.error({ lost }, 'The publish hook is owed more than is kept: the oldest were given up.');
    while (this.#state === 'running') {
      const due = await store.due(atOnce);
      if (due.length === 0) break;
      await Promise.all(due.map((notice) => this.#deliver(notice)));
    }
    const next = await store.nextDueAt();
    if (next !== null) this.#later(Math.max(0, next - clock.wall()));
  }

  async #deliver({ id, body, tries }: PublishNotice): Promise<void> {
    const { store, caller, clock, log } = this.#o;
    const answer = await caller.call('publish_done', id, body);
    if (answer.kind === 'answered' && answer.status >= 200 && answer.status <= 299) {
      this.#counters.delivered += 1;
      return store.done(id);
    }
    // A stop cut it off: it was not its fault.
    if (this.#state === 'stopped') return;
    const why = answer.kind === 'failed' ? answer.why : `it answered with status ${answer.status}`;
    if (tries + 1 >= mostTries) {
      this.#counters.givenUp += 1;
      log.error({ id, why, tries: tries + 1 }, 'The publish hook could not be told of an end; it is given up.');
      return store.done(id);
    }
    if (tries === 0) log.warn({ id, why }, 'The publish hook could not be told of an end; it is tried again.');
    return store.again(id, clock.wall() + Math.min(longestPauseMs, firstPauseMs * 4 ** tries));
  }

  #later(ms: number): void {
    if (this.#state !== 'running') return;
    this.#cancel();
    this.#cancel = this.#o.clock.after(ms, () => this.#wake());
  }
}

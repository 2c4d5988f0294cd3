/**
 * Does the jobs of one or several classes: takes them off the queue as cores become free, keeps their leases alive, and gives them
 * back when it stops. What a job does is its handler's; a handler is given a folder of its own that is gone afterwards,
 * and a signal that says stop: the lease is lost, somebody more important needs the cores, or nobody wants it any more.
 *
 *     queue ─ lease ─▶ cores ─▶ folder ─▶ handler ─▶ complete │ fail │ release
 *                         heartbeat every third of the lease
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import type { CoreLease } from '../../packager/encode/budget.ts';
import type { ServerLog } from '../log.ts';
import { ProgressTold } from './progress-told.ts';
import type { Job, JobQueue, LeaseToken } from './queue.ts';
import type { Room } from './room.ts';

export type JobContext = {
  /** Stop: whatever comes out of it is not wanted. */
  readonly signal: AbortSignal;
  /** Not there yet; removed with all that is in it when the job is over. */
  readonly folder: string;
  /** That the budget gave it. */
  readonly cores: number;
  /** Asked before what was done is shown: false when somebody else has the job by now. */
  holds(): Promise<boolean>;
  /** How much of it is done, 0 to 1. As often as it likes; it is written down twice a second at the most. */
  progress(done: number): void;
};

export type JobHandler = (job: Job, context: JobContext) => Promise<unknown>;

/** Thrown by handlers. Anything else that is thrown is a bug or bad luck, and tried again. */
export class JobFault extends Error {
  override readonly name = 'JobFault';
  /** False: it would fail again. */
  readonly recoverable: boolean;
  /** It lies in nothing that the job could do: it is tried again, however often. */
  readonly later: boolean;
  constructor(message: string, recoverable: boolean | 'later', options?: ErrorOptions) {
    super(message, options);
    this.recoverable = recoverable !== false;
    this.later = recoverable === 'later';
  }
}

/** What of a queue whoever does the jobs needs. */
export type WorkQueue = Pick<JobQueue, 'lease' | 'heartbeat' | 'progress' | 'complete' | 'fail' | 'release'>;

export type RunnerOptions = {
  readonly queue: WorkQueue;
  readonly clock: Clock;
  readonly log: ServerLog;
  /** What it takes, the most urgent first over all of them. */
  readonly classes: readonly string[];
  /** Unique among all that take jobs. */
  readonly worker: string;
  /** `<data>/jobs` */
  readonly folder: string;
  /** How many at once, and on how many cores. */
  readonly room: Room;
  readonly handlers: { readonly [kind: string]: JobHandler };
  /** The job is dead: its attempts are used up, or it cannot be done. Called before that is written down; may be called again. */
  readonly died: (job: Job, error: unknown) => Promise<void>;
  readonly leaseMs?: number;
  readonly idleMs?: number;
};

type Running = { readonly job: Job; readonly token: LeaseToken; readonly abort: AbortController; readonly lease: CoreLease; over: Promise<void> };
/** Why a job was stopped. */
type Stop = 'lost' | 'cores' | 'stopping' | 'unwanted';

const usualLeaseMs = 15_000;
/** What becomes due by itself (after a back-off, when a lease ran out) is looked for this often. */
const usualIdleMs = 2_000;

export class JobRunner {
  readonly #o: RunnerOptions;
  readonly #leaseMs: number;
  readonly #running = new Set<Running>();
  readonly #unlisten: () => void;
  #cancelIdle: () => void = () => undefined;
  #looking: Promise<void> | null = null;
  #again = false;
  #stopped = true;

  constructor(options: RunnerOptions) {
    this.#o = options;
    this.#leaseMs = options.leaseMs ?? usualLeaseMs;
    this.#unlisten = options.room.onFree(() => this.wake());
  }

  /** Jobs that are under way. */
  get running(): readonly Job[] {
    return [...this.#running].map(({ job }) => job);
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** There may be something to do. Takes no time. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
      // Woken when it had looked everywhere already.
      if (this.#again) this.wake();
    });
  }

  /** Nobody wants these any more, which the queue knows already: they end at once. Resolves when nothing of them is left. */
  async drop(unwanted: (job: Job) => boolean): Promise<void> {
    const dropped = [...this.#running].filter(({ job }) => unwanted(job));
    for (const { abort } of dropped) abort.abort('unwanted' satisfies Stop);
    await Promise.all(dropped.map(({ over }) => over));
  }

  /** Jobs go back to the queue, as if nobody had begun them. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unlisten();
    this.#cancelIdle();
    for (const { abort } of this.#running) abort.abort('stopping' satisfies Stop);
    await this.#looking;
    await Promise.all([...this.#running].map(({ over }) => over));
  }

  async #look(): Promise<void> {
    this.#cancelIdle();
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        while (await this.#begin());
      } catch (error) {
        this.#o.log.error({ classes: this.#o.classes, err: error }, 'Jobs could not be taken off the queue.');
      }
    }
    if (!this.#stopped) this.#cancelIdle = this.#o.clock.after(this.#o.idleMs ?? usualIdleMs, () => this.wake());
  }

  /** False: there is nothing to do now, or nothing to do it with. */
  async #begin(): Promise<boolean> {
    const { queue, room, worker } = this.#o;
    const classes = this.#stopped ? [] : room.open(this.#o.classes);
    if (classes.length === 0) return false;
    const leased = await queue.lease(classes, worker, this.#leaseMs);
    if (!leased) return false;
    const abort = new AbortController();
    const lease = this.#stopped ? null : room.take(leased.job, () => abort.abort('cores' satisfies Stop));
    if (!lease) {
      // While the queue was asked, somebody else took the cores, or the server was told to stop.
      await queue.release(leased.token);
      return false;
    }
    const running: Running = { ...leased, abort, lease, over: Promise.resolve() };
    this.#running.add(running);
    running.over = this.#do(running).finally(() => {
      this.#running.delete(running);
      lease.release();
      this.wake();
    });
    return true;
  }

  async #do({ job, token, abort, lease }: Running): Promise<void> {
    const { queue, clock, log, handlers, died } = this.#o;
    // Of this attempt: an earlier one that was cancelled may still be about to end, and clears away its own.
    const folder = join(this.#o.folder, `${job.id}-${token.fence}`);
    const { signal } = abort;
    const beating = this.#keep(token, abort);
    const told = new ProgressTold(clock, (done) => this.#tell(token, done, abort));
    try {
      const handler = Object.hasOwn(handlers, job.kind) ? handlers[job.kind] : undefined;
      if (!handler) throw new JobFault(`Nobody here knows how to do "${job.kind}".`, false);
      // A killed server may have left something, and the catalog may be that of a backup.
      await rm(folder, { recursive: true, force: true });
      // Somebody may have wanted its cores meanwhile.
      signal.throwIfAborted();
      const begun = clock.now();
      const holds = async (): Promise<boolean> => !signal.aborted && (await queue.heartbeat(token, this.#leaseMs));
      const result = await handler(job, { signal, folder, cores: lease.ask.cores, holds, progress: (done) => told.say(done) });
      signal.throwIfAborted();
      if (await queue.complete(token, result)) log.info({ job: job.key, ms: Math.round(clock.now() - begun) }, 'A job is done.');
    } catch (error) {
      await this.#failed({ job, token }, signal, error, died).catch((second: unknown) => {
        log.error({ job: job.key, err: second }, 'The failure of a job could not be written down; it is done again when its lease has run out.');
      });
    } finally {
      beating();
      told.stop();
      await rm(folder, { recursive: true, force: true }).catch((error: unknown) => log.warn({ folder, err: error }, 'The folder of a job was not removed.'));
    }
  }

  async #failed({ job, token }: { job: Job; token: LeaseToken }, signal: AbortSignal, error: unknown, died: RunnerOptions['died']): Promise<void> {
    const { queue, log } = this.#o;
    if (signal.aborted) {
      if ((signal.reason as Stop) !== 'lost') await queue.release(token);
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    const recoverable = !(error instanceof JobFault) || error.recoverable;
    const later = error instanceof JobFault && error.later;
    log.warn({ job: job.key, attempt: job.attempts, recoverable, err: error }, 'A job failed.');
    if (!later && (!recoverable || job.attempts >= job.maxAttempts)) {
      // Whoever lost the job has no say in what becomes of it.
      if (!(await queue.heartbeat(token, this.#leaseMs))) return;
      await died(job, error);
    }
    if (later) this.#o.room.later?.(job.class);
    await queue.fail(token, { reason, recoverable, later });
  }

  async #tell(token: LeaseToken, done: number, abort: AbortController): Promise<void> {
    try {
      if (!(await this.#o.queue.progress(token, done))) abort.abort('lost' satisfies Stop);
    } catch (error) {
      this.#o.log.warn({ job: token.job, err: error }, 'How far a job is could not be written down.');
    }
  }

  /** Keeps the lease until the returned function is called; a lost one ends the work. */
  #keep(token: LeaseToken, abort: AbortController): () => void {
    const { queue, clock, log } = this.#o;
    const every = this.#leaseMs / 3;
    let over = false;
    let heldUntil = clock.now() + this.#leaseMs;
    let cancel = (): void => undefined;
    const beat = async (): Promise<void> => {
      const asked = clock.now();
      try {
        if (await queue.heartbeat(token, this.#leaseMs)) heldUntil = asked + this.#leaseMs;
        else heldUntil = -Infinity;
      } catch (error) {
        log.warn({ job: token.job, err: error }, 'A lease could not be prolonged.');
      }
      if (over) return;
      if (heldUntil <= clock.now()) abort.abort('lost' satisfies Stop);
      else cancel = clock.after(every, () => void beat());
    };
    cancel = clock.after(every, () => void beat());
    return () => {
      over = true;
      cancel();
    };
  }
}

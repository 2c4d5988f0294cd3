/**
 * A worker: a process beside the server that does jobs for it. It has no catalog and serves nobody; it may be killed at any
 * moment, and costs what it was doing. Whenever the server is gone it waits for the next one.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import { IntakeFault } from '../intake/failures.ts';
import { JobRunner, type JobHandler } from '../jobs/runner.ts';
import type { ServerLog } from '../log.ts';
import { DeskLine, Refused } from './desk-line.ts';
import { protocol, type Hello } from './wire.ts';

export type WorkerOptions = {
  /** The data folder, which is the server's. */
  readonly data: string;
  readonly name: string;
  readonly slots: number;
  readonly version: string;
  readonly ffmpeg: string;
  readonly classes: readonly string[];
  readonly clock: Clock;
  readonly log: ServerLog;
  /** Asked for when the first server has let it in; the folder is its own, and there. Once. */
  readonly handlers: (folder: string) => Promise<{ readonly [kind: string]: JobHandler }>;
};

/** Between tries: soon after a restart of the server, seldom where there is none. */
const firstWaitMs = 250;
const longestWaitMs = 5_000;
const greetMs = 10_000;

export class Worker {
  readonly #o: WorkerOptions;
  #handlers: ReturnType<WorkerOptions['handlers']> | null = null;
  #stopped = false;
  #leave: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: WorkerOptions) {
    this.#o = options;
  }

  /** Until it is stopped. Rejects when no server will ever want it, or when it can do nothing. */
  run(): Promise<void> {
    this.#running = this.#serve();
    return this.#running;
  }

  /** Its jobs are given back. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#leave();
    await this.#running.catch(() => undefined);
  }

  async #serve(): Promise<void> {
    const { log, data } = this.#o;
    let waitMs = firstWaitMs;
    while (!this.#stopped) {
      try {
        await this.#visit(() => (waitMs = firstWaitMs));
      } catch (error) {
        if (this.#isHopeless(error)) throw error;
        // Once; the next word is that there is one.
        if (waitMs === firstWaitMs) log.warn({ data, why: whyOf(error) }, 'No server takes this worker now. It waits for one.');
        else log.debug({ why: whyOf(error) }, 'Still no server.');
      }
      if (this.#stopped) return;
      await this.#pause(waitMs);
      waitMs = Math.min(longestWaitMs, 2 * waitMs);
    }
  }

  #isHopeless(error: unknown): boolean {
    if (error instanceof Refused) return error.final;
    const code = error instanceof Error && 'code' in error ? error.code : null;
    return !(code === null || code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE' || code === 'EAGAIN');
  }

  /** From the door to the end of the server, or of this worker. */
  async #visit(welcomed: () => void): Promise<void> {
    const { data, name, slots, version, ffmpeg, classes, clock, log } = this.#o;
    const hello: Hello = { type: 'hello', protocol, version, ffmpeg, name, pid: process.pid, slots, classes };
    const { line, welcome } = await DeskLine.open(data, hello, greetMs);
    const folder = join(data, welcome.folder);
    const over = Promise.withResolvers<void>();
    this.#leave = over.resolve;
    if (this.#stopped) over.resolve();
    line.obey({ drop: (job) => void runner?.drop(({ id }) => id === job), over: over.resolve });
    let runner: JobRunner | null = null;
    try {
      this.#handlers ??= this.#o.handlers(folder);
      const handlers = await this.#handlers.catch((error: unknown) => {
        // Another time it may go better.
        this.#handlers = null;
        throw error;
      });
      welcomed();
      log.info({ data, name, slots }, 'The server has let this worker in.');
      runner = new JobRunner({
        ...{ queue: line.queue, room: line.room, classes, clock, log, folder, handlers, worker: welcome.id, leaseMs: welcome.leaseMs },
        // The server says what becomes of the video; it is told the reason with the failure.
        died: async (job, error) => line.note(job.id, codeOf(error)),
      });
      runner.start();
      await over.promise;
      log.info({ data }, this.#stopped ? 'Jobs are given back.' : 'The server is gone: what was being done for it is left.');
    } finally {
      this.#leave = () => undefined;
      await runner?.stop();
      line.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#leave = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const whyOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'no server is running there';
  return error instanceof Error ? error.message : String(error);
};

const codeOf = (error: unknown): string | null => (error instanceof IntakeFault ? error.failure.code : null);

/**
 * One worker, as the desk sees it: who it says that it is, what it asks for, and what it holds.
 *
 *     closed connection   what it held is due at once (the first time; see `loseAll`)
 *     silence             what it held is due when the lease has run out, and its slot is free from then on
 *     nonsense            closes this connection, and no other
 */
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { CoreLease } from '../../packager/encode/budget.ts';
import { newId } from '../catalog/ids.ts';
import { IntakeFault } from '../intake/failures.ts';
import { sweepJobs } from '../intake/sweep.ts';
import { failureCodes, type FailureCode } from '../intake/types.ts';
import type { Job, LeaseToken } from '../jobs/queue.ts';
import { JobFault } from '../jobs/runner.ts';
import type { DeskOptions, WorkerNow } from './desk.ts';
import { LineReader, lineOf, WireError } from './lines.ts';
import { protocol, readAsk, readHello, type Ask, type Granted, type Hello, type Said } from './wire.ts';

type Held = { readonly job: Job; readonly token: LeaseToken; readonly lease: CoreLease; done: number; cancel: () => void; readonly over: PromiseWithResolvers<void> };
type OfJob = Exclude<Ask, { type: 'lease' }>;

/** Told to stop or to go: as long as programs take to end. One that is stopped itself says nothing at all. */
const endMs = 1_000;
/** Until it has said who it is. */
const greetMs = 10_000;
/** Asked and not answered yet: three for each job, and a few. */
const mostAsked = (slots: number): number => 3 * slots + 8;
/** Said and not taken: it reads nothing any more. */
const mostUnread = 4 << 20;

export class Visitor {
  readonly id = newId();
  /** When the connection is closed, and nothing is held by it any more. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #o: Required<DeskOptions>;
  readonly #held = new Map<string, Held>();
  readonly #reader = new LineReader();
  readonly #cancelGreet: () => void;
  #hello: Hello | null = null;
  readonly #since: number;
  #asked = 0;
  /** One lease at a time: it is for free slots, which are counted before and taken after. */
  #leasing: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(socket: Socket, options: Required<DeskOptions>, { isFull }: { readonly isFull: boolean }) {
    this.#socket = socket;
    this.#o = options;
    this.#since = options.clock.wall();
    this.gone = new Promise<void>((resolve) => socket.once('close', () => void this.#leave().finally(resolve)));
    this.#cancelGreet = options.clock.after(greetMs, () => this.#refuse(new WireError('It does not say who it is.')));
    socket.on('error', () => undefined); // its close says all
    socket.on('data', (chunk) => this.#hear(chunk));
    if (isFull) this.#send({ type: 'refused', said: 'There are as many workers as this server takes.', final: false }, true);
  }

  /** Null: it has not said who it is. */
  get now(): WorkerNow | null {
    if (!this.#hello || this.#closed) return null;
    const { name, pid, slots, classes } = this.#hello;
    return { id: this.id, name, pid, classes, slots, since: this.#since, running: [...this.#held.values()].map(({ job, done }) => ({ job, done })) };
  }

  wake(): void {
    if (this.#hello && this.#held.size < this.#hello.slots) this.#send({ type: 'wake' });
  }

  async drop(unwanted: (job: Job) => boolean): Promise<void> {
    const dropped = [...this.#held.values()].filter(({ job }) => unwanted(job));
    for (const held of dropped) {
      this.#send({ type: 'drop', job: held.job.id });
      const cancel = this.#o.clock.after(endMs, () => void this.#giveUp(held));
      void held.over.promise.then(cancel);
    }
    await Promise.all(dropped.map(({ over }) => over.promise));
  }

  /** What it says of a job that is not its own any more is not heard: nobody has to wait for that. */
  async #giveUp(held: Held): Promise<void> {
    const { queue, log } = this.#o;
    const isIts = await queue.progress(held.token, held.done).catch((error: unknown) => {
      log.warn({ job: held.job.key, err: error }, 'Whether a job is still that of its worker could not be asked.');
      return true;
    });
    if (!isIts) this.#free(held);
  }

  /** Away: the server stops. What it holds is nobody's fault, and goes back at once. */
  async sendAway(): Promise<void> {
    this.#send({ type: 'bye' }, true);
    await this.#leasing.catch(() => undefined);
    await Promise.all([...this.#held.values()].map((one) => this.#o.queue.release(one.token).then(() => this.#free(one))));
    this.#socket.destroySoon();
    await this.gone;
  }

  #hear(chunk: Buffer): void {
    if (this.#closed) return;
    try {
      for (const value of this.#reader.push(chunk)) {
        if (!this.#hello) this.#greet(value);
        else this.#answer(readAsk(value), this.#hello);
        if (this.#closed) return;
      }
    } catch (error) {
      this.#refuse(error);
    }
  }

  #greet(value: unknown): void {
    const { version, ffmpeg, classes, log, leaseMs } = this.#o;
    const hello = readHello(value);
    const refuse = (said: string): void => {
      log.warn({ worker: hello.type === 'hello' ? hello.name : null }, `A worker was sent away: ${said}`);
      this.#send({ type: 'refused', said, final: true }, true);
    };
    if (hello.type === 'stranger') return refuse(`This worker speaks protocol ${hello.protocol}, the server ${protocol}: both have to be of the same version (the server is ${version}).`);
    if (hello.version !== version) return refuse(`This worker is of version ${hello.version}, the server of ${version}: both have to be the same.`);
    if (hello.ffmpeg !== ffmpeg) return refuse(`This worker has ffmpeg ${hello.ffmpeg}, the server ${ffmpeg}: what they make would not fit together.`);
    this.#cancelGreet();
    this.#hello = { ...hello, classes: hello.classes.filter((one) => classes.includes(one)) };
    log.info({ worker: hello.name, pid: hello.pid, slots: hello.slots }, 'A worker has come.');
    this.#send({ type: 'welcome', id: this.id, folder: folderOf(this.id), leaseMs });
  }

  #answer(ask: Ask, { slots }: Hello): void {
    if (this.#asked >= mostAsked(slots)) throw new WireError('It asks for more than it waits for.');
    this.#asked += 1;
    const answered = ask.type === 'lease' ? (this.#leasing = this.#lease(ask.classes)) : this.#ofJob(ask);
    answered
      .then((value) => this.#send({ type: 'answer', n: ask.n, value }))
      .catch((error: unknown) => {
        this.#o.log.error({ err: error }, 'A worker could not be answered.');
        this.#send({ type: 'trouble', n: ask.n, said: 'The server could not do that; its log says why.' });
      })
      .finally(() => (this.#asked -= 1));
  }

  async #lease(classes: readonly string[]): Promise<Granted | null> {
    await this.#leasing.catch(() => undefined);
    const { queue, room, leaseMs } = this.#o;
    const hello = this.#hello;
    const open = room.open(classes.filter((one) => hello?.classes.includes(one)));
    if (!hello || this.#closed || this.#held.size >= hello.slots || open.length === 0) return null;
    const leased = await queue.lease(open, this.id, leaseMs);
    if (!leased) return null;
    const { job, token } = leased;
    const lease = this.#closed ? null : room.take(job, () => this.#send({ type: 'yield', job: job.id }));
    if (!lease) {
      await queue.release(token);
      return null;
    }
    const held: Held = { job, token, lease, done: job.done, cancel: () => undefined, over: Promise.withResolvers<void>() };
    this.#held.set(job.id, held);
    this.#expire(held);
    return { job, fence: token.fence, cores: lease.cores };
  }

  async #ofJob(ask: OfJob): Promise<boolean> {
    const held = this.#held.get(ask.job);
    // Silent for too long, and somebody else has it by now.
    if (!held || held.token.fence !== ask.fence) return false;
    const { queue, room, leaseMs } = this.#o;
    const { token, job } = held;
    switch (ask.type) {
      case 'heartbeat':
        if (!(await queue.heartbeat(token, leaseMs))) return this.#free(held, false);
        this.#expire(held);
        return true;
      case 'progress':
        held.done = Math.max(held.done, ask.done);
        return queue.progress(token, ask.done);
      case 'complete':
        return this.#free(held, await queue.complete(token, ask.result));
      case 'release':
        return this.#free(held, await queue.release(token));
      case 'fail':
        if (isForLater(ask)) {
          room.later?.(job.class);
          return this.#free(held, await queue.fail(token, { ...ask, later: true }));
        }
        if (!ask.recoverable || job.attempts >= job.maxAttempts) {
          // Whoever lost the job has no say in what becomes of it.
          if (!(await queue.heartbeat(token, leaseMs))) return this.#free(held, false);
          await this.#o.died(job, faultOf(ask));
        }
        return this.#free(held, await queue.fail(token, ask));
    }
  }

  /** The lease begins anew; when it has run out the queue gives the job to somebody else, and its slot is free for that. */
  #expire(held: Held): void {
    const { clock, leaseMs, log } = this.#o;
    held.cancel();
    held.cancel = clock.after(leaseMs, () => {
      log.warn({ worker: this.#hello?.name, job: held.job.key }, 'A worker is silent: its job is done by somebody else.');
      this.#free(held);
    });
  }

  #free(held: Held, answer = true): boolean {
    if (this.#held.get(held.job.id) !== held) return answer;
    this.#held.delete(held.job.id);
    held.cancel();
    held.lease.release();
    held.over.resolve();
    this.#o.over(held.job);
    return answer;
  }

  #send(said: Said, last = false): void {
    if (this.#closed) return;
    if (this.#socket.writableLength > mostUnread) this.#socket.destroy();
    else if (last) this.#socket.end(lineOf(said));
    else this.#socket.write(lineOf(said));
    if (!last) return;
    this.#close();
    // It closes by itself when it has read that; one that is stopped does not.
    this.#o.clock.after(endMs, () => this.#socket.destroy());
  }

  #refuse(error: unknown): void {
    const said = error instanceof WireError ? error.message : 'The server has made a mistake.';
    this.#o.log.warn({ worker: this.#hello?.name ?? null, err: error }, 'A worker was sent away: it cannot be understood.');
    this.#send({ type: 'refused', said, final: false }, true);
  }

  #close(): void {
    this.#closed = true;
    this.#cancelGreet();
  }

  /** Dead, or far from here: whatever it still does comes to nothing. */
  async #leave(): Promise<void> {
    this.#close();
    const { queue, log, data } = this.#o;
    if (!this.#hello) return;
    await this.#leasing.catch(() => undefined);
    const held = [...this.#held.values()];
    log.info({ worker: this.#hello.name, held: held.length }, 'A worker is gone.');
    // Without an answer of the queue the leases run out by themselves.
    if (held.length > 0) await queue.loseAll(this.id).catch((error: unknown) => log.error({ err: error }, 'What a worker held could not be given to others at once.'));
    for (const one of held) this.#free(one);
    await this.#sweep(join(data, folderOf(this.id))).catch((error: unknown) => log.warn({ err: error }, 'The folder of a worker was not removed.'));
  }

  /** Programs may have outlived it, where the system could not end them with it. */
  async #sweep(folder: string): Promise<void> {
    await sweepJobs(folder, this.#o.log);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of what workers do, nothing fails for good because the disk is full. */
const isForLater = ({ recoverable, code }: Extract<Ask, { type: 'fail' }>): boolean => recoverable && code === ('no-room' satisfies FailureCode);

/** As if it had been thrown in this process. */
const faultOf = ({ reason, recoverable, code: said }: Extract<Ask, { type: 'fail' }>): JobFault => {
  const code = failureCodes.find((one) => one === said);
  if (code === undefined) return new JobFault(reason, recoverable);
  const before = `${code}: `;
  return new IntakeFault({ code, message: reason.startsWith(before) ? reason.slice(before.length) : reason }, recoverable);
};

/** Of its jobs: a worker that is stopped and woken shares none with whoever does them by now. */
const folderOf = (id: string): string => join('jobs', `w-${id}`);

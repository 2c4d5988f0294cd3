/**
 * The desk at which workers are given work. It stands in the server's process, which alone has the catalog and knows what
 * live needs: for each job it takes a lease from the queue and a slot of the machine on the worker's behalf, and gives back
 * both when the worker is done, silent for too long, or gone.
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import type { Clock } from '../../packager/clock.ts';
import type { Job, JobQueue } from '../jobs/queue.ts';
import type { Room } from '../jobs/room.ts';
import type { WorkQueue } from '../jobs/runner.ts';
import type { ServerLog } from '../log.ts';
import { listenAlone, socketPlace, type SocketPlace } from './socket-place.ts';
import { Visitor } from './visitor.ts';

export type DeskOptions = {
  /** The data folder. */
  readonly data: string;
  readonly queue: WorkQueue & Pick<JobQueue, 'loseAll'>;
  readonly room: Room;
  /** Of jobs that workers may have. */
  readonly classes: readonly string[];
  readonly clock: Clock;
  readonly log: ServerLog;
  /** Of Millrace and of its ffmpeg. */
  readonly version: string;
  readonly ffmpeg: string;
  /** The job of a worker is dead: called before that is written down; may be called again. */
  readonly died: (job: Job, error: unknown) => Promise<void>;
  /** The job of a worker is over, for now or for ever. */
  readonly over: (job: Job) => void;
  readonly leaseMs?: number;
};

export type WorkerNow = {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly classes: readonly string[];
  readonly slots: number;
  /** Wall clock, ms. */
  readonly since: number;
  readonly running: readonly { readonly job: Job; readonly done: number }[];
};

/** More are told to go: nobody means to have so many. */
const mostWorkers = 64;
const usualLeaseMs = 15_000;

export class WorkersDesk {
  readonly #o: Required<DeskOptions>;
  readonly #visitors = new Set<Visitor>();
  readonly #unlisten: () => void;
  #server: Server | null = null;
  #place: SocketPlace | null = null;

  constructor(options: DeskOptions) {
    this.#o = { leaseMs: usualLeaseMs, ...options };
    this.#unlisten = options.room.onFree(() => this.wake());
  }

  /** Rejects where the socket cannot be had. The server alone has this data folder: what lies there is of one that is gone. */
  async open(): Promise<void> {
    const { data, log } = this.#o;
    const place = socketPlace(data);
    this.#place = place;
    await rm(place.address, { force: true });
    const server = createServer((socket) => {
      const visitor = new Visitor(socket, this.#o, { isFull: this.#visitors.size >= mostWorkers });
      this.#visitors.add(visitor);
      void visitor.gone.then(() => {
        this.#visitors.delete(visitor);
        this.wake();
      });
    });
    this.#server = server;
    await listenAlone(server, place.address);
    server.on('error', (error) => log.error({ err: error }, 'The socket for workers failed.'));
    await chmod(place.address, 0o600);
  }

  /** There may be something to do. Takes no time. */
  wake(): void {
    for (const visitor of this.#visitors) visitor.wake();
  }

  /** Nobody wants these any more, which the queue knows already: they end at once. Resolves when nothing of them is left, or they are out of the queue and their worker is silent. */
  async drop(unwanted: (job: Job) => boolean): Promise<void> {
    await Promise.all([...this.#visitors].map((visitor) => visitor.drop(unwanted)));
  }

  workers(): WorkerNow[] {
    return [...this.#visitors].flatMap((visitor) => visitor.now ?? []);
  }

  /** Jobs go back to the queue, as if nobody had begun them. */
  async stop(): Promise<void> {
    this.#unlisten();
    const server = this.#server;
    const closed = new Promise<void>((resolve) => (server?.listening ? server.close(() => resolve()) : resolve()));
    await Promise.all([...this.#visitors].map((visitor) => visitor.sendAway()));
    await closed;
    this.#place?.close();
  }
}

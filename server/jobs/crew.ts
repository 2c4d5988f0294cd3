/**
 * All who do jobs in the server's own process. What is small waits for nothing that is long, so each kind of small work has
 * a runner of its own; all that keeps a core busy has one together, so that the most urgent of it goes first.
 */
import type { CoreBudget } from '../../packager/encode/budget.ts';
import { newId } from '../catalog/ids.ts';
import type { Job } from './queue.ts';
import { smallRoom, type Room, type Rooms } from './room.ts';
import { JobRunner, type JobHandler, type RunnerOptions } from './runner.ts';

export type CrewOptions = Pick<RunnerOptions, 'queue' | 'clock' | 'log' | 'folder' | 'leaseMs' | 'idleMs'> & {
  readonly budget: CoreBudget;
  readonly rooms: Pick<Rooms, 'heavy' | 'pictures' | 'light' | 'captions'>;
  /** False: encodes are left to workers. */
  readonly encodes?: boolean;
};

/** Of work that keeps a core busy, and is never left to others. */
const heavyClasses: readonly string[] = ['first', 'rest'];
/** Of such work that may be. */
const shared = 'encode';
/** What other processes can do as well: nothing of it asks the catalog. */
export const workerClasses: readonly string[] = [shared, 'picture'];

export class Crew {
  /** By which jobs say who works on them. */
  readonly id = newId();
  readonly classes: readonly string[];
  readonly #handlers: { [kind: string]: JobHandler } = {};
  readonly #died = new Map<string, RunnerOptions['died']>();
  readonly #runners: readonly JobRunner[];
  #others: () => void = () => undefined;

  constructor({ budget, rooms, encodes = true, ...options }: CrewOptions) {
    const { total } = budget;
    const heavy = encodes ? [...heavyClasses, shared] : heavyClasses;
    this.classes = ['inspect', 'light', 'captions', 'picture', ...heavy];
    const runner = (classes: readonly string[], room: Room): JobRunner => new JobRunner({ ...options, classes, room, worker: this.id, handlers: this.#handlers, died: (job, error) => this.died(job, error) });
    this.#runners = [
      // Looking takes next to nothing.
      runner(['inspect'], smallRoom(budget, { cores: Math.min(0.1, total / 20), most: 2 })),
      runner(['light'], rooms.light),
      runner(['captions'], rooms.captions),
      runner(['picture'], rooms.pictures),
      runner(heavy, rooms.heavy),
    ];
  }

  /** What it can do, by the kind of the job, and who is told that one is dead. Before it starts. */
  take(handlers: RunnerOptions['handlers'], died: RunnerOptions['died']): void {
    for (const [kind, handler] of Object.entries(handlers)) {
      this.#handlers[kind] = handler;
      this.#died.set(kind, died);
    }
  }

  /** Jobs that are under way. */
  get running(): readonly Job[] {
    return this.#runners.flatMap(({ running }) => running);
  }

  start(): void {
    for (const runner of this.#runners) runner.start();
  }

  /** There may be something to do. Takes no time. */
  wake(): void {
    for (const runner of this.#runners) runner.wake();
    this.#others();
  }

  /** There are others who look for work, and are to be woken too. */
  join(wake: () => void): void {
    this.#others = wake;
  }

  /** Nobody wants these any more, which the queue knows already: they end at once. Resolves when nothing of them is left. */
  async drop(unwanted: (job: Job) => boolean): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.drop(unwanted)));
  }

  /** Whoever worked on it. Nobody is told of a kind that nobody here has taken. */
  async died(job: Job, error: unknown): Promise<void> {
    await this.#died.get(job.kind)?.(job, error);
  }

  /** Jobs go back to the queue, as if nobody had begun them. */
  async stop(): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.stop()));
  }
}

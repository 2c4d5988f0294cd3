/** Rungs that nobody asks for go: rows first, in one step of the catalog; files when nobody can be reading them any more. */
import type { Clock } from '../../packager/clock.ts';
import type { RungCostStore } from '../catalog/rung-costs.ts';
import type { RungPolicy } from '../catalog/schema.ts';
import type { ServerLog } from '../log.ts';

export type IdleOptions = {
  readonly clock: Clock;
  readonly log: Pick<ServerLog, 'error' | 'info'>;
  readonly store: Pick<RungCostStore, 'idle' | 'drop'>;
  /** Of accounts of which nothing else was said. */
  readonly usual: RungPolicy;
  readonly days: number;
  /** Its list is shorter now: what plays of it is to be opened anew, and its files may go when nobody reads them. */
  readonly dropped: (video: string) => void;
};

const everyMs = 3_600_000;
/** The first time a while after the start, which has better to do. */
const firstMs = 300_000;
const dayMs = 86_400_000;
/** In one go; what is left comes an hour later. */
const most = 1_000;

export class IdleRungs {
  readonly #o: IdleOptions;
  #cancel: () => void = () => undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: IdleOptions) {
    this.#o = options;
  }

  start(): void {
    this.#later(firstMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#sweeping;
  }

  #later(ms: number): void {
    this.#cancel = this.#o.clock.after(ms, () => {
      this.#sweeping = this.#sweep()
        .catch((error: unknown) => this.#o.log.error({ err: error }, 'Rungs that nobody asks for could not be dropped.'))
        .finally(() => {
          if (!this.#stopped) this.#later(everyMs);
        });
    });
  }

  async #sweep(): Promise<void> {
    const { clock, log, store, usual, days, dropped } = this.#o;
    const since = clock.wall() - days * dayMs;
    for (const video of await store.idle(since, usual, most)) {
      if (this.#stopped) return;
      if (!(await store.drop(video, since))) continue;
      log.info({ video, days }, 'Nobody has asked for a video: its rungs above the lowest are gone until somebody does.');
      dropped(video);
    }
  }
}

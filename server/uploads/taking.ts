/**
 * Hands over what is whole: once, off the request that brought its last byte, and again after a while (and at every
 * start) where it could not be taken.
 */
import type { Clock } from '../../packager/clock.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Intake } from '../intake/types.ts';
import type { ServerLog } from '../log.ts';

type Parts = {
  readonly catalog: Pick<Catalog, 'uploads'>;
  readonly intake: Pick<Intake, 'whole'>;
  readonly clock: Clock;
  readonly log: ServerLog;
  /** What was written down of how it came goes: as long as it is there, the file counts as one that is arriving. */
  readonly tidy: (id: string) => Promise<void>;
};

const firstPauseMs = 2_000;
const longestPauseMs = 300_000;

export class Taking {
  readonly #p: Parts;
  readonly #under = new Map<string, Promise<void>>();
  readonly #later = new Map<string, () => void>();
  #stopped = false;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Takes no time; what is being taken already is not taken twice. */
  take(id: string, failures = 0): void {
    if (this.#stopped || this.#under.has(id)) return;
    this.#later.get(id)?.();
    this.#later.delete(id);
    const work = this.#take(id, failures).finally(() => this.#under.delete(id));
    this.#under.set(id, work);
  }

  /** What is under way comes to its end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#later.values()) cancel();
    this.#later.clear();
    await Promise.all(this.#under.values());
  }

  async #take(id: string, failures: number): Promise<void> {
    const { catalog, intake, clock, log, tidy } = this.#p;
    try {
      await tidy(id);
      await intake.whole(id);
      await catalog.uploads.taken(id);
    } catch (error) {
      if (this.#stopped) return;
      log.error({ video: id, err: error, failures }, 'What was uploaded could not be taken; it is tried again.');
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 16));
      this.#later.set(
        id,
        clock.after(pause, () => this.take(id, failures + 1)),
      );
    }
  }
}

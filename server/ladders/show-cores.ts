/**
 * The cores of shows. They are taken when a ladder is planned, which is before there is a run that could hold them: of two
 * shows that begin at the same moment neither is promised what the other one was.
 */
import type { Clock } from '../../packager/clock.ts';
import type { CoreAsk, CoreBudget, CoreLease } from '../../packager/encode/budget.ts';
import type { LadderSource, Plan } from '../../packager/live/ladder-plan.ts';
import type { RungFacts } from '../../packager/live/run-facts.ts';

/** A run that has not begun by then is not coming. */
const PROMISED_MS = 15_000;

/** What one show holds. */
export class ShowCores {
  readonly #budget: CoreBudget;
  readonly #ask: { name: string } & Omit<CoreAsk, 'cores' | 'name'> = { rank: 'live', name: '', yield: () => undefined };
  #held: CoreLease | null = null;
  /** What its ladder was planned for; null: that was before a restart. */
  readonly source: LadderSource | null;

  constructor(budget: CoreBudget, source: LadderSource | null) {
    this.#budget = budget;
    this.source = source;
  }

  /**
   * False: there are not so many, and what is held stays. It stays as well where less is asked for: what was shed was shed because
   * cores were missing, and nobody else is to be promised them then.
   */
  take(cores: number): boolean {
    if (cores === 0) {
      this.#held?.release();
      this.#held = null;
      return true;
    }
    if (this.#held) return cores <= this.#held.cores || this.#held.resize(cores);
    this.#held = this.#budget.take(Object.assign(this.#ask, { cores }));
    return this.#held !== null;
  }

  /** For people: whose they are. */
  name(video: string): void {
    this.#ask.name = video;
  }
}

export class PromisedCores {
  readonly #clock: Clock;
  readonly #budget: CoreBudget;
  /** By the highest rung of the plan: a run has the very facts that were planned. */
  readonly #promised = new Map<RungFacts, { readonly cores: ShowCores; readonly cancel: () => void }>();

  constructor(clock: Clock, budget: CoreBudget) {
    this.#clock = clock;
    this.#budget = budget;
  }

  promise([highest]: Plan, source: LadderSource, count: number): void {
    if (!highest) return;
    const cores = new ShowCores(this.#budget, source);
    cores.take(count);
    const cancel = this.#clock.after(PROMISED_MS, () => {
      this.#promised.delete(highest);
      cores.take(0);
    });
    this.#promised.set(highest, { cores, cancel });
  }

  /** Of a run that begins, or goes on behind a restart. */
  of(highest: RungFacts | undefined, video: string): ShowCores {
    const found = highest && this.#promised.get(highest);
    if (found) this.#promised.delete(highest);
    found?.cancel();
    const cores = found?.cores ?? new ShowCores(this.#budget, null);
    cores.name(video);
    return cores;
  }
}

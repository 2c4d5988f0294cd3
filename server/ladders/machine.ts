/**
 * Who encodes ladders, and what it costs here. Ladders can be had as soon as it is known how ffmpeg runs; what they cost is
 * taken from what was measured before, or guessed carefully until it has been measured, beside everything else.
 */
import type { Clock } from '../../packager/clock.ts';
import type { CoreBudget } from '../../packager/encode/budget.ts';
import { carefulCost } from '../../packager/live/ladder-cost.ts';
import type { ServerLog } from '../log.ts';
import { keepCost, keptCost, measureCost, NotMeasured, type MeasureOptions } from './measure.ts';
import type { LadderWorks } from './works.ts';

export type MachineOptions = {
  readonly ladders: Pick<LadderWorks, 'equip' | 'price' | 'presets'>;
  readonly budget: Pick<CoreBudget, 'leases'>;
  readonly cores: number;
  /** The data folder. */
  readonly data: string;
  readonly clock: Clock;
  readonly log: ServerLog;
};

/** What was measured beside other work is dearer than it should be: it is good enough until it can be measured again. A machine that is never idle is measured ever more seldom. */
const AGAIN_MS = 10 * 60_000;
const LONGEST_AGAIN_MS = 24 * 3_600_000;

export class Machine {
  readonly #o: MachineOptions;
  readonly #stopping = new AbortController();
  #cancelAgain: (() => void) | null = null;
  #againMs = AGAIN_MS;

  constructor(options: MachineOptions) {
    this.#o = options;
  }

  /** Settles when all that can be known now is known. */
  async equip(sandbox: Parameters<LadderWorks['equip']>[0]): Promise<void> {
    const { ladders, data, cores } = this.#o;
    const options: MeasureOptions = { sandbox, data, cores, presets: ladders.presets, signal: this.#stopping.signal };
    const kept = await keptCost(options);
    await ladders.equip(sandbox, kept ?? carefulCost);
    if (kept) ladders.price(kept);
    else await this.#measure(options);
  }

  stop(): void {
    this.#cancelAgain?.();
    this.#stopping.abort();
  }

  #later(options: MeasureOptions): void {
    this.#cancelAgain = this.#o.clock.after(this.#againMs, () => void this.#measure(options));
    this.#againMs = Math.min(2 * this.#againMs, LONGEST_AGAIN_MS);
  }

  async #measure(options: MeasureOptions): Promise<void> {
    const { ladders, budget, log } = this.#o;
    const wasBusy = budget.leases.length > 0;
    try {
      const cost = await measureCost(options);
      const busy = wasBusy || budget.leases.length > 0;
      if (busy) this.#later(options);
      else await keepCost(options, cost);
      ladders.price(cost);
      const notMeasured = options.presets.filter((preset) => cost.encode[preset] === undefined);
      log.info({ ...cost, kept: !busy, ...(notMeasured.length > 0 && { notMeasured }) }, 'What encoding costs on this machine has been measured, in seconds of a core for a million pixels.');
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const words = 'What encoding costs on this machine could not be measured: live ladders are planned by a careful guess';
      if (error instanceof NotMeasured) log.warn(`${words}. ${error.message}`);
      else log.error({ err: error }, `${words}.`);
    }
  }
}

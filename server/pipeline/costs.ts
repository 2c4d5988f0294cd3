/** What rungs may cost, put together: who is asked for, which rungs a video is to have now, and which of them go. */
import type { Clock } from '../../packager/clock.ts';
import type { RungCostStore } from '../catalog/rung-costs.ts';
import type { Config } from '../config/settings.ts';
import type { ServerLog } from '../log.ts';
import { AskedVideos } from './asked.ts';
import { IdleRungs } from './idle.ts';

export type CostOptions = {
  readonly config: Pick<Config, 'encode.rungs' | 'encode.idleDays'>;
  readonly store: RungCostStore;
  readonly clock: Clock;
  readonly log: ServerLog;
  /** Its rungs are to be planned. Takes no time, never throws. */
  readonly want: (video: string) => void;
  /** Rungs of it have come off its list. Takes no time, never throws. */
  readonly shorter: (video: string) => void;
};

export class RungCosts {
  readonly #o: CostOptions;
  readonly #asked: AskedVideos;
  readonly #idle: IdleRungs;

  constructor(options: CostOptions) {
    const { clock, log, store, want, shorter, config } = options;
    const shared = { clock, log, store, usual: config['encode.rungs'] };
    this.#o = options;
    this.#asked = new AskedVideos({ ...shared, want });
    const dropped = (video: string): void => {
      this.#asked.dropped(video);
      shorter(video);
    };
    this.#idle = new IdleRungs({ ...shared, days: config['encode.idleDays'], dropped });
  }

  /** Somebody is about to play it. Takes no time. */
  asked(video: string): void {
    this.#asked.asked(video);
  }

  wanted(video: string): Promise<'lowest' | 'all'> {
    return this.#o.store.wanted(video, this.#o.config['encode.rungs']);
  }

  start(): void {
    this.#idle.start();
  }

  async stop(): Promise<void> {
    await this.#idle.stop();
    await this.#asked.stop();
  }
}

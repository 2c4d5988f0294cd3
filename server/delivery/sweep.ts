/** One timer for many deadlines: it runs while there is something to look after, and costs nothing else. */
import type { Clock } from '../../packager/clock.ts';

export class Sweep {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #look: (now: number) => boolean;
  #armed = false;

  /** `look` says whether there is anything left to look after. */
  constructor(clock: Clock, everyMs: number, look: (now: number) => boolean) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#look = look;
  }

  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.after(this.#everyMs, () => {
      this.#armed = false;
      if (this.#look(this.#clock.now())) this.arm();
    });
  }
}

/** What a job says of how far it is, as often as it likes, and passed on twice a second at the most: the newest of it. */
import type { Clock } from '../../packager/clock.ts';

const everyMs = 500;

export class ProgressTold {
  readonly #clock: Clock;
  readonly #pass: (done: number) => Promise<void>;
  #waiting: number | null = null;
  #resting = false;
  #stopped = false;
  #cancel: () => void = () => undefined;

  /** `pass` never rejects. */
  constructor(clock: Clock, pass: (done: number) => Promise<void>) {
    this.#clock = clock;
    this.#pass = pass;
  }

  say(done: number): void {
    if (this.#stopped) return;
    this.#waiting = done;
    if (!this.#resting) this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #next(): void {
    const done = this.#waiting;
    this.#resting = done !== null && !this.#stopped;
    if (done === null || this.#stopped) return;
    this.#waiting = null;
    void this.#pass(done).then(() => {
      if (!this.#stopped) this.#cancel = this.#clock.after(everyMs, () => this.#next());
    });
  }
}

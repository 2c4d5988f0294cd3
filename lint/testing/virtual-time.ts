/** For tests: time that passes when nobody has anything left to do, so that minutes of a stream take milliseconds. */
import type { Time } from '../watch/answer.ts';

export class VirtualTime implements Time {
  #now = 0;
  readonly #wall: number;
  #due: { at: number; wake: () => void }[] = [];

  constructor(wall = Date.UTC(2026, 0, 1)) {
    this.#wall = wall;
  }
  now(): number {
    return this.#now;
  }
  wall(): number {
    return this.#wall + this.#now;
  }
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return this.until(this.#now + ms, signal);
  }
  until(at: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || at <= this.#now) return Promise.resolve();
    return new Promise((resolve) => {
      const entry = { at, wake: resolve };
      this.#due.push(entry);
      signal.addEventListener('abort', () => {
        this.#due = this.#due.filter((other) => other !== entry);
        resolve();
      }, { once: true });
    });
  }

  /** Lets time pass until the promise is settled. */
  async drive<Value>(run: Promise<Value>): Promise<Value> {
    let done = false;
    const settled = run.finally(() => (done = true));
    settled.catch(() => undefined);
    for (let idle = 0; !done; ) {
      await new Promise((turn) => setImmediate(turn));
      if ((idle += 1) < 3) continue;
      idle = 0;
      const next = this.#due.toSorted((a, b) => a.at - b.at)[0];
      if (!next) continue;
      this.#now = Math.max(this.#now, next.at);
      this.#due = this.#due.filter((entry) => entry !== next);
      next.wake();
    }
    return settled;
  }
}

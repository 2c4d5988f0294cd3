/** Time as an argument: whatever waits or dates takes a Clock, so that no test needs to sleep. */
export interface Clock {
  /** Wall clock, ms since 1970: only for display, dates in manifests and expiry. */
  wall(): number;
  /** Monotonic ms: for every interval, lease and time-out. */
  now(): number;
  /** Calls back once after `ms`; the returned function cancels. Never keeps the process alive by itself. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A clock that moves only when it is told to. */
export class FakeClock implements Clock {
  #now = 0;
  #wall: number;
  #due: { at: number; run: () => void }[] = [];

  constructor(wall = Date.UTC(2026, 0, 1)) {
    this.#wall = wall;
  }
  wall(): number {
    return this.#wall + this.#now;
  }
  now(): number {
    return this.#now;
  }
  after(ms: number, run: () => void): () => void {
    const entry = { at: this.#now + ms, run };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }
  /** Moves time on, running what falls due in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#due.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#due = this.#due.filter((entry) => entry !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
  /** The wall clock is set by somebody (NTP, an operator); intervals do not notice. */
  setWall(wall: number): void {
    this.#wall = wall - this.#now;
  }
}

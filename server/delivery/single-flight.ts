/**
 * Concurrent misses for one object share one computation, and only so many computations run at once: what a
 * crowd of different requests may hold in memory is bounded, the rest wait for their turn.
 */
export class SingleFlight<Value> {
  readonly #most: number;
  readonly #flying = new Map<string, Promise<Value>>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  get(key: string, compute: () => Promise<Value>): Promise<Value> {
    const flying = this.#flying.get(key);
    if (flying) return flying;
    const flight = this.#fly(key, compute);
    this.#flying.set(key, flight);
    return flight;
  }

  async #fly(key: string, compute: () => Promise<Value>): Promise<Value> {
    if (this.#running >= this.#most) await new Promise<void>((turn) => this.#queue.push(turn));
    else this.#running++;
    try {
      return await compute();
    } finally {
      this.#flying.delete(key);
      // The place is handed on, so that nobody slips in between.
      const next = this.#queue.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

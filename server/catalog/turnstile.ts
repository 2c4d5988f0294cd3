/** Lets `width` through at a time, in the order of their coming; whoever comes when `mostWaiting` wait is sent away. */

export class TurnstileFull extends Error {
  constructor() {
    super('Too many are waiting.');
    this.name = 'TurnstileFull';
  }
}

export class Turnstile {
  readonly #mostWaiting: number;
  readonly #queue: (() => void)[] = [];
  #free: number;

  constructor(width = 1, mostWaiting = Number.POSITIVE_INFINITY) {
    this.#free = width;
    this.#mostWaiting = mostWaiting;
  }
  /** Resolves, when it is one's turn, to the way out. */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else if (this.#queue.length >= this.#mostWaiting) throw new TurnstileFull();
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#queue.shift();
      if (next) next();
      else this.#free += 1;
    };
  }
  async during<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}

/**
 * What is known of the line to the server, by all uploads of a page together: how many parts it carries at once, how
 * large they may be, and, while nothing gets through, when it is tried again.
 *
 * A part should take a second or two, beside all others: whatever is cut off has to be sent again, and nothing plays that
 * lies behind a part on its way. So it begins with the smallest, which grow fast on a fast line; and on one that is slow
 * even for them, fewer go at once. Browsers open six connections to a server; some stay free for everything else.
 */
import { backOff } from '../lib/back-off.ts';
import { interruptible } from '../lib/interruptible.ts';
import { unit } from './pieces.ts';
import type { Line } from './types.ts';

export type UploadClock = {
  /** Milliseconds, ever forward. */
  now(): number;
  /** Returns the way to call it off. */
  later(milliseconds: number, run: () => void): () => void;
};

export type LineTools = { readonly clock: UploadClock; random(): number; online(): boolean };

export const mostLanes = 4;
const firstLanes = 3;
/** While one part is answered another one goes out. */
const fewestLanes = 2;
const firstSize = unit;
const quickMs = 1_000;
const slowMs = 3_000;
const retry = { first: 500, most: 30_000 };
/** A size that never got through fails this often, while smaller ones do, until it is given up. */
const mostSuspicions = 2;

type Waiting = { readonly go: () => void };

export class UploadLine {
  readonly #tools: LineTools;
  readonly #onChange: () => void;
  #lanes = firstLanes;
  #busy = 0;
  #inRow = 0;
  readonly #waiting: Waiting[] = [];
  #size = firstSize;
  #largest = Infinity;
  #proven = 0;
  readonly #suspicions = new Map<number, number>();
  #failures = 0;
  #failuresOfSize = 0;
  #lastFailure = -Infinity;
  #notBefore = -Infinity;
  /** When there were made fewer parts at once, as they were slow. */
  #fewerSince = -Infinity;
  #cancelTimer = (): void => {};

  constructor(tools: LineTools, onChange: () => void = () => {}) {
    this.#tools = tools;
    this.#onChange = onChange;
  }

  get state(): Line {
    if (this.#failures === 0) return 'good';
    return this.#tools.online() ? 'trying' : 'offline';
  }
  get lanes(): number {
    return this.#lanes;
  }

  /** A place for one part; the caller gives it back by what this resolves to. */
  async lane(signal: AbortSignal): Promise<() => void> {
    await interruptible<void>(signal, (resolve) => {
      const waiting = { go: resolve };
      this.#waiting.push(waiting);
      this.#next();
      return () => {
        const index = this.#waiting.indexOf(waiting);
        if (index >= 0) this.#waiting.splice(index, 1);
      };
    });
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#busy -= 1;
      this.#next();
    };
  }
  /** Resolves when it makes sense to ask for something. */
  async calm(signal: AbortSignal): Promise<void> {
    for (let wait = this.#waitMs(); wait > 0; wait = this.#waitMs()) {
      const rest = Math.min(wait, 1_000); // `retryNow` may have come meanwhile
      await interruptible<void>(signal, (resolve) => this.#tools.clock.later(rest, resolve));
    }
  }
  /** Bytes of the next part, where one may have so many at most. */
  sizeFor(most: number): number {
    let size = unit;
    while (size * 2 <= Math.min(most, this.#size, this.#largest)) size *= 2;
    return size;
  }

  /** A part has arrived. */
  succeeded(size: number, tookMs: number): void {
    this.#proven = Math.max(this.#proven, size);
    this.#failuresOfSize = 0;
    if (tookMs < quickMs && size >= this.#size) this.#size = size * 2;
    if (tookMs > slowMs) this.#wasSlow(size, tookMs);
    else this.#inRow += 1;
    if (this.#inRow >= this.#lanes * 2) {
      this.#inRow = 0;
      this.#lanes = Math.min(mostLanes, this.#lanes + 1);
    }
    this.answered();
  }
  /** The server has answered, whatever it said. */
  answered(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#notBefore = -Infinity;
    this.#onChange();
    this.#next();
  }
  /** Nothing came back, or what says that it will pass. `size`: of the part that was under way. */
  failed(startedAt: number, { size = null, waitMs = null }: { size?: number | null; waitMs?: number | null } = {}): void {
    const now = this.#tools.clock.now();
    // What was under way when the line broke has not found out anything new.
    if (startedAt >= this.#lastFailure) {
      this.#lastFailure = now;
      this.#inRow = 0;
      this.#lanes = Math.max(1, Math.floor(this.#lanes / 2));
      this.#notBefore = now + backOff(this.#failures, retry, this.#tools.random);
      this.#failures += 1;
      if (size !== null) this.#suspect(size);
      this.#onChange();
    }
    if (waitMs !== null) this.#notBefore = Math.max(this.#notBefore, now + waitMs);
    this.#next();
  }
  /** Something on the way takes no parts of this size. False: it takes not even the smallest. */
  refused(size: number): boolean {
    if (size <= unit) return false;
    this.#largest = Math.min(this.#largest, size / 2);
    this.#size = Math.min(this.#size, this.#largest);
    return true;
  }
  /** The network is said to be there again. */
  retryNow(): void {
    if (this.#failures === 0) return;
    this.#notBefore = -Infinity;
    this.#failures = 1;
    this.#next();
  }

  #wasSlow(size: number, tookMs: number): void {
    this.#inRow = 0;
    if (size > unit) {
      this.#size = Math.max(unit, Math.min(this.#size, size / 2));
      return;
    }
    const now = this.#tools.clock.now();
    // What was under way then had to share the line with as many as before.
    if (now - tookMs < this.#fewerSince) return;
    this.#fewerSince = now;
    this.#size = unit;
    this.#lanes = Math.max(Math.min(this.#lanes, fewestLanes), this.#lanes - 1);
  }
  /** Proxies that refuse a body often cut the line instead of saying so. */
  #suspect(size: number): void {
    this.#failuresOfSize += 1;
    if (this.#failuresOfSize < 2) return;
    this.#failuresOfSize = 0;
    this.#size = Math.max(unit, Math.min(this.#size, size / 2));
    if (size <= this.#proven || this.#proven === 0) return;
    const times = (this.#suspicions.get(size) ?? 0) + 1;
    this.#suspicions.set(size, times);
    if (times >= mostSuspicions) this.refused(size);
  }
  #waitMs(): number {
    return this.#notBefore - this.#tools.clock.now();
  }
  #next(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    const wait = this.#waitMs();
    if (wait > 0) {
      if (this.#waiting.length > 0) this.#cancelTimer = this.#tools.clock.later(wait, () => this.#next());
      return;
    }
    while (this.#busy < this.#lanes) {
      const waiting = this.#waiting.shift();
      if (!waiting) return;
      this.#busy += 1;
      waiting.go();
    }
  }
}

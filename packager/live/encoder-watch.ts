/**
 * Whether an encoder keeps up with what it is given. It hangs when nothing comes out of it any more, and it is slow when it
 * falls behind while things come out. One that was just begun is given seconds of pictures at once: as long as it
 * gains on them it is neither.
 */
import type { GivenPicture } from './rung-cutter.ts';

export type Verdict = { readonly kind: 'hung' | 'slow'; readonly words: string };

/** One that starts may take so long for its first picture. */
const START_MS = 4_000;
const HUNG_MS = 3_000;
/** So far behind for so long: it does not keep up. */
const SLOW_MS = 1_000;
const SLOW_FOR_MS = 2_000;
/** When it owes so many fewer it is gaining. */
const GAIN = 5;

/** `due`: since when nothing is missing that it needs for this picture, of those that are due. */
type Owed = { readonly pts: number; due: number };

export class EncoderWatch {
  readonly #since: number;
  readonly #reorder: number;
  /** Of each rung, the newest picture that came. */
  readonly #newest: Map<string, number>;
  /** Pictures that have not come out of all its rungs, in the order in which they are shown: thousands may be given at once. */
  readonly #owed: Owed[] = [];
  /** So many of them are due. */
  #due = 0;
  #outAt: number;
  #slow: { readonly since: number; readonly owed: number } | null = null;

  /** `reorder`: no picture is decoded later than this behind the moment at which it is shown. */
  constructor(rungs: readonly string[], reorder: number, now: number) {
    this.#newest = new Map(rungs.map((id) => [id, Number.NEGATIVE_INFINITY]));
    this.#reorder = reorder;
    this.#since = now;
    this.#outAt = now;
  }

  given({ pts, dts }: GivenPicture, now: number): void {
    let at = this.#owed.length;
    while (at > this.#due && (this.#owed[at - 1]?.pts ?? 0) > pts) at -= 1;
    this.#owed.splice(at, 0, { pts, due: 0 });
    this.#dueUntil(dts - this.#reorder, now);
  }

  /** Nothing more is given: all of it is due. */
  ended(now: number): void {
    this.#dueUntil(Number.POSITIVE_INFINITY, now);
  }

  #dueUntil(pts: number, now: number): void {
    for (let next = this.#owed[this.#due]; next && next.pts <= pts; next = this.#owed[this.#due]) {
      next.due = now;
      this.#due += 1;
    }
  }

  came(rung: string, pts: number, now: number): void {
    this.#outAt = now;
    this.#newest.set(rung, pts);
    const everywhere = Math.min(...this.#newest.values());
    const left = this.#owed.findIndex((owed) => owed.pts > everywhere);
    const gone = this.#owed.splice(0, left === -1 ? this.#owed.length : left).length;
    this.#due = Math.max(0, this.#due - gone);
  }

  age(now: number): number {
    return now - this.#since;
  }

  /** It has done what it is for so long. */
  worksFor(now: number): number {
    return this.#hasBegun ? this.age(now) : 0;
  }

  /** How long the oldest of what is due has been. */
  lagMs(now: number): number {
    const [oldest] = this.#owed;
    return oldest && this.#due > 0 ? now - oldest.due : 0;
  }

  judge(now: number): Verdict | null {
    const late = this.lagMs(now);
    const silent = now - this.#outAt;
    if (!this.#hasBegun) return late > START_MS && silent > START_MS ? { kind: 'hung', words: 'no picture came out of the encoder' } : null;
    if (silent > HUNG_MS && late > HUNG_MS) return { kind: 'hung', words: 'the encoder stands still' };
    const owed = this.#owed.length;
    if (late < SLOW_MS) this.#slow = null;
    else if (!this.#slow || owed <= this.#slow.owed - GAIN) this.#slow = { since: now, owed };
    // One from which nothing has come for a while may stand still, which is another matter.
    if (!this.#slow || now - this.#slow.since < SLOW_FOR_MS || silent > SLOW_MS) return null;
    this.#slow = null;
    return { kind: 'slow', words: `the encoder is ${Math.round(late)} ms behind` };
  }

  get #hasBegun(): boolean {
    return this.#outAt > this.#since || [...this.#newest.values()].some((pts) => pts > Number.NEGATIVE_INFINITY);
  }
}

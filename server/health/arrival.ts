/**
 * How media comes compared with its stamps: how unevenly, how late, and how fast. One track tells it, as the stamps of
 * two need not agree.
 *
 *     transit = moment of arrival − stamp       (its zero means nothing; only differences do)
 */
import type { ArrivalFacts } from './facts.ts';

const SECOND = 1_000;
/** Seconds that are remembered; the promptest of them is what lateness is measured against. */
const kept = 30;
const lateSeconds = 10;
const speedSeconds = 10;

type Mark = { second: number; /** Least and most transit in it. */ least: number; most: number; /** Its first unit. */ at: number; stamp: number };

export class Arrival {
  #marks: Mark[] = [];
  #jitter = 0;
  #lastTransit: number | null = null;
  #last = { at: 0, stamp: 0 };

  take(stamp: number, now: number): void {
    const transit = now - stamp;
    // RFC 3550, 6.4.1: J(i) = J(i-1) + (|D| - J(i-1)) / 16
    if (this.#lastTransit !== null) this.#jitter += (Math.abs(transit - this.#lastTransit) - this.#jitter) / 16;
    this.#lastTransit = transit;
    this.#last = { at: now, stamp };
    const second = Math.floor(now / SECOND);
    const mark = this.#marks.at(-1);
    if (mark?.second === second) {
      mark.least = Math.min(mark.least, transit);
      mark.most = Math.max(mark.most, transit);
      return;
    }
    this.#marks.push({ second, least: transit, most: transit, at: now, stamp });
    if (this.#marks.length > kept) this.#marks.shift();
  }

  /** The stamps have leapt: what was before compares with nothing behind it. */
  leap(): void {
    this.#marks = [];
    this.#lastTransit = null;
  }

  /** `patience`: silence of so long is still the time between two of them. */
  facts(now: number, patience: number): ArrivalFacts {
    const second = Math.floor(now / SECOND);
    const recent = this.#marks.filter((mark) => mark.second >= second - kept);
    const prompt = Math.min(...recent.map(({ least }) => least));
    const latest = Math.max(...recent.filter((mark) => mark.second >= second - lateSeconds).map(({ most }) => most));
    return { jitter: Math.round(this.#jitter), late: Number.isFinite(latest - prompt) ? Math.round(latest - prompt) : 0, speed: this.#speed(now, patience) };
  }

  /** When nothing comes for too long it falls by itself: the clock runs, the stamps do not. */
  #speed(now: number, patience: number): number | null {
    const from = this.#marks.findLast(({ at }) => now - at >= speedSeconds * SECOND);
    if (!from) return null;
    const { at, stamp } = this.#last;
    const until = now - at > patience ? now : at;
    return until > from.at ? Math.round(((stamp - from.stamp) / (until - from.at)) * 100) / 100 : null;
  }
}

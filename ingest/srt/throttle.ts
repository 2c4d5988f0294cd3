/**
 * Callers that are refused and try again for ever, as OBS does whatever the code says: the same question from the same
 * address gets the same answer for a while, without anybody thinking about it again. Memory is bounded.
 */
import type { SrtFault } from './errors.ts';

/** Refusals that will be the same in a second. */
const lasting: ReadonlySet<SrtFault> = new Set<SrtFault>(['unknown-key', 'wrong-passphrase', 'passphrase-needed', 'no-passphrase-set', 'refused']);
const free = 3;
const longest = 8_000_000;
const forgetAfter = 60_000_000;
const mostKept = 20_000;

type Refused = { readonly fault: SrtFault; readonly times: number; readonly at: number; readonly until: number };

export class Throttle {
  /** Oldest first. */
  readonly #refused = new Map<string, Refused>();

  /** The answer that still holds; null: ask. */
  answer(question: string, now: number): SrtFault | null {
    const refused = this.#refused.get(question);
    return refused && now < refused.until ? refused.fault : null;
  }

  refused(question: string, fault: SrtFault, now: number): void {
    if (!lasting.has(fault)) return;
    const before = this.#refused.get(question);
    const times = before && now - before.at < forgetAfter ? before.times + 1 : 1;
    const wait = times <= free ? 0 : Math.min(longest, 500_000 * 2 ** (times - free - 1));
    this.#refused.delete(question);
    this.#refused.set(question, { fault, times, at: now, until: now + wait });
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > mostKept && oldest !== undefined) this.#refused.delete(oldest);
  }
}

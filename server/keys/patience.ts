/**
 * Asking somebody who may be slow, or away: a few times in a row, each for a bounded time, and then not at all for a while.
 * Whoever asks meanwhile hears at once what went wrong; who waits has waited for `longestMs` at the most,
 * and for `longestWaitMs` where one question does not do.
 */
import type { Clock } from '../../packager/clock.ts';
import { KeyError } from '../../packager/protect/key-error.ts';

const tries = 3;
const eachMs = 3000;
const pauseMs = 250;
const restMs = 5000;

/** Three tries, and two pauses between them. */
export const longestMs = tries * eachMs + pauseMs * (2 ** (tries - 1) - 1);

/** For an answer that takes many questions, or waits for one of somebody else's: a little longer than for one that fails. */
export const longestWaitMs = longestMs + pauseMs;

export class Patience {
  readonly #clock: Clock;
  readonly #told: (error: KeyError) => void;
  #rest: { readonly until: number; readonly error: KeyError } | null = null;
  #failing = false;

  /** `told` once of each time without keys, however long it lasts. */
  constructor(clock: Clock, told: (error: KeyError) => void) {
    this.#clock = clock;
    this.#told = told;
  }

  get resting(): boolean {
    return this.#rest !== null && this.#clock.now() < this.#rest.until;
  }

  async run<Answer>(ask: (stop: AbortSignal) => Promise<Answer>): Promise<Answer> {
    if (this.#rest && this.resting) throw this.#rest.error;
    for (let left = tries - 1; ; left -= 1) {
      try {
        const answer = await this.#once(ask);
        this.#rest = null;
        this.#failing = false;
        return answer;
      } catch (cause) {
        const error = cause instanceof KeyError ? cause : new KeyError('failed', 'the keys of a video could not be had', { cause });
        // Who has answered what is none answers the same again.
        if (left === 0 || error.code === 'unusable') throw this.#giveUp(error);
      }
      await this.#pause(pauseMs * 2 ** (tries - 1 - left));
    }
  }

  /** For whoever has waited for `longestWaitMs`. He who is asked is slow, but answers: others may go on to ask. */
  outOfTime(): KeyError {
    return this.#tell(new KeyError('late', `not all keys within ${longestWaitMs / 1000} s`));
  }

  #giveUp(error: KeyError): KeyError {
    this.#rest = { until: this.#clock.now() + restMs, error };
    return this.#tell(error);
  }

  #tell(error: KeyError): KeyError {
    if (!this.#failing) this.#told(error);
    this.#failing = true;
    return error;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }

  #once<Answer>(ask: (stop: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const stop = new AbortController();
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(eachMs, () => {
        const error = new KeyError('late', `no keys within ${eachMs / 1000} s`);
        stop.abort(error);
        reject(error);
      });
      const asked = (async () => ask(stop.signal))();
      asked.then(resolve, reject).finally(cancel);
    });
  }
}

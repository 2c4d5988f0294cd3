/**
 * When a packet is due (TSBPD: draft-sharabayko-srt, 4.5): the sender's time, moved to our clock, and the latency.
 * Every packet waits equally long, so media leaves here as evenly as it was sent, and there is time to send again
 * what was lost. Two clocks never run equally fast: the difference is measured and taken out. Microseconds.
 */

const turn = 2 ** 32;
/** Measurements that make one correction, and the most that it corrects: a sudden step is the line, not the clock. */
const samples = 250;
const mostStep = 5_000;
/** A sender whose stamps leap ahead like this has another clock, and would otherwise be waited for. */
const leap = 2_000_000;

export class PlayClock {
  readonly latency: number;
  /** Our time when the sender's was 0. */
  #base: number;
  /** The sender's time, unrolled: 32 bits of microseconds wrap after 71 minutes. */
  #last: number;
  #sum = 0;
  #count = 0;
  /** All corrections together. */
  drift = 0;

  constructor(now: number, timestamp: number, latency: number) {
    this.#base = now - timestamp;
    this.#last = timestamp;
    this.latency = latency;
  }

  dueAt(timestamp: number, now: number): number {
    const time = this.#unroll(timestamp);
    this.#last = Math.max(this.#last, time);
    if (this.#base + time - now > leap) this.#base = now - time;
    return this.#base + time + this.latency;
  }

  /** The sender's time of something that came now; `extra`: what it took longer than at the beginning, as far as known. */
  heard(timestamp: number, now: number, extra: number): void {
    this.#sum += now - extra - (this.#base + this.#unroll(timestamp));
    this.#count += 1;
    if (this.#count < samples) return;
    const step = Math.max(-mostStep, Math.min(mostStep, Math.round(this.#sum / this.#count)));
    this.#base += step;
    this.drift += step;
    this.#sum = 0;
    this.#count = 0;
  }

  #unroll(timestamp: number): number {
    const ahead = (((timestamp - this.#last) % turn) + turn) % turn;
    return this.#last + (ahead < turn / 2 ? ahead : ahead - turn);
  }
}

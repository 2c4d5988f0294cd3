/** How long a word there and back takes: from an acknowledgement to the answer to it (draft-sharabayko-srt, 4.10). Microseconds. */

/** Acknowledgements whose answer may still come: 100 a second, and no line takes ten of these. */
const mostOpen = 1_024;

export class RoundTrip {
  rtt = 100_000;
  variance = 50_000;
  /** The first that was measured; null before. */
  first: number | null = null;
  readonly #open = new Map<number, number>();

  sent(number: number, now: number): void {
    this.#open.set(number, now);
    const [oldest] = this.#open.keys();
    if (this.#open.size > mostOpen && oldest !== undefined) this.#open.delete(oldest);
  }

  /** False: nobody asked. */
  answered(number: number, now: number): boolean {
    const at = this.#open.get(number);
    if (at === undefined) return false;
    this.#open.delete(number);
    const sample = now - at;
    if (this.first === null) {
      this.first = sample;
      this.rtt = sample;
      this.variance = sample / 2;
      return true;
    }
    this.variance = (3 * this.variance + Math.abs(sample - this.rtt)) / 4;
    this.rtt = (7 * this.rtt + sample) / 8;
    return true;
  }
}

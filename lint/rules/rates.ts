/**
 * Bit rates as HLS measures them (4.4.6.2): the peak is the largest rate of any consecutive segments that last between
 * half a target duration and one and a half. Keeps a handful of segments.
 */
export class Rates {
  #recent: { bytes: number; seconds: number }[] = [];
  #bytes = 0;
  #seconds = 0;
  #samples = 0;
  #sampleSeconds = 0;
  #last = -1;
  peak = 0;

  add(msn: number, bytes: number, seconds: number, targetDuration: number): void {
    if (seconds <= 0) return;
    if (msn !== this.#last + 1) this.#recent = [];
    this.#last = msn;
    this.#bytes += bytes;
    this.#seconds += seconds;
    this.#recent.push({ bytes, seconds });
    if (this.#recent.length > 32) this.#recent.shift();
    let [sum, length] = [0, 0];
    for (const one of this.#recent.toReversed()) {
      sum += one.bytes;
      length += one.seconds;
      if (length > 1.5 * targetDuration) break;
      if (length >= 0.5 * targetDuration) this.peak = Math.max(this.peak, (8 * sum) / length);
    }
  }

  count(samples: number, seconds: number): void {
    this.#samples += samples;
    this.#sampleSeconds += seconds;
  }

  get average(): number {
    return this.#seconds > 0 ? (8 * this.#bytes) / this.#seconds : 0;
  }
  get seconds(): number {
    return this.#seconds;
  }
  get frameRate(): number | null {
    return this.#sampleSeconds > 0 ? this.#samples / this.#sampleSeconds : null;
  }
}

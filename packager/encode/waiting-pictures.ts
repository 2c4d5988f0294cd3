/** Pictures that went into an encoder and have not come out on every rung: how long each rung lets them wait. */

type Fed = { readonly pts: number; readonly at: number };

/** Minutes of pictures; an encoder that is so far behind has long been given up. */
const most = 8_192;

export class WaitingPictures {
  /** In the order in which they are shown. */
  #fed: Fed[] = [];
  readonly #out: number[];

  /** `from`, for each rung: pictures up to there will not come out. */
  constructor(from: readonly number[]) {
    this.#out = [...from];
  }

  feed(pts: number, at: number): void {
    let place = this.#fed.length;
    // With B-frames a few of those before it are shown later.
    while (place > 0 && (this.#fed[place - 1]?.pts ?? 0) > pts) place -= 1;
    this.#fed.splice(place, 0, { pts, at });
    if (this.#fed.length > most) this.#fed.shift();
  }

  /** Pictures come out in the order in which they are shown. */
  out(rung: number, pts: number): void {
    this.#out[rung] = pts;
    const all = Math.min(...this.#out);
    let over = 0;
    while (over < this.#fed.length && (this.#fed[over]?.pts ?? Infinity) <= all) over += 1;
    if (over > 0) this.#fed.splice(0, over);
  }

  /** Since when the n-th of those waits that this rung has not passed; null: there are not so many. */
  since(rung: number, nth: number): number | null {
    const from = this.#out[rung] ?? -Infinity;
    let skipped = 0;
    while (skipped < this.#fed.length && (this.#fed[skipped]?.pts ?? Infinity) <= from) skipped += 1;
    return this.#fed[skipped + nth]?.at ?? null;
  }

  /** Ticks from the last picture that came out to the last one that went in. */
  lag(rung: number): number {
    const last = this.#fed.at(-1)?.pts;
    const out = this.#out[rung] ?? -Infinity;
    return last === undefined || last <= out ? 0 : last - Math.max(out, this.#fed[0]?.pts ?? last);
  }
}

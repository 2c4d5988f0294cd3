/**
 * The encoder's clock and ours do not run alike: 50 ppm are four seconds a day. PROGRAM-DATE-TIME follows our wall
 * clock, in steps that are rare: nothing is done about less than a quarter of a second, which takes such a clock more
 * than an hour.
 *
 * A slew too slow for people to notice would be worse. Shaka 5.2 lays each part by its date, and takes its source
 * buffer back to a clean state where that is a millisecond from the part before: what follows is thrown away up to the
 * next key picture. A slew of 1 ms a segment cost it five parts of every six.
 *
 * What is seen is when segments were announced, and that is only ever late, never early (the line, the disk, the
 * gate). So the earliest of a few segments is what counts, measured against the earliest of the epoch's first few.
 */

const STEP_MS = 250;
/** No clock is as wrong as that: whoever sends faster or slower does so on purpose, and dates go on with the media. */
const MOST_SHARE = 0.0005;
const SEEN_SEGMENTS = 16;

export class WallDrift {
  readonly #seen: number[] = [];
  #usual: number | null = null;
  #sinceMs = 0;
  #slewMs = 0;
  readonly #bySegment = new Map<number, number>();

  /** Of the segment that began last. */
  get slewMs(): number {
    return Math.round(this.#slewMs);
  }

  /** The slew of a segment, ms, whole; asked for each track, decided once. Times in ms: of media, and of the wall clock now. */
  slew(msn: number, mediaMs: number, wallMs: number): number {
    const decided = this.#bySegment.get(msn);
    if (decided !== undefined) return decided;
    this.#see(wallMs - mediaMs);
    const least = Math.min(...this.#seen);
    if (this.#usual === null && this.#seen.length === SEEN_SEGMENTS) {
      this.#usual = least;
      this.#sinceMs = mediaMs;
    }
    if (this.#usual !== null) {
      const most = Math.max(0, mediaMs - this.#sinceMs) * MOST_SHARE;
      const wanted = Math.max(-most, Math.min(most, least - this.#usual));
      if (Math.abs(wanted - this.#slewMs) >= STEP_MS) this.#slewMs = wanted;
    }
    const slew = this.slewMs;
    this.#bySegment.set(msn, slew);
    // The tracks of a run are never further apart than this.
    this.#bySegment.delete(msn - SEEN_SEGMENTS);
    return slew;
  }

  #see(lag: number): void {
    this.#seen.push(lag);
    if (this.#seen.length > SEEN_SEGMENTS) this.#seen.shift();
  }
}

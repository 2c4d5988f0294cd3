/**
 * The encoder's clock and ours do not run alike: 50 ppm are four seconds a day. PROGRAM-DATE-TIME follows our
 * wall clock by a slew that changes so slowly (0.05 %) that no player notices, and jumps only with an epoch.
 *
 * What is seen is when segments were announced, and that is only ever late, never early (the line, the disk, the
 * gate). So the earliest of a few segments is what counts, measured against the earliest of the epoch's first few.
 */

const SLEW_SHARE = 0.0005;
const SEEN_SEGMENTS = 16;

export class WallDrift {
  readonly #seen: number[] = [];
  #usual: number | null = null;
  #slewMs = 0;
  #lastMs: number | null = null;
  readonly #bySegment = new Map<number, number>();

  /** The slew of a segment, ms, whole; asked for each track, decided once. Times in ms: of media, and of the wall clock now. */
  slew(msn: number, mediaMs: number, wallMs: number): number {
    const decided = this.#bySegment.get(msn);
    if (decided !== undefined) return decided;
    this.#see(wallMs - mediaMs);
    const least = Math.min(...this.#seen);
    if (this.#usual === null && this.#seen.length === SEEN_SEGMENTS) this.#usual = least;
    if (this.#usual !== null && this.#lastMs !== null) {
      const most = Math.max(0, mediaMs - this.#lastMs) * SLEW_SHARE;
      const missing = least - this.#usual - this.#slewMs;
      this.#slewMs += Math.max(-most, Math.min(most, missing));
    }
    this.#lastMs = mediaMs;
    const slew = Math.round(this.#slewMs);
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

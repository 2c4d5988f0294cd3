/** Bytes a second over the last few: a moving window, since a whole upload's average hides that the line has changed. */
const windowMs = 8_000;
/** Earlier than this, the first burst into the socket's buffer would be told as a speed. */
const settleMs = 3_000;
const grainMs = 250;

type Grain = { readonly at: number; bytes: number };

export class Speed {
  #since = 0;
  #grains: Grain[] = [];

  begin(now: number): void {
    this.#since = now;
    this.#grains = [];
  }
  add(bytes: number, now: number): void {
    const last = this.#grains.at(-1);
    if (last && now - last.at < grainMs) last.bytes += bytes;
    else this.#grains.push({ at: now, bytes });
    while ((this.#grains[0]?.at ?? now) < now - windowMs) this.#grains.shift();
  }
  /** Null: too early to tell, or nothing moves. */
  at(now: number): number | null {
    if (now - this.#since < settleMs) return null;
    const from = Math.max(this.#since, now - windowMs);
    let bytes = 0;
    for (const grain of this.#grains) if (grain.at >= from) bytes += grain.bytes;
    return bytes === 0 ? null : (bytes * 1000) / (now - from);
  }
}

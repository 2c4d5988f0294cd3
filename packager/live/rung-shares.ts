/**
 * Which of the pictures that are shown belong to a part of the source, where rungs have no order of decoding of their own:
 *
 *     decoded   K P B B │ P B B P │ K …      so many in each part
 *     shown     K B B P │ B B P P │ K …      the same number, in another order; a key picture begins what it begins
 */
type SourcePicture = { readonly pts: number; readonly key: boolean };

export class RungShares {
  /** Of parts that have not been taken yet. */
  readonly #decoded: SourcePicture[] = [];
  readonly #shown: SourcePicture[] = [];
  /** So many more have been shown than were decoded in the parts that were taken: what leads up to a key picture may be decoded behind it. */
  #ahead = 0;
  #ended = false;

  add({ pts, key }: SourcePicture): void {
    const picture = { pts, key };
    this.#decoded.push(picture);
    let at = this.#shown.length;
    while (at > 0 && (this.#shown[at - 1]?.pts ?? 0) > pts) at -= 1;
    this.#shown.splice(at, 0, picture);
  }

  /** There are no more. */
  end(): void {
    this.#ended = true;
  }

  /** When the pictures behind the next part of so many are shown; null: nobody knows. `known`: whatever is shown up to then has come. */
  until(count: number, known: number): number | null {
    const next = this.#decoded[count];
    if (!next && !this.#ended) return null;
    if (!next) return Number.POSITIVE_INFINITY;
    const until = next.key ? next.pts : (this.#shown[Math.max(0, count - this.#ahead)]?.pts ?? Number.POSITIVE_INFINITY);
    return until <= known ? until : null;
  }

  take(count: number, until: number): void {
    this.#decoded.splice(0, count);
    const after = this.#shown.findIndex(({ pts }) => pts >= until);
    const taken = this.#shown.splice(0, after === -1 ? this.#shown.length : after).length;
    this.#ahead += taken - count;
  }
}

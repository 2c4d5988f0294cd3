/**
 * The run id in the names of a run's files. It is another from where the decoder's configuration changes: the part that comes next has
 * been hinted at by then, and Shaka, which asks for it ahead, would decode it by the init segment that it has. Under another
 * name what it asks for never comes, and it goes on with what is listed (RFC 8216bis 4.4.5.3 lets a hint come to nothing).
 */
import type { TrackEpoch } from '../snapshot.ts';

export class RunNames {
  readonly #rename: (() => string) | null;
  /** Of the next epoch. */
  #next: string;
  /** Of what comes next, as far as is known: the new name when the first media under it is there. */
  #now: string;

  constructor(first: string, rename: (() => string) | null) {
    this.#next = first;
    this.#now = first;
    this.#rename = rename;
  }

  get now(): string {
    return this.#now;
  }

  /** For an epoch, by what its tracks were before it and are in it. */
  begin(tracks: readonly { readonly before: TrackEpoch | undefined; readonly from: TrackEpoch }[]): string {
    if (this.#rename && tracks.some(({ before, from }) => before && !before.init.equals(from.init))) this.#next = this.#rename();
    return this.#next;
  }

  /** Media under it is there. */
  came(name: string | undefined): void {
    if (name === this.#next) this.#now = name;
  }
}

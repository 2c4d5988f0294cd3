/** The keys of each protected video: opened when it is first played, kept for those that were played lately. */
import type { Clock } from '../../packager/clock.ts';
import type { KeyError } from '../../packager/protect/key-error.ts';
import type { KeyProvider, KeyRing } from '../../packager/protect/keys.ts';
import { Patience } from './patience.ts';

/** Who makes the keys: this server (`internal-keys.ts`), or a service that is asked (`asked-keys.ts`). */
export interface RingSource {
  /** The same ring every time, whenever it is opened. It may fail, and is asked again. `failed`: told of what goes wrong later. */
  open(video: string, stop: AbortSignal, failed: (error: KeyError) => void): Promise<KeyRing>;
}

export type KeyRingsOptions = {
  readonly source: RingSource;
  readonly clock: Clock;
  /** Told once of each time in which a video has no keys. */
  readonly failed: (video: string, error: KeyError) => void;
};

export const mostRings = 1000;
/** Of those that are kept as such, a kilobyte or so each. */
const mostKeys = 100_000;

export class KeyRings implements KeyProvider {
  readonly #o: KeyRingsOptions;
  /** Oldest use first. */
  readonly #rings = new Map<string, KeyRing>();
  readonly #opening = new Map<string, Promise<KeyRing>>();
  /** Of videos that could not be opened; oldest first. */
  readonly #patience = new Map<string, Patience>();

  constructor(options: KeyRingsOptions) {
    this.#o = options;
  }

  get kept(): number {
    return this.#rings.size;
  }

  ringOf(video: string): KeyRing | Promise<KeyRing> {
    const known = this.#rings.get(video);
    if (!known) return this.#opening.get(video) ?? this.#open(video);
    this.#rings.delete(video);
    this.#rings.set(video, known);
    return known;
  }

  #open(video: string): Promise<KeyRing> {
    const opening = this.#read(video).finally(() => this.#opening.delete(video));
    this.#opening.set(video, opening);
    return opening;
  }

  async #read(video: string): Promise<KeyRing> {
    const { source, clock, failed } = this.#o;
    const told = (error: KeyError): void => failed(video, error);
    const patience = this.#patience.get(video) ?? new Patience(clock, told);
    this.#patience.set(video, patience);
    const [first] = this.#patience.size > mostRings ? this.#patience.keys() : [];
    if (first !== undefined) this.#patience.delete(first);
    const ring = await patience.run((stop) => source.open(video, stop, told));
    this.#patience.delete(video);
    this.#rings.set(video, ring);
    this.#forgetOldest();
    return ring;
  }

  #forgetOldest(): void {
    let held = 0;
    for (const ring of this.#rings.values()) held += ring.held;
    for (const [video, ring] of this.#rings) {
      if (this.#rings.size <= 1 || (this.#rings.size <= mostRings && held <= mostKeys)) return;
      held -= ring.held;
      this.#rings.delete(video);
    }
  }
}

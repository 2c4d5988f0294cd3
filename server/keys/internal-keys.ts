/**
 * Keys that this server makes itself: each protected video has one random secret in the catalog, sealed by the master key,
 * and its keys follow from that. They are in no log, and in memory only for what was played lately.
 */
import { randomBytes } from 'node:crypto';
import { keyRing } from '../../packager/protect/key-ring.ts';
import type { KeyProvider, KeyRing } from '../../packager/protect/keys.ts';
import type { MediaSecretStore } from '../catalog/media-secrets.ts';

export type InternalKeysOptions = {
  readonly secrets: MediaSecretStore;
  /** Of videos that are protected from now on. */
  readonly segmentsPerKey: number;
};

const secretBytes = 32;
export const mostRings = 1000;

export class InternalKeys implements KeyProvider {
  readonly #o: InternalKeysOptions;
  /** Oldest use first. */
  readonly #rings = new Map<string, KeyRing>();
  readonly #opening = new Map<string, Promise<KeyRing>>();

  constructor(options: InternalKeysOptions) {
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
    const { secrets, segmentsPerKey } = this.#o;
    const kept = await secrets.keep(video, { secret: randomBytes(secretBytes), segmentsPerKey });
    const ring = keyRing(kept.secret, kept.segmentsPerKey);
    this.#rings.set(video, ring);
    const [oldest] = this.#rings.size > mostRings ? this.#rings.keys() : [];
    if (oldest !== undefined) this.#rings.delete(oldest);
    return ring;
  }
}

/**
 * Keys of a service that makes them elsewhere and has to be asked (a CPIX or SPEKE server, a key management service). It
 * is asked ahead, for many at a time, and only for what it has not said yet:
 *
 *     listed now     ─▶ prepare ─▶ there: at once │ not there: asked for, and waited for
 *     the next key   ─▶ asked for in passing, while the one before is in use
 *
 * What it answers is looked at before anything is encrypted or printed by it.
 */
import type { Clock } from '../../packager/clock.ts';
import { KeyError } from '../../packager/protect/key-error.ts';
import type { KeyRing, MediaKey, Slots } from '../../packager/protect/keys.ts';
import { checkSignals } from '../../packager/protect/signals.ts';
import { Patience } from './patience.ts';
import type { RingSource } from './rings.ts';

/**
 * Both answers are for good: files are named by the number of their key and kept in caches, so the same number has to be the
 * same key whenever it is asked for.
 */
export interface KeyService {
  /** How many segments of this video are under one key. */
  segmentsPerKey(video: string, stop: AbortSignal): Promise<number>;
  /** One key for each of the numbers, in their order. */
  keys(video: string, slots: readonly number[], stop: AbortSignal): Promise<readonly MediaKey[]>;
}

export const askedKeys = (service: KeyService, clock: Clock): RingSource => ({
  async open(video, stop, failed) {
    const segmentsPerKey = await service.segmentsPerKey(video, stop);
    if (!Number.isSafeInteger(segmentsPerKey) || segmentsPerKey < 1) throw new KeyError('unusable', `a key is to last for ${segmentsPerKey} segments`);
    return new AskedRing(video, segmentsPerKey, service, new Patience(clock, failed));
  },
});

/** In one question. */
const mostAtOnce = 64;
/** Of a video: a show of a day with another key after each segment has 43,200. */
const mostKeys = 50_000;
const keyBytes = 16;

class AskedRing implements KeyRing {
  readonly segmentsPerKey: number;
  readonly #video: string;
  readonly #service: KeyService;
  readonly #patience: Patience;
  readonly #keys = new Map<number, MediaKey>();
  readonly #byId = new Map<string, MediaKey>();
  /** All of these are there. */
  #whole = { first: 0, last: -1 };
  #asking: Promise<void> | null = null;

  constructor(video: string, segmentsPerKey: number, service: KeyService, patience: Patience) {
    this.#video = video;
    this.segmentsPerKey = segmentsPerKey;
    this.#service = service;
    this.#patience = patience;
  }

  get held(): number {
    return this.#keys.size;
  }

  prepare({ first, last, growing }: Slots): Promise<void> | null {
    if (!this.#has(first, last)) return this.#wanted(first, last);
    if (growing && !this.#keys.has(last + 1) && !this.#asking && !this.#patience.resting) {
      // What goes wrong is told of, and asked for again when it is needed.
      void this.#ask([last + 1]).catch(() => undefined);
    }
    return null;
  }

  key(slot: number): MediaKey {
    const known = this.#keys.get(slot);
    if (!known) throw new KeyError('failed', `key ${slot} of ${this.#video} has not been asked for`);
    return known;
  }

  withId(kid: Buffer): MediaKey | null {
    return this.#byId.get(kid.toString('hex')) ?? null;
  }

  #has(first: number, last: number): boolean {
    const { first: from, last: to } = this.#whole;
    if (first >= from && last <= to) return true;
    if (this.#missing(first, last).length > 0) return false;
    this.#whole = { first, last };
    return true;
  }

  /** No more of them than one question has room for. */
  #missing(first: number, last: number): number[] {
    const missing: number[] = [];
    for (let slot = first; slot <= last && missing.length < mostAtOnce; slot += 1) if (!this.#keys.has(slot)) missing.push(slot);
    return missing;
  }

  async #wanted(first: number, last: number): Promise<void> {
    if (last - first >= mostKeys) throw new KeyError('unusable', `${last - first + 1} keys of ${this.#video} are more than are kept`);
    for (let missing = this.#missing(first, last); missing.length > 0; missing = this.#missing(first, last)) await (this.#asking ?? this.#ask(missing));
  }

  #ask(slots: readonly number[]): Promise<void> {
    const asking = this.#patience
      .run(async (stop) => checked(await this.#service.keys(this.#video, slots, stop), slots, this.#byId))
      .then((keys) => this.#keep(keys))
      .finally(() => (this.#asking = null));
    this.#asking = asking;
    return asking;
  }

  #keep(keys: ReadonlyMap<number, MediaKey>): void {
    for (const [slot, key] of keys) {
      this.#keys.set(slot, key);
      this.#byId.set(key.kid.toString('hex'), key);
    }
  }
}

const checked = (keys: readonly MediaKey[], slots: readonly number[], known: ReadonlyMap<string, MediaKey>): Map<number, MediaKey> => {
  if (keys.length !== slots.length) throw new KeyError('unusable', `${keys.length} keys for ${slots.length} numbers`);
  const ids = new Set<string>();
  const bySlot = new Map<number, MediaKey>();
  for (const [index, one] of keys.entries()) {
    if ([one.kid, one.key, one.iv].some((bytes) => bytes.length !== keyBytes)) throw new KeyError('unusable', 'a key, its id and its IV have 16 bytes each');
    checkSignals(one.signals);
    const id = one.kid.toString('hex');
    if (ids.has(id) || known.has(id)) throw new KeyError('unusable', 'two keys of one video have the same id');
    ids.add(id);
    bySlot.set(slots[index] ?? 0, one);
  }
  return bySlot;
};

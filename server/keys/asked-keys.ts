/**
 * Keys of a service that makes them elsewhere and has to be asked (a CPIX or SPEKE server, a key management service). It
 * is asked ahead, for many at a time, and only for what it has not said yet:
 *
 *     needed now     ─▶ prepare ─▶ there: at once │ not there: asked for, and waited for
 *     the next key   ─▶ asked for in passing, while the one before is in use
 *
 * What it answers is looked at before anything is encrypted or printed by it.
 */
import type { Clock } from '../../packager/clock.ts';
import { KeyError } from '../../packager/protect/key-error.ts';
import type { KeyRing, MediaKey, Scheme, Slots } from '../../packager/protect/keys.ts';
import { checkSignals, checkTold } from '../../packager/protect/signals.ts';
import { longestWaitMs, Patience } from './patience.ts';
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
    return new AskedRing(video, segmentsPerKey, service, { clock, failed });
  },
});

/** In one question. */
const mostAtOnce = 64;
/** At a time, so that whoever wants one key does not stand behind somebody who wants thousands. */
const mostQuestions = 4;
/** Of a video. A show of a day with another key after each segment has 43,200; of a longer one the oldest are asked for again. */
const mostKept = 50_000;
/** In one answer: the list of all of a recording. They are kept until it is written. */
const mostWanted = 100_000;
const keyBytes = 16;

type Range = Pick<Slots, 'first' | 'last'>;
/** What is not there yet, at most as much as one question has room for; nothing: all is there. */
type Lacking = () => number[];

class AskedRing implements KeyRing {
  readonly segmentsPerKey: number;
  readonly #video: string;
  readonly #service: KeyService;
  readonly #clock: Clock;
  readonly #patience: Patience;
  /** For what nobody needs yet: that it is not to be had keeps nobody from what is. */
  readonly #ahead: Patience;
  /** Oldest first. */
  readonly #keys = new Map<number, MediaKey>();
  /** Also of keys that are no longer kept: which number an id is of is known for good. */
  readonly #slots = new Map<string, number>();
  readonly #ids = new Map<number, string>();
  /** All of these are there. */
  #whole: Range = { first: 0, last: -1 };
  /** Numbers that have been asked for, each with its question. */
  readonly #asking = new Map<number, Promise<void>>();
  #questions = 0;
  #next: Promise<void> | null = null;
  /** Whoever waits until a question may be asked; first come, first served. */
  readonly #line: (() => void)[] = [];
  /** What somebody waits for is not dropped until he has all of it. */
  readonly #pinned = new Set<Range>();

  constructor(video: string, segmentsPerKey: number, service: KeyService, { clock, failed }: { readonly clock: Clock; readonly failed: (error: KeyError) => void }) {
    this.#video = video;
    this.segmentsPerKey = segmentsPerKey;
    this.#service = service;
    this.#clock = clock;
    this.#patience = new Patience(clock, failed);
    this.#ahead = new Patience(clock, failed);
  }

  get held(): number {
    return this.#keys.size;
  }

  prepare(slots: Slots): Promise<void> | null {
    if (!this.#has(slots)) return this.#wanted(slots);
    const next = slots.last + 1;
    if (slots.growing && !this.#keys.has(next) && !this.#asking.has(next) && !this.#next && this.#questions < mostQuestions && !this.#ahead.resting && !this.#patience.resting) {
      // What goes wrong is told of, and asked for again when it is needed.
      this.#next = this.#ask([next], slots.scheme, this.#ahead).catch(() => undefined).finally(() => (this.#next = null));
    }
    return null;
  }

  find(kids: readonly Buffer[], { first, last, growing, scheme }: Slots): Promise<void> | null {
    const ids = kids.map((kid) => kid.toString('hex'));
    const lacking = (): number[] => {
      const dropped = ids.flatMap((id) => this.#slots.get(id) ?? []).filter((slot) => !this.#keys.has(slot));
      if (dropped.length > 0 || ids.every((id) => this.#slots.has(id))) return [...new Set(dropped)].slice(0, mostAtOnce);
      // Each number is asked for once on their account. Live, most play what is new.
      const unknown: number[] = [];
      const [from, step] = growing ? [last, -1] : [first, 1];
      for (let slot = from; slot >= first && slot <= last && unknown.length < mostAtOnce; slot += step) if (!this.#ids.has(slot)) unknown.push(slot);
      return unknown;
    };
    return lacking().length === 0 ? null : this.#inTime(lacking, scheme);
  }

  key(slot: number): MediaKey {
    const known = this.#keys.get(slot);
    if (!known) throw new KeyError('failed', `key ${slot} of ${this.#video} has not been asked for`);
    return known;
  }

  withId(kid: Buffer): MediaKey | null {
    const slot = this.#slots.get(kid.toString('hex'));
    return slot === undefined ? null : (this.#keys.get(slot) ?? null);
  }

  #has(range: Range): boolean {
    const { first, last } = range;
    if (first >= this.#whole.first && last <= this.#whole.last) return true;
    if (this.#missing(range).length > 0) return false;
    // What is looked up at once need not take the place of a long list.
    if (last - first >= mostAtOnce) this.#whole = { first, last };
    return true;
  }

  #missing({ first, last }: Range): number[] {
    const missing: number[] = [];
    for (let slot = first; slot <= last && missing.length < mostAtOnce; slot += 1) if (!this.#keys.has(slot)) missing.push(slot);
    return missing;
  }

  async #wanted({ first, last, scheme }: Slots): Promise<void> {
    if (last - first >= mostWanted) throw new KeyError('unusable', `${last - first + 1} keys of ${this.#video} are more than one answer may need`);
    const range = { first, last };
    this.#pinned.add(range);
    // What is pinned stays, so what has been looked at need not be looked at again.
    let from = first;
    const lacking: Lacking = () => {
      while (from <= last && this.#keys.has(from)) from += 1;
      return this.#missing({ first: from, last });
    };
    try {
      await this.#inTime(lacking, scheme);
    } finally {
      this.#pinned.delete(range);
    }
  }

  /** However many questions it takes. */
  async #inTime(lacking: Lacking, scheme: Scheme): Promise<void> {
    let [over, cancel] = [false, (): void => undefined];
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(longestWaitMs, () => {
        over = true;
        reject(this.#patience.outOfTime());
      });
    });
    try {
      await Promise.race([late, this.#askAll(lacking, scheme, () => over)]);
    } finally {
      cancel();
    }
  }

  async #askAll(lacking: Lacking, scheme: Scheme, over: () => boolean): Promise<void> {
    try {
      for (let wanted = lacking(); wanted.length > 0 && !over(); wanted = lacking()) {
        const mine = wanted.filter((slot) => !this.#asking.has(slot));
        // What goes wrong with somebody else's question is his; what he does not get is asked for anew.
        if (mine.length === 0) await Promise.allSettled(wanted.map((slot) => this.#asking.get(slot)));
        else if (this.#questions >= mostQuestions) await new Promise<void>((turn) => this.#line.push(turn));
        else await this.#ask(mine, scheme, this.#patience);
      }
    } finally {
      this.#line.shift()?.();
    }
  }

  #ask(slots: readonly number[], scheme: Scheme, patience: Patience): Promise<void> {
    this.#questions += 1;
    const asking = patience
      .run(async (stop) => this.#checked(await this.#service.keys(this.#video, slots, stop), slots, scheme))
      .then((keys) => this.#keep(keys))
      .finally(() => {
        this.#questions -= 1;
        for (const slot of slots) this.#asking.delete(slot);
        this.#line.shift()?.();
      });
    for (const slot of slots) this.#asking.set(slot, asking);
    return asking;
  }

  #checked(keys: readonly MediaKey[], slots: readonly number[], scheme: Scheme): Map<number, MediaKey> {
    const bySlot = checked(keys, slots, scheme);
    for (const [slot, { kid }] of bySlot) {
      const id = kid.toString('hex');
      if ((this.#slots.get(id) ?? slot) !== slot) throw new KeyError('unusable', 'two keys of one video have the same id');
      if ((this.#ids.get(slot) ?? id) !== id) throw new KeyError('unusable', `key ${slot} is another than it was`);
    }
    return bySlot;
  }

  #keep(keys: ReadonlyMap<number, MediaKey>): void {
    for (const [slot, key] of keys) {
      const id = key.kid.toString('hex');
      this.#keys.set(slot, key);
      this.#slots.set(id, slot);
      this.#ids.set(slot, id);
    }
    const pinned = [...this.#pinned];
    const room = Math.max(mostKept, ...pinned.map(({ first, last }) => last - first + 1));
    if (this.#keys.size <= room) return;
    for (const slot of this.#keys.keys()) {
      if (this.#keys.size <= room) break;
      if (!keys.has(slot) && !pinned.some(({ first, last }) => slot >= first && slot <= last)) this.#keys.delete(slot);
    }
    this.#whole = { first: 0, last: -1 };
  }
}

const checked = (keys: readonly MediaKey[], slots: readonly number[], scheme: Scheme): Map<number, MediaKey> => {
  if (keys.length !== slots.length) throw new KeyError('unusable', `${keys.length} keys for ${slots.length} numbers`);
  const ids = new Set<string>();
  const bySlot = new Map<number, MediaKey>();
  for (const [index, one] of keys.entries()) {
    if ([one.kid, one.key, one.iv].some((bytes) => bytes.length !== keyBytes)) throw new KeyError('unusable', 'a key, its id and its IV have 16 bytes each');
    checkSignals(one.signals);
    checkTold(one.signals, scheme);
    const id = one.kid.toString('hex');
    if (ids.has(id)) throw new KeyError('unusable', 'two keys of one video have the same id');
    ids.add(id);
    bySlot.set(slots[index] ?? 0, one);
  }
  return bySlot;
};

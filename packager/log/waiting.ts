/**
 * Fragments on their way to the disk, oldest first, with their bytes: a moment's queue while the disk is well,
 * the bounded volatile store while it is not.
 */
import type { EpochFacts, FragmentFacts } from './types.ts';

type Common = {
  /** Facts of the epoch that it belongs to, for the head of a new extent. */
  readonly epoch: EpochFacts;
  /** Called once: the caller gets its answer. */
  readonly announce: () => void;
  cancelStall: () => void;
  announced: boolean;
};
export type WaitingEpoch = Common & { readonly kind: 'epoch' };
export type WaitingFragment = Common & {
  readonly kind: 'fragment';
  readonly seq: number;
  readonly facts: FragmentFacts;
  readonly size: number;
  readonly crc: number;
  /** Null when memory had to be given back. */
  data: readonly Buffer[] | null;
  /** A write has these bytes in its hands. */
  writing: boolean;
};
export type Waiting = WaitingEpoch | WaitingFragment;

export class WaitingQueue {
  readonly #items: Waiting[] = [];
  readonly #bySeq = new Map<number, WaitingFragment>();
  readonly #limit: number;
  #bytes = 0;
  /** How many of the oldest have been looked at for their bytes: a disk may be away for a day, and nobody looks at a day again and again. */
  #looked = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get head(): Waiting | undefined {
    return this.#items[0];
  }
  get length(): number {
    return this.#items.length;
  }
  get bytes(): number {
    return this.#bytes;
  }

  push(item: Waiting): void {
    this.#items.push(item);
    if (item.kind === 'epoch') return;
    this.#bySeq.set(item.seq, item);
    this.#bytes += item.size;
  }

  /** The head has been written. */
  shift(): void {
    const item = this.#items.shift();
    this.#looked = Math.max(0, this.#looked - 1);
    if (item?.kind !== 'fragment') return;
    this.#bySeq.delete(item.seq);
    if (item.data) this.#bytes -= item.size;
  }

  data(seq: number): readonly Buffer[] | null {
    return this.#bySeq.get(seq)?.data ?? null;
  }

  announceAll(): void {
    // In order: those that have not been announced are the newest.
    let from = this.#items.length;
    while (from > 0 && this.#items[from - 1]?.announced === false) from -= 1;
    for (const item of this.#items.slice(from)) announce(item);
  }

  /** Takes the bytes of the oldest until the rest fits; `dropped` hears of each. */
  dropOldest(dropped: (seq: number) => void): void {
    for (; this.#bytes > this.#limit; this.#looked += 1) {
      const item = this.#items[this.#looked];
      if (!item) return;
      if (item.kind !== 'fragment' || !item.data || item.size === 0 || item.writing) continue;
      item.data = null;
      this.#bytes -= item.size;
      dropped(item.seq);
    }
  }
}

export function announce(item: Waiting): void {
  if (item.announced) return;
  item.announced = true;
  item.cancelStall();
  item.announce();
}

/**
 * Packets that wait for their time, in the order of their numbers, and what is missing between them.
 *
 *     ── delivered ──▶ first ▒▒▒░▒▒▒▒░░▒▒ next        ▒ held   ░ lost: asked for again, given up when it is too late
 *                      └────── at most `size` ──────┘
 *
 * Every range that a peer names is cut to this window before anything loops over it.
 */
import { after, distance } from './sequence.ts';

/** `key` as it stands in the packet: it is opened when it leaves. */
export type Held = { readonly due: number; readonly key: number; readonly body: Buffer };
export type Put = 'new' | 'recovered' | 'double' | 'late' | 'beyond';
export type Range = { readonly from: number; readonly to: number };
/** What leaves: `holes` packets before it are missing. */
export type Release = { readonly sequence: number; readonly key: number; readonly body: Buffer; readonly holes: number };

export class ReceiveWindow {
  readonly #size: number;
  readonly #slots: (Held | undefined)[];
  #first: number;
  #next: number;
  #held = 0;
  /** Packets that a leap of the sender passed over. */
  #leapt = 0;
  /** Missing packets, and when they were last asked for; in the order of their numbers. */
  readonly #lost = new Map<number, number>();

  /** `size` is a power of two. */
  constructor(size: number, first: number) {
    this.#size = size;
    this.#slots = Array.from({ length: size });
    this.#first = first;
    this.#next = first;
  }

  get held(): number {
    return this.#held;
  }
  get missing(): number {
    return this.#lost.size;
  }
  get room(): number {
    return this.#size - distance(this.#next, this.#first);
  }

  /** All packets before this one are here, or will not be missed. */
  get acknowledged(): number {
    const [first] = this.#lost.keys();
    return first ?? this.#next;
  }

  put(sequence: number, held: Held, now: number): Put {
    let offset = distance(sequence, this.#first);
    if (offset < 0) return 'late';
    if (offset >= this.#size) {
      if (this.#held > 0) return 'beyond';
      // Nothing is held that the leap could tear apart.
      this.#lost.clear();
      this.#leapt += offset;
      this.#first = sequence;
      this.#next = sequence;
      offset = 0;
    }
    const slot = this.#slot(sequence);
    if (this.#slots[slot]) return 'double';
    this.#slots[slot] = held;
    this.#held += 1;
    const ahead = distance(sequence, this.#next);
    if (ahead < 0) {
      this.#lost.delete(sequence);
      return 'recovered';
    }
    for (let missing = 0; missing < ahead; missing += 1) this.#lost.set(after(this.#next, missing), now);
    this.#next = after(sequence);
    return 'new';
  }

  /** What the next `put` of this packet would find missing; null: nothing. */
  gapBefore(sequence: number): Range | null {
    const ahead = distance(sequence, this.#next);
    return ahead > 0 && distance(sequence, this.#first) < this.#size ? { from: this.#next, to: after(sequence, -1) } : null;
  }

  /** The next packet whose time has come; null: none. What is missing before it is given up. */
  release(now: number): Release | null {
    if (this.#held === 0) return null;
    let holes = 0;
    while (!this.#slots[this.#slot(after(this.#first, holes))]) holes += 1;
    const sequence = after(this.#first, holes);
    const slot = this.#slot(sequence);
    const held = this.#slots[slot];
    if (!held || held.due > now) return null;
    for (let index = 0; index < holes; index += 1) this.#lost.delete(after(this.#first, index));
    this.#slots[slot] = undefined;
    this.#held -= 1;
    this.#first = after(sequence);
    const leapt = this.#leapt;
    this.#leapt = 0;
    return { sequence, key: held.key, body: held.body, holes: holes + leapt };
  }

  /** The sender will not send these again. */
  forget({ from, to }: Range): void {
    const start = Math.max(0, distance(from, this.#first));
    const end = Math.min(distance(to, this.#first), distance(this.#next, this.#first) - 1);
    for (let offset = start; offset <= end; offset += 1) this.#lost.delete(after(this.#first, offset));
  }

  /** Missing packets that were last asked for before a moment, as ranges; they count as asked for now. */
  overdue(before: number, now: number, most: number): Range[] {
    const ranges: Range[] = [];
    let open: { from: number; to: number } | null = null;
    for (const [sequence, at] of this.#lost) {
      if (at > before) continue;
      if (open && sequence === after(open.to)) {
        open.to = sequence;
      } else {
        if (ranges.length >= most) break;
        open = { from: sequence, to: sequence };
        ranges.push(open);
      }
      this.#lost.set(sequence, now);
    }
    return ranges;
  }

  #slot(sequence: number): number {
    return sequence % this.#size;
  }
}

/** The body of a loss report (appendix A): one number, or two of which the first has its top bit set. */
export const lossReport = (ranges: readonly Range[]): Buffer => {
  const words = ranges.flatMap(({ from, to }) => (from === to ? [from] : [from + 2 ** 31, to]));
  const out = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => out.writeUInt32BE(word, index * 4));
  return out;
};

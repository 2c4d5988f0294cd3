/**
 * The hot cache: bounded by bytes, evicting by SIEVE (an entry that was asked for since the hand last passed
 * stays; a hit only sets a bit). What is asked for once is not kept: admission is at the second miss, unless
 * the caller knows that others are about to ask.
 */
type Entry<Value> = {
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  visited: boolean;
  newer: Entry<Value> | null;
  older: Entry<Value> | null;
};

/** The map entry, the key and the headers, roughly. */
const overhead = 1024;
const rememberedMisses = 8192;

export class HotCache<Value> {
  readonly #capacity: number;
  readonly #largest: number;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #missedOnce = new Set<string>();
  #newest: Entry<Value> | null = null;
  #oldest: Entry<Value> | null = null;
  #hand: Entry<Value> | null = null;
  #bytes = 0;

  /** `largest`: what is bigger is not kept, so that one does not put out all the others. */
  constructor(capacity: number, largest = capacity / 4) {
    this.#capacity = capacity;
    this.#largest = largest;
  }

  get bytes(): number {
    return this.#bytes;
  }
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry) entry.visited = true;
    return entry?.value;
  }

  /** Keeps the value when it is wanted: at once when `eager`, else at the second offer. */
  offer(key: string, value: Value, size: number, eager: boolean): void {
    const bytes = size + overhead;
    if (this.#entries.has(key) || bytes > this.#largest) return;
    if (!eager && !this.#missedOnce.delete(key)) {
      this.#missedOnce.add(key);
      const [forgotten] = this.#missedOnce;
      if (this.#missedOnce.size > rememberedMisses && forgotten !== undefined) this.#missedOnce.delete(forgotten);
      return;
    }
    while (this.#bytes + bytes > this.#capacity) {
      const out = this.#next();
      if (!out) break;
      this.#remove(out);
    }
    const entry: Entry<Value> = { key, value, bytes, visited: false, newer: null, older: this.#newest };
    if (this.#newest) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
    this.#entries.set(key, entry);
    this.#bytes += bytes;
  }

  /** Looks at every entry: for what happens seldom. */
  drop(goes: (key: string) => boolean): void {
    for (const [key, entry] of this.#entries) if (goes(key)) this.#remove(entry);
  }

  /** Where the hand stops. */
  #next(): Entry<Value> | null {
    let entry = this.#hand ?? this.#oldest;
    while (entry?.visited) {
      entry.visited = false;
      entry = entry.newer ?? this.#oldest;
    }
    if (entry) this.#hand = entry.newer;
    return entry;
  }

  #remove(entry: Entry<Value>): void {
    if (this.#hand === entry) this.#hand = entry.newer;
    if (entry.newer) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    if (entry.older) entry.older.newer = entry.newer;
    else this.#oldest = entry.newer;
    this.#entries.delete(entry.key);
    this.#bytes -= entry.bytes;
  }
}

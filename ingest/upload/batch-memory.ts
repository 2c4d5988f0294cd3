/**
 * The memory that bodies gather in until it is written: used again and again, shared with the thread that computes digests,
 * and bounded. There is always some: when most of it is taken, whoever comes gets less at a time.
 */
export type Batch = { readonly shared: SharedArrayBuffer; readonly bytes: Buffer };

const KiB = 1024;
/**
 * Below a MiB: Linux lays what is written at once into pages as large as that, and looks long for ones of a MiB (measured on
 * 6.18 with ext4: four times as long as for three quarters of it).
 */
const sizes = [768 * KiB, 256 * KiB, 64 * KiB] as const;
const smallest = 64 * KiB;
/** Of what is left, nobody gets more than this share of it. */
const share = 16;
/** What is kept when nobody sends anything. */
const mostIdle = 8 * KiB * KiB;

export class BatchMemory {
  readonly #limit: number;
  readonly #idle: Batch[] = [];
  #idleBytes = 0;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  take(): Batch {
    const size = sizes.find((bytes) => bytes * share <= this.#limit - this.#taken) ?? smallest;
    const at = this.#idle.findLastIndex(({ bytes }) => bytes.length === size);
    const [batch = fresh(size)] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (at >= 0) this.#idleBytes -= size;
    this.#taken += size;
    return batch;
  }

  give(batch: Batch): void {
    this.#taken -= batch.bytes.length;
    this.#idle.push(batch);
    this.#idleBytes += batch.bytes.length;
    // While there is traffic all of it is used again: memory that is dropped is only given back by a collection.
    const most = this.#taken === 0 ? mostIdle : this.#limit - this.#taken;
    while (this.#idle.length > 0 && this.#idleBytes > most) this.#idleBytes -= this.#idle.shift()?.bytes.length ?? 0;
  }
}

const fresh = (size: number): Batch => {
  const shared = new SharedArrayBuffer(size);
  return { shared, bytes: Buffer.from(shared) };
};

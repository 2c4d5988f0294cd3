/**
 * The originals that somebody writes to: one `Original` for each, whoever asks for it, opened when it is wanted and
 * closed when nobody has wanted it for a while. Whatever becomes whole or is given up is over: requests that are late
 * find no file to write to.
 */
import type { Clock } from '../../packager/clock.ts';
import type { Landed } from './desk.ts';
import { diskFault, UploadFault } from './faults.ts';
import { nodeFiles, type UploadDisk } from './files.ts';
import { landedPath, readLanded } from './landed-file.ts';
import { uploadLimits, type UploadLimits } from './limits.ts';
import { Original } from './original.ts';
import { Slots } from './slots.ts';

export type OriginalsOptions = {
  readonly clock: Clock;
  /** Of the system, see `readBootId`; null: every start may have been one of the machine. */
  readonly bootId: string | null;
  /** More of one has landed (or, after a fault of the disk, less). Takes no time, never throws. */
  readonly landed: (id: string, landed: Landed) => void;
  /** Something failed that nobody waits for. */
  readonly failed: (id: string, error: unknown) => void;
  readonly disk?: UploadDisk;
  readonly limits?: Partial<UploadLimits>;
};

export type Place = { readonly id: string; readonly path: string; readonly size: number };

type Held = { readonly original: Promise<Original>; holders: number; cancelIdle: () => void };

const syncsAtOnce = 2;
const mostOver = 10_000;

export class Originals {
  readonly #o: OriginalsOptions;
  readonly #disk: UploadDisk;
  readonly #limits: UploadLimits;
  readonly #writes: Slots;
  readonly #syncs = new Slots(syncsAtOnce);
  /** In the order in which they were opened. */
  readonly #held = new Map<string, Held>();
  readonly #closing = new Map<string, Promise<void>>();
  readonly #over = new Set<string>();

  constructor(options: OriginalsOptions) {
    this.#o = options;
    this.#disk = options.disk ?? nodeFiles;
    this.#limits = { ...uploadLimits, ...options.limits };
    this.#writes = new Slots(this.#limits.writes);
  }

  /** Files that are open, or about to be. */
  get count(): number {
    return this.#held.size;
  }

  isOver(id: string): boolean {
    return this.#over.has(id);
  }

  /** What an earlier run left of it; null: nothing. Opens nothing for long. */
  async landed(path: string, size: number): Promise<Landed | null> {
    return (await readLanded(this.#disk, path, size, this.#o.bootId))?.landed ?? null;
  }

  /** Lends the original of an upload. Rejects with an UploadFault. */
  async use<T>(place: Place, work: (original: Original) => Promise<T>): Promise<T> {
    const held = await this.#hold(place);
    try {
      return await work(await held.original);
    } finally {
      held.holders -= 1;
      if (held.holders === 0 && this.#held.get(place.id) === held) held.cancelIdle = this.#o.clock.after(this.#limits.idleMs, () => this.#closeIdle(place.id));
    }
  }

  /** All of it is on the platter, and `remember` has seen to it that this is known. Nothing is written to it any more. */
  async settle(place: Place, remember: () => Promise<void>): Promise<void> {
    await this.use(place, (original) => original.finish());
    await remember();
    await this.release(place.id);
    await this.forgetLanded(place.path);
  }

  /** For what is whole: what was written down of its arrival goes. */
  async forgetLanded(path: string): Promise<void> {
    await this.#disk.unlink(landedPath(path));
  }

  /** Nobody writes to it any more when this resolves, and nobody will. Its files stay. */
  async release(id: string): Promise<void> {
    this.#over.add(id);
    const [oldest] = this.#over.size > mostOver ? this.#over : [];
    if (oldest !== undefined) this.#over.delete(oldest);
    await this.#close(id);
  }

  /** As above, and its files go. */
  async remove({ id, path }: Pick<Place, 'id' | 'path'>): Promise<void> {
    await this.release(id);
    await this.#disk.unlink(path);
    await this.forgetLanded(path);
  }

  /** Everything is written down, synced and closed. */
  async stop(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((id) => this.#close(id)));
    await Promise.all(this.#closing.values());
  }

  async #hold(place: Place): Promise<Held> {
    // What is being closed is written down first.
    for (let closing = this.#closing.get(place.id); closing; closing = this.#closing.get(place.id)) await closing;
    if (this.#over.has(place.id)) throw new UploadFault('over', 'this upload is over');
    const known = this.#held.get(place.id);
    if (known) {
      known.cancelIdle();
      known.holders += 1;
      return known;
    }
    this.#makePlace();
    const held: Held = { original: this.#load(place), holders: 1, cancelIdle: () => undefined };
    this.#held.set(place.id, held);
    held.original.catch(() => {
      if (this.#held.get(place.id) === held) this.#held.delete(place.id);
    });
    return held;
  }

  async #load({ id, path, size }: Place): Promise<Original> {
    const { clock, bootId, landed, failed } = this.#o;
    const state = await readLanded(this.#disk, path, size, bootId).catch((error: unknown) => {
      throw diskFault(error);
    });
    return new Original({
      ...{ disk: this.#disk, clock, limits: this.#limits, bootId, writes: this.#writes, syncs: this.#syncs, path, size, state },
      changed: (now) => landed(id, now),
      failed: (error) => failed(id, error),
    });
  }

  #makePlace(): void {
    if (this.#held.size < this.#limits.openFiles) return;
    for (const [id, { holders }] of this.#held) {
      if (holders > 0) continue;
      this.#closeIdle(id);
      return;
    }
    throw new UploadFault('crowded', 'too many uploads write at once');
  }

  #closeIdle(id: string): void {
    void this.#close(id).catch((error: unknown) => this.#o.failed(id, error));
  }

  #close(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (!held) return this.#closing.get(id) ?? Promise.resolve();
    this.#held.delete(id);
    held.cancelIdle();
    const closing = held.original
      .then(
        (original) => original.close(),
        () => undefined,
      )
      .finally(() => this.#closing.delete(id));
    this.#closing.set(id, closing);
    return closing;
  }
}

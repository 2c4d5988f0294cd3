/**
 * Who writes which bytes of an original: nobody writes bytes that another one writes. A client often comes back before
 * the server has seen that its old connection is dead, so whoever has been silent for a while makes place, and whoever is
 * not is waited for. Of those who wait for the same bytes the newest one is meant.
 */
import type { Clock } from '../../packager/clock.ts';
import type { UploadLimits } from './limits.ts';

export interface Writer {
  /** ms since it brought something; 0 while it waits for us. */
  readonly silentMs: number;
  /** Somebody else takes its place, or nobody may write any more. It leaves as soon as what it writes has been written. */
  stop(): void;
}

/** Somebody else writes these bytes now; nobody writes any more; the disk may have lost what was not synced. */
export type StopReason = 'taken-over' | 'over' | 'disk-failed';

export interface Seat {
  /** It was told to stop: what it has written since is not to be claimed. */
  readonly stopped: StopReason | null;
  leave(): void;
}

type Taken = { readonly from: number; readonly to: number; readonly writer: Writer; stopped: StopReason | null; readonly leave: () => void };
type Waiting = { readonly from: number; readonly to: number; look: () => void; giveUp: () => void };

const overlap = (one: { from: number; to: number }, other: { from: number; to: number }): boolean => one.from < other.to && other.from < one.to;

export class Writers {
  readonly #clock: Clock;
  readonly #limits: Pick<UploadLimits, 'takeoverMs' | 'patienceMs'>;
  readonly #taken = new Set<Taken>();
  readonly #waiting = new Set<Waiting>();
  /** Told when the last one has left. */
  readonly #leaving: (() => void)[] = [];
  #closed = false;

  constructor(clock: Clock, limits: Pick<UploadLimits, 'takeoverMs' | 'patienceMs'>) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Those who write, and those who wait to. */
  get count(): number {
    return this.#taken.size + this.#waiting.size;
  }

  /** Null: somebody else writes these bytes and goes on, or nobody may any more. */
  async enter(from: number, to: number, writer: Writer): Promise<Seat | null> {
    const range = { from, to: Math.max(to, from + 1) };
    for (const older of this.#waiting) if (overlap(older, range)) older.giveUp();
    if (this.#closed) return null;
    if (this.#othersThan(range) === null) return this.#sit(range, writer);
    return new Promise((resolve) => {
      let cancel = (): void => undefined;
      const givesUpAt = this.#clock.now() + this.#limits.patienceMs;
      const end = (seat: Seat | null): void => {
        cancel();
        this.#waiting.delete(waiting);
        resolve(seat);
      };
      const waiting: Waiting = {
        ...range,
        giveUp: () => end(null),
        look: () => {
          cancel();
          const nextLook = this.#othersThan(range);
          if (nextLook === null) return end(this.#sit(range, writer));
          const left = givesUpAt - this.#clock.now();
          if (left <= 0) return end(null);
          cancel = this.#clock.after(Math.min(left, nextLook), waiting.look);
        },
      };
      this.#waiting.add(waiting);
      waiting.look();
    });
  }

  /** Nobody writes any more when this resolves, and nobody begins. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#waiting) waiting.giveUp();
    this.stopAll('over');
    if (this.#taken.size > 0) await new Promise<void>((done) => this.#leaving.push(done));
  }

  stopAll(why: StopReason): void {
    for (const taken of this.#taken) this.#stop(taken, why);
  }

  /** Null: nobody is in the way. Else how long until it is worth looking again; whoever was silent for too long is told to stop. */
  #othersThan(range: { from: number; to: number }): number | null {
    let nextLook: number | null = null;
    for (const taken of this.#taken) {
      if (!overlap(taken, range)) continue;
      const left = this.#limits.takeoverMs - taken.writer.silentMs;
      if (left <= 0) this.#stop(taken, 'taken-over');
      nextLook = Math.min(nextLook ?? Number.POSITIVE_INFINITY, left > 0 ? left : this.#limits.patienceMs);
    }
    // What stopped may have left within the call.
    return nextLook !== null && [...this.#taken].some((taken) => overlap(taken, range)) ? nextLook : null;
  }

  #stop(taken: Taken, why: StopReason): void {
    if (taken.stopped) return;
    taken.stopped = why;
    taken.writer.stop();
  }

  #sit(range: { from: number; to: number }, writer: Writer): Seat {
    const taken: Taken = {
      ...range,
      writer,
      stopped: null,
      leave: () => {
        if (!this.#taken.delete(taken)) return;
        for (const waiting of [...this.#waiting]) if (overlap(waiting, taken)) waiting.look();
        if (this.#taken.size === 0) for (const left of this.#leaving.splice(0)) left();
      },
    };
    this.#taken.add(taken);
    return taken;
  }
}

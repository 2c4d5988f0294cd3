/** What a movie may ask for. All of it is counted before memory is taken. */
import { setImmediate } from 'node:timers/promises';
import { Mp4Error } from './movie.ts';

export type MovieLimits = {
  /** Bytes of one moov, which is read in one piece. */
  readonly moovBytes: number;
  readonly moofBytes: number;
  readonly tracks: number;
  /** Of all tracks together. */
  readonly samples: number;
  /** Boxes looked at ahead of the moov and inside it. */
  readonly boxes: number;
  /** Boxes behind the moov of a fragmented file, those inside each moof too: about ten for a fragment of two tracks. */
  readonly fragmentBoxes: number;
};

export const movieLimits: MovieLimits = {
  moovBytes: 128 << 20,
  moofBytes: 16 << 20,
  tracks: 64,
  samples: 20_000_000,
  boxes: 100_000,
  fragmentBoxes: 4_000_000,
};

/** Entries of tables that are gone through in one turn of the event loop: a millisecond or two. */
const entriesOfATurn = 32_768;

/** What is left of the limits while one file is read, and when to let others have a turn. */
export class Allowance {
  readonly limits: MovieLimits;
  #boxes: number;
  #samples: number;
  #entries = 0;

  constructor(limits: MovieLimits) {
    this.limits = limits;
    this.#boxes = limits.boxes;
    this.#samples = limits.samples;
  }

  box(): void {
    this.#boxes -= 1;
    if (this.#boxes < 0) throw new Mp4Error('limit', 'more boxes than are looked at');
  }

  /** From here on it is fragments. */
  fragments(): void {
    this.#boxes = this.limits.fragmentBoxes;
  }

  samples(count: number): void {
    this.#samples -= count;
    if (this.#samples < 0) throw new Mp4Error('limit', `more than ${this.limits.samples} samples`);
  }

  /** After so many entries of a table: whether it is somebody else's turn. Asked often, so it is no promise. */
  isDue(entries: number): boolean {
    this.#entries += entries;
    return this.#entries >= entriesOfATurn;
  }

  /** Everybody else's. */
  async turn(): Promise<void> {
    this.#entries = 0;
    await setImmediate();
  }
}

/** Frames of one epoch, as they come, into the segments that are meant for them. What does not come is silence. */
import { fragment } from '../../cmaf/fragment.ts';
import type { FragmentFacts } from '../../log/types.ts';
import { aacFrame } from '../sound-command.ts';
import type { SoundCut } from './sound-cuts.ts';

export type ShelfOptions = {
  readonly append: (facts: FragmentFacts, data: readonly Buffer[]) => Promise<void>;
  readonly cuts: readonly SoundCut[];
  readonly silence: Buffer;
  /** Of the first fragment. */
  readonly sequence: number;
};

export class SoundShelf {
  readonly #o: ShelfOptions;
  /** The next cut, and the next frame. */
  #cut = 0;
  #next = 0;
  #held: Buffer[] = [];

  constructor(options: ShelfOptions) {
    this.#o = options;
  }

  /** Of the epoch. */
  get next(): number {
    return this.#next;
  }

  /** Frames that are behind it, or beyond the end, are of no use. */
  async put(index: number, data: Buffer): Promise<void> {
    await this.silenceTo(index);
    if (index === this.#next) await this.#add(data);
  }

  async silenceTo(index: number): Promise<void> {
    while (this.#next < index && this.#cut < this.#o.cuts.length) await this.#add(this.#o.silence);
  }

  /** What is missing is silence; what is left of gaps is told. */
  async end(): Promise<void> {
    await this.silenceTo(Infinity);
  }

  async #add(data: Buffer): Promise<void> {
    await this.#gapsTo(this.#next);
    const cut = this.#o.cuts[this.#cut];
    if (!cut) return;
    this.#next += 1;
    if (!cut.gap) this.#held.push(data);
    if (this.#next >= cut.endFrame) await this.#write(cut);
  }

  /** Gaps ahead of the first frame and behind the last are of none. */
  async #gapsTo(frame: number): Promise<void> {
    for (let cut = this.#o.cuts[this.#cut]; cut && cut.endFrame <= frame; cut = this.#o.cuts[this.#cut]) await this.#write(cut);
  }

  async #write({ start, end, gap }: SoundCut): Promise<void> {
    const { append, sequence } = this.#o;
    const samples = this.#held.splice(0).map((data) => ({ duration: aacFrame, size: data.length, key: true, compositionOffset: 0, data }));
    const facts = { dts: start, firstPts: start, duration: end - start, key: true, segmentStart: true, gap };
    const bytes = gap ? [] : fragment({ sequence: sequence + this.#cut, baseDecodeTime: start, kind: 'audio', samples });
    this.#cut += 1;
    await append(facts, bytes);
  }
}

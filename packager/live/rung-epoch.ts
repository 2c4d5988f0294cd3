/**
 * One rung in one epoch: its pictures are cut, and what was cut is handed to the run in order. The run hears of the epoch
 * when the encoder has said what it makes, and not before all of the epoch before has been handed out.
 */
import type { EpochTrack, RunTrack } from './run-facts.ts';
import { RungCutter, type RungCutterOptions, type RungPicture } from './rung-cutter.ts';
import type { Cut } from './segmenter.ts';

/** What a ladder needs of a run. */
export type RungRun = {
  /** What is told of the epoch: what was made, or what it was before. Where that is nothing it may be told again. */
  readonly beginRung: (id: string, epoch: number, made: EpochTrack | null) => EpochTrack | null;
  readonly writeRung: (id: string, cut: Cut) => void;
};

export type RungEpochOptions = { readonly track: RunTrack; readonly epoch: number; readonly startDts: number; readonly run: RungRun } & Pick<RungCutterOptions, 'reorder' | 'keeps'>;

export class RungEpoch {
  readonly track: RunTrack;
  readonly cutter: RungCutter;
  readonly #o: RungEpochOptions;
  readonly #held: Cut[] = [];
  #hasTurn = false;
  /** Undefined: the encoder has not said it yet; null: it is not waited for any more. */
  #made: EpochTrack | null | undefined;
  /** Undefined: nothing yet. */
  #told: EpochTrack | null | undefined;
  /** What players were told of the epoch is not what the encoder makes: there is nothing to be had of it. */
  #isLost = false;

  constructor(options: RungEpochOptions) {
    this.#o = options;
    this.track = options.track;
    const { startDts, reorder, keeps } = options;
    this.cutter = new RungCutter({ startDts, reorder, keeps, emit: (cut) => this.#cut(cut) });
  }

  /** The epoch before is over. */
  turn(): void {
    this.#hasTurn = true;
    this.#handOn();
  }

  /** What the encoder makes; what it says first holds. */
  made(track: EpochTrack): void {
    if (this.#told === undefined) this.#made ??= track;
    else if (this.#told?.init.length === 0) this.#told = this.#o.run.beginRung(this.track.id, this.#o.epoch, track);
    else this.#isLost = !this.#told?.init.equals(track.init);
    this.#handOn();
  }

  /** The encoder is not waited for any more: what was cut so far are holes. */
  unmade(): void {
    if (this.#made === undefined) this.#made = null;
    this.#handOn();
  }

  picture(picture: RungPicture): void {
    if (!this.#isLost) this.cutter.picture(picture);
  }

  #handOn(): void {
    if (this.#told !== undefined || !this.#hasTurn || this.#made === undefined) return;
    const { run, epoch } = this.#o;
    this.#told = run.beginRung(this.track.id, epoch, this.#made);
    for (const cut of this.#held.splice(0)) run.writeRung(this.track.id, cut);
  }

  #cut(cut: Cut): void {
    if (this.#told !== undefined) this.#o.run.writeRung(this.track.id, cut);
    else this.#held.push(cut);
  }
}

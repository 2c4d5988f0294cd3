/** What is encoded beside a show: its ladder and its second sound. Each is given what it needs of what is sent, and of how that was cut. */
import { VIDEO_TIMESCALE, type PlacedUnit } from '../media/timeline.ts';
import type { AudioConfig, TrackKind, VideoConfig } from '../media/unit.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import type { Ladder } from './ladder.ts';
import type { LiveRun } from './run.ts';
import type { SecondSound } from './second-sound.ts';
import type { Cut } from './segmenter.ts';

export type BesideOptions = {
  /** What makes the rungs of the run; null or absent: it has none. */
  readonly ladder?: (run: LiveRun) => Ladder | null;
  /** What makes its sound a second time; null or absent: nothing does. */
  readonly secondSound?: (run: LiveRun) => SecondSound | null;
};

export class Beside {
  readonly #ladder: Ladder | null;
  readonly #secondSound: SecondSound | null;
  /** Where pictures are cut everything is; without them, where sound is. */
  readonly #lead: TrackKind;
  /** The cuts of an epoch that ends. */
  #last: Cut[] | null = null;

  constructor(run: LiveRun, { ladder, secondSound }: BesideOptions) {
    this.#lead = run.facts.tracks.some(({ kind }) => kind === 'video') ? 'video' : 'audio';
    this.#ladder = ladder?.(run) ?? null;
    this.#secondSound = secondSound?.(run) ?? null;
  }

  begin(epoch: number, { video, audio }: { readonly video?: VideoConfig; readonly audio?: AudioConfig }, startMicros: number, reorderDelay: number): void {
    if (audio) this.#secondSound?.begin(epoch, audio, startMicros);
    if (video) this.#ladder?.begin(epoch, video, rescale(startMicros, MICROS, VIDEO_TIMESCALE), reorderDelay);
  }

  unit(unit: PlacedUnit): void {
    if (unit.kind === 'video') this.#ladder?.picture(unit);
    else this.#secondSound?.unit(unit);
  }

  cut(cut: Cut): void {
    if (this.#last) this.#last.push(cut);
    else {
      if (cut.kind === 'video') this.#ladder?.line(cut);
      if (cut.kind === this.#lead) this.#secondSound?.line(cut);
    }
  }

  /** What is cut from now on are the last cuts of the epoch. */
  ending(): void {
    this.#last = [];
  }

  /** And where the next epoch begins. */
  end(untilMicros: number): void {
    const cuts = this.#last ?? [];
    this.#last = null;
    this.#ladder?.end(cuts.filter(({ kind }) => kind === 'video'));
    this.#secondSound?.end(cuts.filter(({ kind }) => kind === this.#lead), untilMicros);
  }

  /** The show is over, or is about to be: it needs no more cores, and is not held up for long by what is still in encoders. */
  leave(): void {
    this.#ladder?.leave();
  }

  /** All epochs that have ended are in the run. */
  async settled(): Promise<void> {
    await Promise.all([this.#ladder?.settled(), this.#secondSound?.settled()]);
  }

  close(): void {
    this.#ladder?.close();
    this.#secondSound?.close();
  }
}

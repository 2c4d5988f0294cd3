/**
 * Cuts sound along a grid that something else has drawn: the pictures that it is heard beside, or another sound. Whole frames
 * go to the side of a line on which most of them lies, so that every track counts the same segments.
 *
 *     lead    |K····|·····|·····|K····|···
 *     sound   |:::::|:::::|::::|:::::|
 */
import { MICROS, rescale } from '../media/wire-time.ts';
import type { PlacedUnit } from '../media/timeline.ts';
import { OpenTrack, SPILL_MICROS } from './open-track.ts';
import { SLACK_MICROS } from './policy.ts';
import type { Cut } from './segmenter.ts';

export type SoundCutterOptions = {
  readonly startMicros: number;
  readonly timescale: number;
  /** What players were told of its parts, seconds; null: nothing. */
  readonly partTarget: number | null;
  /** The most where nothing was told. */
  readonly framesPerPart: number;
  readonly emit: (cut: Cut) => void;
};

export type GridLine = { readonly micros: number; readonly segmentEnd: boolean };

/** RFC 8216bis 4.4.3.7: a part that is not its segment's last is at least 85 % of PART-TARGET, which is a little longer than its frames. */
export const LEAST_PART = 0.87;

export class SoundCutter {
  readonly #o: SoundCutterOptions;
  readonly #open: OpenTrack;
  readonly #grid: GridLine[] = [];
  /** Ticks that a part lasts at the most: frames of Opus, or at another sample rate, are not what they were at the beginning. */
  readonly #part: number | null;

  constructor(options: SoundCutterOptions) {
    this.#o = options;
    const { timescale, partTarget } = options;
    this.#open = new OpenTrack('audio', timescale);
    this.#part = partTarget === null ? null : rescale(partTarget * MICROS - SLACK_MICROS / 2, MICROS, timescale);
  }

  get endMicros(): number {
    return this.#open.endMicros;
  }

  add(unit: PlacedUnit): void {
    const open = this.#open;
    // Where a hole has been declared nothing can be any more: sound that comes too late for it is lost, and the frame that reaches beyond it begins there.
    const late = Math.max(0, open.reached - unit.dts);
    const duration = (unit.duration ?? 0) - late;
    if (late > 0 && duration <= 0) return;
    const sample = { duration, size: unit.data.length, key: true, compositionOffset: 0, data: unit.data };
    open.add(sample, unit.dts + late, unit.pts + late);
  }

  line(line: GridLine): void {
    this.#grid.push(line);
  }

  /** Cuts at each line that the sound has reached, at the frame border nearest to it. */
  follow(): void {
    const open = this.#open;
    for (let line = this.#grid[0]; line; line = this.#grid[0]) {
      const at = rescale(line.micros, MICROS, open.timescale);
      if (open.end + open.usualDuration / 2 < at) return;
      // A segment ends with a part, which has been hinted at: there must be a frame for it.
      if (line.segmentEnd && open.count === 0) return;
      this.#grid.shift();
      const frames = open.framesBefore(at);
      if (line.segmentEnd || this.#isPart(frames)) this.#cut(frames, line);
    }
  }

  /** Where it draws the grid itself: cuts what makes a part, and ends the segment if it is as long as this, micros. */
  lead(segmentStartMicros: number, segmentMicros: number): 'part' | 'segment' | null {
    const open = this.#open;
    const isFull = this.#part === null ? open.count >= this.#o.framesPerPart : open.duration + open.usualDuration > this.#part;
    if (!isFull) return null;
    const segmentEnd = open.endMicros - segmentStartMicros + rescale(open.duration, open.timescale, MICROS) / 2 >= segmentMicros;
    const cut = open.cut(open.count, segmentEnd);
    if (cut) this.#o.emit(cut);
    return segmentEnd ? 'segment' : 'part';
  }

  /** No sound comes, and none can be made: segments that were over by then do without, or players would wait for it for ever. */
  soundless(untilMicros: number): void {
    for (let line = this.#grid[0]; line && line.micros <= untilMicros; line = this.#grid[0]) {
      this.#grid.shift();
      this.#cut(this.#open.framesBefore(rescale(line.micros, MICROS, this.#open.timescale)), line);
    }
  }

  /** The lead has ended here: sound must end in the same segment, wherever it has got to, and not lie (by more than half of a frame) further behind. */
  end(micros: number, spillMicros = SPILL_MICROS): void {
    const open = this.#open;
    open.keepBefore(rescale(micros + spillMicros, MICROS, open.timescale));
    const lines = this.#grid.splice(0);
    for (const [index, line] of lines.entries()) {
      const last = index === lines.length - 1;
      this.#cut(last ? open.count : open.framesBefore(rescale(line.micros, MICROS, open.timescale)), line);
    }
  }

  /** The sound that has led has ended. */
  endAlone(): void {
    const open = this.#open;
    if (open.count > 0 || open.segmentOpen) this.#cut(open.count, { micros: open.endMicros, segmentEnd: true });
  }

  /** Whether so many frames are not too short for a part. */
  #isPart(frames: number): boolean {
    return this.#part === null ? frames >= LEAST_PART * this.#o.framesPerPart : this.#open.durationOf(frames) >= LEAST_PART * this.#part;
  }

  get #mostFrames(): number {
    return this.#part === null ? this.#o.framesPerPart : this.#open.framesWithin(this.#part);
  }

  #cut(frames: number, { micros, segmentEnd }: GridLine): void {
    const { emit, startMicros } = this.#o;
    const open = this.#open;
    let left = Math.min(open.count, Math.max(frames, segmentEnd && open.segmentOpen ? 1 : 0));
    // Frames beyond what a part may hold wait for the next one, unless the segment ends here.
    for (let most = this.#mostFrames; segmentEnd && left > most; most = this.#mostFrames) {
      const cut = open.cut(most, false);
      if (cut) emit(cut);
      left -= most;
    }
    const cut = open.cut(Math.min(left, this.#mostFrames), segmentEnd);
    if (cut) emit(cut);
    else if (segmentEnd) open.finish(micros, startMicros, emit);
  }
}

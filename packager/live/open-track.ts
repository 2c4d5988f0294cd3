/** What has come of one track and has not been cut yet. */
import type { Sample } from '../cmaf/fragment.ts';
import type { TrackKind } from '../media/unit.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import type { Cut, CutFragment } from './segmenter.ts';

/** Sound that runs on after the last picture of an epoch: more than this would make its last segment too long. */
export const SPILL_MICROS = 50_000;

export class OpenTrack {
  readonly kind: TrackKind;
  readonly timescale: number;
  segmentOpen = false;
  usualDuration = 0;
  #samples: { sample: Sample; dts: number; pts: number }[] = [];
  #duration = 0;
  #end = -1;
  #reached = -1;

  constructor(kind: TrackKind, timescale: number) {
    this.kind = kind;
    this.timescale = timescale;
  }
  get count(): number {
    return this.#samples.length;
  }
  get duration(): number {
    return this.#duration;
  }
  /** Ticks up to which samples have been added; -1 before the first. */
  get end(): number {
    return this.#end;
  }
  get endMicros(): number {
    return rescale(Math.max(0, this.#end), this.timescale, MICROS);
  }
  /** Ticks up to which samples have been handed out; -1 before the first. */
  get reached(): number {
    return this.#reached;
  }
  moveTo(end: number): void {
    this.#reached = end;
    this.#end = Math.max(this.#end, end);
  }
  /** Lets go of samples that lie (by more than half) behind this time. */
  keepBefore(at: number): void {
    for (const { sample } of this.#samples.splice(this.framesBefore(at))) {
      this.#duration -= sample.duration;
      this.#end -= sample.duration;
    }
  }
  add(sample: Sample, dts: number, pts: number): void {
    this.#samples.push({ sample, dts, pts });
    this.#duration += sample.duration;
    this.usualDuration = sample.duration;
    this.#end = dts + sample.duration;
  }
  /** How many of the samples lie (by more than half) before this time. */
  framesBefore(at: number): number {
    let frames = 0;
    for (const { sample, dts } of this.#samples) {
      if (dts + sample.duration / 2 > at) break;
      frames += 1;
    }
    return frames;
  }
  durationOf(frames: number): number {
    return this.#samples.slice(0, frames).reduce((sum, { sample }) => sum + sample.duration, 0);
  }
  /** How many of the samples last no longer than this together; one at the least. */
  framesWithin(duration: number): number {
    let frames = 0;
    for (let left = duration; frames < this.#samples.length; frames += 1) {
      left -= this.#samples[frames]?.sample.duration ?? 0;
      if (left < 0) break;
    }
    return Math.max(1, frames);
  }
  cut(frames: number, segmentEnd: boolean): CutFragment | null {
    const taken = this.#samples.splice(0, frames);
    const first = taken[0];
    if (!first) return null;
    const duration = taken.reduce((sum, { sample }) => sum + sample.duration, 0);
    this.#duration -= duration;
    this.#reached = first.dts + duration;
    const segmentStart = !this.segmentOpen;
    this.segmentOpen = !segmentEnd;
    return {
      type: 'fragment',
      kind: this.kind,
      dts: first.dts,
      firstPts: first.pts,
      duration,
      key: first.sample.key,
      segmentStart,
      segmentEnd,
      samples: taken.map(({ sample }) => sample),
    };
  }

  /** Ends a segment for which no sample is left: a hole, where there should have been some. */
  finish(micros: number, startMicros: number, emit: (cut: Cut) => void): void {
    const segmentStart = !this.segmentOpen;
    const dts = Math.max(this.#reached, rescale(startMicros, MICROS, this.timescale));
    const duration = Math.max(1, rescale(micros, MICROS, this.timescale) - dts);
    this.segmentOpen = false;
    if (this.kind === 'audio' && (segmentStart || rescale(duration, this.timescale, MICROS) > SPILL_MICROS)) {
      emit({ type: 'hole', kind: 'audio', segmentStart, dts, duration });
      this.moveTo(dts + duration);
    } else if (!segmentStart) emit({ type: 'segment-end', kind: this.kind });
  }
}

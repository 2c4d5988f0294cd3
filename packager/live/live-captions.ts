/**
 * The captions of one language while a show is live. They follow the grid of the pictures: when a segment of theirs is
 * complete, so is one here, whatever was said in it; what goes on is in the next one too.
 */
import { captionFragment, ticksOf, type SourcedCue } from '../text/segment.ts';
import type { Cue } from '../text/cue.ts';

/** Nobody reads so many ahead; a program that says them early is told to wait. */
const mostWaiting = 200;

export class LiveCaptions {
  #cues: SourcedCue[] = [];
  #next: number;
  /** Ticks up to which segments have been made. */
  #made = 0;

  /** `next` is beyond every number that cues of this log have had. */
  constructor(next: number) {
    this.#next = next;
  }

  /** False: too many are waiting already. What comes too late for its time is shown as soon as it can be. */
  say(cue: Cue, earliestMicros: number): boolean {
    if (this.#cues.length >= mostWaiting) return false;
    const late = Math.max(0, earliestMicros - cue.startMicros);
    this.#cues.push({ cue: { ...cue, startMicros: cue.startMicros + late, endMicros: cue.endMicros + late }, source: this.#next });
    this.#next = (this.#next + 1) % 0x8000_0000;
    return true;
  }

  /** The fragment of the segment from one time to another, ticks of the text's timescale. */
  segment(sequence: number, from: number, to: number): Buffer[] {
    const data = captionFragment(sequence, this.#cues, from, to);
    this.#made = Math.max(this.#made, to);
    this.#cues = this.#cues.filter(({ cue }) => ticksOf(cue.endMicros) > this.#made);
    return data;
  }
}

/** What is complete of the lead's grid: its segments, as the cuts of its fragments tell them. Ticks of the lead. */
export class LeadGrid {
  #start: number | null = null;
  #end = 0;

  /** Start of the segment that is being cut; of the next one when none is. */
  get openFrom(): number {
    return this.#start ?? this.#end;
  }

  fragment(dts: number, duration: number): void {
    this.#start ??= dts;
    this.#end = dts + duration;
  }

  /** The segment is complete; null: there was nothing in it. */
  close(): { readonly from: number; readonly to: number } | null {
    const from = this.#start;
    this.#start = null;
    return from === null || this.#end <= from ? null : { from, to: this.#end };
  }
}

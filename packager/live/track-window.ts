/**
 * The segments of one track, as they grow out of its log: built fragment by fragment while live, and in one go
 * from the index of a log that was opened again. Arrays handed out only ever grow.
 */
import { setImmediate } from 'node:timers/promises';
import type { FragmentEntry, LogSnapshot } from '../log/types.ts';
import { mostEvents, type EventPlace } from './events.ts';
import type { OpenSegment, PartRef, SegmentRef } from '../snapshot.ts';

/** hls.js mistook media sequence number 0 for "none" more than once. */
export const FIRST_MSN = 1;
/** Of a live playlist at the least: enough for every player's buffer and for deltas (CAN-SKIP-UNTIL, 6 × target). */
const LEAST_LISTED_SECONDS = 60;

const ENTRIES_AT_ONCE = 4096;

type Opening = { msn: number; epoch: number; start: number; slewMs: number; parts: PartRef[] };

/** Of which track it is the window. */
export type WindowTrack = { readonly timescale: number; readonly rung?: object | undefined };

/** The slew of a segment that opens, from its number and start. A recording has none: its time is media time. */
export type Slew = (msn: number, start: number) => number;
const noSlew: Slew = () => 0;

export class TrackWindow {
  readonly segments: SegmentRef[] = [];
  /** Fragments with events ahead of their moof, as the log's index says. */
  readonly eventful: EventPlace[] = [];
  /** Index of the first segment that a live playlist lists. The recording is all there, but parts and hours of it would drown everybody. */
  liveStart = 0;
  readonly #leastTicks: number;
  #listedTicks = 0;
  #open: Opening | null = null;

  /**
   * What its encoder has not finished is a hole from its beginning: the same number of another rung is whole, and players that
   * know go on with that. Of sound that ends in a segment there is no other.
   */
  readonly #allOrNothing: boolean;

  /** `seconds`: how far back whoever watches live can go. */
  constructor({ timescale, rung }: WindowTrack, seconds: number) {
    this.#allOrNothing = rung !== undefined;
    this.#leastTicks = Math.max(LEAST_LISTED_SECONDS, seconds) * timescale;
  }

  static fromLog(log: LogSnapshot, track: WindowTrack, seconds: number): TrackWindow {
    const window = new TrackWindow(track, seconds);
    window.#read(log, log.first, log.end);
    window.closeSegment();
    return window;
  }

  /** The same for a log of any length: the index of a day takes a third of a second, and others are live meanwhile. */
  static async fromLongLog(log: LogSnapshot, track: WindowTrack, seconds: number): Promise<TrackWindow> {
    const window = new TrackWindow(track, seconds);
    for (let seq = log.first; seq < log.end; seq += ENTRIES_AT_ONCE) {
      window.#read(log, seq, Math.min(log.end, seq + ENTRIES_AT_ONCE));
      await setImmediate();
    }
    window.closeSegment();
    return window;
  }

  get open(): OpenSegment | null {
    return this.#open && { ...this.#open, count: this.#open.parts.length };
  }

  /** The number of the segment that is open, or that opens next. */
  get nextMsn(): number {
    return this.#open?.msn ?? FIRST_MSN + this.segments.length;
  }

  /** Ticks up to which there is media. */
  get end(): number {
    const open = this.#open;
    if (open) return open.parts.reduce((end, part) => end + part.duration, open.start);
    const last = this.segments.at(-1);
    return last ? last.start + last.duration : 0;
  }

  #read(log: LogSnapshot, from: number, to: number): void {
    for (let seq = from; seq < to; seq += 1) {
      const entry = log.entry(seq);
      if (entry.segmentStart || (this.#open && this.#open.epoch !== entry.epoch)) this.closeSegment();
      this.add(entry);
    }
  }

  add(entry: FragmentEntry, slew: Slew = noSlew): void {
    this.#open ??= this.#opening(entry, slew);
    const { seq, duration, key, gap, size } = entry;
    this.#open.parts.push({ seq, duration, independent: key, gap, size });
    if (!entry.events) return;
    this.eventful.push({ seq, msn: this.#open.msn, epoch: entry.epoch });
    if (this.eventful.length > 2 * mostEvents) this.eventful.splice(0, mostEvents);
  }

  closeSegment(): void {
    const open = this.#open;
    this.#open = null;
    const first = open?.parts[0];
    if (!open || !first) return;
    let duration = 0;
    let size = 0;
    for (const part of open.parts) {
      duration += part.duration;
      size += part.size;
    }
    const gap = this.#allOrNothing ? open.parts.some((part) => part.gap) : open.parts.every((part) => part.gap);
    const { msn, epoch, start, slewMs } = open;
    this.segments.push({ msn, epoch, start, duration, slewMs, independent: first.independent, gap, size, parts: open.parts });
    this.#listedTicks += duration;
    this.#slide();
  }

  /** What is listed is never shorter than was promised, and by less than a segment longer. */
  #slide(): void {
    for (;;) {
      const left = this.#listedTicks - (this.segments[this.liveStart]?.duration ?? 0);
      if (left < this.#leastTicks) return;
      this.#listedTicks = left;
      this.liveStart += 1;
    }
  }

  #opening({ epoch, dts }: FragmentEntry, slew: Slew): Opening {
    const msn = FIRST_MSN + this.segments.length;
    return { msn, epoch, start: dts, slewMs: slew(msn, dts), parts: [] };
  }
}

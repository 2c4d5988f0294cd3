/**
 * What a sender says beside picture and sound, at a moment: an ID3 tag, or a splice of SCTE-35. Checked and counted
 * here, whatever protocol it came by: a sender that floods, or sends garbage, loses its events and nothing else.
 */
import type { Clock } from '../clock.ts';
import { isId3 } from './id3.ts';
import { isSplice } from './scte35.ts';

export type EventScheme = 'id3' | 'scte35';

export type WireEvent = {
  readonly scheme: EventScheme;
  /** Ticks of the request's clock, wrapped as the wire wraps them: the moment that it is about. Null: now. */
  readonly pts: number | null;
  /** Ticks of the request's clock; null: not known. */
  readonly duration: number | null;
  /** A whole ID3 tag (id3.org, ID3v2.4), or a splice_info_section (SCTE 35, 9.6). */
  readonly data: Buffer;
};

export const largestEvent = 64 * 1024;
/** Markers come a few a minute, captions of hardware and "now playing" a few a second. */
const perSecond = 5;
const burst = 50;

export class EventIntake {
  readonly #clock: Clock;
  #tokens = burst;
  #filledAt: number;
  /** Too large, too many, or not what they say they are. */
  dropped = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAt = clock.now();
  }

  takes({ scheme, data }: WireEvent): boolean {
    const now = this.#clock.now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    const good = data.length <= largestEvent && (scheme === 'id3' ? isId3(data) : isSplice(data));
    if (!good || this.#tokens < 1) {
      this.dropped += 1;
      return false;
    }
    this.#tokens -= 1;
    return true;
  }
}

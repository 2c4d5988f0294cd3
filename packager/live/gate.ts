/**
 * The gate: nothing is served until it is known what the show is made of. Players read the multivariant
 * playlist once and trust TARGETDURATION and PART-TARGET for ever (RFC 8216bis 6.2.1, 4.4.3.7), so these are
 * observed first and frozen then.
 *
 * Open when the tracks are known (both seen, or 2 s) and the rhythm is: the second key frame, or 4 s.
 */
import { closedCaptionsIn } from '../media/closed-captions.ts';
import type { WireEvent } from '../media/event.ts';
import { opusSamples } from '../media/opus.ts';
import type { AccessUnit, AudioConfig, TrackConfig, VideoConfig, WireClock } from '../media/unit.ts';
import { MICROS, rescale, wireDistance } from '../media/wire-time.ts';

const TRACKS_KNOWN_MICROS = 2 * MICROS;
/** A picture that was announced and does not come is waited for longer: once it is promised to nobody, it needs a video of its own. */
const PICTURE_COMES_MICROS = 6 * MICROS;
const RHYTHM_KNOWN_MICROS = 4 * MICROS;
/** A sender that fills this before the gate opens has said enough. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** What keeping an arrival costs besides its bytes: a flood of empty ones is a flood. */
const ARRIVAL_BYTES = 256;
export const heldBytes = (arrival: Arrival): number => ARRIVAL_BYTES + bytesIn(arrival);
const bytesIn = (arrival: Arrival): number => {
  switch (arrival.type) {
    case 'unit':
      return arrival.unit.data.length;
    case 'track':
      return arrival.config.config.length;
    case 'event':
      return arrival.event.data.length;
  }
};

/** What a publisher sent, with the wall clock of its arrival. */
export type Arrival = { readonly wall: number } & (
  | { readonly type: 'track'; readonly config: TrackConfig }
  | { readonly type: 'unit'; readonly unit: AccessUnit }
  | { readonly type: 'event'; readonly event: WireEvent }
);

/** What the gate saw: the input of the policy. */
export type Observed = {
  /** Wall clock at which the first media came. */
  readonly startedAt: number;
  readonly video: VideoConfig | null;
  readonly audio: AudioConfig | null;
  /** Distance of the first two key frames; null when there was no second. */
  readonly gopMicros: number | null;
  readonly usualFrameMicros: number;
  readonly frameRate: number;
  /** Of 98 in 100 pictures, so that one dropped picture does not make every part twice as long. */
  readonly longestFrameMicros: number;
  readonly videoBitrate: number;
  readonly audioBitrate: number;
  /** Of the longest packet, where each says its own; null: all are as long as their configuration says. */
  readonly audioFrameSamples: number | null;
  /** CEA-608/708 services inside the pictures. */
  readonly closedCaptions: readonly string[];
};

export class Gate {
  readonly #clock: WireClock;
  readonly #held: Arrival[] = [];
  #heldBytes = 0;
  #video: VideoConfig | null = null;
  #audio: AudioConfig | null = null;
  #videoSeen = false;
  #audioSeen = false;
  #firstArrival: number | null = null;
  #lastArrival = 0;
  #first: AccessUnit | null = null;
  #mediaMicros = 0;
  readonly #videoDts: number[] = [];
  readonly #keyDts: number[] = [];
  #videoBytes = 0;
  #audioBytes = 0;

  constructor(clock: WireClock) {
    this.#clock = clock;
  }

  /** False: the sender has changed its mind about what it sends, and what came before is nothing that could be shown with it. */
  fits({ kind, codec }: TrackConfig): boolean {
    const before = kind === 'video' ? this.#video : this.#audio;
    return before === null || before.codec === codec;
  }

  /** One that has seen nothing, and knows what the other track is. */
  afresh(kind: TrackConfig['kind']): Gate {
    const gate = new Gate(this.#clock);
    for (const held of this.#held) if (held.type === 'track' && held.config.kind !== kind) gate.add(held, 0);
    return gate;
  }

  /** `now` is monotonic ms. */
  add(arrival: Arrival, now: number): void {
    this.#held.push(arrival);
    this.#heldBytes += heldBytes(arrival);
    if (arrival.type === 'unit') this.#see(arrival.unit, now);
    else if (arrival.type === 'event') return;
    else if (arrival.config.kind === 'video') this.#video = arrival.config;
    else this.#audio = arrival.config;
  }

  #see(unit: AccessUnit, now: number): void {
    this.#firstArrival ??= now;
    this.#lastArrival = now;
    this.#first ??= unit;
    const micros = this.#micros(unit.dts);
    this.#mediaMicros = Math.max(this.#mediaMicros, micros);
    if (unit.kind === 'video') {
      this.#videoSeen = true;
      // Two at one time (fields, or a sender's slip) are no rhythm.
      if (unit.key && micros > (this.#keyDts.at(-1) ?? Number.NEGATIVE_INFINITY)) this.#keyDts.push(micros);
      if (this.#keyDts.length > 0) {
        this.#videoDts.push(micros);
        this.#videoBytes += unit.data.length;
      }
    } else {
      this.#audioSeen = true;
      this.#audioBytes += unit.data.length;
    }
  }

  ready(): boolean {
    if (this.#firstArrival === null) return false;
    // Whichever is longer: a sender in a hurry is judged by its stamps, one that has stalled by the clock.
    const elapsed = Math.max(this.#mediaMicros, (this.#lastArrival - this.#firstArrival) * 1000);
    const tracksKnown = (this.#videoSeen && this.#audioSeen) || elapsed >= TRACKS_KNOWN_MICROS;
    if (!tracksKnown) return false;
    if (!this.#videoSeen) return this.#audioSeen && this.#audio !== null && (!this.#video || elapsed >= PICTURE_COMES_MICROS);
    if (!this.possible()) return false;
    return this.#keyDts.length >= 2 || elapsed - (this.#keyDts[0] ?? 0) >= RHYTHM_KNOWN_MICROS || this.#heldBytes > MAX_HELD_BYTES;
  }

  /** Whether there is anything to show yet: a configured track with media, and a key frame where there are pictures. */
  possible(): boolean {
    return this.#videoSeen ? this.#video !== null && this.#keyDts.length > 0 : this.#audioSeen && this.#audio !== null;
  }

  /** Holding pictures that cannot be used (no key frame for ever) has an end too. */
  get overfull(): boolean {
    return this.#heldBytes > 2 * MAX_HELD_BYTES;
  }

  observed(): Observed {
    const steps = this.#videoDts.slice(1).map((dts, index) => Math.max(1, dts - (this.#videoDts[index] ?? 0)));
    steps.sort((a, b) => a - b);
    const at = (share: number): number => steps[Math.floor(share * (steps.length - 1))] ?? MICROS / 30;
    const [firstKey, secondKey] = this.#keyDts;
    const span = Math.max(this.#mediaMicros, MICROS / 2);
    return {
      startedAt: this.#held.find(({ type }) => type === 'unit')?.wall ?? 0,
      video: this.#videoSeen ? this.#video : null,
      audio: this.#audio,
      gopMicros: firstKey !== undefined && secondKey !== undefined ? secondKey - firstKey : null,
      usualFrameMicros: at(0.5),
      frameRate: standardRate((steps.length * MICROS) / Math.max(1, steps.reduce((sum, step) => sum + step, 0))),
      longestFrameMicros: Math.max(at(0.5), at(0.98)),
      videoBitrate: Math.round((this.#videoBytes * 8 * MICROS) / Math.max(span - (firstKey ?? 0), MICROS / 2)),
      audioBitrate: Math.round((this.#audioBytes * 8 * MICROS) / span),
      audioFrameSamples: this.#audio?.codec === 'opus' ? this.#longestPacket() : null,
      closedCaptions: this.#video?.codec === 'h264' ? closedCaptionsIn(this.#pictures()) : [],
    };
  }

  #longestPacket(): number | null {
    const packets = this.#held.flatMap((arrival) => (arrival.type === 'unit' && arrival.unit.kind === 'audio' ? [arrival.unit.data] : []));
    return packets.length === 0 ? null : packets.reduce((most, packet) => Math.max(most, opusSamples(packet)), 0);
  }

  /** In the order in which they are shown, which is that of the captions inside them. */
  #pictures(): Buffer[] {
    const shown = this.#held.flatMap((arrival) => (arrival.type === 'unit' && arrival.unit.kind === 'video' ? [arrival.unit] : []));
    const at = ({ pts, dts }: AccessUnit): number => this.#micros(dts) + rescale(wireDistance(pts, dts, this.#clock.bits), this.#clock.timescale, MICROS);
    return shown.sort((a, b) => at(a) - at(b)).map(({ data }) => data);
  }

  /** What was held, in the order in which it came. */
  release(): Arrival[] {
    this.#heldBytes = 0;
    return this.#held.splice(0);
  }

  #micros(dts: number): number {
    const from = this.#first?.dts ?? dts;
    return rescale(wireDistance(dts, from, this.#clock.bits), this.#clock.timescale, MICROS);
  }
}

const RATES = [24_000 / 1001, 24, 25, 30_000 / 1001, 30, 48, 50, 60_000 / 1001, 60, 120];

/** RTMP's milliseconds blur the rate: what is within a thousandth of a standard rate is that rate. */
const standardRate = (rate: number): number => {
  const nearest = RATES.reduce((best, other) => (Math.abs(other - rate) < Math.abs(best - rate) ? other : best));
  return Math.abs(nearest - rate) < nearest * 0.001 ? nearest : Math.round(rate * 1000) / 1000;
};

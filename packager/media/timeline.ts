/**
 * One epoch of media time. Takes access units with the wire's time stamps and gives them their place in media
 * time, where nothing is missing and nothing overlaps:
 *
 *     wire   …  K──P──B──P──          K: first key frame; its pts is the origin
 *     media  start ▲                  picture: dts + reorder delay, so the first pts of the epoch is its dts
 *                  │                  sound: whole frames end to end, silence where some are missing
 *
 * What cannot be continued without a hole (a jump, a step back) is a break: the owner ends this epoch and
 * starts the next one where this one ended, behind a DISCONTINUITY.
 */
import type { AccessUnit, TrackKind, WireClock } from './unit.ts';
import { MICROS, rescale, Unwrapper, wireDistance } from './wire-time.ts';

/** Every video track counts in 90 kHz: RTMP's milliseconds and MPEG-TS's clock both fit without rounding. */
export const VIDEO_TIMESCALE = 90_000;

/** Sound is re-snapped to the wire only beyond this: RTMP's milliseconds jitter, and players hear a splice. */
const AUDIO_DRIFT_MICROS = 80_000;
/** A longer silence on the wire is a jump, not a slow picture. */
const JUMP_MICROS = 3 * MICROS;
/** A step back of less than this is a sender's slip and repaired; more is another timeline. */
const STEP_BACK_MICROS = 1 * MICROS;
/** Shown later after it was decoded than this, or earlier: damage, or malice. Nobody waits hours for a picture. */
const MOST_REORDER_MICROS = 30 * MICROS;
/** Sound kept while the first key frame is awaited. */
const MAX_EARLY_UNITS = 512;

export type AudioShape = {
  readonly timescale: number;
  readonly sampleRate: number;
  readonly frameLength: number;
  /** A frame of silence, or null where none is known for this channel layout. */
  readonly silence: Buffer | null;
  /** Samples of a frame that says itself how many it has (Opus); null: `frameLength`, always. Throws CodecError. */
  readonly samplesOf?: ((frame: Buffer) => number) | null;
};

export type EpochOptions = {
  readonly clock: WireClock;
  readonly startMicros: number;
  readonly hasVideo: boolean;
  readonly audio: AudioShape | null;
  /** Usual distance of two pictures: a screen share at one picture in five seconds does not jump. */
  readonly usualFrameMicros: number;
  /** A picture that stands for longer does not fit into a segment. */
  readonly longestPictureMicros: number;
};

/** An access unit in media time: ticks of its track's timescale. Sound knows its duration, a picture only when the next one comes. */
export type PlacedUnit = {
  readonly kind: TrackKind;
  readonly dts: number;
  readonly pts: number;
  readonly duration: number | null;
  readonly key: boolean;
  readonly data: Buffer;
};

/** Two pictures that are further apart have a jump between them. */
export const longestStep = ({ usualFrameMicros, longestPictureMicros }: Pick<EpochOptions, 'usualFrameMicros' | 'longestPictureMicros'>): number =>
  Math.min(Math.max(JUMP_MICROS, 10 * usualFrameMicros), longestPictureMicros);

export class EpochTimeline {
  readonly #options: EpochOptions;
  readonly #unwrapper: Unwrapper;
  readonly #jump: number;
  readonly #early: AccessUnit[] = [];
  /** Wire time (unwrapped) that is `startMicros`; null until the epoch has begun. */
  #origin: number | null = null;
  #reorder = 0;
  #lastVideoWire = Number.NEGATIVE_INFINITY;
  #lastVideoDts = -1;
  /** Sound: the next frame starts `#samples` behind `#audioBase`. */
  #audioBase = 0;
  #samples = 0;
  #audioStarted = false;

  constructor(options: EpochOptions) {
    this.#options = options;
    this.#unwrapper = new Unwrapper(options.clock);
    this.#jump = longestStep(options);
  }

  get begun(): boolean {
    return this.#origin !== null;
  }

  /** Ticks (90 kHz) by which composition offsets were reduced. */
  get reorderDelay(): number {
    return Math.max(0, this.#reorder);
  }

  /** Media time reached by sound, micros. */
  get audioEndMicros(): number {
    const { audio, startMicros } = this.#options;
    return audio && this.#audioStarted ? rescale(this.#audioTicks(this.#samples), audio.timescale, MICROS) : startMicros;
  }

  /** Media time of a moment on the wire, micros, as far as it is near to what has come; null before the epoch has begun. */
  when(stamp: number): number | null {
    return this.#origin === null ? null : this.#media(this.#unwrapper.near(stamp));
  }

  /** 'break': the unit belongs to another epoch. An empty list: it was dropped, or is held until the epoch begins. */
  place(unit: AccessUnit): PlacedUnit[] | 'break' {
    if (this.#origin !== null) return this.#withEarly(unit);
    if (this.#options.hasVideo && !(unit.kind === 'video' && unit.key)) {
      // Pictures before the first key frame cannot be shown. Sound may belong beside it: interleaving is loose.
      if (unit.kind === 'audio') this.#early.push(unit);
      if (this.#early.length > MAX_EARLY_UNITS) this.#early.shift();
      return [];
    }
    return this.#begin(unit);
  }

  /** Fills sound with silence up to a media time, in micros; for a track that stays silent, and at the end of an epoch. */
  fillSilence(untilMicros: number): PlacedUnit[] {
    const { audio, startMicros } = this.#options;
    if (!audio?.silence || this.#origin === null) return [];
    if (!this.#audioStarted) this.#startAudio(rescale(startMicros, MICROS, audio.timescale));
    const placed: PlacedUnit[] = [];
    const until = rescale(untilMicros, MICROS, audio.timescale);
    const half = (audio.frameLength * audio.timescale) / audio.sampleRate / 2;
    while (this.#audioTicks(this.#samples) + half <= until) placed.push(this.#audioFrame(audio.silence));
    return placed;
  }

  #begin(first: AccessUnit): PlacedUnit[] | 'break' {
    const { timescale } = this.#options.clock;
    const dts = this.#unwrapper.unwrap(first.dts);
    const delay = this.#shownLater(first);
    this.#origin = dts + delay;
    // Negative where a sender lets its decode times run behind: then they are moved to the beginning of the epoch too.
    this.#reorder = rescale(delay, timescale, VIDEO_TIMESCALE);
    return this.#withEarly(first);
  }

  /** Sound that came before the first picture is placed when pictures have come near to it, or with the next sound. */
  #withEarly(unit: AccessUnit): PlacedUnit[] | 'break' {
    const early = this.#early;
    if (early.length === 0) return this.#placeOne(unit);
    const placed = unit.kind === 'video' ? this.#placeOne(unit) : [];
    if (placed === 'break') return placed;
    for (let next = early[0]; next && (unit.kind === 'audio' || !this.#isAhead(this.#unwrapper.near(next.pts))); next = early[0]) {
      early.shift();
      const more = this.#placeOne(next);
      if (more !== 'break') placed.push(...more);
    }
    if (unit.kind === 'video') return placed;
    const own = this.#placeOne(unit);
    // What came before it is placed already: the break is for the next one to find.
    if (own === 'break') return placed.length > 0 ? placed : own;
    return [...placed, ...own];
  }

  /** Sound so far ahead of the pictures that it is for them to jump. */
  #isAhead(wire: number): boolean {
    return rescale(wire - this.#lastVideoWire, this.#options.clock.timescale, MICROS) > this.#jump;
  }

  /** Micros of media time for an unwrapped wire time. */
  #media(wire: number): number {
    return this.#options.startMicros + rescale(wire - (this.#origin ?? wire), this.#options.clock.timescale, MICROS);
  }

  /** pts - dts in ticks of the wire; 0 where that cannot be meant. */
  #shownLater({ pts, dts }: AccessUnit): number {
    const { bits, timescale } = this.#options.clock;
    const later = wireDistance(pts, dts, bits);
    return Math.abs(rescale(later, timescale, MICROS)) > MOST_REORDER_MICROS ? 0 : later;
  }

  #placeOne(unit: AccessUnit): PlacedUnit[] | 'break' {
    const dts = this.#unwrapper.unwrap(unit.dts);
    const pts = dts + this.#shownLater(unit);
    return unit.kind === 'video' ? this.#placeVideo(unit, dts, pts) : this.#placeAudio(unit, pts);
  }

  #placeVideo(unit: AccessUnit, wireDts: number, wirePts: number): PlacedUnit[] | 'break' {
    const { timescale } = this.#options.clock;
    if (this.#lastVideoDts >= 0) {
      const step = rescale(wireDts - this.#lastVideoWire, timescale, MICROS);
      if (step > this.#jump || step < -STEP_BACK_MICROS) return 'break';
    }
    const start = rescale(this.#options.startMicros, MICROS, VIDEO_TIMESCALE);
    const origin = this.#origin ?? wirePts;
    // Decode times are moved later by the reorder delay instead of pictures earlier: sound keeps its place beside them.
    const dts = start + rescale(wireDts - origin, timescale, VIDEO_TIMESCALE) + this.#reorder;
    const pts = start + rescale(wirePts - origin, timescale, VIDEO_TIMESCALE);
    this.#lastVideoWire = Math.max(this.#lastVideoWire, wireDts);
    // A sender that repeats or slips back a stamp gets the next free tick: fragments need rising decode times.
    this.#lastVideoDts = Math.max(dts, this.#lastVideoDts + 1);
    return [{ kind: 'video', dts: this.#lastVideoDts, pts, duration: null, key: unit.key, data: unit.data }];
  }

  #placeAudio(unit: AccessUnit, wirePts: number): PlacedUnit[] | 'break' {
    const { audio, hasVideo, startMicros } = this.#options;
    if (!audio) return [];
    const at = this.#media(wirePts);
    // Beside pictures, it is for them to jump: sound that is too far ahead would only pile up, and the epoch would break again and again.
    if (hasVideo && this.#isAhead(wirePts)) return [];
    if (!this.#audioStarted) {
      const frameMicros = (audio.frameLength * MICROS) / audio.sampleRate;
      if (at < startMicros - frameMicros / 2) return hasVideo || at > startMicros - this.#jump ? [] : 'break';
      if (!hasVideo && at > startMicros + this.#jump) return 'break';
      // Sound that starts much later than the picture starts with silence; a little later is simply its start.
      const late = at - startMicros > AUDIO_DRIFT_MICROS && audio.silence !== null;
      this.#startAudio(rescale(late ? startMicros : Math.max(startMicros, at), MICROS, audio.timescale));
    }
    const drift = at - rescale(this.#audioTicks(this.#samples), audio.timescale, MICROS);
    if (!hasVideo && Math.abs(drift) > this.#jump) return 'break';
    if (drift < -AUDIO_DRIFT_MICROS) return []; // Too much sound for its time: this frame has been filled or spoken already.
    if (drift <= AUDIO_DRIFT_MICROS) return [this.#audioFrame(unit.data)];
    if (!audio.silence) return 'break';
    return [...this.fillSilence(at), this.#audioFrame(unit.data)];
  }

  #startAudio(base: number): void {
    this.#audioBase = base;
    this.#samples = 0;
    this.#audioStarted = true;
  }

  #audioTicks(samples: number): number {
    const { audio } = this.#options;
    return audio ? this.#audioBase + rescale(samples, audio.sampleRate, audio.timescale) : 0;
  }

  #audioFrame(data: Buffer): PlacedUnit {
    const dts = this.#audioTicks(this.#samples);
    const { audio } = this.#options;
    this.#samples += audio?.samplesOf?.(data) ?? audio?.frameLength ?? 0;
    return { kind: 'audio', dts, pts: dts, duration: this.#audioTicks(this.#samples) - dts, key: true, data };
  }
}

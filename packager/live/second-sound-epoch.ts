/**
 * The second sound of one epoch. Its frames lie end to end from the first sample of the epoch on, whatever encodes them: one
 * that dies is followed by another, which is given what it needs of what was kept to go on with the very next frame. What
 * does not come in time is silence, so that nobody who listens waits for it.
 *
 *     source     |::::::::::::::::::::::::::::      kept from a little before the next frame on
 *     encoder 1  |▒▒▒▒▒▒▒×                          died
 *     encoder 2       (▒)▒▒▒▒▒▒▒▒▒▒▒▒▒▒             from the next frame on; what is before it is its run-up
 */
import type { Clock } from '../clock.ts';
import { parseAudioSpecificConfig, silentAacFrame } from '../media/aac.ts';
import { opusRate, parseOpusConfig } from '../media/opus.ts';
import { VIDEO_TIMESCALE, type PlacedUnit } from '../media/timeline.ts';
import type { AudioConfig } from '../media/unit.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import { audioEpoch } from './epoch-tracks.ts';
import type { RunTrack, SecondSoundFacts } from './run-facts.ts';
import type { RungRun } from './rung-epoch.ts';
import type { Cut } from './segmenter.ts';
import { SoundCutter } from './sound-cutter.ts';

/** An encoder that is on. It never makes its caller wait; what it cannot take makes it fail. All times are ticks of 48 kHz. */
export type SoundEncoding = {
  readonly packet: (pts: number, data: Buffer) => void;
  /** Nothing more comes: it hands out the rest, and is over. */
  readonly end: () => void;
  readonly kill: () => void;
};

export type SoundAsk = {
  readonly source: AudioConfig;
  readonly facts: SecondSoundFacts;
  /** When the first packet that it is given begins. */
  readonly packetsFrom: number;
  /** The first sample that it encodes; its frames lie so many whole frames from there. */
  readonly from: number;
  /** Samples from there on that are not to be heard. */
  readonly preSkip: number;
  readonly frame: (pts: number, data: Buffer) => void;
  /** `drained`: after `end`, and everything has come. */
  readonly over: (how: 'drained' | 'failed', words: string) => void;
};
/** Null: nobody encodes now. */
export type StartSound = (ask: SoundAsk) => SoundEncoding | null;

export type SoundTrouble = { readonly kind: 'died' | 'hung'; readonly words: string };

export type SecondSoundEpochOptions = {
  readonly clock: Clock;
  readonly run: RungRun;
  readonly track: RunTrack;
  readonly facts: SecondSoundFacts;
  /** Of what is made. */
  readonly config: AudioConfig;
  readonly start: StartSound;
  readonly epoch: number;
  readonly source: AudioConfig;
  readonly startMicros: number;
  readonly trouble: (trouble: SoundTrouble) => void;
};

const FRAME = 1024;
/** Decoders of Opus need 80 ms to come to the same sound (RFC 7845, 4.6); its longest packet is 120 ms. */
const RUN_UP = (opusRate * 200) / 1000;
/** Frames ahead of the next one that an encoder is given: each frame is heard together with the one before it. */
const RUN_UP_FRAMES = 2;
/** What an encoder may have had without having given it out: a frame of delay, and one that is not full. */
const HELD_BACK = 3 * FRAME;
/** What has not come back by then is silence. */
const PATIENCE_MS = 1_500;
const HUNG_MS = 3_000;
const TICK_MS = 250;
/** The first new start comes at once, those after it later and later, until one has worked for a while. */
const BACK_OFF_MS = [0, 500, 1_000, 2_000, 5_000];
const WORKS_AFTER_MS = 3_000;
/** Packets for a new start: at 2.5 ms, ten seconds. */
const MOST_KEPT = 4_096;

type Leg = { encoding: SoundEncoding | null; readonly since: number; outAt: number; outEnd: number };

export class SecondSoundEpoch {
  readonly #o: SecondSoundEpochOptions;
  readonly #cutter: SoundCutter;
  readonly #silence: Buffer;
  /** The next frame begins there; null: no sound has come. */
  #next: number | null = null;
  #fedEnd = 0;
  readonly #kept: PlacedUnit[] = [];
  /** Ends of packets that have not come back, and when they were given. */
  readonly #owed: { readonly end: number; readonly at: number }[] = [];
  #leg: Leg | null = null;
  #begun = false;
  #failures = 0;
  #restartAt = 0;
  /** What is behind it was not kept of the source either. */
  #until = Number.POSITIVE_INFINITY;
  #leadEnd: number;
  #ended = false;
  #isDone = false;
  readonly #held: Cut[] = [];
  #told = false;
  #cancelTick: () => void;
  #over: () => void = () => undefined;
  /** Everything of it has been handed out. */
  readonly done: Promise<void>;

  constructor(options: SecondSoundEpochOptions) {
    this.#o = options;
    const { startMicros, track, facts, config, clock } = options;
    const silence = silentAacFrame(parseAudioSpecificConfig(config.config));
    if (!silence) throw new Error('no silence is known for the second sound');
    this.#silence = silence;
    this.#leadEnd = startMicros;
    const { timescale, partTarget } = track;
    this.#cutter = new SoundCutter({ startMicros, timescale, partTarget, framesPerPart: facts.framesPerPart, emit: (cut) => this.#cut(cut) });
    this.done = new Promise((resolve) => {
      this.#over = resolve;
    });
    this.#cancelTick = clock.after(TICK_MS, () => this.#tick());
  }

  /** Nobody makes it now. */
  get silent(): boolean {
    return this.#next !== null && this.#leg === null;
  }

  /** The epoch before is over: what was made meanwhile may be handed out. */
  turn(): void {
    if (this.#told) return;
    this.#told = true;
    const { run, track, epoch, config } = this.#o;
    run.beginRung(track.id, epoch, audioEpoch(epoch, config, track.timescale));
    for (const cut of this.#held.splice(0)) run.writeRung(track.id, cut);
  }

  unit(unit: PlacedUnit): void {
    if (this.#ended) return;
    this.#next ??= unit.dts;
    this.#fedEnd = unit.dts + (unit.duration ?? 0);
    this.#kept.push(unit);
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
    this.#owed.push({ end: this.#fedEnd, at: this.#o.clock.now() });
    if (this.#owed.length > MOST_KEPT) this.#silenceTo(this.#owed[0]?.end ?? 0);
    if (this.#leg) this.#leg.encoding?.packet(unit.dts, unit.data);
    else this.#startWhenDue();
  }

  /** The source was cut. */
  line(cut: Cut): void {
    this.#draw(cut);
    this.#cutter.follow();
  }

  #draw(cut: Cut): void {
    if (cut.type === 'segment-end') this.#cutter.line({ micros: this.#leadEnd, segmentEnd: true });
    else {
      const timescale = cut.kind === 'video' ? VIDEO_TIMESCALE : opusRate;
      this.#leadEnd = rescale(cut.dts + cut.duration, timescale, MICROS);
      this.#cutter.line({ micros: this.#leadEnd, segmentEnd: cut.type === 'hole' || cut.segmentEnd });
    }
  }

  /** The last cuts of the source, and media time at which the next epoch begins. */
  end(cuts: readonly Cut[], untilMicros: number): void {
    // All that is left belongs to the last segment: it is cut when everything is there.
    for (const cut of cuts) this.#draw(cut);
    this.#until = rescale(untilMicros, MICROS, opusRate);
    this.#ended = true;
    if (this.#leg?.encoding) this.#leg.encoding.end();
    else this.#finish();
  }

  /** What has not come yet does not come any more. */
  stop(): void {
    const leg = this.#leg;
    this.#leg = null;
    leg?.encoding?.kill();
    // Nobody has said when the epoch ends: where its sound does.
    if (!this.#ended) this.#until = this.#fedEnd;
    this.#ended = true;
    this.#finish();
  }

  #startWhenDue(): void {
    const { clock, start, source, facts } = this.#o;
    const now = clock.now();
    if (now < this.#restartAt) return;
    const [oldest] = this.#kept;
    if (!oldest) return;
    this.#silenceTo(oldest.dts);
    const next = this.#next ?? oldest.dts;
    const runUp = Math.min(RUN_UP_FRAMES, Math.floor((next - oldest.dts) / FRAME));
    const leg: Leg = { encoding: null, since: now, outAt: now, outEnd: oldest.dts };
    const encoding = start({
      ...{ source, facts, packetsFrom: oldest.dts, from: next - runUp * FRAME },
      preSkip: this.#begun ? 0 : parseOpusConfig(source.config).preSkip,
      frame: (pts, data) => this.#frame(leg, pts, data),
      over: (how, words) => this.#legOver(leg, how, words),
    });
    if (!encoding) {
      this.#restartAt = now + this.#backOff();
      return;
    }
    leg.encoding = encoding;
    this.#leg = leg;
    this.#begun = true;
    for (const { dts, data } of this.#kept.slice()) encoding.packet(dts, data);
  }

  #backOff(): number {
    const wait = BACK_OFF_MS[Math.min(this.#failures, BACK_OFF_MS.length - 1)] ?? 0;
    this.#failures += 1;
    return wait;
  }

  #frame(leg: Leg, pts: number, data: Buffer): void {
    if (leg !== this.#leg || this.#next === null) return;
    leg.outAt = this.#o.clock.now();
    leg.outEnd = pts + FRAME;
    // Its run-up, or what has become silence meanwhile.
    if (pts < this.#next) return;
    if ((pts - this.#next) % FRAME !== 0) return this.#fail(leg, { kind: 'died', words: `a frame at ${pts}, where ${this.#next} was next` });
    this.#silenceTo(pts);
    this.#add(data);
    if (!this.#ended) this.#cutter.follow();
  }

  #legOver(leg: Leg, how: 'drained' | 'failed', words: string): void {
    if (leg !== this.#leg) return;
    if (how === 'failed') return this.#fail(leg, { kind: 'died', words });
    this.#leg = null;
    if (this.#ended) this.#finish();
  }

  #fail(leg: Leg, trouble: SoundTrouble): void {
    const { clock } = this.#o;
    this.#leg = null;
    leg.encoding?.kill();
    this.#o.trouble(trouble);
    if (clock.now() - leg.since > WORKS_AFTER_MS) this.#failures = 0;
    this.#restartAt = clock.now() + this.#backOff();
    if (this.#ended) this.#finish();
    else this.#startWhenDue();
  }

  #tick(): void {
    if (this.#isDone) return;
    const now = this.#o.clock.now();
    this.#cancelTick = this.#o.clock.after(TICK_MS, () => this.#tick());
    const leg = this.#leg;
    if (!leg && !this.#ended) this.#startWhenDue();
    for (let [oldest] = this.#owed; oldest && now - oldest.at > PATIENCE_MS && this.#fedEnd - oldest.end > HELD_BACK; [oldest] = this.#owed) this.#silenceTo(oldest.end);
    if (!this.#ended) this.#cutter.follow();
    if (leg && now - Math.max(leg.outAt, leg.since) > HUNG_MS && this.#fedEnd - leg.outEnd > HELD_BACK) this.#fail(leg, { kind: 'hung', words: 'nothing came out of it any more' });
  }

  /** Frames of silence until the next one begins there, or behind it. */
  #silenceTo(time: number): void {
    while (this.#next !== null && this.#next < time) this.#add(this.#silence);
  }

  #add(data: Buffer): void {
    const dts = this.#next ?? 0;
    this.#next = dts + FRAME;
    // The next epoch begins where the source has ended: nothing may reach into it.
    if (this.#next <= this.#until) this.#cutter.add({ kind: 'audio', dts, pts: dts, duration: FRAME, key: true, data });
    while (this.#owed[0] && this.#owed[0].end <= this.#next) this.#owed.shift();
    const needed = this.#next - RUN_UP;
    const first = this.#kept.findIndex((unit) => unit.dts + (unit.duration ?? 0) > needed);
    if (first > 0) this.#kept.splice(0, first);
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#cancelTick();
    this.#silenceTo(Math.min(this.#fedEnd, this.#until));
    this.#cutter.end(rescale(this.#until - FRAME / 2, opusRate, MICROS), 0);
    this.#over();
  }

  #cut(cut: Cut): void {
    if (this.#told) this.#o.run.writeRung(this.#o.track.id, cut);
    else this.#held.push(cut);
  }
}

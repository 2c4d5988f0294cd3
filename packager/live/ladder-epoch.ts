/**
 * The rungs of one epoch, and the encoder that makes them. An encoder is one of several legs of the way: it may die, hang,
 * be too slow, or be replaced by one with more rungs, and the next one takes over without a picture missing:
 *
 *     source   |K····P····K····P····P···K···      kept since the key picture from which a rung still lacks something
 *     leg 1    |K····P··×                         died
 *     leg 2         (K··)P····K····P····|         given all that is kept; leaves out what the rungs have
 *     leg 3                             |K···     begins with a key picture; what it makes waits until leg 2 is over
 */
import type { Clock } from '../clock.ts';
import type { PlacedUnit } from '../media/timeline.ts';
import type { VideoConfig } from '../media/unit.ts';
import { EncoderWatch } from './encoder-watch.ts';
import type { EpochTrack, RunTrack } from './run-facts.ts';
import type { RungCutterOptions, RungPicture } from './rung-cutter.ts';
import { RungEpoch, type RungRun } from './rung-epoch.ts';
import type { Cut } from './segmenter.ts';

/** An encoder that is on. It never makes its caller wait; what it cannot take makes it fail. */
export type Encoder = {
  readonly picture: (unit: PlacedUnit) => void;
  /** Nothing more comes: it hands out the rest, and is over. */
  readonly end: () => void;
  readonly kill: () => void;
  /** Of a core, so far; null: it is over, or nobody knows. */
  readonly coreSeconds?: () => number | null;
};

export type EncoderAsk = {
  readonly source: VideoConfig;
  /** No picture is decoded later than this behind the moment at which it is shown. */
  readonly reorder: number;
  /** `from`: what is shown before it is decoded, and not encoded. */
  readonly rungs: readonly { readonly track: RunTrack; readonly from: number }[];
  readonly made: (rung: string, track: EpochTrack) => void;
  readonly picture: (rung: string, picture: RungPicture) => void;
  /** `drained`: after `end`, and everything has come. */
  readonly over: (how: 'drained' | 'failed', words: string) => void;
};
export type StartEncoder = (ask: EncoderAsk) => Encoder;

/** `late`: what a rung owed was not waited for any longer, and is a hole. */
export type LadderTrouble = { readonly kind: 'died' | 'hung' | 'slow' | 'late'; readonly words: string };

export type LadderEpochOptions = {
  readonly clock: Clock;
  readonly run: RungRun;
  readonly start: StartEncoder;
  readonly tracks: readonly RunTrack[];
  readonly epoch: number;
  readonly source: VideoConfig;
  readonly startDts: number;
  readonly reorder: number;
  /** Which rungs are encoded; the others are holes. */
  readonly wanted: () => readonly RunTrack[];
  readonly trouble: (trouble: LadderTrouble) => void;
  /** Which pictures a rung keeps; absent: all. */
  readonly keeps: (track: RunTrack) => RungCutterOptions['keeps'];
};

/** What a rung owes for so long after the source has completed a segment is not waited for. */
const PATIENCE_MS = 2_000;
/** Of an encoder that is that young: it takes its time to start, and is given all at once that it has to make up for. */
const YOUNG_MS = 4_000;
/** An encoder that stands still is begun anew; one that does so again soon has too much to do. */
const HANGS_AGAIN_MS = 30_000;
const TICK_MS = 250;
/** The first new start comes at once, those after it later and later, until one has worked for a while: what it is given may be what it dies of. */
const BACK_OFF_MS = [0, 250, 500, 1_000, 2_000];
const WORKS_AFTER_MS = 1_000;
/** The least wait where no encoder could be started at all. */
const UNABLE_MS = 500;
/** Of pictures of the source, for a new start; more than that is not caught up with. An encoder is given all of it at once. */
export const MOST_KEPT_BYTES = 32 * 1024 * 1024;
/** Two minutes of 30 a second: pictures may be tiny, and each of them has to be encoded. */
export const MOST_KEPT_PICTURES = 3_600;

type Leg = {
  encoder: Encoder | null;
  readonly rungs: readonly RunTrack[];
  readonly watch: EncoderWatch;
  /** What came while the leg before it was not over. */
  readonly early: { readonly rung: string; readonly picture: RungPicture }[];
  ending: boolean;
};

export class LadderEpoch {
  readonly #o: LadderEpochOptions;
  readonly #rungs: ReadonlyMap<string, RungEpoch>;
  /** In the order in which they were started; the last one is given what comes. */
  #legs: Leg[] = [];
  #kept: PlacedUnit[] = [];
  #keptBytes = 0;
  #ended = false;
  #failures = 0;
  #hungAt: number | null = null;
  #restartAt: number | null = null;
  /** At the next key picture another leg begins. */
  #renew = false;
  readonly #behindSince = new Map<string, number>();
  #cancelTick: () => void;
  #over: () => void = () => undefined;
  /** Everything of it has been handed out. */
  readonly done: Promise<void>;

  constructor(options: LadderEpochOptions) {
    this.#o = options;
    const { tracks, epoch, startDts, reorder, run, keeps } = options;
    this.#rungs = new Map(tracks.map((track) => [track.id, new RungEpoch({ track, epoch, startDts, reorder, run, keeps: keeps(track) })]));
    this.done = new Promise((resolve) => {
      this.#over = resolve;
    });
    this.#cancelTick = options.clock.after(TICK_MS, () => this.#tick());
  }

  /** The epoch before is over: what was made meanwhile may be handed out. */
  turn(): void {
    for (const rung of this.#rungs.values()) rung.turn();
  }

  get encoding(): readonly RunTrack[] {
    return this.#legs.at(-1)?.rungs ?? [];
  }

  /** How far the slowest rung is behind what was given to its encoder, ms. */
  get lagMs(): number {
    return this.#legs[0]?.watch.lagMs(this.#o.clock.now()) ?? 0;
  }

  picture(unit: PlacedUnit): void {
    if (this.#ended) return;
    for (const { cutter } of this.#rungs.values()) cutter.source(unit);
    const leg = this.#legs.at(-1);
    if (unit.key) {
      this.#forget();
      if (leg && this.#renew) this.#endLeg(leg);
    }
    if (this.#kept.length > 0 || unit.key) this.#keep(unit);
    const now = this.#legs.at(-1);
    if (now && !now.ending) this.#give(now, unit);
    else if (unit.key && this.#restartAt === null) this.#startLeg([unit]);
  }

  line(cut: Cut): void {
    for (const { cutter } of this.#rungs.values()) cutter.line(cut);
    this.#giveUpAbsent();
  }

  /** The encoder is to make other rungs from the next key picture on, or at once. */
  change(at: 'once' | 'next-key'): void {
    this.#renew = true;
    if (at === 'next-key') return;
    for (const leg of this.#legs.splice(0)) leg.encoder?.kill();
    this.#startAgain();
  }

  /** The last cuts of the source. */
  end(cuts: readonly Cut[]): void {
    this.#ended = true;
    for (const { cutter } of this.#rungs.values()) cutter.lastLines(cuts);
    this.#giveUpAbsent();
    const leg = this.#legs.at(-1);
    if (!leg) this.#finish(false);
    else if (!leg.ending) this.#endLeg(leg);
  }

  /** What has not come yet does not come any more. */
  stop(): void {
    this.#ended = true;
    if (this.#legs.length > 0) this.#o.trouble({ kind: 'late', words: 'the encoder was not done with the end of an epoch in time' });
    for (const leg of this.#legs.splice(0)) leg.encoder?.kill();
    this.#finish(false);
  }

  #endLeg(leg: Leg): void {
    leg.ending = true;
    leg.watch.ended(this.#o.clock.now());
    leg.encoder?.end();
  }

  #keep(unit: PlacedUnit): void {
    this.#kept.push(unit);
    this.#keptBytes += unit.data.length;
    if (this.#keptBytes <= MOST_KEPT_BYTES && this.#kept.length <= MOST_KEPT_PICTURES) return;
    // A new start could not make up for so much: it waits for the next key picture.
    this.#kept = [];
    this.#keptBytes = 0;
  }

  /** What no rung needs any more. */
  #forget(): void {
    const leg = this.#legs.at(-1);
    const rungs = leg && !leg.ending ? leg.rungs : this.#o.wanted();
    const from = Math.min(...rungs.map(({ id }) => this.#rungs.get(id)?.cutter.wantsFrom ?? Number.POSITIVE_INFINITY));
    const first = this.#kept.findLastIndex(({ key, pts }) => key && pts <= from);
    for (const { data } of this.#kept.splice(0, first === -1 ? 0 : first)) this.#keptBytes -= data.length;
  }

  #startLeg(units: readonly PlacedUnit[]): void {
    this.#renew = false;
    this.#restartAt = null;
    const { clock, source, reorder, wanted } = this.#o;
    const rungs = wanted();
    if (rungs.length === 0) return;
    const watch = new EncoderWatch(rungs.map(({ id }) => id), reorder, clock.now());
    const leg: Leg = { encoder: null, rungs, watch, early: [], ending: false };
    // What is shown before the key picture with which it begins cannot be decoded whole.
    const first = units[0]?.pts ?? 0;
    const ask = rungs.map((track) => ({ track, from: Math.max(first, this.#rungs.get(track.id)?.cutter.wantsFrom ?? 0) }));
    const encoder = this.#encoderOf({
      ...{ source, reorder, rungs: ask },
      made: (rung, track) => this.#rungs.get(rung)?.made(track),
      picture: (rung, picture) => this.#came(leg, rung, picture),
      over: (how, words) => this.#legOver(leg, how, words),
    });
    if (!encoder) return this.#restart(UNABLE_MS);
    leg.encoder = encoder;
    // What a leg that is ending owes still comes.
    for (const { id } of rungs) if (!this.#isEncoded(id)) this.#rungs.get(id)?.cutter.restarted();
    this.#legs.push(leg);
    for (const unit of units) this.#give(leg, unit);
  }

  /** Null: there is no memory for one, or no file handle, or whatever the system lacks now. The source goes on. */
  #encoderOf(ask: EncoderAsk): Encoder | null {
    try {
      return this.#o.start(ask);
    } catch (error) {
      this.#o.trouble({ kind: 'died', words: `no encoder could be started: ${String(error)}` });
      return null;
    }
  }

  #isEncoded(id: string): boolean {
    return this.#legs.some(({ rungs }) => rungs.some((track) => track.id === id));
  }

  #give(leg: Leg, unit: PlacedUnit): void {
    leg.watch.given(unit, this.#o.clock.now());
    for (const track of leg.rungs) this.#rungs.get(track.id)?.cutter.given(unit);
    leg.encoder?.picture(unit);
  }

  #came(leg: Leg, rung: string, picture: RungPicture): void {
    if (!this.#legs.includes(leg)) return;
    leg.watch.came(rung, picture.pts, this.#o.clock.now());
    if (leg === this.#legs[0]) this.#rungs.get(rung)?.picture(picture);
    else leg.early.push({ rung, picture });
  }

  #legOver(leg: Leg, how: 'drained' | 'failed', words: string): void {
    if (this.#legs.includes(leg)) this.#drop(leg, how === 'failed' ? { kind: 'died', words } : null);
  }

  /** It is over, and what the next one has made meanwhile is handed on. Where none is left that goes on, one is begun anew. */
  #drop(leg: Leg, trouble: LadderTrouble | null): void {
    this.#legs = this.#legs.filter((other) => other !== leg);
    const [next] = this.#legs;
    if (next) for (const { rung, picture } of next.early.splice(0)) this.#rungs.get(rung)?.picture(picture);
    if (trouble) this.#o.trouble(trouble);
    if (this.#ended) {
      if (this.#legs.length === 0) this.#finish(trouble === null);
    } else if (trouble && this.#restartAt === null && this.#legs.every(({ ending }) => ending)) this.#restart();
  }

  /** From the last key picture that a rung needs; once too often, later. */
  #restart(least = 0): void {
    const wait = Math.max(least, BACK_OFF_MS[Math.min(this.#failures, BACK_OFF_MS.length - 1)] ?? 0);
    this.#failures += 1;
    this.#restartAt = this.#o.clock.now() + wait;
    if (wait === 0) this.#startAgain();
  }

  #startAgain(): void {
    const first = this.#kept.findIndex(({ key }) => key);
    if (first === -1) this.#restartAt = null;
    else this.#startLeg(this.#kept.slice(first));
  }

  #tick(): void {
    this.#cancelTick = this.#o.clock.after(TICK_MS, () => this.#tick());
    const now = this.#o.clock.now();
    this.#giveUpLate(now);
    if (this.#restartAt !== null && now >= this.#restartAt && !this.#ended) this.#startAgain();
    const [leg] = this.#legs;
    if (leg) this.#judge(leg, now);
  }

  #judge(leg: Leg, now: number): void {
    if (leg.watch.worksFor(now) > WORKS_AFTER_MS) this.#failures = 0;
    const verdict = leg.watch.judge(now);
    if (!verdict) return;
    if (verdict.kind === 'slow') return this.#o.trouble(verdict);
    const again = this.#hungAt !== null && now - this.#hungAt < HANGS_AGAIN_MS;
    this.#hungAt = now;
    if (again) this.#o.trouble({ kind: 'slow', words: `${verdict.words}, again` });
    else {
      leg.encoder?.kill();
      this.#drop(leg, verdict);
    }
  }

  /** Rungs that nobody encodes are not waited for. */
  #giveUpAbsent(): void {
    if (this.#restartAt !== null || this.#renew) return;
    for (const [id, rung] of this.#rungs) {
      if (this.#isEncoded(id)) continue;
      rung.cutter.giveUp();
      rung.unmade();
    }
  }

  #giveUpLate(now: number): void {
    const isYoung = this.#legs.some(({ watch }) => watch.age(now) < YOUNG_MS);
    const late: string[] = [];
    for (const [id, rung] of this.#rungs) {
      if (rung.cutter.segmentsBehind === 0) this.#behindSince.delete(id);
      else {
        const since = this.#behindSince.get(id) ?? now;
        this.#behindSince.set(id, since);
        if (now - since < (isYoung ? YOUNG_MS : PATIENCE_MS)) continue;
        this.#behindSince.delete(id);
        rung.cutter.giveUp();
        rung.unmade();
        late.push(id);
      }
    }
    if (late.length > 0) this.#o.trouble({ kind: 'late', words: `${late.join(', ')}: what the source completed a while ago has not come` });
  }

  #finish(drained: boolean): void {
    this.#cancelTick();
    for (const rung of this.#rungs.values()) {
      rung.cutter.flush(drained);
      rung.unmade();
    }
    this.#over();
  }
}

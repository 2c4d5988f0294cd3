/**
 * The ladder of a show: which rungs are encoded now, epoch after epoch. What the machine cannot carry is shed from the top
 * and taken back when there is room; the source goes on whatever happens here.
 */
import type { Clock } from '../clock.ts';
import type { PlacedUnit } from '../media/timeline.ts';
import type { VideoConfig } from '../media/unit.ts';
import { LadderEpoch, type LadderTrouble, type StartEncoder } from './ladder-epoch.ts';
import type { RunTrack } from './run-facts.ts';
import type { RungCutterOptions } from './rung-cutter.ts';
import type { RungRun } from './rung-epoch.ts';
import type { Cut } from './segmenter.ts';

export type LadderOptions = {
  readonly clock: Clock;
  readonly run: RungRun;
  /** The highest first. */
  readonly tracks: readonly RunTrack[];
  readonly start: StartEncoder;
  readonly keeps: (track: RunTrack) => RungCutterOptions['keeps'];
  /** Whether there are cores for these rungs; what it says yes to is held until it is asked again. */
  readonly room: (tracks: readonly RunTrack[]) => boolean;
  readonly changed: (state: LadderState) => void;
  readonly trouble: (trouble: LadderTrouble) => void;
};

export type LadderState = { readonly encoding: readonly string[]; readonly shed: readonly string[]; readonly restarts: number; readonly lagMs: number };

/** So long after the last that was shed, one comes back; when it has to go again soon, after twice as long, and so on. */
const RETURN_MS = 20_000;
/** What there was no room for at the beginning: others may be about to let go, or encoders are still being looked for. */
const SOON_MS = 2_000;
const LONGEST_RETURN_MS = 10 * 60_000;
/** What is still in the encoder when an epoch ends comes within a moment, but on a machine that is very busy: nobody waits for it meanwhile. */
const DRAIN_MS = 2_500;
/** The end of a show does wait, and players are to hear of it within a second. */
const LAST_DRAIN_MS = 700;
/** Encoders of so many epochs may still be busy with their ends: a line that is lost every moment gets no more of them. */
const MOST_ENDING = 3;

export class Ladder {
  readonly #o: LadderOptions;
  #wanted: readonly RunTrack[];
  #current: LadderEpoch | null = null;
  /** Of all epochs before the current one. */
  #before: Promise<void> = Promise.resolve();
  /** Those of them that something is still to come of, the oldest first. */
  readonly #ending = new Set<LadderEpoch>();
  #hasLeft = false;
  #restarts = 0;
  #returnMs = RETURN_MS;
  /** A rung came back, and it has not been carried for long. */
  #onTrial = false;
  #cancelReturn: (() => void) | null = null;

  constructor(options: LadderOptions) {
    this.#o = options;
    this.#wanted = this.#affordable(options.tracks);
    if (this.#wanted.length < options.tracks.length) this.#cancelReturn = options.clock.after(SOON_MS, () => this.#takeBack());
  }

  get state(): LadderState {
    const shed = this.#o.tracks.filter((track) => !this.#wanted.includes(track));
    return {
      encoding: (this.#current?.encoding ?? []).map(({ id }) => id),
      shed: shed.map(({ id }) => id),
      restarts: this.#restarts,
      lagMs: this.#current?.lagMs ?? 0,
    };
  }

  begin(epoch: number, source: VideoConfig, startDts: number, reorder: number): void {
    const { clock, run, start, tracks, keeps } = this.#o;
    const current = new LadderEpoch({
      ...{ clock, run, start, tracks, keeps, epoch, source, startDts, reorder },
      wanted: () => this.#wanted,
      trouble: (trouble) => this.#trouble(current, trouble),
    });
    this.#current = current;
    void this.#before.then(() => current.turn());
  }

  picture(unit: PlacedUnit): void {
    this.#current?.picture(unit);
  }

  line(cut: Cut): void {
    this.#current?.line(cut);
  }

  /** The epoch is over; what is in the encoder still comes, for a while. */
  end(cuts: readonly Cut[]): void {
    const ended = this.#current;
    this.#current = null;
    if (!ended) return;
    for (const oldest of this.#ending) if (this.#ending.size >= MOST_ENDING) this.#stop(oldest);
    this.#ending.add(ended);
    this.#stopAfter(ended, this.#hasLeft ? LAST_DRAIN_MS : DRAIN_MS);
    ended.end(cuts);
    this.#before = Promise.all([this.#before, ended.done]).then(() => undefined);
  }

  #stopAfter(epoch: LadderEpoch, ms: number): void {
    const cancel = this.#o.clock.after(ms, () => this.#stop(epoch));
    void epoch.done.then(() => {
      cancel();
      this.#ending.delete(epoch);
    });
  }

  #stop(epoch: LadderEpoch): void {
    if (this.#ending.delete(epoch)) epoch.stop();
  }

  /** The show is over, or ends now: others may have its cores while the rest comes, and that is waited for only a moment. */
  leave(): void {
    this.#hasLeft = true;
    this.#cancelReturn?.();
    this.#o.room([]);
    for (const epoch of this.#ending) this.#stopAfter(epoch, LAST_DRAIN_MS);
  }

  /** All epochs that have ended are in the run. */
  settled(): Promise<void> {
    return this.#before;
  }

  close(): void {
    this.#cancelReturn?.();
    this.#current?.stop();
    this.#o.room([]);
  }

  #affordable(tracks: readonly RunTrack[]): readonly RunTrack[] {
    for (let from = 0; from < tracks.length; from += 1) {
      const wanted = tracks.slice(from);
      if (this.#o.room(wanted)) return wanted;
    }
    return [];
  }

  #trouble(epoch: LadderEpoch, trouble: LadderTrouble): void {
    // What is left of an epoch that is over cannot be made less any more, and says nothing of the one that goes on.
    if (trouble.kind === 'slow' && epoch !== this.#current) return;
    this.#o.trouble(trouble);
    if (trouble.kind === 'late') return;
    if (trouble.kind === 'slow') this.#shed(epoch);
    else this.#restarts += 1;
    this.#o.changed(this.state);
  }

  #shed(epoch: LadderEpoch): void {
    if (this.#hasLeft) return;
    const [, ...left] = this.#wanted;
    this.#wanted = left;
    this.#o.room(left);
    epoch.change('once');
    this.#cancelReturn?.();
    if (this.#onTrial) this.#returnMs = Math.min(2 * this.#returnMs, LONGEST_RETURN_MS);
    this.#onTrial = false;
    this.#cancelReturn = this.#o.clock.after(this.#returnMs, () => this.#takeBack());
  }

  #takeBack(): void {
    this.#cancelReturn = null;
    const { tracks } = this.#o;
    // The first that are taken back are all that there is room for; after that it is one by one.
    const more = this.#wanted.length === 0 ? this.#affordable(tracks) : tracks.slice(-this.#wanted.length - 1);
    if (more.length > this.#wanted.length && this.#o.room(more)) {
      this.#wanted = more;
      this.#onTrial = true;
      this.#current?.change('next-key');
      this.#o.changed(this.state);
    } else if (this.#onTrial) {
      // What came back has been carried for a while, and there is no room for more, or no more: what was before is forgiven.
      this.#returnMs = RETURN_MS;
      this.#onTrial = false;
    }
    const isSettled = this.#wanted.length === tracks.length && !this.#onTrial;
    if (!isSettled) this.#cancelReturn = this.#o.clock.after(this.#returnMs, () => this.#takeBack());
  }
}

/**
 * What is encoded beside the shows that are on, for whoever streams and for whoever runs the server: looked at when
 * somebody asks, but for restarts, which are noticed when they come.
 */
import type { Clock } from '../../packager/clock.ts';
import type { Ladder, LadderState } from '../../packager/live/ladder.ts';
import { playsEverywhere, type LadderSource, type Plan } from '../../packager/live/ladder-plan.ts';
import type { Encoder } from '../../packager/live/ladder-epoch.ts';
import type { LiveRun, RunTrack } from '../../packager/live/run.ts';
import { BusyCores } from './busy-cores.ts';

/** Rungs are told of by their heights: of the shorter side. */
export type LadderNow = {
  readonly videoId: string;
  readonly ladder: string;
  readonly encoding: readonly number[];
  /** Players were told of them, and they are holes for now. */
  readonly shed: readonly number[];
  /** There was no room for them when the show began, so that nobody was told of them. None where they were missing for another reason. */
  readonly leftOut: readonly number[];
  /** The ladder that its channel names is not there any more. */
  readonly gone: boolean;
  /** Times that an encoder was begun anew. */
  readonly restarts: number;
  /** Since the last of these; null: there was none. */
  readonly sinceRestartMs: number | null;
  /** How far what comes out of the encoder is behind what goes in. */
  readonly lagMs: number;
  /** That its encoder keeps busy; null: nobody knows. */
  readonly busyCores: number | null;
};

/** What a ladder would give of a source here if there were cores for all of it; null: there is no such ladder. */
type WholeLadder = (name: string, source: LadderSource) => Plan | null;

type Shown = { readonly run: Pick<LiveRun, 'facts' | 'snapshot'>; readonly name: string; readonly ladder: Pick<Ladder, 'state'> | null; readonly planned: boolean; restarts: number; restartedAt: number | null; busy: BusyCores | null };

export class LadderShows {
  readonly #clock: Clock;
  readonly #whole: WholeLadder;
  /** By their videos. */
  readonly #shows = new Map<string, Shown>();
  #restarts = 0;

  constructor(clock: Clock, whole: WholeLadder) {
    this.#clock = clock;
    this.#whole = whole;
  }

  /** `ladder` is null where there are no rungs: that may be for want of room, but not if nobody could have encoded them, so that nothing was `planned`. */
  add(run: Shown['run'], name: string, ladder: Shown['ladder'], planned = true): void {
    this.#shows.set(run.facts.video, { run, name, ladder, planned, restarts: 0, restartedAt: null, busy: null });
  }

  changed(video: string, { restarts }: LadderState): void {
    const shown = this.#shows.get(video);
    if (!shown || shown.restarts === restarts) return;
    this.#restarts += restarts - shown.restarts;
    shown.restarts = restarts;
    shown.restartedAt = this.#clock.now();
  }

  /** From now on this one encodes for it. */
  started(video: string, { coreSeconds }: Pick<Encoder, 'coreSeconds'>): void {
    const shown = this.#shows.get(video);
    if (shown && coreSeconds) shown.busy = new BusyCores(this.#clock, coreSeconds);
  }

  /** Of all shows since the start. */
  get restarts(): number {
    return this.#restarts;
  }

  forget(video: string): void {
    this.#shows.delete(video);
  }

  of(video: string): LadderNow | null {
    const shown = this.#shows.get(video);
    return shown ? this.#view(shown) : null;
  }

  get all(): readonly LadderNow[] {
    return [...this.#shows.values()].map((shown) => this.#view(shown));
  }

  #view({ run, name, ladder, planned, restartedAt, busy }: Shown): LadderNow {
    const { tracks } = run.facts;
    const { encoding, shed, restarts, lagMs } = ladder?.state ?? { encoding: [], shed: [], restarts: 0, lagMs: 0 };
    const named = (ids: readonly string[]): number[] => heightsOf(tracks.filter(({ id }) => ids.includes(id)));
    const source = sourceOf(run);
    const whole = source ? this.#whole(name, source) : [];
    return {
      ...{ videoId: run.facts.video, ladder: name, encoding: named(encoding), shed: named(shed), leftOut: planned ? leftOut(whole ?? [], heightsOf(tracks), name) : [], gone: whole === null },
      ...{ restarts, lagMs: Math.round(lagMs), sinceRestartMs: restartedAt === null ? null : Math.round(this.#clock.now() - restartedAt) },
      busyCores: busy?.now() ?? null,
    };
  }
}

/** `auto` promises nothing but what fits. */
const leftOut = (whole: Plan, there: readonly number[], name: string): number[] =>
  name === 'auto' && there.length > 0 ? [] : whole.map(shorterSide).filter((height) => !there.includes(height));
const shorterSide = ({ width, height }: { readonly width: number; readonly height: number }): number => Math.min(width, height);
const heightsOf = (tracks: readonly RunTrack[]): number[] => tracks.flatMap(({ rung }) => (rung ? [shorterSide(rung)] : []));

/** As it was when the ladder was planned; null: nothing has come of it yet. */
export const sourceOf = (run: Shown['run']): LadderSource | null => {
  const sent = run.snapshot().tracks.find(({ kind, id }) => kind === 'video' && run.facts.tracks.some((track) => track.id === id && !track.rung));
  const [first] = sent?.epochs ?? [];
  if (!sent || first?.width === undefined || first.height === undefined) return null;
  return { width: first.width, height: first.height, frameRate: run.facts.rhythm.frameRate, codec: sent.codec, standard: playsEverywhere(sent.codec, first.codecString), bright: first.videoRange === 'PQ' || first.videoRange === 'HLG' };
};

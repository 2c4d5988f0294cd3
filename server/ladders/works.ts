/**
 * Ladders of live shows, put together: which there are, what the machine can carry of one, and who encodes it. A channel
 * asks for a ladder by its name; what comes of it is settled when its show begins.
 */
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import type { CoreBudget } from '../../packager/encode/budget.ts';
import { toneFilters } from '../../packager/encode/live-shape.ts';
import { makeJobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import { Ladder } from '../../packager/live/ladder.ts';
import type { StartEncoder } from '../../packager/live/ladder-epoch.ts';
import { carefulCost, coresOf, type CoreCost } from '../../packager/live/ladder-cost.ts';
import { keptOf, planAuto, planRungs, type LadderSource, type Plan } from '../../packager/live/ladder-plan.ts';
import type { Wish } from '../../packager/live/policy.ts';
import type { LiveRun, RungFacts, RunTrack } from '../../packager/live/run.ts';
import type { ServerLog } from '../log.ts';
import { ffmpegEncoder } from './encoder.ts';
import { PromisedCores } from './show-cores.ts';
import { offerOf, withinCores, type OfferedLadder } from './offer.ts';
import type { Ladders } from './read.ts';
import { LadderShows, sourceOf, type LadderNow } from './shows.ts';

export type LadderWorksOptions = {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly ladders: Ladders;
  readonly budget: CoreBudget;
  /** `<data>/jobs`: what a crash leaves there is swept away. */
  readonly folder: string;
};

/** Nothing has come of it: nothing is encoded of it either. */
const unknown: LadderSource = { width: 0, height: 0, frameRate: null, standard: true };

/** Who encodes, and what it costs: as it was measured, or guessed. `tones`: PQ and HLG can be brought down to what rungs show. */
type Tools = { readonly start: StartEncoder; readonly tones: boolean; cost: CoreCost; measured: boolean };

export class LadderWorks {
  readonly #o: LadderWorksOptions;
  /** Null: nothing can be encoded here (yet). */
  #tools: Tools | null = null;
  readonly #shows: LadderShows;
  readonly #promised: PromisedCores;

  constructor(options: LadderWorksOptions) {
    this.#o = options;
    this.#shows = new LadderShows(options.clock, (name, source) => this.#whole(name, source));
    this.#promised = new PromisedCores(options.clock, options.budget);
  }

  /** What a channel may name. */
  get names(): readonly string[] {
    return ['source', 'auto', ...this.#o.ladders.keys()];
  }

  /** What these give and take. */
  get offered(): readonly OfferedLadder[] {
    const { budget, ladders } = this.#o;
    const cost = this.#tools?.measured ? this.#tools.cost : null;
    return this.names.map((name) => offerOf(name, name === 'source' ? [] : (ladders.get(name)?.rungs ?? null), budget.total, cost));
  }

  /** Of x264, that ladders name. */
  get presets(): readonly string[] {
    return [...new Set(['veryfast', ...[...this.#o.ladders.values()].flatMap(({ rungs }) => rungs).map(({ preset }) => preset)])];
  }

  get budget(): Pick<CoreBudget, 'total' | 'free' | 'leases'> {
    return this.#o.budget;
  }

  /** Cores for encoding, and those of them that a show could have now: work on uploads gives way to it. */
  get cores(): { readonly total: number; readonly free: number } {
    return { total: this.#o.budget.total, free: Math.max(0, this.#liveCores) };
  }

  /** What is encoded beside shows that are on. */
  get shows(): readonly LadderNow[] {
    return this.#shows.all;
  }

  /** Times that an encoder was begun anew, since the start. */
  get restarts(): number {
    return this.#shows.restarts;
  }

  /** Null: nothing is wanted beside it. */
  of(video: string): LadderNow | null {
    return this.#shows.of(video);
  }

  /** The show is over. */
  forget(video: string): void {
    this.#shows.forget(video);
  }

  /** From now on there is somebody who encodes; `guess`: what it costs until that has been measured. */
  async equip(sandbox: Sandbox, guess: CoreCost): Promise<void> {
    const { clock, folder } = this.#o;
    const place = await makeJobPlace(join(folder, `live-${process.pid}`));
    this.#tools = { cost: guess, measured: false, tones: toneFilters.every((name) => sandbox.programs.filters.has(name)), start: ffmpegEncoder({ clock, sandbox, place }) };
  }

  /** It has been measured what encoding costs. */
  price(cost: CoreCost): void {
    if (this.#tools) Object.assign(this.#tools, { cost, measured: true });
  }

  /** How a show is to be planned; undefined: what the encoder sends is all that there is. */
  wish(name: string): Wish['ladder'] {
    if (name === 'source') return undefined;
    return (source) => {
      // Whoever comes back the moment the server has started may be there before ffmpeg has been tried.
      if (!this.#tools) return [];
      if (this.#tooBright(source)) {
        this.#o.log.warn({ ladder: name }, `This ffmpeg cannot make pictures of PQ or HLG that every screen shows (it has no ${toneFilters.join(' and ')}): the show gets no rungs.`);
        return [];
      }
      const plan = this.#plan(name, source, this.#tools);
      this.#promised.promise(plan, source, coresOf(plan, source, this.#tools.cost));
      return plan;
    };
  }

  /** What is sent cannot be brought down to what rungs show. */
  #tooBright({ bright }: LadderSource): boolean {
    return bright === true && this.#tools?.tones === false;
  }

  /** Of AAC beside sound that not all can play; null: the usual. */
  soundBitRate(name: string): number | null {
    return this.#o.ladders.get(name)?.soundBitRate ?? null;
  }

  #plan(name: string, source: LadderSource, { cost }: Tools): Plan {
    const cores = this.#liveCores;
    if (name === 'auto') return planAuto(source, cores, cost);
    const wishes = this.#o.ladders.get(name)?.rungs;
    if (!wishes) {
      this.#o.log.warn({ ladder: name, there: this.names }, 'A channel names a ladder that is not there any more: its viewers get only what is sent.');
      return [];
    }
    // Players are told of what is planned once, and for all of the show: nothing is promised that has no cores now.
    return withinCores(planRungs(wishes, source), source, cores, cost);
  }

  /** If there were cores for anything; null: there is no such ladder. */
  #whole(name: string, source: LadderSource): Plan | null {
    const none = name === 'source' || this.#tooBright(source);
    if (none && this.names.includes(name)) return [];
    if (name === 'auto') return planAuto(source, Infinity, carefulCost);
    const wishes = this.#o.ladders.get(name)?.rungs;
    return wishes ? planRungs(wishes, source) : null;
  }

  /** What live may take: VOD gives way. */
  get #liveCores(): number {
    const { total, leases } = this.#o.budget;
    return leases.reduce((left, { ask, cores }) => (ask.rank === 'live' ? left - cores : left), total);
  }

  /** Null: the run has no rungs. Where nobody encodes them (yet) they are holes. `name`: of the ladder that was wished for. */
  open(run: LiveRun, name: string): Ladder | null {
    const tracks = run.facts.tracks.filter(({ rung }) => rung !== undefined);
    const ladder = tracks.length === 0 ? null : this.#ladder(run, tracks);
    if (ladder || name !== 'source') this.#shows.add(run, name, ladder, ladder !== null || this.#tools !== null);
    return ladder;
  }

  #ladder(run: LiveRun, tracks: readonly RunTrack[]): Ladder {
    const { clock, log } = this.#o;
    const { video } = run.facts;
    const cores = this.#promised.of(tracks[0]?.rung, video);
    return new Ladder({
      ...{ clock, run, tracks },
      start: (ask) => {
        if (!this.#tools) throw new Error('an encoder is wanted where there is none');
        const encoder = this.#tools.start(ask);
        this.#shows.started(video, encoder);
        return encoder;
      },
      keeps: ({ rung }) => rung && keptOf(rung),
      room: (wanted) => {
        if (wanted.length === 0) return cores.take(0);
        return this.#tools !== null && cores.take(coresOf(rungsOf(wanted), cores.source ?? sourceOf(run) ?? unknown, this.#tools.cost));
      },
      changed: (state) => {
        this.#shows.changed(video, state);
        log.info({ video, ...state }, 'What is encoded of a ladder has changed.');
      },
      trouble: ({ kind, words }) => log.warn({ video, trouble: kind, words }, 'The encoder of a ladder had trouble.'),
    });
  }
}

const rungsOf = (tracks: readonly RunTrack[]): RungFacts[] => tracks.flatMap(({ rung }) => rung ?? []);

/**
 * Ladders of live shows, put together: which there are, what the machine can carry of one, and who encodes it. A channel
 * asks for a ladder by its name; what comes of it is settled when its show begins.
 */
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import type { CoreBudget, CoreLease } from '../../packager/encode/budget.ts';
import { makeJobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import { Ladder } from '../../packager/live/ladder.ts';
import type { StartEncoder } from '../../packager/live/ladder-epoch.ts';
import { coresOf, keptOf, planAuto, planRungs, type CoreCost, type LadderSource, type Plan } from '../../packager/live/ladder-plan.ts';
import type { Wish } from '../../packager/live/policy.ts';
import type { LiveRun, RungFacts, RunTrack } from '../../packager/live/run.ts';
import type { ServerLog } from '../log.ts';
import { ffmpegEncoder } from './encoder.ts';
import { offerOf, withinCores, type OfferedLadder } from './offer.ts';
import type { Ladders } from './read.ts';
import { LadderShows, type LadderNow } from './shows.ts';

export type LadderWorksOptions = {
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly ladders: Ladders;
  readonly budget: CoreBudget;
  /** `<data>/jobs`: what a crash leaves there is swept away. */
  readonly folder: string;
};

/** Who encodes, and what it costs. */
type Tools = { readonly start: StartEncoder; readonly cost: CoreCost };

export class LadderWorks {
  readonly #o: LadderWorksOptions;
  /** Null: nothing can be encoded here (yet). */
  #tools: Tools | null = null;
  readonly #shows: LadderShows;

  constructor(options: LadderWorksOptions) {
    this.#o = options;
    this.#shows = new LadderShows(options.clock, (name, source) => this.#whole(name, source));
  }

  /** What a channel may name. */
  get names(): readonly string[] {
    return ['source', 'auto', ...this.#o.ladders.keys()];
  }

  /** What these give and take. */
  get offered(): readonly OfferedLadder[] {
    const { budget, ladders } = this.#o;
    return this.names.map((name) => offerOf(name, name === 'source' ? [] : (ladders.get(name) ?? null), budget.total, this.#tools?.cost ?? null));
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

  /** From now on there is somebody who encodes. */
  async equip(sandbox: Sandbox, cost: CoreCost): Promise<void> {
    const { clock, folder } = this.#o;
    const place = await makeJobPlace(join(folder, `live-${process.pid}`));
    this.#tools = { cost, start: ffmpegEncoder({ clock, sandbox, place }) };
  }

  /** How a show is to be planned; undefined: what the encoder sends is all that there is. */
  wish(name: string): Wish['ladder'] {
    const tools = this.#tools;
    if (name === 'source' || !tools) return undefined;
    return (source) => this.#plan(name, source, tools);
  }

  #plan(name: string, source: LadderSource, { cost }: Tools): Plan {
    const cores = this.#liveCores;
    if (name === 'auto') return planAuto(source, cores, cost);
    const wishes = this.#o.ladders.get(name);
    if (!wishes) return [];
    // Players are told of what is planned once, and for all of the show: nothing is promised that has no cores now.
    return withinCores(planRungs(wishes, source), source, cores, cost);
  }

  /** If there were cores for anything. */
  #whole(name: string, source: LadderSource): Plan {
    if (name === 'source') return [];
    if (name === 'auto') return planAuto(source, Infinity, { perMegapixel: { any: 0 }, decodePerMegapixel: 0 });
    return planRungs(this.#o.ladders.get(name) ?? [], source);
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
    if (ladder || name !== 'source') this.#shows.add(run, name, ladder);
    return ladder;
  }

  #ladder(run: LiveRun, tracks: readonly RunTrack[]): Ladder {
    const { clock, log, budget } = this.#o;
    const { video } = run.facts;
    const lease = new LadderLease(budget, video);
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
        if (wanted.length === 0) return lease.take(0);
        return this.#tools !== null && lease.take(coresOf(rungsOf(wanted), sourceOf(run), this.#tools.cost));
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

/** Where the source is not known yet, what its highest rung says of it. */
const sourceOf = (run: LiveRun): LadderSource => {
  const { tracks } = run.snapshot();
  const { width, height } = tracks.find(({ kind, rung }) => kind === 'video' && !rung)?.epochs.at(-1) ?? {};
  const [highest] = rungsOf(run.facts.tracks);
  const { frameRate } = run.facts.rhythm;
  return { width: width ?? highest?.width ?? 0, height: height ?? highest?.height ?? 0, frameRate, standard: true };
};

/** The cores that one show holds. */
class LadderLease {
  readonly #budget: CoreBudget;
  readonly #name: string;
  #held: CoreLease | null = null;

  constructor(budget: CoreBudget, name: string) {
    this.#budget = budget;
    this.#name = name;
  }

  /** False: there are not so many, and what is held stays. */
  take(cores: number): boolean {
    if (cores === 0) {
      this.#held?.release();
      this.#held = null;
      return true;
    }
    if (this.#held) return this.#held.resize(cores);
    this.#held = this.#budget.take({ rank: 'live', cores, name: this.#name, yield: () => undefined });
    return this.#held !== null;
  }
}

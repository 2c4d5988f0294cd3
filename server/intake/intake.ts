/**
 * Intake, put together: what needs no work is handed to the arrivals, everything else goes through the workshop as jobs.
 * The rest of the server sees only this.
 *
 *     whole ─▶ arrivals: taken ────────────────────────────────▶ ready
 *           └▶ not-standard ─▶ inspect ─▶ remux, audio, lowest ─▶ playable ─▶ mezzanine ─▶ ready
 */
import type { Position } from '../catalog/page.ts';
import type { VideoRow } from '../catalog/videos.ts';
import type { Crew } from '../jobs/crew.ts';
import type { Job } from '../jobs/queue.ts';
import type { JobHandler } from '../jobs/runner.ts';
import { isMaking } from '../pipeline/planning.ts';
import type { Arrivals } from './arrivals.ts';
import { captionsHandler } from './captions.ts';
import { failing, failureOf, withWords, type Failure } from './failures.ts';
import { inspectionOf, keysOf, queueInspection, type InspectPayload, type ShopTools } from './ground.ts';
import { inspectHandler } from './inspect.ts';
import { makeHandler } from './make.ts';
import { containerOf, originalPath } from './originals.ts';
import type { Arriving, Intake, Progress } from './types.ts';

export type IntakeOptions = Omit<ShopTools, 'tell'> & {
  readonly arrivals: Pick<Arrivals, 'arrived' | 'whole' | 'dropped'>;
  /** Who does its jobs. */
  readonly crew: Crew;
  /** Somebody may want to know how far this video is. */
  readonly changed: (video: string) => void;
  readonly tidyMs?: number;
  readonly pageSize?: number;
};

/** What jobs make something of. */
type Waiting = 'processing' | 'playable';

const usualTidyMs = 60_000;
/** So long can be looked up what became of a job. */
const keptMs = 30 * 86_400_000;
const pageSize = 100;
/** Of each state, in one turn: the next one goes on behind them. */
const pagesOfTurn = 10;

export class VideoIntake implements Intake {
  readonly #o: IntakeOptions;
  readonly #progress = new Map<string, Progress>();
  #cancelTidy: () => void = () => undefined;
  #tidying: Promise<void> = Promise.resolve();
  /** How far it has been looked for work that has died; null: from the beginning. */
  readonly #tidied: { [state in Waiting]: Position | null } = { processing: null, playable: null };
  #stopped = false;

  constructor(options: IntakeOptions) {
    this.#o = options;
    const tools: ShopTools = { ...options, tell: (video, progress) => this.#tell(video, progress) };
    const handlers = { inspect: this.#waking(inspectHandler(tools)), make: this.#waking(makeHandler(tools)), captions: this.#waking(captionsHandler(tools)) };
    options.crew.take(handlers, (job, error) => this.#died(job, failureOf(error)));
  }

  arrived(video: string, original: Arriving): void {
    this.#o.arrivals.arrived(video, original);
  }

  async whole(video: string): Promise<void> {
    const { catalog, arrivals, disk, folder } = this.#o;
    const row = await catalog.videos.get(video);
    if (!row || !['uploading', 'playable', 'processing'].includes(row.state)) return;
    // The workshop has it already: what can be played now was made there.
    if (await inspectionOf(catalog, video)) return;
    // Or what is made behind it has begun.
    if (row.state === 'playable' && (await catalog.jobs.ofVideo(video)).some(isMaking)) return;
    if (row.state !== 'processing') {
      if ((await arrivals.whole(video)) === 'taken') return;
      const known = (await containerOf(disk, originalPath(folder, video))) !== null;
      if (!(await catalog.videos.become(video, ['uploading', 'playable', 'processing'], known ? { state: 'processing' } : { state: 'failed', error: failing('not-a-video') })) || !known) return;
    }
    await queueInspection(catalog, video);
    this.#tell(video, { step: 'inspect', done: null });
    this.#o.crew.wake();
  }

  dropped(video: string): void {
    this.#o.arrivals.dropped(video);
    const mine = (job: Job): boolean => (job.payload as InspectPayload).video === video;
    void this.#o.crew.drop(mine);
    this.#progress.delete(video);
  }

  /** Jobs of it were cancelled, and nobody works on them any more. */
  async cancelled(video: string): Promise<void> {
    const row = await this.#o.catalog.videos.get(video);
    if (row?.errorCode === null) await this.#tidyOne(video);
  }

  progress(video: string): Progress | null {
    return this.#progress.get(video) ?? this.#o.behind.progress(video);
  }

  start(): void {
    this.#tidyLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTidy();
    await this.#tidying;
  }

  #tell(video: string, progress: Progress | null): void {
    if (progress) this.#progress.set(video, progress);
    else this.#progress.delete(video);
    this.#o.changed(video);
  }

  /** One job queues the next, of another class perhaps. */
  #waking(handler: JobHandler): JobHandler {
    return async (job, context) => {
      const result = await withWords(handler)(job, context);
      this.#o.crew.wake();
      return result;
    };
  }

  /** What can be played stays so, with the reason why there is not more of it. */
  async #died({ kind, payload }: Pick<Job, 'kind' | 'payload'>, failure: Failure): Promise<void> {
    if (kind === 'captions') return; // nothing is wrong with the video
    const { video } = payload as InspectPayload;
    const { videos } = this.#o.catalog;
    const over = (await videos.become(video, ['processing'], { state: 'failed', error: failure })) || (await videos.become(video, ['playable'], { state: 'playable', error: failure }));
    if (over) this.#tell(video, null);
  }

  /** Jobs whose workers vanished too often died without a word. */
  #tidyLater(): void {
    this.#cancelTidy = this.#o.clock.after(this.#o.tidyMs ?? usualTidyMs, () => {
      this.#tidying = this.#tidy()
        .catch((error: unknown) => this.#o.log.error({ err: error }, 'Videos whose work has died could not be looked for.'))
        .finally(() => {
          if (!this.#stopped) this.#tidyLater();
        });
    });
  }

  async #tidy(): Promise<void> {
    await this.#o.catalog.jobs.forget(this.#o.clock.wall() - keptMs);
    for (const state of ['processing', 'playable'] as const) await this.#tidyThose(state);
  }

  async #tidyThose(state: Waiting): Promise<void> {
    const { videos } = this.#o.catalog;
    for (let page = 0; page < pagesOfTurn && !this.#stopped; page += 1) {
      const { items, next } = await videos.list({ limit: this.#o.pageSize ?? pageSize, after: this.#tidied[state], state, seenBy: null });
      this.#tidied[state] = next;
      // Of what can be played and is known to get no better, that has been said.
      await this.#tidyPage(items.filter(({ errorCode }) => errorCode === null));
      if (next === null) return;
    }
  }

  async #tidyPage(items: readonly VideoRow[]): Promise<void> {
    for (const { id } of items) await this.#tidyOne(id);
  }

  async #tidyOne(video: string): Promise<void> {
    const { jobs } = this.#o.catalog;
    const found = (await Promise.all(keysOf(video).map((key) => jobs.byKey(key)))).filter((job) => job !== null);
    const down = found.find(({ state }) => state === 'dead') ?? found.find(({ state }) => state === 'cancelled');
    if (!down || found.some(({ state }) => state === 'queued' || state === 'leased')) return;
    await this.#died(down, down.state === 'dead' ? failing('encode-failed') : failing('encode-failed', 'It was cancelled before it was converted.'));
  }
}

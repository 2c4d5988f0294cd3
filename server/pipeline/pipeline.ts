/**
 * The pipeline, put together: a video that plays is planned, its jobs are done by whoever is free, and it becomes ready when
 * the last of its tracks is listed. Whatever a kill interrupts is found again: everything that is known stands in the catalog.
 *
 *     playable ─▶ opened, read, planned ─▶ jobs, in one transaction ─▶ encode, sound ─▶ join ─▶ … ─▶ ready
 *                       └─ nothing to make ─────────────────────────────────────────────────────────▶ ready
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import { workFolder } from '../../packager/encode/vod/addressed.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Position } from '../catalog/page.ts';
import type { VideoRow, VideoWithTracks } from '../catalog/videos.ts';
import { failing, failureOf, type Failure } from '../intake/failures.ts';
import type { Progress } from '../intake/types.ts';
import { isDown, type Job, type JobShare } from '../jobs/queue.ts';
import type { Crew } from '../jobs/crew.ts';
import { isIntakes, shareOf } from '../jobs/tasks.ts';
import type { JoinTools, WorkTools } from './ground.ts';
import { workHandlers } from './handlers.ts';
import { joinHandlers } from './join.ts';
import { isWhole, openVideo } from './open.ts';
import { isMaking, jobsFor, type PlanningTools } from './planning.ts';
import { WorkSweep } from './sweep.ts';
import type { OpenVideo, Pipelines } from './types.ts';

export type PipelineOptions = WorkTools &
  Pick<JoinTools, 'fullFrom'> &
  PlanningTools & {
    readonly catalog: Pick<Catalog, 'videos' | 'jobs' | 'uploads' | 'plannings'>;
    /** What is played of it is to be opened anew; `dropped`: tracks have come off its list. */
    readonly outdated: (video: string, dropped?: boolean) => void;
    /** Somebody may want to know how far this video is. */
    readonly changed: (video: string) => void;
    /** Those who do the work. */
    readonly crew: Pick<Crew, 'take' | 'wake' | 'drop'>;
    /** Which rungs a video is to have now. */
    readonly wanted: (video: string) => Promise<'lowest' | 'all'>;
    readonly lookEveryMs?: number;
    readonly pageSize?: number;
  };

/** So often it is tried to plan a video, once at each look; after that, when somebody asks for it or the server starts anew. */
const mostTries = 3;
const usualLookMs = 60_000;
const usualPage = 100;
const followMs = 2_000;

/** Of ffmpeg; null: there is none. */
const filtersOf = (sandbox: Sandbox | string): ReadonlySet<string> | null => (typeof sandbox === 'string' ? null : sandbox.programs.filters);

export class VideoPipelines implements Pipelines {
  readonly #o: PipelineOptions;
  readonly #sweep: WorkSweep;
  /** Wait to be planned, each once. True: intake itself has said that it is done with it. */
  readonly #waiting = new Map<string, boolean>();
  /** Could not be planned, so often. */
  readonly #tries = new Map<string, number>();
  /** How far those are that are only playable. */
  readonly #progress = new Map<string, number>();
  #planning: Promise<void> | null = null;
  #looking: Promise<void> = Promise.resolve();
  #cancelLook: () => void = () => undefined;
  #cancelFollow: () => void = () => undefined;
  #looked: Position | null = null;
  #stopped = false;
  /** Jobs of them have changed since that was told. */
  readonly #moved = new Set<string>();
  #unlisten: () => void = () => undefined;
  /** That ffmpeg has; without one (null) what plays is all that there is. */
  #filters: ReadonlySet<string> | null = null;

  constructor(options: PipelineOptions) {
    this.#o = options;
    this.#sweep = new WorkSweep(options);
    const joining = joinHandlers({ ...options, listed: (video, job) => this.#listed(video, job) });
    options.crew.take({ ...workHandlers(options), ...joining }, (job, error) => this.#died(job, error));
  }

  makesTracks(open: OpenVideo): boolean {
    try {
      // Where the others wait until somebody asks, there may be nothing after all: that is seen when it is planned.
      return this.#filters !== null && jobsFor(this.#o, open, 'all', this.#filters).some(isMaking);
    } catch (error) {
      this.#o.log.error({ video: open.found.video.id, err: error }, 'What is to be made of a video could not be worked out: it stays as it is.');
      return false;
    }
  }

  async hasMore(found: VideoWithTracks): Promise<boolean> {
    try {
      const open = await openVideo(this.#o, found);
      try {
        return this.makesTracks(open);
      } finally {
        await open.close();
      }
    } catch (error) {
      // Hours of work may lie behind whoever asks. It is opened again when it is planned.
      this.#o.log.warn({ video: found.video.id, err: error }, 'Whether there is more to be made of a video is not known yet.');
      return true;
    }
  }

  playable(video: string): void {
    this.#ask(video, true);
  }

  want(video: string): void {
    this.#ask(video, false);
  }

  async again(video: string): Promise<void> {
    await this.#o.catalog.plannings.note(video);
    this.#ask(video, false);
  }

  shorter(video: string): void {
    this.#o.outdated(video, true);
    this.#sweep.soon(video);
    this.#o.changed(video);
  }

  retried(video: string): void {
    // Where there is nothing to be done because it could not be planned, the next look does that.
    this.#tries.delete(video);
    this.#told(video, this.#forgive(video), 'What was said of a failed video could not be taken back.');
  }

  progress(video: string): Progress | null {
    const done = this.#progress.get(video);
    return done === undefined ? null : { step: 'rungs', done };
  }

  async dropped(video: string): Promise<void> {
    this.#waiting.delete(video);
    await this.#o.catalog.jobs.removeVideo(video);
    await this.#o.crew.drop((job) => job.videoId === video);
    // Whoever worked on it may have said how far it is until now.
    this.#tries.delete(video);
    this.#progress.delete(video);
  }

  async start(): Promise<void> {
    const sandbox = await this.#o.sandbox;
    this.#filters = filtersOf(sandbox);
    this.#unlisten = this.#o.catalog.jobs.onChange((video) => {
      if (video !== null && this.#progress.has(video)) this.#moved.add(video);
    });
    this.#look();
    this.#follow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelLook();
    this.#cancelFollow();
    this.#unlisten();
    this.#waiting.clear();
    await Promise.all([this.#planning, this.#looking, this.#sweep.stop()]);
  }

  /** A job of it is dead: what plays stays, with the reason why there is not more of it. */
  async #died(job: Pick<Job, 'kind' | 'videoId'>, error: unknown): Promise<void> {
    if (isMaking(job) && job.videoId !== null) await this.#failed(job.videoId, failureOf(error));
  }

  async #failed(video: string, failure: Failure): Promise<void> {
    this.#progress.delete(video);
    if (await this.#o.catalog.videos.become(video, ['playable'], { state: 'playable', error: failure })) this.#o.changed(video);
  }

  async #forgive(video: string): Promise<void> {
    const { catalog } = this.#o;
    const shares = await catalog.jobs.sharesOf(video);
    // What has failed besides, and was not tried again, is still so.
    if (!shares.some((share) => isDown(share) && (isMaking(share) || isIntakes(share)))) {
      const row = await catalog.videos.get(video);
      if (row?.state === 'playable' && row.errorCode !== null) await catalog.videos.become(video, ['playable'], { state: 'playable', error: null });
    }
    await this.#settle(video, null);
    this.#o.crew.wake();
  }

  /** However often it has failed before. */
  #ask(video: string, handed: boolean): void {
    this.#tries.delete(video);
    this.#plan(video, handed);
  }

  /** One after the other: of each, an index of some megabytes is read. */
  #plan(video: string, handed: boolean): void {
    this.#waiting.set(video, handed || this.#waiting.get(video) === true);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#stopped || this.#waiting.size === 0) return;
    this.#planning ??= this.#planAll().finally(() => {
      this.#planning = null;
      // Some may have come when the last had been taken.
      this.#goOn();
    });
  }

  async #planAll(): Promise<void> {
    for (const [video, handed] of this.#waiting) {
      if (this.#stopped) return;
      this.#waiting.delete(video);
      // A look came while the last try was under way.
      if (this.#isGivenUp(video)) continue;
      try {
        await this.#planNoted(video, handed);
        this.#tries.delete(video);
      } catch (error) {
        await this.#notPlanned(video, error).catch((err: unknown) => this.#o.log.error({ video, err }, 'That a video cannot be planned could not be written down.'));
      }
    }
  }

  /** What is said of it while it is planned is planned once more. */
  async #planNoted(video: string, handed: boolean): Promise<void> {
    const { plannings } = this.#o.catalog;
    const turn = await plannings.turnOf(video);
    await this.#planOne(video, handed);
    // What plays is all that there is for now; a server that has ffmpeg makes the rest.
    if (turn !== null && filtersOf(await this.#o.sandbox) !== null) await plannings.planned(video, turn);
  }

  /** It is tried again at the next look, and told at last of what is only playable: nobody waits for ever, or reads of it each minute. */
  async #notPlanned(video: string, error: unknown): Promise<void> {
    const { catalog, log } = this.#o;
    const tries = (this.#tries.get(video) ?? 0) + 1;
    this.#tries.set(video, tries);
    const isGone = await catalog.videos.get(video).then((row) => row === null, () => false);
    if (isGone) return void this.#tries.delete(video);
    if (tries === 1 || tries === mostTries) log.error({ video, err: error, tries }, 'What is to be made of a video could not be planned.');
    // What was planned of it before is on its way.
    if (tries >= mostTries && !(await catalog.jobs.sharesOf(video)).some(isMaking)) await this.#failed(video, failing('encode-failed'));
  }

  /**
   * Whether a video that only plays is still intake's: it arrives, has not been handed over, or work on it is not done. A plan
   * of such a one would be made of less than it will be, and the video ready before it is.
   */
  async #isIntakes(video: string, shares: readonly JobShare[]): Promise<boolean> {
    const { catalog } = this.#o;
    if (shares.some((share) => isIntakes(share) && share.state !== 'done')) return true;
    const upload = await catalog.uploads.get(video);
    return (upload !== null && upload.takenAt === null) || !(await isWhole(this.#o, video));
  }

  /** `handed`: intake's last step says so itself, which is not over yet. */
  async #planOne(video: string, handed: boolean): Promise<void> {
    const { catalog, changed, wanted } = this.#o;
    const found = await catalog.videos.withTracks(video);
    if (!found || (found.video.state !== 'playable' && found.video.state !== 'ready') || found.video.run === null) return;
    const isPlayable = found.video.state === 'playable';
    const before = isPlayable ? await catalog.jobs.sharesOf(video) : [];
    if (isPlayable && !handed && (await this.#isIntakes(video, before))) return;
    // Before it is known what it can convert, a server would find nothing to do.
    const filters = filtersOf(await this.#o.sandbox);
    const open = await openVideo(this.#o, found);
    try {
      const jobs = filters ? jobsFor(this.#o, open, await wanted(video), filters) : [];
      if (jobs.length > 0) await catalog.jobs.enqueueAll(jobs);
      // Gone meanwhile: nobody would look for its jobs any more.
      if (!(await catalog.videos.get(video))) return await catalog.jobs.removeVideo(video);
      if (isPlayable || !jobs.some(isMaking)) await this.#settle(video, null, true);
      // It was said that there would not be more of it, and now there is.
      if (isPlayable && found.video.errorCode !== null && !before.some(isMaking)) await this.#forgive(video);
    } finally {
      await open.close();
    }
    this.#o.crew.wake();
    changed(video);
  }

  async #listed(video: string, by: Job): Promise<void> {
    await this.#settle(video, by);
    this.#sweep.soon(video);
    this.#o.changed(video);
  }

  /** All that makes tracks of it is done, but for the job that asks. `planned`, this moment: it is known what there is to do. */
  async #settle(video: string, by: Job | null, planned = false): Promise<void> {
    const { catalog, folder, log } = this.#o;
    const shares = await catalog.jobs.sharesOf(video);
    const making = shares.filter(isMaking);
    const left = making.reduce((sum, { state, jobs }) => sum + (state === 'done' ? 0 : jobs), 0);
    // Somebody else may have done it meanwhile, and written that down.
    const asks = by !== null && isMaking(by) && (await catalog.jobs.get(by.id))?.state !== 'done' ? 1 : 0;
    if (left > asks) return this.#reckon(video, making);
    // Its best picture is yet to come, or nobody knows what is to be made of it.
    if (!planned && (making.length === 0 || shares.some((share) => isIntakes(share) && share.state !== 'done'))) return;
    this.#progress.delete(video);
    await rm(join(folder, video, workFolder), { recursive: true, force: true });
    if (await catalog.videos.become(video, ['playable'], { state: 'ready', error: null })) log.info({ video }, 'A video is ready: all of its tracks are there.');
  }

  /** What has died or was cancelled is not on its way any more. */
  #reckon(video: string, making: readonly JobShare[]): void {
    if (making.some(isDown)) this.#progress.delete(video);
    else this.#progress.set(video, shareOf(making));
  }

  /** Whoever works on them, here or in another process: those of which something has changed are told of. */
  #follow(): void {
    const look = async (): Promise<void> => {
      const videos = [...this.#moved];
      this.#moved.clear();
      for (const video of videos) {
        if (!this.#progress.has(video)) continue;
        const making = (await this.#o.catalog.jobs.sharesOf(video)).filter(isMaking);
        if (!this.#progress.has(video)) continue;
        this.#reckon(video, making);
        this.#o.changed(video);
      }
    };
    const again = (): void => {
      if (!this.#stopped) this.#follow();
    };
    this.#cancelFollow = this.#o.clock.after(followMs, () => void look().catch((error: unknown) => this.#o.log.warn({ err: error }, 'How far videos are could not be told.')).then(again));
  }

  /** Whatever was interrupted between two steps goes on: at the start, and now and then. */
  #look(): void {
    this.#looking = this.#lookAtAll()
      .catch((error: unknown) => this.#o.log.error({ err: error }, 'Videos that wait for their tracks could not be looked for.'))
      .finally(() => {
        if (!this.#stopped) this.#cancelLook = this.#o.clock.after(this.#o.lookEveryMs ?? usualLookMs, () => this.#look());
      });
  }

  async #lookAtAll(): Promise<void> {
    const { catalog, pageSize = usualPage } = this.#o;
    await this.#sweep.all();
    // Also of what is ready: nothing else tells of those.
    const noted = this.#filters === null ? [] : await catalog.plannings.all();
    for (const video of [...this.#tries.keys(), ...noted]) this.#tryAgain(video);
    do {
      const { items, next } = await catalog.videos.list({ limit: pageSize, after: this.#looked, state: 'playable', seenBy: null });
      this.#looked = next;
      for (const row of items) {
        if (this.#stopped) return;
        await this.#lookAt(row).catch((error: unknown) => this.#o.log.error({ video: row.id, err: error }, 'A video that waits for its tracks could not be looked at.'));
      }
    } while (this.#looked !== null && !this.#stopped);
  }

  #tryAgain(video: string): void {
    if (!this.#isGivenUp(video)) this.#plan(video, false);
  }

  #isGivenUp(video: string): boolean {
    return (this.#tries.get(video) ?? 0) >= mostTries;
  }

  async #lookAt({ id, errorCode }: VideoRow): Promise<void> {
    const { catalog } = this.#o;
    const making = (await catalog.jobs.sharesOf(id)).filter(isMaking);
    // Unless it is intake's still, which is seen when it is planned.
    if (making.length === 0) return this.#tryAgain(id);
    const dead = making.find(({ state }) => state === 'dead');
    // Its workers vanished too often, without a word.
    if (dead && errorCode === null) return this.#failed(id, failing('encode-failed'));
    await this.#settle(id, null);
  }

  #told(video: string, done: Promise<void>, words: string): void {
    done.then(
      () => this.#o.changed(video),
      (error: unknown) => this.#o.log.error({ video, err: error }, words),
    );
  }
}

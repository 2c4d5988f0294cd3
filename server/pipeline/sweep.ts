/**
 * What nobody needs any more: work of videos for which nothing is done, tracks that no row names. Whoever began to watch before
 * a track came off the list reads on for a while, so that is not taken at once but hours later, or at a start, when nobody reads.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../packager/clock.ts';
import { workFolder } from '../../packager/encode/vod/addressed.ts';
import type { Disk } from '../../packager/log/types.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { isId } from '../catalog/ids.ts';
import type { ServerLog } from '../log.ts';
import { isMaking } from './planning.ts';

export type SweepTools = {
  readonly catalog: Pick<Catalog, 'videos' | 'jobs'>;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly disk: Disk;
  /** `<data>/videos` */
  readonly folder: string;
};

/** Names that intake and the pipeline give. Those of shows are shorter. */
const given = /^[va][0-9a-z]{7,15}$/;
/** Whoever watches goes on with a track that has come off the list for hours (`server/live/presentations.ts`). */
const readOnMs = 6 * 3_600_000 + 120_000;
const everyMs = 6 * 3_600_000;
/** Work that was cancelled is kept for so long. */
const regretMs = 24 * 3_600_000;
/** Others need the disk: folders that are looked at before a pause. */
const atOnce = 50;

export class WorkSweep {
  readonly #o: SweepTools;
  readonly #soon = new Map<string, () => void>();
  #working: Promise<unknown> = Promise.resolve();
  #next = -Infinity;
  #stopped = false;

  constructor(tools: SweepTools) {
    this.#o = tools;
  }

  /** A track of it may have come off the list. */
  soon(video: string): void {
    if (this.#stopped) return;
    this.#soon.get(video)?.();
    this.#soon.set(
      video,
      this.#o.clock.after(readOnMs, () => {
        this.#soon.delete(video);
        this.#working = this.#working.then(() => this.#try(video));
      }),
    );
  }

  /** Every video, the first time and then every few hours. */
  async all(): Promise<void> {
    const { clock, disk, folder } = this.#o;
    if (clock.now() < this.#next) return;
    this.#next = clock.now() + everyMs;
    for (const [at, name] of (await disk.list(folder)).entries()) {
      if (this.#stopped) return;
      if (isId(name) && !this.#soon.has(name)) await this.#try(name);
      if (at % atOnce === atOnce - 1) await pause(10);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#soon.values()) cancel();
    await this.#working;
  }

  /** One whose folder cannot be read, or goes meanwhile, is no reason not to look at the next. */
  async #try(video: string): Promise<void> {
    await this.#sweep(video).catch((error: unknown) => this.#o.log.warn({ video, err: error }, 'What is left of old tracks could not be removed.'));
  }

  async #sweep(video: string): Promise<void> {
    const { catalog, disk, folder, log } = this.#o;
    const home = join(folder, video);
    const names = await disk.list(home);
    const doubtful = names.filter((name) => name === workFolder || given.test(name));
    if (doubtful.length === 0) return;
    const found = await catalog.videos.withTracks(video);
    if (!found) {
      // A late worker made it anew; anything else may belong to a catalog that was lost.
      if (names.every((name) => name === workFolder)) await rm(home, { recursive: true, force: true });
      return;
    }
    const making = new Set((await catalog.jobs.sharesOf(video)).filter(isMaking).map(({ state }) => state));
    making.delete('done');
    const isCancelled = making.delete('cancelled');
    // Whatever is not over may need it: work that has failed may be taken up again.
    if (making.size > 0 || (isCancelled ? !(await this.#isLongCancelled(video)) : found.video.state !== 'ready')) return;
    const named = new Set(found.tracks.map(({ id }) => id));
    // Of what is not ready, intake may keep tracks that no row has yet.
    const orphans = doubtful.filter((name) => (found.video.state === 'ready' ? !named.has(name) : name === workFolder));
    for (const name of orphans) await rm(join(home, name), { recursive: true, force: true });
    if (orphans.length > 0) log.info({ video, orphans }, 'What was left of work on a video is removed.');
  }

  /** Nobody has taken up again what he cancelled. Who does so later waits until all of it is made anew. */
  async #isLongCancelled(video: string): Promise<boolean> {
    const { catalog, clock } = this.#o;
    const before = clock.wall() - regretMs;
    return (await catalog.jobs.ofVideo(video)).every((job) => !isMaking(job) || job.updatedAt < before);
  }
}

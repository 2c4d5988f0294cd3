/**
 * Posters that owners give in place of those that were made. What they send is a stranger's file: decoded behind walls, one at a time,
 * and what is shown was written here.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formOf, takePoster } from '../../packager/encode/stills/poster.ts';
import { makeJobPlace, type Sandbox } from '../../packager/encode/sandbox.ts';
import type { Disk } from '../../packager/log/types.ts';
import { ownPosterName } from '../../packager/pictures/names.ts';
import type { OwnPosterHooks, PosterPut } from '../api/hooks.ts';
import { newId } from '../catalog/ids.ts';
import type { VideoStore } from '../catalog/videos.ts';
import { dropOthers, shelveSet, versionOf } from './shelf.ts';

export type OwnPostersOptions = {
  readonly disk: Disk;
  /** `<data>/videos` */
  readonly videos: string;
  /** `<data>/jobs` */
  readonly jobs: string;
  readonly store: Pick<VideoStore, 'get' | 'changePictures'>;
  /** A sentence: why nothing is decoded here. */
  readonly sandbox: Promise<Sandbox | string>;
  readonly mayWrite: () => boolean;
};

/** Each is held in memory while it waits. */
const mostWaiting = 4;

export class OwnPosters implements OwnPosterHooks {
  readonly #o: OwnPostersOptions;
  readonly #stopped = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: OwnPostersOptions) {
    this.#o = options;
  }

  async put(video: string, bytes: Buffer): Promise<PosterPut> {
    if (!formOf(bytes)) return 'not-a-picture';
    if (this.#waiting >= mostWaiting || this.#stopped.signal.aborted) return 'busy';
    this.#waiting += 1;
    return this.#inLine(() => this.#put(video, bytes)).finally(() => (this.#waiting -= 1));
  }

  /** False: it had none. */
  remove(video: string): Promise<boolean> {
    return this.#inLine(async () => {
      const changed = await this.#o.store.changePictures(video, (kept) => (kept.own ? { ...kept, own: null } : null));
      const { pictures = null } = changed ?? (await this.#o.store.get(video)) ?? {};
      if (pictures) await dropOthers(this.#o.disk, join(this.#o.videos, video), 'own', pictures);
      return changed !== null;
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#last;
  }

  /** One that is made and not named yet would be taken for one that nobody names. */
  #inLine<Result>(doIt: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(doIt);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #put(video: string, bytes: Buffer): Promise<PosterPut> {
    const { sandbox: opening, disk, videos, jobs, store, mayWrite } = this.#o;
    const sandbox = await opening.catch(() => 'it did not start');
    const form = formOf(bytes);
    if (typeof sandbox === 'string' || !form) return typeof sandbox === 'string' ? 'not-available' : 'not-a-picture';
    if (!mayWrite()) return 'no-room';
    const folder = join(jobs, `poster-${newId()}`);
    try {
      const taken = await takePoster({ sandbox, place: await makeJobPlace(folder), signal: this.#stopped.signal }, form, bytes);
      if (taken.kind !== 'taken') return taken.kind === 'damaged' ? 'not-a-picture' : taken.kind === 'too-large' ? 'too-many-pixels' : 'busy';
      const { jpeg } = taken;
      const version = versionOf([jpeg.bytes]);
      const home = join(videos, video);
      // Whoever was quicker to remove the video has removed its folder.
      await disk.list(home);
      await shelveSet(disk, home, folder, { set: 'own', version, files: [{ name: ownPosterName, bytes: jpeg.bytes }] });
      const row = await store.changePictures(video, (kept) => ({ ...kept, own: { version, height: jpeg.height } }));
      if (row?.pictures) await dropOthers(disk, home, 'own', row.pictures);
      return row ? 'put' : 'no-video';
    } catch (error) {
      // Gone with its folder.
      if (!(await store.get(video))) return 'no-video';
      throw error;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

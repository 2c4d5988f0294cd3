/** The desk of uploads on a catalog of its own, with an intake that remembers what it was told, for tests. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Landed } from '../../ingest/upload/desk.ts';
import type { FakeClock } from '../../packager/clock.ts';
import type { DiskLevel } from '../../packager/log/watermarks.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { someAccount, testCatalog, uploadOf } from '../catalog/testing.ts';
import type { NewUpload } from '../catalog/videos.ts';
import { EventDispatcher } from '../events/dispatcher.ts';
import type { Arriving, Intake, Progress } from '../intake/types.ts';
import { Uploads, type UploadFiles, type UploadsOptions } from './uploads.ts';

const quiet = pino({ level: 'silent' });

type Test = Parameters<typeof testCatalog>[0];

export class FakeIntake implements Intake {
  readonly told: (readonly ['arrived' | 'whole' | 'dropped', string])[] = [];
  readonly arriving = new Map<string, Arriving>();
  readonly doing = new Map<string, Progress>();
  /** What `whole` does. */
  take: (video: string) => Promise<void> = async () => undefined;

  arrived(video: string, original: Arriving): void {
    this.told.push(['arrived', video]);
    this.arriving.set(video, original);
  }
  async whole(video: string): Promise<void> {
    this.told.push(['whole', video]);
    await this.take(video);
  }
  dropped(video: string): void {
    this.told.push(['dropped', video]);
  }
  progress(video: string): Progress | null {
    return this.doing.get(video) ?? null;
  }
}

/** The first so many bytes. */
export const first = (bytes: number): Landed => ({ bytes, has: (_from, to) => to <= bytes });

export const noFiles: UploadFiles = { landed: async () => null, release: async () => undefined, finish: async () => undefined };

export class FakeDisk {
  level: DiskLevel = 'ok';
  space = { free: 1e12, total: 1e12 };
  async look(): Promise<void> {
    return undefined;
  }
}

export const uploadsOn = (catalog: Catalog, clock: FakeClock, events: EventDispatcher, change: Partial<UploadsOptions> = {}): { uploads: Uploads; intake: FakeIntake } => {
  const intake = new FakeIntake();
  const uploads = new Uploads({
    ...{ catalog, events, clock, log: quiet, intake, disk: new FakeDisk(), folder: join(catalog.folder, 'videos') },
    marks: { refuse: 0.9 },
    expireMs: 7 * 86_400_000,
    usualQuota: 0,
    files: noFiles,
    fetch: () => undefined,
    changed: () => undefined,
    ...change,
  });
  // As the live part of the server does it.
  events.subscribe('video.deleted', ({ videoId }) => uploads.letGo(videoId));
  return { uploads, intake };
};

export const testUploads = async (t: Test, change: Partial<UploadsOptions> = {}) => {
  const { catalog, clock, folder } = await testCatalog(t);
  await mkdir(join(folder, 'videos'), { recursive: true });
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  const { uploads, intake } = uploadsOn(catalog, clock, events, change);
  events.start();
  t.teardown(async () => {
    await uploads.stop();
    await events.stop();
  });
  const ownerId = await someAccount(catalog);
  /** An upload that has been made; its id, and a token for it. */
  const made = async (more: Partial<NewUpload> = {}): Promise<{ id: string; token: string }> => {
    const outcome = await uploads.create(uploadOf(ownerId, more));
    if (outcome.kind !== 'made') throw new Error(outcome.kind);
    return { id: outcome.video.id, token: (await uploads.address(outcome.video.id))?.token ?? '' };
  };
  return { catalog, clock, folder, events, uploads, intake, ownerId, made };
};

/** A catalog in a folder of its own, for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../packager/clock.ts';
import type { KeptPolicy } from '../../packager/live/run.ts';
import { openCatalog, type Catalog, type CatalogOptions } from './catalog.ts';
import type { NewChannel } from './channels.ts';
import { newId } from './ids.ts';
import type { Role } from './schema.ts';
import type { UploadPlan } from './uploads.ts';
import type { NewLive, NewUpload } from './videos.ts';

type Test = { teardown(run: () => unknown): void };

export const quiet = { error: () => undefined, warn: () => undefined, info: () => undefined };

export const testFolder = async (t: Test): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-catalog-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

export const testCatalog = async (t: Test, options: Partial<CatalogOptions> = {}): Promise<{ catalog: Catalog; clock: FakeClock; folder: string }> => {
  const folder = options.folder ?? (await testFolder(t));
  const clock = new FakeClock();
  const catalog = await openCatalog({ folder, clock, log: quiet, ...options });
  t.teardown(() => catalog.close());
  return { catalog, clock, folder };
};

export const someAccount = async (catalog: Catalog, role: Role = 'creator'): Promise<string> =>
  (await catalog.accounts.create({ username: newId(), role, passwordHash: 'none' })).id;

export const channelOf = (ownerId: string, change: Partial<NewChannel> = {}): NewChannel => ({
  name: newId(),
  ownerId,
  title: 'A channel',
  description: '',
  visibility: 'public',
  latency: 'low',
  ladder: 'source',
  protection: 'none',
  srtPassphrase: null,
  dvrSeconds: null,
  captions: [],
  downloads: true,
  ...change,
});

const somePolicy: KeptPolicy = {
  latency: 'low',
  targetDuration: 2,
  partHoldBack: 1.01,
  version: 9,
  independentSegments: true,
  dvrSeconds: 0,
  closedCaptions: [],
  rhythm: { segmentMicros: 2e6, segmentLimitMicros: 2.5e6, gopMicros: 2e6, partLimitMicros: 335_000, longestFrameMicros: 33_334, frameRate: 30, audioFramesPerPart: 15 },
};

export const liveOn = (channelId: string, ownerId: string, change: Partial<NewLive> = {}): NewLive => ({
  channelId,
  ownerId,
  title: 'A show',
  visibility: 'public',
  latency: 'low',
  startedAt: 1_000,
  run: newId(),
  policy: somePolicy,
  tracks: [
    { id: 'v0', kind: 'video', codec: 'h264', timescale: 90_000, bandwidth: 5_000_000, averageBandwidth: 4_000_000, partTarget: 0.335, group: 'video', language: null, name: null, original: null },
    { id: 'a0', kind: 'audio', codec: 'aac', timescale: 48_000, bandwidth: 160_000, averageBandwidth: 150_000, partTarget: 0.335, group: 'audio', language: null, name: null, original: null },
  ],
  ...change,
});

export const uploadOf = (ownerId: string, change: Partial<NewUpload> = {}): NewUpload => ({
  ...{ ownerId, title: 'A film', description: '', visibility: 'private', downloads: true, ladder: 'source', source: 'upload', filename: 'film.mp4', size: 100 },
  ...change,
});

export const planOf = (change: Partial<UploadPlan> = {}): UploadPlan => ({ partSize: 8 * 2 ** 20, url: null, expiresAt: Date.UTC(2027, 0, 1), usualQuota: 0, mostOpen: 10, ...change });

/** An upload that nobody has sent a byte of; the id of its video. */
export const someUpload = async (catalog: Catalog, change: Partial<NewUpload> = {}): Promise<string> => {
  const made = await catalog.uploads.create(uploadOf(change.ownerId ?? (await someAccount(catalog)), { visibility: 'public', ...change }), planOf({ mostOpen: 10_000 }));
  if (made.kind !== 'made') throw new Error(made.kind);
  return made.video.id;
};

/** Whatever is done with jobs that need each other, in whatever order: nothing waits for what will not be done, and nothing begins too early. */
import t from 'tap';
import { Random } from '../../test/support/random.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import type { Lease, NewJob } from './queue.ts';

/** What is wrong in the tables; nothing, always. */
const wrong = async ({ db }: Pick<Catalog, 'db'>): Promise<string[]> => {
  const jobs = new Map((await db.selectFrom('jobs').selectAll().execute()).map((job) => [job.id, job]));
  const needs = Map.groupBy(await db.selectFrom('jobNeeds').selectAll().execute(), ({ job }) => job);
  return [...jobs.values()].flatMap((job) => {
    const states = (needs.get(job.id) ?? []).map((need) => jobs.get(need.needs)?.state);
    const open = states.filter((state) => state !== 'done').length;
    const said: string[] = [];
    if (job.waits !== open) said.push(`${job.uniqueKey} is ${job.state} and waits for ${job.waits}, not ${open}`);
    if (job.state === 'queued' && states.some((state) => state === 'dead' || state === 'cancelled')) said.push(`${job.uniqueKey} waits for what will not be done`);
    if ((job.state === 'leased' || job.state === 'done') && open > 0) said.push(`${job.uniqueKey} is ${job.state}, and what it needs is not done`);
    if (job.state === 'cancelled' && job.fallen === 1 && states.every((state) => state !== 'dead' && state !== 'cancelled')) said.push(`${job.uniqueKey} has fallen with nothing`);
    if ((job.leaseUntil !== null) !== (job.state === 'leased')) said.push(`${job.uniqueKey} is ${job.state} with a lease until ${job.leaseUntil}`);
    return said;
  });
};

for (const seed of [1, 2, 3, 4, 5]) {
  t.test(`in an order that nobody would think of (${seed})`, async (t) => {
    const random = new Random(seed);
    const below = (count: number): number => random.below(count);
    const { catalog, clock } = await testCatalog(t);
    const { jobs } = catalog;
    const videos = [await someUpload(catalog), await someUpload(catalog)];
    const known = new Map(videos.map((video) => [video, [] as string[]]));
    const leases: Lease[] = [];
    const some = <T>(all: readonly T[]): T | undefined => all[below(all.length)];
    const id = async (): Promise<string> => (await jobs.byKey(some(known.get(some(videos) ?? '') ?? []) ?? ''))?.id ?? 'nobody';
    const grow = async (): Promise<void> => {
      const videoId = some(videos) ?? '';
      const keys = known.get(videoId) ?? [];
      const batch: NewJob[] = Array.from({ length: 1 + below(6) }, (_, index) => {
        const before = [...keys, ...Array.from({ length: index }, (_none, other) => `${videoId}:${keys.length + other}`)];
        return { key: `${videoId}:${keys.length + index}`, class: below(3) === 0 ? 'light' : 'encode', kind: 'k', payload: null, videoId, maxAttempts: 1 + below(2), priority: below(3), needs: Array.from({ length: below(4) }, () => some(before)).filter((need) => need !== undefined) };
      });
      await jobs.enqueueAll(batch);
      keys.push(...batch.map(({ key }) => key));
    };
    const work = async (): Promise<void> => {
      const lease = await jobs.lease(['encode', 'light'], 'w', 1000);
      if (lease) leases.push(lease);
    };
    const end = async (how: (lease: Lease) => Promise<unknown>): Promise<void> => {
      const lease = some(leases);
      if (lease) await how(lease);
    };
    const acts: (() => Promise<unknown>)[] = [
      grow,
      ...[work, work, work],
      ...Array.from({ length: 3 }, () => () => end(({ token }) => jobs.complete(token))),
      () => end(({ token }) => jobs.fail(token, { reason: 'x', recoverable: below(2) === 0 })),
      () => end(({ token }) => jobs.release(token)),
      async () => void clock.advance(700),
      async () => jobs.cancel(await id()),
      async () => jobs.retry(await id()),
      async () => jobs.retry(await id()),
      async () => jobs.prioritise(await id(), below(5)),
      () => (below(4) === 0 ? jobs.cancelVideo(some(videos) ?? '') : jobs.retryVideo(some(videos) ?? '')),
      () => (below(10) === 0 ? jobs.loseAll() : jobs.forget(0)),
    ];
    await grow();
    for (let turn = 0; turn < 150; turn += 1) {
      await some(acts)?.();
      const faults = await wrong(catalog);
      if (faults.length > 0) return t.fail(`after ${turn}: ${faults.join('; ')}`);
    }
    // Nobody stands in the way any more: all of it is done, and comes to an end.
    for (const video of videos) await jobs.retryVideo(video);
    for (let look = 0; look < 2_000; look += 1) {
      const lease = await jobs.lease(['encode', 'light'], 'w', 1000);
      if (lease) await jobs.complete(lease.token);
      else if ((await jobs.counts()).every(({ state }) => state === 'done')) break;
      else {
        clock.advance(300_000);
        for (const video of videos) await jobs.retryVideo(video);
      }
    }
    t.same([...new Set((await jobs.counts()).map(({ state }) => state))], ['done']);
  });
}

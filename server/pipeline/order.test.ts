/** What of many videos is made first. */
import t from 'tap';
import { systemClock } from '../../packager/clock.ts';
import { createCoreBudget } from '../../packager/encode/budget.ts';
import { plan } from '../../packager/pipeline/plan.ts';
import { facts, usualPipeline } from '../../packager/pipeline/testing.ts';
import { someAccount, someUpload, testCatalog, testFolder } from '../catalog/testing.ts';
import { silent } from '../intake/testing.ts';
import { Crew } from '../jobs/crew.ts';
import type { Job } from '../jobs/queue.ts';
import { roomsOf } from '../jobs/room.ts';
import type { JobHandler } from '../jobs/runner.ts';

t.test('with twenty videos queued, the lowest rung of a new one is done before any of their high rungs goes on', async (t) => {
  const { catalog } = await testCatalog(t, { clock: systemClock });
  const ownerId = await someAccount(catalog);
  const queue = async (): Promise<string> => {
    const video = await someUpload(catalog, { ownerId });
    await catalog.jobs.enqueueAll(plan(usualPipeline(), facts({ video })));
    return video;
  };
  const old = new Set<string>();
  for (let one = 0; one < 20; one += 1) old.add(await queue());

  const begun: Job[] = [];
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const all = Promise.withResolvers<void>();
  const encode: JobHandler = async (job) => {
    begun.push(job);
    if (job.task !== 'others') return;
    // Both cores are at high rungs of what was there before: they go on when a new video has come.
    if (begun.filter(({ task }) => task === 'others').length === 2) reached.resolve();
    await goOn.promise;
    if (begun.filter(({ task }) => task === 'others').length >= 6) all.resolve();
  };
  const budget = createCoreBudget(2);
  const crew = new Crew({ queue: catalog.jobs, clock: systemClock, log: silent, folder: await testFolder(t), budget, rooms: roomsOf(budget, { here: 2 }) });
  t.teardown(() => crew.stop());
  const nothing: JobHandler = async () => undefined;
  crew.take({ encode, join: nothing, storyboard: nothing, posters: nothing, preview: nothing, 'keep-pictures': nothing, texts: nothing }, async () => undefined);
  crew.start();
  await reached.promise;
  const before = begun.length;
  t.equal(begun.filter(({ task }) => task === 'lowest').length, 20 * 3, 'the lowest rung of all of them came first');
  const first = begun.find(({ task }) => task === 'others');
  t.equal(first?.videoId, [...old][0], 'and then the oldest goes on');

  const fresh = await queue();
  goOn.resolve();
  await all.promise;
  const after = begun.slice(before, before + 3);
  t.same(after.map(({ videoId, task }) => [videoId, task]), Array.from({ length: 3 }, () => [fresh, 'lowest']));
  t.same(after.map(({ payload }) => (payload as { from: number }).from), [0, 15, 30], 'in its own order');
});

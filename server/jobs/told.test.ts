/** What people are told of jobs: lists, counts, and that something has changed. */
import t from 'tap';
import type { Catalog } from '../catalog/catalog.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import { createMetrics } from '../metrics.ts';
import { jobReadings } from '../readings.ts';
import type { JobQueue, Lease, NewJob } from './queue.ts';

type Test = Parameters<typeof testCatalog>[0];

const job = (key: string, needs: readonly string[] = [], change: Partial<NewJob> = {}): NewJob => ({ key, class: 'encode', kind: 'encode', payload: { key }, needs, ...change });
const idOf = async (jobs: JobQueue, key: string): Promise<string> => (await jobs.byKey(key))?.id ?? '';

const queue = async (t: Test): Promise<Pick<Catalog, 'jobs'> & { readonly catalog: Catalog; readonly clock: Awaited<ReturnType<typeof testCatalog>>['clock']; take(): Promise<Lease | null> }> => {
  const { catalog, clock } = await testCatalog(t);
  return { jobs: catalog.jobs, catalog, clock, take: () => catalog.jobs.lease(['encode'], 'w', 1000) };
};

t.test('a batch is listed in its order', async (t) => {
  const { jobs } = await queue(t);
  const keys = Array.from({ length: 20 }, (_, index) => `${index}`);
  await jobs.enqueueAll(keys.map((key) => job(key)));
  const first = await jobs.list({ limit: 12, after: null });
  t.same([...first.items, ...(await jobs.list({ limit: 12, after: first.next })).items].map(({ key }) => key), keys);
});

t.test('pages of jobs go from the newest to the oldest, of a state, a class, a video', async (t) => {
  const { jobs, catalog, clock, take } = await queue(t);
  const video = await someUpload(catalog);
  for (let count = 0; count < 5; count += 1) {
    await jobs.enqueue(job(`${count}`, [], count < 2 ? { videoId: video, class: 'light' } : {}));
    clock.advance(1);
  }
  await take();
  const keys = async (query: object): Promise<string[]> => (await jobs.list({ limit: 10, after: null, ...query })).items.map(({ key }) => key);
  const first = await jobs.list({ limit: 3, after: null });
  t.same(first.items.map(({ key }) => key), ['4', '3', '2']);
  t.same((await jobs.list({ limit: 3, after: first.next })).items.map(({ key }) => key), ['1', '0']);
  t.same(await keys({ state: 'leased' }), ['2']);
  t.same(await keys({ class: 'light' }), ['1', '0']);
  t.same(await keys({ videoId: video, state: 'queued' }), ['1', '0']);
  t.same((await jobs.counts()).sort((a, b) => b.count - a.count || a.class.localeCompare(b.class)), [
    { class: 'encode', state: 'queued', count: 2 },
    { class: 'light', state: 'queued', count: 2 },
    { class: 'encode', state: 'leased', count: 1 },
  ]);
});

t.test('of those that are not over alone, classes that have none are left out', async (t) => {
  const { jobs, take } = await queue(t);
  t.same(await jobs.counts(['queued', 'leased']), []);
  await jobs.enqueueAll([job('a'), job('b', [], { class: 'light' }), job('c', [], { class: 'picture' }), job('d', [], { class: 'picture' })]);
  const lease = await take();
  if (lease) await jobs.complete(lease.token);
  t.same(await jobs.counts(['queued', 'leased']), [
    { class: 'light', state: 'queued', count: 1 },
    { class: 'picture', state: 'queued', count: 2 },
  ]);
  t.same(await jobs.counts(['done']), [{ class: 'encode', state: 'done', count: 1 }]);
});

t.test('a scrape counts jobs once, and those alone that are not over', async (t) => {
  const asked: (readonly string[])[] = [];
  const counts: JobQueue['counts'] = async (states = []) => (asked.push(states), [{ class: 'encode', state: 'queued', count: 3 }, { class: 'light', state: 'leased', count: 1 }]);
  const metrics = createMetrics(jobReadings({ counts, ended: { done: 0, failed: 0, cancelled: 0 } }, { workers: () => [] }));
  for (const scrape of [1, 2]) {
    const text = await metrics.metrics();
    t.match(text, /^millrace_jobs_queued\{class="encode"\} 3$/m);
    t.match(text, /^millrace_jobs_running\{class="light"\} 1$/m);
    t.same(asked, Array.from({ length: scrape }, () => ['queued', 'leased']));
  }
});

t.test('how many have ended is counted, by how', async (t) => {
  const { jobs, catalog, clock, take } = await queue(t);
  const videoId = await someUpload(catalog);
  await jobs.enqueueAll([job('a'), job('b', [], { maxAttempts: 1 }), job('c', ['b']), job('d', [], { maxAttempts: 1 }), job('e'), job('f', [], { videoId }), job('g', [], { videoId })]);
  const a = await take();
  if (a) await jobs.complete(a.token);
  const b = await take();
  if (b) await jobs.fail(b.token, { reason: 'x', recoverable: true });
  await take();
  clock.advance(1000);
  await take();
  await jobs.cancel(await idOf(jobs, 'e'));
  await jobs.cancel(await idOf(jobs, 'e'));
  await jobs.cancelVideo(videoId);
  t.same(jobs.ended, { done: 1, failed: 2, cancelled: 3 });
});

t.test('whoever listens hears of every change, and of which video', async (t) => {
  const { jobs, catalog, take } = await queue(t);
  const video = await someUpload(catalog);
  const heard: (string | null)[] = [];
  const stop = jobs.onChange((videoId) => void heard.push(videoId));
  const after = async (what: Promise<unknown>): Promise<(string | null)[]> => {
    await what;
    return heard.splice(0);
  };
  const mine = { videoId: video };
  t.same(await after(jobs.enqueueAll([job('a', [], mine), job('b', [], mine), job('c')])), [video, null]);
  t.same(await after(jobs.enqueueAll([job('a', [], mine)])), [], 'nothing is new');
  const held = await take();
  t.same(heard.splice(0), [video]);
  t.ok(held);
  if (!held) return;
  t.same(await after(jobs.heartbeat(held.token, 1000)), [], 'nobody can see that');
  t.same(await after(jobs.progress(held.token, 0.5)), [video]);
  t.same(await after(jobs.release(held.token)), [video]);
  t.same(await after(jobs.release(held.token)), []);
  t.same(await after(jobs.prioritise(held.job.id, 3)), [video]);
  t.same(await after(jobs.cancel(held.job.id)), [video]);
  t.same(await after(jobs.cancel(held.job.id)), []);
  t.same(await after(jobs.retry(held.job.id)), [video]);
  t.same(await after(jobs.cancelVideo(video)), [video]);
  t.same(await after(jobs.retryVideo(video)), [video]);
  const again = await take();
  t.same(heard.splice(0), [video]);
  t.same(await after(jobs.fail(again?.token ?? held.token, { reason: 'x', recoverable: true })), [video]);
  const last = await take();
  t.same(heard.splice(0), [video]);
  t.same(await after(jobs.complete(last?.token ?? held.token)), [video]);
  t.same(await after(jobs.removeVideo(video)), [video]);
  stop();
  t.same(await after(jobs.enqueue(job('d'))), []);
});

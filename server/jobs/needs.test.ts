/** Jobs that need others, and jobs of videos. */
import t from 'tap';
import type { Catalog } from '../catalog/catalog.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import type { JobQueue, Lease, NewJob } from './queue.ts';

type Test = Parameters<typeof testCatalog>[0];

const job = (key: string, needs: readonly string[] = [], change: Partial<NewJob> = {}): NewJob => ({ key, class: 'encode', kind: 'encode', payload: { key }, needs, ...change });
const states = async (jobs: JobQueue, ...keys: string[]): Promise<(string | undefined)[]> => Promise.all(keys.map(async (key) => (await jobs.byKey(key))?.state));
const idOf = async (jobs: JobQueue, key: string): Promise<string> => (await jobs.byKey(key))?.id ?? '';

const queue = async (t: Test): Promise<Pick<Catalog, 'jobs'> & { readonly catalog: Catalog; readonly clock: Awaited<ReturnType<typeof testCatalog>>['clock']; take(...classes: string[]): Promise<Lease | null> }> => {
  const { catalog, clock } = await testCatalog(t);
  const { jobs } = catalog;
  return { jobs, catalog, clock, take: (...classes) => jobs.lease(classes.length > 0 ? classes : ['encode'], 'w', 1000) };
};
/** Takes what is due until nothing is, and says in which order. */
const drain = async (jobs: JobQueue, ...classes: string[]): Promise<string[]> => {
  const order: string[] = [];
  for (let lease = await jobs.lease(classes, 'w', 1000); lease; lease = await jobs.lease(classes, 'w', 1000)) {
    order.push(lease.job.key);
    await jobs.complete(lease.token);
  }
  return order;
};

/** Takes so many and no more. */
const drainSome = async (jobs: JobQueue, count: number): Promise<string[]> => {
  const order: string[] = [];
  while (order.length < count) {
    const lease = await jobs.lease(['encode'], 'w', 1000);
    if (!lease) break;
    order.push(lease.job.key);
    await jobs.complete(lease.token);
  }
  return order;
};

t.test('what needs others waits until the last of them is done', async (t) => {
  const { jobs, take } = await queue(t);
  await jobs.enqueueAll([job('join', ['one', 'two'], { priority: 9 }), job('one'), job('two'), job('after', ['join'])]);
  t.match(await jobs.byKey('join'), { waits: 2, state: 'queued' });
  const one = await take();
  const two = await take();
  t.same([one?.job.key, two?.job.key], ['one', 'two']);
  t.equal(await take(), null);
  t.equal(one && (await jobs.complete(one.token)), true);
  t.equal(one && (await jobs.complete(one.token)), false, 'it counts once');
  t.equal(await take(), null);
  t.equal(two && (await jobs.complete(two.token)), true);
  t.same(await drain(jobs, 'encode'), ['join', 'after']);
});

t.test('the most urgent of all classes goes first, then what was queued first, then what stood first', async (t) => {
  const { jobs, clock } = await queue(t);
  await jobs.enqueueAll([job('a1'), job('a2', [], { class: 'first' }), job('a3')]);
  clock.advance(1);
  await jobs.enqueueAll([job('b1'), job('b2', [], { class: 'rest', priority: 5 }), job('b3', [], { class: 'elsewhere', priority: 9 })]);
  t.same(await drain(jobs, 'rest', 'encode', 'first'), ['b2', 'a1', 'a2', 'a3', 'b1']);
  t.equal(await jobs.lease([], 'w', 1000), null);
});

t.test('what is there already is left as it is, and can be needed', async (t) => {
  const { jobs } = await queue(t);
  await jobs.enqueueAll([job('old'), job('older')]);
  t.same(await drain(jobs, 'encode'), ['old', 'older']);
  await jobs.enqueueAll([job('old', ['new'], { priority: 7 }), job('new', ['old', 'older']), job('new', [], { priority: 3 })]);
  t.match(await jobs.byKey('old'), { state: 'done', priority: 0 });
  t.match(await jobs.byKey('new'), { waits: 0, priority: 0 });
  t.same(await drain(jobs, 'encode'), ['new']);
});

t.test('the same plan queued by several at once is queued once', async (t) => {
  const { jobs } = await queue(t);
  const plan = [job('one'), job('two'), job('join', ['one', 'two'])];
  await Promise.all([jobs.enqueueAll(plan), jobs.enqueueAll([...plan].reverse()), jobs.enqueueAll([...plan, job('more', ['join'])])]);
  t.same((await drain(jobs, 'encode')).slice(2), ['join', 'more']);
});

t.test('what makes no sense is refused as a whole', async (t) => {
  const { jobs, catalog } = await queue(t);
  const refused = (batch: NewJob[], code: string) => t.rejects(jobs.enqueueAll([job('sound'), ...batch]), { name: 'QueueError', code });
  await refused([job('a', ['b']), job('b', ['c']), job('c', ['a'])], 'cycle');
  await refused([job('a', ['a'])], 'cycle');
  await refused([job('a', ['nowhere'])], 'unknown-need');
  await refused([job('a', [], { priority: 1001 })], 'bad-job');
  await refused([job('a', [], { priority: 0.5 })], 'bad-job');
  await refused([job('a', [], { weight: -1 })], 'bad-job');
  await refused([job('a', [], { videoId: 'nobodys' })], 'no-video');
  await refused(Array.from({ length: 50_000 }, (_, index) => job(`${index}`)), 'too-many');
  await refused([job('a', Array.from({ length: 20_001 }, () => 'sound'))], 'too-many');
  const video = await someUpload(catalog);
  await refused([job('a', ['sound'], { videoId: video })], 'unknown-need');
  await t.rejects(jobs.lease(Array.from({ length: 33 }, String), 'w', 1), { code: 'too-many' });
  t.same(await jobs.counts(), [], 'nothing of it is there');
});

t.test('what needs a job that is dead falls with it, and comes back with it', async (t) => {
  const { jobs, take } = await queue(t);
  await jobs.enqueueAll([job('one', [], { maxAttempts: 1 }), job('two'), job('join', ['one', 'two']), job('after', ['join'])]);
  const one = await take();
  t.equal(one && (await jobs.fail(one.token, { reason: 'no such luck', recoverable: true })), true);
  t.same(await states(jobs, 'one', 'two', 'join', 'after'), ['dead', 'queued', 'cancelled', 'cancelled']);
  t.match(await jobs.byKey('after'), { reason: 'What it needs is not done.' });
  await jobs.enqueueAll([job('late', ['after'])]);
  t.same(await states(jobs, 'late'), ['cancelled'], 'what comes now has nothing to wait for');
  t.same(await drain(jobs, 'encode'), ['two']);

  t.equal(await jobs.retry(await idOf(jobs, 'one')), true);
  t.match(await jobs.byKey('join'), { state: 'queued', waits: 1, reason: null });
  t.same(await drain(jobs, 'encode'), ['one', 'join', 'after', 'late']);
});

t.test('what needs a job whose workers keep vanishing falls with it', async (t) => {
  const { jobs, take, clock } = await queue(t);
  await jobs.enqueueAll([job('one', [], { maxAttempts: 1 }), job('join', ['one']), job('else')]);
  t.equal((await take())?.job.key, 'one');
  clock.advance(1000);
  t.equal((await take())?.job.key, 'else');
  t.same(await states(jobs, 'one', 'join'), ['dead', 'cancelled']);
});

t.test('what two have brought down comes back when both have', async (t) => {
  const { jobs } = await queue(t);
  await jobs.enqueueAll([job('one'), job('two'), job('join', ['one', 'two']), job('after', ['join'])]);
  const [one, two, join] = await Promise.all(['one', 'two', 'join'].map((key) => idOf(jobs, key)));
  t.equal(await jobs.cancel(one ?? ''), true);
  t.equal(await jobs.cancel(two ?? ''), true);
  t.equal(await jobs.retry(one ?? ''), true);
  t.same(await states(jobs, 'one', 'two', 'join', 'after'), ['queued', 'cancelled', 'cancelled', 'cancelled']);
  t.equal(await jobs.retry(two ?? ''), true);
  t.same(await states(jobs, 'two', 'join', 'after'), ['queued', 'queued', 'queued']);
  // Whoever wants what is behind wants what it needs.
  await jobs.cancel(one ?? '');
  t.equal(await jobs.retry(join ?? ''), true);
  t.same(await drain(jobs, 'encode'), ['one', 'two', 'join', 'after']);
});

t.test('what is tried again does not wait for what is gone', async (t) => {
  const { jobs, catalog } = await queue(t);
  await jobs.enqueueAll([job('gone'), job('there'), job('after', ['gone', 'there'])]);
  await jobs.cancel(await idOf(jobs, 'gone'));
  await catalog.db.deleteFrom('jobs').where('uniqueKey', '=', 'gone').execute();
  t.match(await jobs.byKey('after'), { state: 'cancelled', waits: 2 });
  t.equal(await jobs.retry(await idOf(jobs, 'after')), true);
  t.match(await jobs.byKey('after'), { state: 'queued', waits: 1 });
  t.same(await drain(jobs, 'encode'), ['there', 'after']);
});

t.test('what somebody cancelled himself does not come back with what it needs', async (t) => {
  const { jobs } = await queue(t);
  await jobs.enqueueAll([job('one'), job('join', ['one']), job('after', ['join'])]);
  await jobs.cancel(await idOf(jobs, 'join'));
  await jobs.cancel(await idOf(jobs, 'one'));
  await jobs.retry(await idOf(jobs, 'one'));
  t.same(await states(jobs, 'one', 'join', 'after'), ['queued', 'cancelled', 'cancelled']);
});

t.test('a job that is cancelled while somebody works on it is his no more, and is over once', async (t) => {
  const { jobs, take } = await queue(t);
  const { job: made } = await jobs.enqueue(job('a'));
  const held = await take();
  t.equal(await jobs.cancel(made.id), true);
  t.equal(await jobs.cancel(made.id), false);
  t.equal(held && (await jobs.heartbeat(held.token, 1000)), false);
  t.equal(held && (await jobs.progress(held.token, 0.5)), false);
  t.equal(held && (await jobs.complete(held.token)), false);
  t.equal(held && (await jobs.release(held.token)), false);
  t.equal(await jobs.retry(made.id), true);
  t.equal(await jobs.retry(made.id), false, 'it is queued');
  t.equal(held && (await jobs.complete(held.token)), false, 'neither is the next attempt');
  t.same(await drain(jobs, 'encode'), ['a']);
  t.equal(await jobs.retry(made.id), false, 'it is done');
  t.equal(await jobs.cancel(made.id), false);
  t.equal(await jobs.prioritise(made.id, 5), false);
  for (const ask of [jobs.cancel, jobs.retry]) t.equal(await ask('nobody'), false);
});

t.test('a priority that is changed decides who goes next', async (t) => {
  const { jobs } = await queue(t);
  await jobs.enqueueAll([job('a'), job('b'), job('c', ['b'])]);
  t.equal(await jobs.prioritise(await idOf(jobs, 'b'), 10), true);
  t.equal(await jobs.prioritise(await idOf(jobs, 'c'), 20), true);
  t.same(await drain(jobs, 'encode'), ['b', 'c', 'a']);
  for (const priority of [1001, -1001, 1.5, NaN]) await t.rejects(jobs.prioritise(await idOf(jobs, 'a'), priority), { code: 'bad-job' });
});

t.test('how much of a job is done never goes back while it is tried, and is all of it in the end', async (t) => {
  const { jobs, take } = await queue(t);
  await jobs.enqueue(job('a'));
  let held = await take();
  for (const [said, kept] of [[0.4, 0.4], [0.2, 0.4], [-1, 0.4], [NaN, 0.4], [0.5004, 0.5], [7, 1]] as const) {
    t.equal(held && (await jobs.progress(held.token, said)), true);
    t.equal((await jobs.byKey('a'))?.done, kept);
  }
  t.equal(held && (await jobs.release(held.token)), true);
  held = await take();
  if (held) await jobs.fail(held.token, { reason: 'x', recoverable: false });
  await jobs.retry(await idOf(jobs, 'a'));
  t.equal((await jobs.byKey('a'))?.done, 0);
  await drain(jobs, 'encode');
  t.equal((await jobs.byKey('a'))?.done, 1);
});

t.test('all jobs of a video can be seen, cancelled and tried again at once', async (t) => {
  const { jobs, catalog, take } = await queue(t);
  const [video, other] = [await someUpload(catalog), await someUpload(catalog)];
  const mine = { videoId: video, task: 'rungs', weight: 30 };
  await jobs.enqueueAll([job('one', [], mine), job('two', [], mine), job('join', ['one', 'two'], { ...mine, task: 'join' }), job('else', [], { videoId: other })]);
  t.match((await jobs.ofVideo(video)).map(({ key, task, weight }) => [key, task, weight]), [['one', 'rungs', 30], ['two', 'rungs', 30], ['join', 'join', 30]]);
  const held = await take();
  if (held) await jobs.complete(held.token);
  t.equal(await jobs.cancelVideo(video), 2);
  t.equal(await jobs.cancelVideo(video), 0);
  t.same(await states(jobs, 'one', 'two', 'join', 'else'), ['done', 'cancelled', 'cancelled', 'queued']);
  t.equal(await jobs.retryVideo(video), 2);
  t.equal(await jobs.retryVideo(video), 0);
  t.same(await drain(jobs, 'encode'), ['two', 'join', 'else']);
});

t.test('jobs go with their video, and whoever works on them hears of it', async (t) => {
  const { jobs, catalog, take } = await queue(t);
  const [video, other] = [await someUpload(catalog), await someUpload(catalog)];
  await jobs.enqueueAll([job('one', [], { videoId: video }), job('join', ['one'], { videoId: video }), job('two', [], { videoId: other })]);
  const held = await take();
  await catalog.videos.remove(video);
  t.same(await jobs.ofVideo(video), []);
  t.equal(held && (await jobs.heartbeat(held.token, 1000)), false);
  t.equal(held && (await jobs.complete(held.token)), false);
  await jobs.removeVideo(other);
  t.same(await jobs.counts(), []);
  t.equal(await jobs.cancelVideo(video), 0);
  t.equal(await jobs.retryVideo(video), 0);
});

t.test('of a video that is done, tasks of many jobs leave one behind, which stands for all of them', async (t) => {
  const { jobs, catalog, clock } = await queue(t);
  const [long, short] = [await someUpload(catalog), await someUpload(catalog)];
  const chunks = Array.from({ length: 300 }, (_, index) => `chunk ${index}`);
  const mine = { videoId: long, weight: 30 };
  await jobs.enqueueAll([...chunks.map((key) => job(key, [], { ...mine, task: 'rungs' })), job('join', chunks, { ...mine, task: 'join' }), job('last', ['join'], mine)]);
  await jobs.enqueueAll([job('only', [], { videoId: short })]);
  await jobs.forget(0);
  await drainSome(jobs, 301);
  const before = await jobs.sharesOf(long);
  await jobs.forget(0);
  t.equal((await jobs.ofVideo(long)).length, 302, 'something of it is to be done still');
  await drain(jobs, 'encode');
  await jobs.forget(0);
  t.same((await jobs.ofVideo(long)).map(({ key }) => key), ['chunk 0', 'join', 'last']);
  t.same((await jobs.sharesOf(long)).map(({ task, jobs: count, weight, done }) => [task, count, weight, done]), [['rungs', 300, 9000, 9000], ['join', 1, 30, 30], [null, 1, 30, 30]]);
  t.same((await jobs.sharesOf(long))[0], before[0]);
  t.equal((await jobs.ofVideo(short)).length, 1);
  // Another server finds it so, and leaves it so.
  await jobs.forget(0);
  t.equal((await jobs.ofVideo(long)).length, 3);
  await jobs.forget(clock.wall() + 1);
  t.same(await jobs.ofVideo(long), []);
});

t.test('what was done before the server was started is tidied too', async (t) => {
  const { catalog, folder } = await testCatalog(t);
  const videoId = await someUpload(catalog);
  await catalog.jobs.enqueueAll(Array.from({ length: 10 }, (_, index) => job(`${index}`, [], { videoId })));
  await drain(catalog.jobs, 'encode');
  await catalog.close();
  const { jobs } = (await testCatalog(t, { folder })).catalog;
  await jobs.forget(0);
  t.match(await jobs.sharesOf(videoId), [{ jobs: 10, weight: 10, done: 10 }]);
  t.equal((await jobs.ofVideo(videoId)).length, 1);
});

t.test('what was done, has failed or was cancelled of a video that waits for it is kept', async (t) => {
  const { jobs, catalog, clock } = await queue(t);
  const [waits, ready] = [await someUpload(catalog), await someUpload(catalog)];
  for (const videoId of [waits, ready]) {
    await jobs.enqueueAll([job(`failed ${videoId}`, [], { videoId }), job(`cancelled ${videoId}`, [`failed ${videoId}`], { videoId })]);
    const lease = await jobs.lease(['encode'], 'w', 1000);
    t.ok(lease && (await jobs.fail(lease.token, { reason: 'no', recoverable: false })));
  }
  await catalog.videos.become(waits, ['uploading'], { state: 'playable' });
  await catalog.videos.become(ready, ['uploading'], { state: 'ready' });
  await jobs.enqueue({ key: 'of none', class: 'mail', kind: 'mail', payload: null });
  const mail = await jobs.lease(['mail'], 'w', 1000);
  t.ok(mail && (await jobs.complete(mail.token)));
  await jobs.forget(clock.wall() + 1);
  t.same((await jobs.ofVideo(waits)).map(({ state }) => state), ['dead', 'cancelled']);
  t.same(await jobs.ofVideo(ready), []);
  t.equal(await jobs.byKey('of none'), null);
});

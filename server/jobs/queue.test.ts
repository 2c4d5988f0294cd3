import t from 'tap';
import { testCatalog } from '../catalog/testing.ts';
import { backOffMs, type NewJob } from './queue.ts';

const job = (key: string, change: Partial<NewJob> = {}): NewJob => ({ key, class: 'encode', kind: 'chunk', payload: { key }, ...change });

t.test('the same work is queued once', async (t) => {
  const { jobs } = (await testCatalog(t)).catalog;
  const made = await Promise.all([jobs.enqueue(job('a')), jobs.enqueue(job('a')), jobs.enqueue(job('a'))]);
  t.equal(made.filter(({ created }) => created).length, 1);
  t.equal(new Set(made.map((one) => one.job.id)).size, 1);
});

t.test('many workers at once never hold the same job, and every job is done once', async (t) => {
  const { jobs } = (await testCatalog(t)).catalog;
  for (let count = 0; count < 40; count += 1) await jobs.enqueue(job(`job ${count}`));
  const done: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (;;) {
      const lease = await jobs.lease(['encode'], name, 1000);
      if (!lease) return;
      if (await jobs.complete(lease.token)) done.push(lease.job.key);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, worker) => work(`worker ${worker}`)));
  t.equal(done.length, 40);
  t.equal(new Set(done).size, 40);
});

t.test('the urgent goes first, then what waited longest; other classes and what is not due stay', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const { jobs } = catalog;
  await jobs.enqueue(job('old'));
  clock.advance(10);
  await jobs.enqueue(job('new'));
  await jobs.enqueue(job('urgent', { priority: 5 }));
  await jobs.enqueue(job('later', { runAt: clock.wall() + 1000, priority: 9 }));
  await jobs.enqueue(job('elsewhere', { class: 'mail', priority: 9 }));
  const order: (string | undefined)[] = [];
  for (let count = 0; count < 4; count += 1) order.push((await jobs.lease(['encode'], 'w', 1000))?.job.key);
  t.same(order, ['urgent', 'old', 'new', undefined]);
  clock.advance(1000);
  t.equal((await jobs.lease(['encode'], 'w', 1000))?.job.key, 'later');
});

t.test('a late result of a lost lease is dropped', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const { jobs } = catalog;
  await jobs.enqueue(job('a'));
  const slow = await jobs.lease(['encode'], 'slow', 1000);
  t.ok(slow);
  if (!slow) return;
  clock.advance(900);
  t.equal(await jobs.heartbeat(slow.token, 1000), true);
  clock.advance(900);
  t.equal(await jobs.lease(['encode'], 'fast', 1000), null, 'a heartbeat keeps it');
  clock.advance(100);
  t.equal(await jobs.complete(slow.token, 'too late'), false, 'the lease ran out, even if nobody took it');
  const fast = await jobs.lease(['encode'], 'fast', 1000);
  t.ok(fast && fast.token.fence > slow.token.fence);
  t.equal(await jobs.heartbeat(slow.token, 1000), false);
  t.equal(await jobs.fail(slow.token, { reason: 'x', recoverable: false }), false);
  t.equal(fast && (await jobs.complete(fast.token, { bytes: 7 })), true);
  t.match(await jobs.byKey('a'), { state: 'done', result: { bytes: 7 }, attempts: 2 });
});

t.test('a recoverable failure is tried again after a growing pause, until the attempts are used up', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const { jobs } = catalog;
  const { job: made } = await jobs.enqueue(job('a', { maxAttempts: 3 }));
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const lease = await jobs.lease(['encode'], 'w', 1000);
    t.equal(lease?.job.attempts, attempt);
    if (lease) await jobs.fail(lease.token, { reason: `no ${attempt}`, recoverable: true });
    clock.advance(backOffMs(attempt) - 1);
    t.equal(await jobs.lease(['encode'], 'w', 1000), null);
    clock.advance(1);
  }
  t.match(await jobs.get(made.id), { state: 'dead', reason: 'no 3' });
  t.equal(await jobs.retry(made.id), true);
  t.ok(await jobs.lease(['encode'], 'w', 1000));
});

t.test('what is given back unfinished is due at once, has lost no attempt, and is not its old holder\'s any more', async (t) => {
  const { jobs } = (await testCatalog(t)).catalog;
  await jobs.enqueue(job('a', { maxAttempts: 1 }));
  const first = await jobs.lease(['encode'], 'w', 1000);
  t.equal(first && (await jobs.release(first.token)), true);
  t.equal(first && (await jobs.release(first.token)), false);
  t.equal(first && (await jobs.complete(first.token)), false);
  const second = await jobs.lease(['encode'], 'w', 1000);
  t.equal(second?.job.attempts, 1);
  t.ok(first && second && second.token.fence > first.token.fence);
});

t.test('what cannot be helped now is tried again later, however often, and uses up no attempt', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const { jobs } = catalog;
  await jobs.enqueue(job('a', { maxAttempts: 1 }));
  for (let again = 0; again < 3; again += 1) {
    const lease = await jobs.lease(['encode'], 'w', 1000);
    t.equal(lease && (await jobs.fail(lease.token, { reason: 'the disk is full', recoverable: true, later: true })), true);
    t.match(await jobs.byKey('a'), { state: 'queued', attempts: 0, reason: 'the disk is full' });
    clock.advance(59_999);
    t.equal(await jobs.lease(['encode'], 'w', 1000), null);
    clock.advance(1);
  }
  t.ok(await jobs.lease(['encode'], 'w', 1000));
});

t.test('an unrecoverable failure is the end, with its reason', async (t) => {
  const { jobs } = (await testCatalog(t)).catalog;
  const { job: made } = await jobs.enqueue(job('a'));
  const lease = await jobs.lease(['encode'], 'w', 1000);
  if (lease) await jobs.fail(lease.token, { reason: 'the file is no video', recoverable: false });
  t.match(await jobs.get(made.id), { state: 'dead', reason: 'the file is no video' });
});

t.test('what a server held that is gone is due at once, and counts as an attempt; what it had done stays done', async (t) => {
  const { catalog, folder } = await testCatalog(t);
  for (const key of ['held', 'done', 'waiting']) await catalog.jobs.enqueue(job(key, { priority: key === 'waiting' ? -1 : 0 }));
  const held = await catalog.jobs.lease(['encode'], 'gone', 3_600_000);
  const done = await catalog.jobs.lease(['encode'], 'gone', 3_600_000);
  t.same([held?.job.key, done?.job.key].sort(), ['done', 'held']);
  const [lost, finished] = held?.job.key === 'held' ? [held, done] : [done, held];
  if (finished) await catalog.jobs.complete(finished.token);
  await catalog.close();

  const { jobs } = (await testCatalog(t, { folder })).catalog;
  t.equal(lost && (await jobs.heartbeat(lost.token, 1000)), false);
  const again = await jobs.lease(['encode'], 'next', 1000);
  t.match(again?.job, { key: 'held', attempts: 2 });
  t.match((await jobs.lease(['encode'], 'next', 1000))?.job, { key: 'waiting', attempts: 1 });
  t.equal(await jobs.lease(['encode'], 'next', 1000), null);
  // A server that dies again and again is no reason to use up all attempts in seconds.
  await jobs.loseAll();
  t.match((await jobs.lease(['encode'], 'next', 1000))?.job, { key: 'waiting', attempts: 2 });
  t.equal(await jobs.lease(['encode'], 'next', 1000), null);
});

t.test('a job whose workers keep vanishing dies instead of killing the next one for ever', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const { jobs } = catalog;
  const { job: made } = await jobs.enqueue(job('a', { maxAttempts: 2 }));
  for (let attempt = 0; attempt < 2; attempt += 1) {
    t.ok(await jobs.lease(['encode'], 'w', 1000));
    clock.advance(1000);
  }
  t.equal(await jobs.lease(['encode'], 'w', 1000), null);
  t.match(await jobs.get(made.id), { state: 'dead', reason: 'Its worker vanished too often.' });
  await jobs.forget(clock.wall() + 1);
  t.equal(await jobs.get(made.id), null);
});

/** A job that finds out, under way, that others have to be done first. */
import t from 'tap';
import { testCatalog } from '../catalog/testing.ts';
import type { Lease, NewJob } from './queue.ts';

const job = (key: string, needs: readonly string[] = [], change: Partial<NewJob> = {}): NewJob => ({ key, class: 'encode', kind: 'encode', payload: { key }, needs, ...change });

t.test('what is under way is put behind others, and what needs it waits on; no attempt was made', async (t) => {
  const { jobs } = (await testCatalog(t)).catalog;
  const take = (): Promise<Lease | null> => jobs.lease(['encode'], 'w', 1000);
  await jobs.enqueueAll([job('chunk'), job('join', ['chunk']), job('after', ['join'])]);
  const chunk = await take();
  t.ok(chunk && (await jobs.complete(chunk.token)));
  const join = await take();
  t.equal(join?.job.key, 'join');
  t.equal(join && (await jobs.putBehind(join.job.id, [job('again 1'), job('again 2')])), true);
  t.equal(join && (await jobs.complete(join.token)), false, 'whoever had it has it no more');
  t.match(await jobs.byKey('join'), { state: 'queued', waits: 2, attempts: 0, worker: null });
  t.match(await jobs.byKey('after'), { state: 'queued', waits: 1 });
  t.equal(join && (await jobs.putBehind(join.job.id, [job('again 1')])), false, 'nobody works on it');
  for (const key of ['again 1', 'again 2', 'join', 'after']) {
    const lease = await take();
    t.equal(lease?.job.key, key);
    t.equal(lease && (await jobs.complete(lease.token)), true);
  }
});

t.test('what is put behind something that is dead by then falls with it', async (t) => {
  const { jobs } = (await testCatalog(t)).catalog;
  const take = (): Promise<Lease | null> => jobs.lease(['encode'], 'w', 1000);
  await jobs.enqueueAll([job('bad', [], { maxAttempts: 1 }), job('join')]);
  const [bad, join] = [await take(), await take()];
  if (bad) await jobs.fail(bad.token, { reason: 'no', recoverable: false });
  t.equal(join && (await jobs.putBehind(join.job.id, [job('bad')])), true);
  t.same([(await jobs.byKey('bad'))?.state, (await jobs.byKey('join'))?.state], ['dead', 'cancelled']);
});

t.test('what is cancelled begins nothing more: no job is queued for it, nor behind it', async (t) => {
  const { jobs } = (await testCatalog(t)).catalog;
  await jobs.enqueueAll([job('one'), job('other')]);
  const lease = await jobs.lease(['encode'], 'w', 1000);
  const { id = '' } = lease?.job ?? {};
  t.equal(await jobs.handOn(id, job('next')), true);
  t.equal(await jobs.handOn(id, job('next')), false, 'it is there');
  await jobs.cancel(id);
  t.equal(await jobs.handOn(id, job('late')), false);
  t.equal(await jobs.putBehind(id, [job('late')]), false);
  t.equal(await jobs.byKey('late'), null);
});

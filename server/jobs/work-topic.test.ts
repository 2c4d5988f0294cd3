import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import type { Who } from '../auth/auth.ts';
import type { WorkerHere } from '../api/hooks.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import type { TopicKind } from '../ws/topics.ts';
import { WorkTopic } from './work-topic.ts';

t.test('admins hear of all work once a second while something changes, and nobody else does', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const { jobs } = catalog;
  const videoId = await someUpload(catalog, { title: 'A film' });
  const told: Record<string, unknown>[] = [];
  const kinds: TopicKind[] = [];
  const workers: WorkerHere[] = [{ id: 'abc', name: 'mill', here: true, pid: 7, classes: ['encode'], slots: 2, since: 0, running: [] }];
  let heard = true;
  const faults: unknown[] = [];
  const topic = new WorkTopic({
    sockets: { topics: { define: (_name: string, kind: TopicKind) => void kinds.push(kind) } as never, publish: (name, type, data) => void told.push({ name, type, ...(data as object) }), isHeard: (name) => heard && name === 'work' },
    ...{ catalog, clock, work: { workers: () => workers }, failed: (error: unknown) => void faults.push(error) },
  });
  t.teardown(() => topic.stop());
  const kind = kinds[0];
  const who = (role: string): Who => ({ accountId: 'ann', role }) as Who;
  t.equal(await kind?.authorise('', who('admin'), null), '');
  t.equal(await kind?.authorise('x', who('admin'), null), null);
  for (const one of [who('creator'), who('viewer'), null]) t.equal(await kind?.authorise('', one, null), null);
  t.match(await kind?.snapshot('', null), { counts: [], running: [], workers: [{ id: 'abc', running: [] }] });

  /** The seconds go by while the catalog answers; resolves when so much has been told. */
  const until = async (count: number): Promise<void> => {
    while (told.length < count) {
      clock.advance(1_000);
      await pause(2);
    }
  };
  await until(1); // who there is
  await jobs.enqueueAll([{ key: 'a', class: 'encode', kind: 'encode', payload: { secret: 'x' }, videoId }, { key: 'b', class: 'encode', kind: 'encode', payload: null }]);
  const lease = await jobs.lease(['encode'], 'abc', 100_000_000);
  await until(2);
  t.match(told[1], { name: 'work', type: 'update', counts: [{ class: 'encode', state: 'leased', count: 1 }, { class: 'encode', state: 'queued', count: 1 }], running: [{ kind: 'encode', video: { id: videoId, title: 'A film' }, worker: 'abc' }] });
  t.notMatch(JSON.stringify(told), /secret/);

  const before = told.length;
  for (let second = 0; second < 5; second += 1) {
    clock.advance(1_000);
    await pause(2);
  }
  t.equal(told.length, before, 'nothing changes');
  if (lease) workers[0] = { ...(workers[0] as WorkerHere), running: [lease.job] };
  await until(before + 1);
  heard = false;
  if (lease) await jobs.progress(lease.token, 0.5);
  for (let second = 0; second < 5; second += 1) {
    clock.advance(1_000);
    await pause(2);
  }
  t.equal(told.length, before + 1, 'nobody listens');
  heard = true;
  await until(before + 2);
  t.match(told.at(-1), { workers: [{ running: [{ done: 0.5 }] }] });
  t.same(faults, []);
});

import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import type { Who } from '../auth/auth.ts';
import type { WorkerHere } from '../api/hooks.ts';
import type { JobState } from '../catalog/schema.ts';
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
  const counted: (readonly string[])[] = [];
  const watched = { ...catalog, jobs: { ...jobs, counts: (states: readonly JobState[] = []) => (counted.push(states), jobs.counts(states)) } };
  const topic = new WorkTopic({
    sockets: { topics: { define: (_name: string, kind: TopicKind) => void kinds.push(kind) } as never, publish: (name, type, data) => void told.push({ name, type, ...(data as object) }), isHeard: (name) => heard && name === 'work' },
    ...{ catalog: watched, clock, work: { workers: () => workers }, failed: (error: unknown) => void faults.push(error) },
  });
  t.teardown(() => topic.stop());
  const kind = kinds[0];
  const who = (role: string): Who => ({ accountId: 'ann', role }) as Who;
  t.equal(await kind?.authorise('', who('admin'), null), '');
  t.equal(await kind?.authorise('x', who('admin'), null), null);
  for (const one of [who('creator'), who('viewer'), null]) t.equal(await kind?.authorise('', one, null), null);
  t.match(await kind?.snapshot('', null), { counts: [], running: [], workers: [{ id: 'abc', running: [] }] });

  /** The seconds go by while the catalog answers. */
  const seconds = async (count: number): Promise<void> => {
    for (let second = 0; second < count; second += 1) {
      clock.advance(1_000);
      await pause(2);
    }
  };
  /** Resolves when so much has been told. */
  const until = async (count: number): Promise<void> => {
    while (told.length < count) await seconds(1);
  };
  await until(1); // who there is
  await jobs.enqueueAll([{ key: 'a', class: 'encode', kind: 'encode', payload: { secret: 'x' }, videoId }, { key: 'b', class: 'encode', kind: 'encode', payload: null }]);
  const lease = await jobs.lease(['encode'], 'abc', 100_000_000);
  await until(2);
  t.match(told[1], { name: 'work', type: 'update', counts: [{ class: 'encode', state: 'leased', count: 1 }, { class: 'encode', state: 'queued', count: 1 }], running: [{ kind: 'encode', video: { id: videoId, title: 'A film' }, worker: 'abc' }] });
  t.notMatch(JSON.stringify(told), /secret/);

  await seconds(15);
  const before = told.length;
  await seconds(15);
  t.equal(told.length, before, 'nothing changes');
  if (lease) workers[0] = { ...(workers[0] as WorkerHere), running: [lease.job] };
  await until(before + 1);
  heard = false;
  if (lease) await jobs.progress(lease.token, 0.5);
  await seconds(5);
  t.equal(told.length, before + 1, 'nobody listens');
  heard = true;
  await until(before + 2);
  t.match(told.at(-1), { workers: [{ running: [{ done: 0.5 }] }] });

  const [{ length }, since] = [counted, clock.now()];
  if (lease) await jobs.complete(lease.token);
  const other = await jobs.lease(['encode'], 'abc', 100_000_000);
  for (let step = 1; step <= 25; step += 1) {
    if (other) await jobs.progress(other.token, step / 100);
    await until(told.length + 1);
  }
  t.match(told.at(-1), { counts: [{ state: 'leased', count: 1 }, { state: 'done', count: 1 }] });
  t.ok(counted.slice(length).filter((states) => states.includes('done')).length <= 1 + (clock.now() - since) / 10_000, 'what is over is counted now and then');
  if (other) await jobs.complete(other.token);
  while (!JSON.stringify(told.at(-1)).includes('"state":"done","count":2')) await seconds(1);
  t.equal(told.filter((one) => JSON.stringify(one).includes('"state":"done","count":2')).length, 1, 'and told although nothing else changes');
  t.same(faults, []);
});

/** Jobs, workers and tasks by the API. */
import t from 'tap';
import { someUpload } from '../catalog/testing.ts';
import type { Job, NewJob } from '../jobs/queue.ts';
import { noPictures } from '../pictures/kept.ts';
import type { ApiHooks, WorkerHere } from './hooks.ts';
import { testApi, type Reply } from './testing.ts';

type Test = Parameters<typeof testApi>[0];

const setUp = async (t: Test) => {
  const dropped: ((job: Job) => boolean)[] = [];
  const retried: (string | null)[] = [];
  const wanted: string[] = [];
  const workers: WorkerHere[] = [];
  const work: ApiHooks['work'] = { workers: () => workers, cancelled: (which) => void dropped.push(which), retried: (video) => void retried.push(video), wanted: (video) => void wanted.push(video) };
  const server = await testApi(t, {}, { work });
  const [admin, owner, other] = [await server.person('root', 'admin'), await server.person('ann', 'creator'), await server.person('bob', 'creator')];
  const video = await someUpload(server.catalog, { ownerId: owner.id, title: 'A film' });
  const { jobs } = server.catalog;
  const job = (key: string, change: Partial<NewJob> = {}): NewJob => ({ key, class: 'encode', kind: 'encode', payload: { secret: key }, videoId: video, task: 'rungs', weight: 30, ...change });
  const idOf = async (key: string): Promise<string> => (await jobs.byKey(key))?.id ?? '';
  const as = (token: string) => (path: string, method = 'GET', body?: unknown): Promise<Reply> => server.ask(`/api/v1${path}`, { method, token, ...(body !== undefined && { body }) });
  return { server, jobs, video, job, idOf, dropped, retried, wanted, workers, admin: as(admin.token), owner: as(owner.token), other: as(other.token), stranger: (path: string, method = 'GET') => server.ask(`/api/v1${path}`, { method }) };
};

const items = ({ body }: Reply): Record<string, unknown>[] => body['items'] as Record<string, unknown>[];

t.test('an admin sees all jobs, and nobody else does', async (t) => {
  const { server, jobs, video, job, admin, owner, stranger } = await setUp(t);
  await jobs.enqueueAll([job('one'), job('join', { kind: 'join', class: 'light', task: 'join', needs: ['one'], priority: 7 })]);
  server.clock.advance(5);
  await jobs.enqueue({ key: 'mail', class: 'light', kind: 'mail', payload: null });
  const lease = await jobs.lease(['encode'], 'some worker', 1000);
  if (lease) await jobs.progress(lease.token, 0.25);

  const all = new Map(items(await admin('/jobs')).map(({ kind, video: of, waits }) => [kind, { of, waits }]));
  t.equal([...all.keys()][0], 'mail', 'the newest is the first');
  t.same([all.get('mail'), all.get('join'), all.get('encode')], [{ of: null, waits: 0 }, { of: { id: video, title: 'A film' }, waits: 1 }, { of: { id: video, title: 'A film' }, waits: 0 }]);
  const running = await admin('/jobs?state=leased&class=encode');
  t.match(items(running), [{ task: 'rungs', class: 'encode', state: 'leased', priority: 0, attempts: 1, maxAttempts: 5, done: 0.25, worker: 'some worker', reason: null }]);
  t.notMatch(running.text, /secret/);
  t.equal(items(await admin(`/jobs?video=${video}`)).length, 2);
  t.equal(items(await admin(`/jobs?video=${video}&state=dead`)).length, 0);

  const first = await admin('/jobs?limit=2');
  const second = await admin(`/jobs?limit=2&cursor=${String(first.body['cursor'])}`);
  t.equal(new Set([...items(first), ...items(second)].map(({ id }) => id)).size, 3);
  t.equal(second.body['cursor'], null);

  for (const path of ['/jobs', '/workers']) t.same([(await owner(path)).status, (await stranger(path)).status], [403, 401]);
  for (const query of ['state=asleep', 'class=A', 'video=no', 'limit=0', 'what=ever']) t.equal((await admin(`/jobs?${query}`)).status, 400, query);
});

t.test('an admin cancels a job, changes how urgent it is, and tries it again', async (t) => {
  const { jobs, video, job, idOf, dropped, retried, admin, owner } = await setUp(t);
  await jobs.enqueueAll([job('one'), job('two'), job('join', { needs: ['one', 'two'] })]);
  const [one, two] = [await idOf('one'), await idOf('two')];
  t.match((await admin(`/jobs/${two}`, 'PATCH', { priority: 90 })).body, { id: two, priority: 90 });
  t.equal((await jobs.lease(['encode'], 'w', 1000))?.job.key, 'two');

  t.match(await admin(`/jobs/${two}/cancel`, 'POST'), { status: 200, body: { id: two, state: 'cancelled', worker: null } });
  t.same(dropped.map((which) => [two, one].map((id) => which({ id } as Job))), [[true, false]], 'whoever works on it stops');
  t.match(await jobs.byKey('join'), { state: 'cancelled' });
  t.match(await admin(`/jobs/${two}/cancel`, 'POST'), { status: 409, body: { code: 'job-over' } });
  t.match(await admin(`/jobs/${two}`, 'PATCH', { priority: 1 }), { status: 409, body: { code: 'job-over' } });

  t.match(await admin(`/jobs/${two}/retry`, 'POST'), { status: 200, body: { state: 'queued', attempts: 0 } });
  t.same(retried, [video]);
  t.match(await jobs.byKey('join'), { state: 'queued', waits: 2 });
  t.match(await admin(`/jobs/${two}/retry`, 'POST'), { status: 409, body: { code: 'job-not-failed' } });
  const lease = await jobs.lease(['encode'], 'w', 1000);
  if (lease) await jobs.complete(lease.token);
  for (const [order, code] of [['retry', 'job-not-failed'], ['cancel', 'job-over']]) t.match(await admin(`/jobs/${two}/${order}`, 'POST'), { status: 409, body: { code } }, 'it is done');

  for (const priority of [1001, -1001, 0.5, '5', null]) t.match(await admin(`/jobs/${one}`, 'PATCH', { priority }), { status: 400, body: { code: 'validation' } });
  t.match(await admin(`/jobs/${one}`, 'PATCH', {}), { status: 400 });
  for (const [path, method] of [['cancel', 'POST'], ['retry', 'POST']] as const) {
    t.equal((await admin(`/jobs/abcdefgh12345678/${path}`, method)).status, 404);
    t.equal((await owner(`/jobs/${one}/${path}`, method)).status, 403);
  }
  t.equal((await owner(`/jobs/${one}`, 'PATCH', { priority: 5 })).status, 403);
});

t.test('jobs of a video that is removed are gone', async (t) => {
  const { jobs, video, job, idOf, admin, owner } = await setUp(t);
  await jobs.enqueueAll([job('one')]);
  const one = await idOf('one');
  t.equal((await owner(`/videos/${video}`, 'DELETE')).status, 204);
  for (const order of ['cancel', 'retry']) t.equal((await admin(`/jobs/${one}/${order}`, 'POST')).status, 404);
  t.same(items(await admin(`/jobs?video=${video}`)), []);
  t.equal((await owner(`/videos/${video}/tasks`)).status, 404);
  t.equal((await owner(`/videos/${video}/tasks/retry`, 'POST')).status, 404);
});

t.test('who does jobs is told with what they do just now', async (t) => {
  const { jobs, video, job, workers, admin } = await setUp(t);
  await jobs.enqueueAll([job('one')]);
  const lease = await jobs.lease(['encode'], 'abc', 1000);
  if (!lease) throw new Error('no lease');
  await jobs.progress(lease.token, 0.5);
  workers.push({ id: 'abc', name: 'mill', here: true, pid: 7, classes: ['encode'], slots: 2, since: 1_000, running: [lease.job] });
  t.same((await admin('/workers')).body, { items: [{ id: 'abc', name: 'mill', here: true, pid: 7, classes: ['encode'], slots: 2, since: '1970-01-01T00:00:01.000Z', running: [{ job: lease.job.id, kind: 'encode', video, done: 0.5 }] }] });
});

t.test('an owner sees the tasks of his video, cancels them and tries them again', async (t) => {
  const { jobs, video, job, dropped, retried, owner, other, admin, stranger } = await setUp(t);
  const path = `/videos/${video}/tasks`;
  t.same((await owner(path)).body, { done: null, tasks: [] });
  for (const order of ['cancel', 'retry']) t.equal((await owner(`${path}/${order}`, 'POST')).status, 409, 'there is nothing');
  await jobs.enqueueAll([job('one'), job('two'), job('join', { needs: ['one', 'two'], task: 'join', kind: 'join', weight: 0 })]);
  const lease = await jobs.lease(['encode'], 'w', 1000);
  if (lease) await jobs.complete(lease.token);
  t.same((await owner(path)).body, {
    done: 0.5,
    tasks: [
      { name: 'rungs', kind: 'encode', state: 'queued', done: 0.5, jobs: 2, finished: 1, reason: null },
      { name: 'join', kind: 'join', state: 'waiting', done: 0, jobs: 1, finished: 0, reason: null },
    ],
  });
  t.match((await owner(`${path}/cancel`, 'POST')).body, { tasks: [{ state: 'cancelled', finished: 1 }, { state: 'cancelled' }] });
  t.same(dropped.map((which) => [video, 'another', null].map((videoId) => which({ videoId } as Job))), [[true, false, false]]);
  t.match(await owner(`${path}/cancel`, 'POST'), { status: 409, body: { code: 'job-over' } });
  t.match((await owner(`${path}/retry`, 'POST')).body, { done: 0.5, tasks: [{ state: 'queued' }, { state: 'waiting' }] });
  t.same(retried, [video]);
  t.match(await owner(`${path}/retry`, 'POST'), { status: 409, body: { code: 'job-not-failed' } });
  t.equal((await admin(path)).status, 200);
  for (const [ask, status] of [[other, 403], [stranger, 401]] as const) {
    t.equal((await ask(path)).status, status);
    for (const order of ['cancel', 'retry']) t.equal((await ask(`${path}/${order}`, 'POST')).status, status);
  }
});

t.test('what failed before it was a video is on its way again when its work is tried again', async (t) => {
  const { server, jobs, video, job, idOf, owner, admin } = await setUp(t);
  const { videos } = server.catalog;
  await videos.become(video, ['uploading'], { state: 'processing' });
  await jobs.enqueueAll([job('inspect', { kind: 'inspect', task: 'inspect', maxAttempts: 1 })]);
  const lease = await jobs.lease(['encode'], 'w', 1000);
  if (lease) await jobs.fail(lease.token, { reason: 'no-room: There is no room left on the disk of the server.', recoverable: true });
  await videos.become(video, ['processing'], { state: 'failed', error: { code: 'no-room', message: 'There is no room.' } });
  t.match((await owner(`/videos/${video}/tasks`)).body, { done: 0, tasks: [{ name: 'intake.inspect', kind: 'inspect', state: 'failed', reason: 'no-room: There is no room left on the disk of the server.' }] });
  t.match((await owner(`/videos/${video}/tasks/retry`, 'POST')).body, { tasks: [{ state: 'queued', reason: null }] });
  t.match(await videos.get(video), { state: 'processing', errorCode: null });
  await jobs.enqueueAll([job('captions', { kind: 'captions', task: 'captions' })]);
  await jobs.cancelVideo(video);
  await videos.become(video, ['processing'], { state: 'failed' });
  t.equal((await admin(`/jobs/${await idOf('captions')}/retry`, 'POST')).status, 200);
  t.match(await videos.get(video), { state: 'failed' }, 'that makes no video of it');
  await videos.become(video, ['failed'], { state: 'ready' });
  await owner(`/videos/${video}/tasks/retry`, 'POST');
  t.match(await videos.get(video), { state: 'ready' }, 'what plays stays as it is');
});

t.test('of a video that was there before anything was made behind videos, that is made when its owner asks', async (t) => {
  const { server, jobs, video, job, retried, wanted, owner, other, admin } = await setUp(t);
  const { videos } = server.catalog;
  const ask = (as = owner): Promise<Reply> => as(`/videos/${video}/tasks/retry`, 'POST');
  t.match(await ask(), { status: 409, body: { code: 'job-not-failed' } }, 'it is not there yet');
  await videos.become(video, ['uploading'], { state: 'ready', run: 'k3v9x0a2b7' });
  t.equal((await ask(other)).status, 403);
  for (const as of [owner, admin]) t.match(await ask(as), { status: 200, body: { done: null, tasks: [] } }, 'it is planned in a moment');
  t.same(wanted, [video, video]);
  await jobs.enqueueAll([job('made', { kind: 'make', task: 'mezzanine' }), job('captions', { kind: 'captions' })]);
  for (let lease = await jobs.lease(['encode'], 'w', 1000); lease; lease = await jobs.lease(['encode'], 'w', 1000)) await jobs.complete(lease.token);
  t.match(await ask(), { status: 200, body: { done: 1 } }, 'that it had to be converted is nothing behind it');
  await videos.become(video, ['ready'], { state: 'playable' });
  t.match(await ask(), { status: 409, body: { code: 'job-not-failed' } }, 'it is about to be planned');
  await videos.become(video, ['playable'], { state: 'playable', error: { code: 'encode-failed', message: 'It could not be converted.' } });
  t.equal((await ask()).status, 200, 'it could not be planned');
  t.equal(wanted.length, 4);
  await videos.become(video, ['playable'], { state: 'ready', error: null });
  await jobs.enqueueAll([job('one')]);
  t.match(await ask(), { status: 409, body: { code: 'job-not-failed' } }, 'it is under way');
  await jobs.removeVideo(video);
  await videos.changePictures(video, () => noPictures);
  t.match(await ask(), { status: 409, body: { code: 'job-not-failed' } }, 'it was made, and its jobs are forgotten');
  t.same([wanted.length, retried], [4, []]);
});

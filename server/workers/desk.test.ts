import { once } from 'node:events';
import { access, mkdir, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { FakeClock, systemClock } from '../../packager/clock.ts';
import { Random } from '../../test/support/random.ts';
import { someUpload, testFolder } from '../catalog/testing.ts';
import { IntakeFault, failing } from '../intake/failures.ts';
import { JobFault } from '../jobs/runner.ts';
import { WorkersDesk } from './desk.ts';
import { LineReader, lineOf } from './lines.ts';
import { listenAlone } from './socket-place.ts';
import { RawWorker, silent, testDesk, testVersions, until, work } from './testing.ts';
import { protocol } from './wire.ts';
import { Worker } from './worker.ts';

t.test('workers do what is queued, each thing once, and what came of it is kept', async (t) => {
  const { catalog, worker, begun, stateOf, desk, folder } = await testDesk(t);
  for (let count = 0; count < 20; count += 1) await catalog.jobs.enqueue(work(`job ${count}`));
  await Promise.all([worker('a', { slots: 2 }), worker('b', { slots: 2 })]);
  for (let done = 0; done < 20; done += 1) {
    await until(() => begun.length > done);
    begun[done]?.finish({ done });
  }
  await until(async () => (await stateOf('job 19')) === 'done' && desk.workers().every(({ running }) => running.length === 0));
  t.equal(begun.length, 20);
  t.same([...new Set(begun.map((one) => one.worker))].sort(), ['a', 'b']);
  t.ok(begun.every(({ context }) => context.folder.startsWith(join(folder, 'jobs', 'w-'))), 'in a folder of its own');
  for (const { job } of begun) t.match(await catalog.jobs.byKey(job.key), { state: 'done', attempts: 1, result: { done: Number } });
});

t.test('workers take cores of the budget, and give them back when live needs them', async (t) => {
  const { catalog, worker, begun, nth, budget, stateOf } = await testDesk(t, { cores: 2 });
  await catalog.jobs.enqueueAll(['a', 'b', 'c'].map((key) => work(key)));
  await worker('a', { slots: 8 });
  await nth(2);
  t.equal(begun.length, 2, 'as many as there are cores, however many it could do');
  const live = budget.take({ rank: 'live', cores: 0.9, name: 'a ladder', yield: () => undefined });
  t.ok(live);
  await until(async () => (await stateOf('b')) === 'queued');
  t.equal((await catalog.jobs.byKey('b'))?.attempts, 0, 'it is nobody\'s fault');
  t.equal(begun[0]?.context.signal.aborted, false);
  live?.release();
  t.match((await nth(3)).job, { key: 'b' });
});

t.test('a worker follows what it is told of a job in one read with the job itself', async (t) => {
  const folder = await testFolder(t);
  const job = { id: 'abcdefgh12345678', key: 'a', class: 'encode', kind: 'work', payload: null, attempts: 1, maxAttempts: 5 };
  const told = [['answer', 'yield'], ['yield', 'answer'], ['answer', 'drop']].values();
  const said: object[] = [];
  const server = createServer((socket) => {
    const reader = new LineReader();
    let fence = 0;
    const answer = (ask: { type?: string; n?: number }): void => {
      const words = ask.type === 'lease' ? told.next().value : undefined;
      if (ask.type === 'hello') return void socket.write(lineOf({ type: 'welcome', id: 'x', folder: 'jobs/w-x', leaseMs: 15_000 }));
      if (ask.type !== 'lease') said.push(ask);
      const value = ask.type !== 'lease' ? true : words ? { job, fence: ++fence, cores: 1 } : null;
      const lines = (words ?? ['answer']).map((type) => lineOf(type === 'answer' ? { type, n: ask.n, value } : { type, job: job.id }));
      socket.write(lines.join(''));
      // It would wait for a while, having given something back.
      if (ask.type === 'release') socket.write(lineOf({ type: 'wake' }));
    };
    socket.on('data', (chunk) => reader.push(chunk).forEach((ask) => answer(ask as object)));
    socket.on('error', () => undefined);
  });
  await listenAlone(server, join(folder, 'worker.sock'));
  t.teardown(() => new Promise((closed) => server.close(closed)));
  const begun: string[] = [];
  const worker = new Worker({ data: folder, name: 'a', slots: 1, ...testVersions, classes: ['encode'], clock: new FakeClock(), log: silent, handlers: async () => ({ work: async ({ key }) => void begun.push(key) }) });
  t.teardown(() => worker.stop());
  void worker.run();
  await until(() => said.length >= 3);
  t.same(said.map((ask) => ({ ...ask, n: 0 })), [1, 2, 3].map((fence) => ({ type: 'release', n: 0, job: job.id, fence })));
  t.same(begun, []);
});

t.test('who is there and what is being done can be seen', async (t) => {
  const { catalog, worker, nth, desk, stateOf } = await testDesk(t);
  await catalog.jobs.enqueue(work('a'));
  const one = await worker('a worker', { slots: 3 });
  const { context, finish } = await nth(1);
  context.progress(0.4);
  await until(() => desk.workers()[0]?.running[0]?.done === 0.4);
  t.match(desk.workers(), [{ name: 'a worker', pid: process.pid, slots: 3, classes: ['encode', 'picture'], since: Number, running: [{ job: { key: 'a' } }] }]);
  await until(async () => (await catalog.jobs.byKey('a'))?.done === 0.4);
  finish();
  await until(async () => (await stateOf('a')) === 'done');
  await one.stop();
  await until(() => desk.workers().length === 0);
});

t.test('of what a full disk ends nothing is dead', async (t) => {
  const { catalog, worker, nth, died, stateOf, rooms } = await testDesk(t);
  await catalog.jobs.enqueue(work('a', { maxAttempts: 1 }));
  await worker('a worker');
  (await nth(1)).fail(new IntakeFault(failing('no-room'), 'later'));
  await until(async () => (await stateOf('a')) === 'queued');
  t.match(await catalog.jobs.byKey('a'), { attempts: 0 });
  t.same(died, []);
  t.same(rooms.heavy.open(['encode', 'rest']), ['rest'], 'nobody else tries the same at once');
});

t.test('a failure is told with its code where people are told in words, and the job dies or is tried again', async (t) => {
  const { catalog, worker, nth, died, stateOf } = await testDesk(t);
  await catalog.jobs.enqueueAll(['words', 'fault', 'bad luck'].map((key) => work(key, { maxAttempts: key === 'fault' ? 1 : 3 })));
  await worker('a');
  (await nth(1)).fail(new IntakeFault(failing('broken'), false));
  (await nth(2)).fail(new JobFault('It is as it is.', true));
  (await nth(3)).fail(new Error('A bug.'));
  await until(async () => (await catalog.jobs.byKey('bad luck'))?.reason === 'A bug.');
  t.same(await Promise.all(['words', 'fault', 'bad luck'].map(stateOf)), ['dead', 'dead', 'queued']);
  t.same(died.map(({ key }) => key), ['words', 'fault']);
  t.match(died[0]?.error, { failure: failing('broken') });
  t.notOk(died[1]?.error instanceof IntakeFault);
});

t.test('what a worker held whose connection is gone is due at once, the first time; its folder goes', async (t) => {
  const { catalog, folder, budget, worker, nth, desk } = await testDesk(t, { cores: 1 });
  await catalog.jobs.enqueue(work('a'));
  const raw = new RawWorker(folder);
  raw.greet();
  const { folder: its } = await raw.hears('welcome');
  raw.say({ type: 'lease', n: 1, classes: ['encode'] });
  t.match(await raw.hears('answer', 1), { value: { job: { key: 'a', attempts: 1 }, fence: 1 } });
  await mkdir(join(folder, its, 'x'), { recursive: true });
  await writeFile(join(folder, its, 'x', 'half'), '');
  const other = await worker('other');
  t.equal(budget.free < 0.5, true);
  const { leaseUntil } = (await catalog.jobs.byKey('a')) ?? {};
  raw.close();
  t.match((await nth(1)).job, { key: 'a', attempts: 2 });
  t.ok(Date.now() < (leaseUntil ?? 0), 'long before its lease would have run out');
  await until(() => access(join(folder, its)).then(() => false, () => true));
  await until(() => desk.workers().length === 1);
  await other.stop();
  t.equal((await catalog.jobs.byKey('a'))?.attempts, 1, 'given back');
});

t.test('a silent worker loses its jobs by time, and what it says of them afterwards is not heard', async (t) => {
  const clock = new FakeClock();
  const { catalog, folder, budget, desk, stateOf } = await testDesk(t, { clock, leaseMs: 10_000 });
  await catalog.jobs.enqueue(work('a'));
  const [slow, quick] = [new RawWorker(folder), new RawWorker(folder)];
  for (const raw of [slow, quick]) raw.greet();
  await Promise.all([slow.hears('welcome'), quick.hears('welcome')]);
  slow.say({ type: 'lease', n: 1, classes: ['encode'] });
  const { value } = await slow.hears('answer', 1);
  if (typeof value !== 'object' || value === null) return t.fail('no job');
  const mine = { job: value.job.id, fence: value.fence };
  clock.advance(9_000);
  slow.say({ type: 'heartbeat', n: 2, ...mine });
  t.equal((await slow.hears('answer', 2)).value, true);
  clock.advance(9_000);
  t.ok(desk.workers().some(({ running }) => running.length === 1), 'a heartbeat keeps it');
  const free = budget.free;
  clock.advance(1_000);
  t.ok(budget.free > free, 'its cores are for others');
  quick.say({ type: 'lease', n: 1, classes: ['encode'] });
  t.match(await quick.hears('answer', 1), { value: { job: { key: 'a', attempts: 2 }, fence: 2 } });
  for (const [n, word] of ['heartbeat', 'complete', 'release'].entries()) {
    slow.say({ type: word, n: n + 10, ...mine, result: 'late' });
    t.equal((await slow.hears('answer', n + 10)).value, false, word);
  }
  quick.say({ type: 'complete', n: 2, job: mine.job, fence: 2, result: 'good' });
  t.equal((await quick.hears('answer', 2)).value, true);
  t.equal(await stateOf('a'), 'done');
  t.equal((await catalog.jobs.byKey('a'))?.result, 'good');
  for (const raw of [slow, quick]) raw.close();
});

t.test('who is of another version, or has another ffmpeg, is told so; a worker knows that it is for ever', async (t) => {
  const { folder, worker, desk } = await testDesk(t);
  const told = async (change: { readonly [name: string]: unknown }): Promise<string> => {
    const raw = new RawWorker(folder);
    raw.greet(change);
    const { said, final } = await raw.hears('refused');
    t.equal(final, true);
    await raw.closed;
    return said;
  };
  t.match(await told({ version: '1.2.4' }), 'This worker is of version 1.2.4, the server of 1.2.3: both have to be the same.');
  t.match(await told({ ffmpeg: '6' }), /has ffmpeg 6, the server 7\.1/);
  t.match(await told({ protocol: protocol + 1, version: 7 }), new RegExp(`speaks protocol ${protocol + 1}, the server ${protocol}`));
  t.same(desk.workers(), []);
  const one = await worker('right');
  await one.stop();
  const old = new Worker({ data: folder, name: 'old', slots: 1, version: '0', ffmpeg: '7.1', classes: [], clock: systemClock, log: silent, handlers: async () => ({}) });
  await t.rejects(old.run(), { name: 'Refused', final: true });
});

t.test('who is sent away and does not go is gone after a moment', async (t) => {
  const clock = new FakeClock();
  const { folder } = await testDesk(t, { clock });
  // Nothing of it closes by itself.
  const socket = createConnection({ path: join(folder, 'worker.sock'), allowHalfOpen: true }).on('error', () => undefined);
  t.teardown(() => socket.destroy());
  const write = (text: string): Promise<unknown> => new Promise((resolve) => socket.write(text, (error) => resolve(error ?? 'written')));
  socket.resume();
  await write(lineOf({ type: 'hello', protocol: protocol + 1 }));
  await once(socket, 'end');
  clock.advance(999);
  t.equal(await write('.'), 'written');
  clock.advance(1);
  await until(async () => (await write('.')) !== 'written');
});

t.test('whoever talks nonsense is sent away, and nobody else', async (t) => {
  const { folder, catalog, worker, nth, stateOf } = await testDesk(t);
  const random = new Random(11);
  const good = await worker('good');
  const model = Buffer.from(`${JSON.stringify({ type: 'lease', n: 1, classes: ['encode'] })}\n`);
  for (let turn = 0; turn < 60; turn += 1) {
    const raw = new RawWorker(folder);
    if (turn % 3 > 0) raw.greet();
    if (turn % 2 === 0) raw.write(random.mutate(model));
    else raw.write(random.bytes(random.below(2_000)));
    raw.write(Buffer.from('\nnothing\n'));
    t.ok(await raw.hears('refused'));
    await raw.closed;
  }
  await catalog.jobs.enqueue(work('a'));
  (await nth(1)).finish();
  await until(async () => (await stateOf('a')) === 'done');
  await good.stop();
});

t.test('who asks for more than it waits for, or for what it may not have, gets nothing', async (t) => {
  const { folder, catalog } = await testDesk(t);
  await catalog.jobs.enqueue(work('intake', { class: 'first' }));
  const raw = new RawWorker(folder);
  raw.greet({ classes: ['first', 'encode'] });
  raw.say({ type: 'lease', n: 1, classes: ['first', 'encode'] });
  t.match(await raw.hears('answer', 1), { value: null });
  raw.say({ type: 'complete', n: 2, job: 'nothingofmine', fence: 1, result: null });
  t.match(await raw.hears('answer', 2), { value: false });
  for (let n = 10; n < 100; n += 1) raw.say({ type: 'lease', n, classes: ['encode'] });
  t.match(await raw.hears('refused'), { final: false });
  await raw.closed;
});

t.test('what nobody wants any more ends at once', async (t) => {
  const { catalog, desk, worker, nth, stateOf, begun } = await testDesk(t);
  for (const key of ['a', 'b']) await catalog.jobs.enqueue(work(key));
  await worker('a', { slots: 2 });
  await nth(2);
  const dropped = begun.find(({ job }) => job.key === 'a');
  await catalog.jobs.cancel(dropped?.job.id ?? '');
  await desk.drop(({ key }) => key === 'a');
  t.equal(dropped?.context.signal.reason, 'unwanted');
  t.same(await Promise.all(['a', 'b'].map(stateOf)), ['cancelled', 'leased']);
  t.equal(begun.length, 2);
});

t.test('a worker that is stopped holds nobody up who removes a video', async (t) => {
  const clock = new FakeClock();
  const { catalog, folder, desk, budget } = await testDesk(t, { clock });
  const video = await someUpload(catalog);
  await catalog.jobs.enqueueAll([work('gone', { videoId: video }), work('kept', { videoId: video })]);
  const raw = new RawWorker(folder);
  raw.greet({ slots: 2 });
  for (const n of [1, 2]) {
    raw.say({ type: 'lease', n, classes: ['encode'] });
    await raw.hears('answer', n);
  }
  const { free } = budget;
  const over: string[] = [];
  const gone = desk.drop(({ key }) => key === 'gone').then(() => over.push('gone'));
  void desk.drop(({ key }) => key === 'kept').then(() => over.push('kept'));
  t.ok(await catalog.jobs.cancel((await catalog.jobs.byKey('gone'))?.id ?? ''));
  t.same(over, [], 'it has a moment to end by itself');
  clock.advance(1_000);
  await gone;
  t.same(over, ['gone'], 'what it still holds is waited for');
  t.ok(budget.free > free, 'its cores are for others');
  t.match(desk.workers(), [{ running: [{ job: { key: 'kept' } }] }]);
  raw.close();
});

t.test('a server that stops takes back what it gave, and its next one is found by the same workers', async (t) => {
  const first = await testDesk(t);
  const { catalog, folder, worker, nth, stateOf } = first;
  await catalog.jobs.enqueue(work('a'));
  await worker('a');
  const { context } = await nth(1);
  await first.desk.stop();
  t.match(await catalog.jobs.byKey('a'), { state: 'queued', attempts: 0 });
  await until(() => context.signal.aborted);
  // One that was killed leaves its socket.
  await writeFile(join(folder, 'worker.sock'), '');
  const next = new WorkersDesk({ data: folder, queue: catalog.jobs, room: first.rooms.workers, classes: ['encode'], clock: systemClock, log: silent, version: '1.2.3', ffmpeg: '7.1', died: async () => undefined, over: () => undefined });
  await next.open();
  t.teardown(() => next.stop());
  t.equal((await stat(join(folder, 'worker.sock'))).mode & 0o777, 0o600, 'nobody else may speak to it');
  (await nth(2)).finish();
  await until(async () => (await stateOf('a')) === 'done');
});

t.test('a worker that stops gives its jobs back', async (t) => {
  const { catalog, worker, nth } = await testDesk(t);
  await catalog.jobs.enqueue(work('a'));
  const one = await worker('a');
  await nth(1);
  await one.stop();
  t.match(await catalog.jobs.byKey('a'), { state: 'queued', attempts: 0 });
});

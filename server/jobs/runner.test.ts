import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import t from 'tap';
import { createCoreBudget, type CoreBudget } from '../../packager/encode/budget.ts';
import type { FakeClock } from '../../packager/clock.ts';
import { quiet, testCatalog } from '../catalog/testing.ts';
import type { Job, JobQueue, NewJob } from './queue.ts';
import { roomsOf, smallRoom } from './room.ts';
import { JobFault, JobRunner, type JobContext, type RunnerOptions } from './runner.ts';

type Test = Parameters<typeof testCatalog>[0];
type Begun = { readonly job: Job; readonly context: JobContext; finish(result?: unknown): void; fail(error: unknown): void };

const silent = { ...quiet, debug: () => undefined, fatal: () => undefined };
const job = (key: string, change: Partial<NewJob> = {}): NewJob => ({ key, class: 'encode', kind: 'work', payload: { key }, ...change });

/** Waits for something to have come about; whoever makes it come about does so soon. */
const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
  for (let look = 0; !(await what()); look += 1) {
    if (look > 10_000) throw new Error('it never came about');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

type RunnerChange = Partial<RunnerOptions> & { readonly budget?: CoreBudget; readonly cores?: number; readonly most?: number };
type Bench = {
  readonly queue: JobQueue;
  readonly clock: FakeClock;
  readonly folder: string;
  readonly begun: Begun[];
  readonly died: string[];
  runner(options?: RunnerChange): JobRunner;
  /** The n-th job that was begun. */
  nth(count: number): Promise<Begun>;
};

const bench = async (t: Test): Promise<Bench> => {
  const { catalog, clock, folder } = await testCatalog(t);
  const jobs = join(folder, 'jobs');
  await mkdir(jobs);
  const begun: Begun[] = [];
  const died: string[] = [];
  const runner = ({ budget = createCoreBudget(4.25), cores = 1, most = 8, ...options }: RunnerChange = {}): JobRunner => {
    const made = new JobRunner({
      ...{ queue: catalog.jobs, clock, log: silent, classes: ['encode'], worker: 'a worker', folder: jobs, room: smallRoom(budget, { cores, most }) },
      handlers: {
        work: (job, context) =>
          new Promise((resolve, reject) => {
            begun.push({ job, context, finish: resolve, fail: reject });
            context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
          }),
      },
      died: async ({ key }) => void died.push(key),
      leaseMs: 9_000,
      idleMs: 2_000,
      ...options,
    });
    t.teardown(() => made.stop());
    return made;
  };
  const nth = async (count: number): Promise<Begun> => {
    await until(() => begun.length >= count);
    return begun[count - 1] as Begun;
  };
  return { queue: catalog.jobs, clock, folder: jobs, begun, died, runner, nth };
};

const stateOf = async (queue: JobQueue, key: string): Promise<string | undefined> => (await queue.byKey(key))?.state;

t.test('a job is taken the moment that its runner is woken, and what came out of it is kept', async (t) => {
  const { queue, runner, nth, begun } = await bench(t);
  const one = runner();
  one.start();
  await queue.enqueue(job('a'));
  t.equal(begun.length, 0);
  one.wake();
  const { job: given, context, finish } = await nth(1);
  t.same(given.payload, { key: 'a' });
  t.equal(context.cores, 1);
  t.equal(await context.holds(), true);
  t.same(one.running.map(({ key }) => key), ['a']);
  finish({ bytes: 7 });
  await until(async () => (await stateOf(queue, 'a')) === 'done');
  t.same((await queue.byKey('a'))?.result, { bytes: 7 });
});

t.test('what nobody woke it for is found after a while', async (t) => {
  const { queue, clock, runner, nth, begun } = await bench(t);
  let looked = 0;
  const seen: JobQueue = { ...queue, lease: (...all) => queue.lease(...all).finally(() => (looked += 1)) };
  runner({ queue: seen }).start();
  await until(() => looked === 1);
  await queue.enqueue(job('a'));
  await until(() => {
    clock.advance(500);
    return begun.length === 1;
  });
  t.ok(clock.now() >= 2_000);
  (await nth(1)).finish();
});

t.test('as many at once as there are cores, and the most urgent first', async (t) => {
  const { queue, runner, nth, begun } = await bench(t);
  const budget = createCoreBudget(2.25);
  for (const [key, priority] of [['slow', 0], ['urgent', 5], ['usual', 1]] as const) await queue.enqueue(job(key, { priority }));
  const one = runner({ budget });
  one.start();
  await nth(2);
  // Both were taken before either was begun.
  t.same(begun.map(({ job }) => job.key).sort(), ['urgent', 'usual']);
  t.equal(budget.free, 0);
  begun[0]?.finish();
  t.equal((await nth(3)).job.key, 'slow');
  begun[1]?.finish();
  begun[2]?.finish();
  await until(() => budget.free === 2);
});

t.test('two runners that are idle leave each other alone', async (t) => {
  const { queue, runner } = await bench(t);
  let asked = 0;
  const counting: JobQueue = { ...queue, lease: (...all) => ((asked += 1), queue.lease(...all)) };
  const budget = createCoreBudget(2.25);
  for (const worker of ['a', 'b']) runner({ queue: counting, budget, worker }).start();
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal(asked, 2);
});

t.test('a machine with fewer cores than a job would like does it all the same', async (t) => {
  const { queue, runner, nth } = await bench(t);
  await queue.enqueue(job('a'));
  runner({ budget: createCoreBudget(1), cores: 4 }).start();
  const { context, finish } = await nth(1);
  t.equal(context.cores, 0.75);
  finish();
});

t.test('a lease is kept as long as the work lasts', async (t) => {
  const { queue, clock, runner, nth } = await bench(t);
  await queue.enqueue(job('a'));
  runner().start();
  const { finish, context } = await nth(1);
  for (let beat = 0; beat < 10; beat += 1) {
    const before = (await queue.byKey('a'))?.leaseUntil ?? 0;
    clock.advance(3_000);
    await until(async () => ((await queue.byKey('a'))?.leaseUntil ?? 0) > before);
  }
  t.equal(context.signal.aborted, false);
  t.equal((await queue.byKey('a'))?.attempts, 1);
  finish();
});

t.test('who has lost a lease stops, and what comes out of it is dropped', async (t) => {
  const { queue, clock, runner, nth } = await bench(t);
  await queue.enqueue(job('a'));
  const sleepy: JobQueue = { ...queue, heartbeat: () => new Promise(() => undefined) };
  runner({ queue: sleepy }).start();
  const { context } = await nth(1);
  clock.advance(9_000);
  const other = await queue.lease(['encode'], 'another', 9_000);
  t.equal(other?.job.attempts, 2);
  const awake = runner({ worker: 'awake' });
  awake.start();
  t.equal(context.signal.aborted, false, 'it sleeps');
  t.equal(other && (await queue.complete(other.token, 'theirs')), true);
  t.equal((await queue.byKey('a'))?.result, 'theirs');
});

t.test('a heartbeat that is refused ends the work', async (t) => {
  const { queue, clock, runner, nth } = await bench(t);
  const budget = createCoreBudget(1.25);
  await queue.enqueue(job('a'));
  const refused: JobQueue = { ...queue, heartbeat: async () => false };
  const one = runner({ queue: refused, budget, leaseMs: 900_000 });
  one.start();
  const { context } = await nth(1);
  clock.advance(300_000);
  await until(() => context.signal.aborted);
  t.equal(await context.holds(), false);
  await one.stop();
  t.equal(budget.free, 1);
  t.equal(await stateOf(queue, 'a'), 'leased', 'it is not this runner’s to give back');
});

t.test('a stop gives jobs back, unfinished and uncounted, and waits until nothing of them is left', async (t) => {
  const { queue, runner, nth, folder } = await bench(t);
  await queue.enqueue(job('a', { maxAttempts: 1 }));
  const one = runner();
  one.start();
  const { context } = await nth(1);
  await mkdir(context.folder);
  await writeFile(join(context.folder, 'half'), 'of it');
  await one.stop();
  t.same(await readdir(folder), []);
  t.match(await queue.byKey('a'), { state: 'queued', attempts: 0 });
  const next = runner();
  next.start();
  (await nth(2)).finish();
  await until(async () => (await stateOf(queue, 'a')) === 'done');
});

t.test('when live needs the cores, the work goes back and is taken up when they are free again', async (t) => {
  const { queue, runner, nth } = await bench(t);
  const budget: CoreBudget = createCoreBudget(2.25);
  await queue.enqueue(job('a'));
  runner({ budget, cores: 2 }).start();
  const { context } = await nth(1);
  const live = budget.take({ rank: 'live', cores: 1, name: 'a ladder', yield: () => undefined });
  t.ok(live);
  t.equal(context.signal.aborted, true);
  await until(async () => (await stateOf(queue, 'a')) === 'queued');
  live?.release();
  const again = await nth(2);
  t.equal(again.job.attempts, 1);
  again.finish();
});

t.test('what nobody wants any more ends at once, and never as done', async (t) => {
  const { queue, runner, nth, begun, folder } = await bench(t);
  for (const key of ['a', 'b']) await queue.enqueue(job(key));
  const one = runner();
  one.start();
  const { job: first } = await nth(1);
  await nth(2);
  await queue.cancel(first.id);
  await one.drop(({ id }) => id === first.id);
  t.same(begun.map(({ context }) => context.signal.aborted), [true, false]);
  t.equal(await stateOf(queue, first.key), 'cancelled');
  t.same(await readdir(folder), []);
  // Put back, and begun anew, in the moment before it was dropped.
  await queue.retry(first.id);
  one.wake();
  await nth(3);
  await one.drop(({ id }) => id === first.id);
  const again = await nth(4);
  t.match(again.job, { id: first.id, attempts: 1 });
  again.finish();
  await until(async () => (await stateOf(queue, first.key)) === 'done');
});

t.test('bad luck is tried again after a while; what cannot be done is dead at once, with its reason', async (t) => {
  const { queue, clock, runner, nth, died } = await bench(t);
  await queue.enqueue(job('unlucky', { maxAttempts: 2 }));
  await queue.enqueue(job('hopeless', { maxAttempts: 9, priority: -1 }));
  const one = runner({ most: 1 });
  one.start();
  (await nth(1)).fail(new Error('the disk was away'));
  (await nth(2)).fail(new JobFault('it is no video', false));
  await until(async () => (await stateOf(queue, 'hopeless')) === 'dead');
  t.match(await queue.byKey('hopeless'), { reason: 'it is no video' });
  t.match(await queue.byKey('unlucky'), { state: 'queued', reason: 'the disk was away' });
  t.same(died, ['hopeless']);
  await until(async () => {
    clock.advance(1_000);
    return (await queue.byKey('unlucky'))?.attempts === 2;
  });
  (await nth(3)).fail(new Error('the disk was away again'));
  await until(async () => (await stateOf(queue, 'unlucky')) === 'dead');
  t.same(died, ['hopeless', 'unlucky']);
});

t.test('whatever an earlier attempt left behind is gone before the next begins', async (t) => {
  const { queue, runner, nth, folder } = await bench(t);
  const { job: made } = await queue.enqueue(job('a'));
  await mkdir(join(folder, made.id));
  await writeFile(join(folder, made.id, 'half'), 'of it');
  runner().start();
  const { context, finish } = await nth(1);
  t.equal(existsSync(context.folder), false);
  finish();
});

t.test('a job of a kind that nobody knows is dead, and harms nobody', async (t) => {
  const { queue, runner, died } = await bench(t);
  await queue.enqueue(job('a', { kind: 'toString' }));
  await queue.enqueue(job('b', { kind: 'unheard of' }));
  runner().start();
  await until(() => died.length === 2);
});

t.test('how far a job is is written down for as long as it is its runner’s; a lost lease is found out by it', async (t) => {
  const { queue, runner, nth } = await bench(t);
  const { job: made } = await queue.enqueue(job('a'));
  runner().start();
  const { context } = await nth(1);
  context.progress(0.25);
  await until(async () => (await queue.byKey('a'))?.done === 0.25);
  await queue.cancel(made.id);
  const again = await bench(t);
  await again.queue.enqueue(job('b'));
  const refused: JobQueue = { ...again.queue, progress: async () => false };
  again.runner({ queue: refused }).start();
  const other = await again.nth(1);
  other.context.progress(0.5);
  await until(() => other.context.signal.aborted);
});

t.test('a job that was cancelled and is tried again at once keeps its folder when the first try ends', async (t) => {
  const { queue, folder, runner } = await bench(t);
  await queue.enqueue(job('a'));
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const folders: string[] = [];
  const one = runner({
    handlers: {
      // The first takes its time to end, as a program does that writes out what it has.
      work: async (_job, context) => {
        await mkdir(context.folder, { recursive: true });
        folders.push(context.folder);
        await (folders.length === 1 ? first : second).promise;
      },
    },
  });
  one.start();
  await until(() => folders.length === 1);
  const id = (await queue.byKey('a'))?.id ?? '';
  await queue.cancel(id);
  const dropped = one.drop(() => true);
  await queue.retry(id);
  one.wake();
  await until(() => folders.length === 2);
  first.resolve();
  await dropped;
  t.ok(folders.every((each) => dirname(each) === folder));
  t.same(await readdir(folder), [basename(folders[1] ?? '')], 'each try clears away its own');
  second.resolve();
  await until(async () => (await stateOf(queue, 'a')) === 'done');
});

t.test('what can only wait for something is not dead when its attempts are used up', async (t) => {
  const { queue, nth, runner, died, clock } = await bench(t);
  await queue.enqueueAll([job('a', { maxAttempts: 1, priority: 1 }), job('b')]);
  const budget = createCoreBudget(1);
  const one = runner({ room: roomsOf(budget, { here: 1, clock }).heavy });
  one.start();
  (await nth(1)).fail(new JobFault('no room', 'later'));
  await until(() => one.running.length === 0);
  t.match(await queue.byKey('a'), { state: 'queued', attempts: 0, reason: 'no room' });
  t.same(died, []);
  one.wake();
  await queue.counts();
  clock.advance(60_000);
  one.wake();
  t.equal((await nth(2)).job.key, 'a', 'the other one was not begun meanwhile: it would have found the same');
});

import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import type { JobShare, NewJob } from './queue.ts';
import { tasksOf } from './tasks.ts';

const share = (change: Partial<JobShare> = {}): JobShare => ({ task: 'rungs', kind: 'encode', state: 'queued', waits: false, jobs: 1, weight: 30, done: 0, reason: null, ...change });

t.test('where there has never been anything to do, nothing is done', async (t) => {
  t.same(tasksOf([]), { done: null, tasks: [] });
});

t.test('jobs of one name are one task, in the order in which they were queued', async (t) => {
  const made = tasksOf([share({ task: 'lowest', state: 'done', jobs: 10, weight: 300, done: 300 }), share({ state: 'leased', jobs: 2, weight: 60, done: 15 }), share({ jobs: 8, weight: 240 }), share({ task: 'posters', kind: 'posters', weight: 5 }), share({ task: 'posters', kind: 'keep-pictures', waits: true, weight: 0 })]);
  t.same(made.tasks.map(({ name, kind, state, jobs, finished, done }) => [name, kind, state, jobs, finished, done]), [
    ['lowest', 'encode', 'done', 10, 10, 1],
    ['rungs', 'encode', 'running', 10, 0, 0.05],
    ['posters', 'posters', 'queued', 2, 0, 0],
  ]);
  t.equal(made.done, 0.52);
});

t.test('what a task is called where nobody named it, and what intake does', async (t) => {
  t.match(tasksOf([share({ task: null, kind: 'texts' }), share({ task: 'remux', kind: 'make' })]).tasks, [{ name: 'texts', kind: 'texts' }, { name: 'intake.remux', kind: 'remux' }]);
});

t.test('a step of intake and a task that an operator calls the same are two', async (t) => {
  const steps = ['inspect', 'lowest', 'captions'].map((task) => share({ task, kind: task === 'lowest' ? 'make' : task, state: 'done', done: 30 }));
  const made = tasksOf([...steps, ...steps.map(({ task }) => share({ task, jobs: 2 }))]);
  t.same(made.tasks.map(({ name, kind, jobs, finished }) => [name, kind, jobs, finished]), [
    ...[['intake.inspect', 'inspect', 1, 1], ['intake.lowest', 'lowest', 1, 1], ['intake.captions', 'captions', 1, 1]],
    ...[['inspect', 'encode', 2, 0], ['lowest', 'encode', 2, 0], ['captions', 'encode', 2, 0]],
  ]);
});

t.test('a task is as its jobs are', async (t) => {
  const state = (...shares: Partial<JobShare>[]): string | undefined => tasksOf(shares.map(share)).tasks[0]?.state;
  t.equal(state({ waits: true }), 'waiting');
  t.equal(state({ waits: true }, { waits: false }), 'queued');
  t.equal(state({ waits: true }, { state: 'done' }), 'queued');
  t.equal(state({ state: 'leased' }, { waits: true }), 'running');
  t.equal(state({ state: 'done' }), 'done');
  t.equal(state({ state: 'cancelled' }, { state: 'done' }), 'cancelled');
  t.equal(state({ state: 'cancelled' }, { state: 'leased' }), 'running');
  t.equal(state({ state: 'dead' }, { state: 'leased' }, { state: 'cancelled' }), 'failed');
});

t.test('why it failed is said in words that are for people, and nothing of the inside of the server', async (t) => {
  const reason = (said: string | null): string | null | undefined => tasksOf([share({ state: 'dead', reason: said }), share({ state: 'cancelled', reason: 'What it needs is not done.' })]).tasks[0]?.reason;
  t.equal(reason('no-room: There is no room left on the disk of the server.'), 'no-room: There is no room left on the disk of the server.');
  for (const said of ["ENOENT: no such file or directory, open '/data/videos/x/work'", 'Its worker vanished too often.', null]) t.equal(reason(said), 'encode-failed: It could not be converted.');
  t.equal(tasksOf([share({ reason: 'no-room: there may be some again' })]).tasks[0]?.reason, null, 'it is tried again');
});

t.test('it is whole when the last job is done, and not before', async (t) => {
  t.equal(tasksOf([share({ state: 'leased', jobs: 1, weight: 1, done: 1 }), share({ state: 'done', jobs: 9999, weight: 9999, done: 9999 })]).done, 0.999);
  t.equal(tasksOf([share({ state: 'done', weight: 0 }), share({ waits: true, weight: 0, jobs: 3 })]).done, 0.25, 'what weighs nothing counts all the same where all of it weighs nothing');
  t.equal(tasksOf([share({ state: 'done', weight: 0 })]).done, 1);
});

t.test('whatever happens to a set of jobs short of an order to try again, its share never goes back', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const { jobs } = catalog;
  for (let seed = 1; seed <= 4; seed += 1) {
    const numbers = new Random(seed);
    const random = (): number => numbers.u32() / 2 ** 32;
    const videoId = await someUpload(catalog);
    const one = (key: string, change: Partial<NewJob> = {}): NewJob => ({ key: `${videoId}:${key}`, class: `${seed}`, kind: 'encode', payload: null, videoId, weight: Math.ceil(random() * 60), ...change });
    const chunks = Array.from({ length: 12 }, (_, index) => one(`chunk ${index}`, { task: 'rungs', maxAttempts: 3 }));
    await jobs.enqueueAll([...chunks, one('join', { task: 'join', kind: 'join', needs: chunks.map(({ key }) => key) })]);
    let before = 0;
    for (let turn = 0; turn < 120; turn += 1) {
      const lease = await jobs.lease([`${seed}`], 'w', 1000);
      if (!lease) clock.advance(5000);
      else if (random() < 0.7) await jobs.progress(lease.token, random());
      const end = random();
      if (lease && end < 0.4) await jobs.complete(lease.token);
      else if (lease && end < 0.6) await jobs.fail(lease.token, { reason: 'bad luck', recoverable: true });
      else if (lease && end < 0.8) await jobs.release(lease.token);
      else clock.advance(1000);
      const { done } = tasksOf(await jobs.sharesOf(videoId));
      t.ok(done !== null && done >= before && done <= 1, `${done} after ${before}`);
      before = done ?? 0;
    }
  }
});

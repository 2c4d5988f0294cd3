/** How pieces become tracks, one job at a time, each begun when the test says so. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encoded } from '../../test/support/encoded.ts';
import { filmOf } from '../../test/support/pipeline.ts';
import { systemClock } from '../../packager/clock.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { Sandbox } from '../../packager/encode/sandbox.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import type { Disk } from '../../packager/log/types.ts';
import type { Pipeline } from '../../packager/pipeline/spec.ts';
import { standardLadder, task } from '../../packager/pipeline/testing.ts';
import { someAccount, testCatalog, testFolder } from '../catalog/testing.ts';
import { spareBytes } from '../intake/place.ts';
import { silent } from '../intake/testing.ts';
import type { Job } from '../jobs/queue.ts';
import type { JobHandler } from '../jobs/runner.ts';
import { VideoPipelines } from './pipeline.ts';
import { playableFilm } from './testing.ts';

const file = await filmOf(6);
const [lowest] = standardLadder.toReversed();
const rungs = lowest ? [lowest, { ...lowest, height: 180 }] : [];
const sandbox = (await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder: await testFolder(t), gentle: false })) ?? 'none';
const pictures = [task('all', { kind: 'encode', rungs: 'all' }), task('tracks', { kind: 'join' }, ['all'])];

type Stage = {
  /** What becomes of the most urgent job that is due; null: there is none. */
  readonly next: () => Promise<Job | null>;
  readonly all: () => Promise<Job[]>;
  readonly kinds: () => Promise<unknown[]>;
  /** Of all pieces. */
  readonly work: () => Promise<string[]>;
  readonly home: string;
  readonly pass: (ms: number) => void;
};

type Stubs = { readonly film?: string; readonly tasks?: Pipeline['tasks']; readonly disk?: Partial<Disk>; readonly fullFrom?: number; /** Called before joins ask for a job. */ readonly asked?: () => Promise<void> };

const staged = async (t: Test, { film = file, tasks = pictures, disk, fullFrom = 1, asked = async () => undefined }: Stubs = {}): Promise<Stage> => {
  const { catalog, clock, folder: data } = await testCatalog(t);
  const [folder, jobsFolder] = [join(data, 'videos'), join(data, 'jobs')];
  await mkdir(jobsFolder);
  const { jobs } = catalog;
  const handlers: { [kind: string]: JobHandler } = {};
  const planned = Promise.withResolvers<void>();
  const pipelines = new VideoPipelines({
    ...{ clock, log: silent, folder, fullFrom, pipeline: { name: 'tracks', tasks }, disk: { ...nodeDisk, ...disk }, sandbox: Promise.resolve(sandbox) },
    catalog: { videos: catalog.videos, uploads: catalog.uploads, plannings: catalog.plannings, jobs: { ...jobs, byKey: (key) => asked().then(() => jobs.byKey(key)) } },
    ladders: new Map([['standard', { rungs, soundBitRate: null }]]),
    crew: { take: (more) => Object.assign(handlers, more), wake: () => undefined, drop: async () => undefined },
    ...{ outdated: () => undefined, changed: () => planned.resolve(), wanted: async () => 'all' as const },
  });
  t.teardown(() => pipelines.stop());
  const video = await playableFilm({ catalog, clock, folder, ownerId: await someAccount(catalog), file: film });
  await pipelines.again(video);
  await planned.promise;
  const home = join(folder, video);
  return {
    ...{ home, pass: (ms) => clock.advance(ms) },
    async next() {
      const lease = await jobs.lease(['encode', 'light'], 'the test', 600_000);
      if (!lease) return null;
      const { job, token } = lease;
      const mine = join(jobsFolder, `${job.id}-${token.fence}`);
      clock.advance(1);
      try {
        await jobs.complete(token, await handlers[job.kind]?.(job, { signal: new AbortController().signal, folder: mine, cores: 1, holds: async () => true, progress: () => undefined }));
      } catch (error) {
        const { recoverable = true, later = false } = error as { readonly recoverable?: boolean; readonly later?: boolean };
        await jobs.fail(token, { reason: String(error), recoverable, later });
      }
      await rm(mine, { recursive: true, force: true });
      return jobs.get(job.id);
    },
    all: () => jobs.ofVideo(video),
    kinds: async () => (await jobs.ofVideo(video)).map(({ kind, state }) => [kind, state]),
    work: () => readdir(join(home, 'work')),
  };
};

/** So that it is still opened, and nothing in it is what it was. */
const tear = async (home: string, rung: string): Promise<void> => {
  for (const address of await readdir(join(home, 'work'))) {
    const folder = join(home, 'work', address, rung);
    for (const name of await readdir(folder)) if (name.endsWith('.cmaf')) await writeFile(join(folder, name), Buffer.alloc(1000));
  }
};

t.test('a join never takes what recordings have left of the disk: it waits, and has not written a byte', async (t) => {
  let free = 0;
  const opened: string[] = [];
  const disk: Partial<Disk> = {
    space: async () => ({ free, total: 100 * spareBytes }),
    open: (path, mode) => (mode === 'create' && opened.push(path), nodeDisk.open(path, mode)),
  };
  const { next, pass, home } = await staged(t, { disk, fullFrom: 0.97 });
  t.match(await next(), { kind: 'encode', state: 'done' });
  // What is kept, and the mark that ends recordings: nothing for a rung beside them.
  free = 4 * spareBytes;
  opened.length = 0;
  const names = await readdir(home);
  for (let minute = 0; minute < 5; minute += 1) {
    t.match(await next(), { kind: 'join', state: 'queued', attempts: 0, reason: /no-room/ });
    t.match(await next(), { kind: 'join', state: 'queued', attempts: 0, reason: /no-room/ });
    t.equal(await next(), null, 'not again at once');
    pass(60_000);
  }
  t.same(opened, []);
  t.same(await readdir(home), names);
  free = 5 * spareBytes;
  t.match(await next(), { kind: 'join', state: 'done' });
});

t.test('joins whose pieces lie together wait for one that is made anew, and take nothing away from each other', async (t) => {
  const { next, all, kinds, work, home } = await staged(t);
  t.match(await next(), { kind: 'encode', state: 'done' });
  const addresses = await work();
  await tear(home, '180p');
  const first = await next();
  t.match(first, { kind: 'join', state: 'queued', waits: 1, attempts: 0 });
  t.same(await work(), []);
  t.match(await next(), { kind: 'join', state: 'queued', waits: 1, attempts: 0 });
  t.same(await kinds(), [['encode', 'done'], ['join', 'queued'], ['join', 'queued'], ['encode', 'queued']]);
  t.match(await next(), { kind: 'encode', state: 'done' });
  t.same(await work(), addresses);
  t.match([await next(), await next()], [{ kind: 'join', state: 'done' }, { kind: 'join', state: 'done' }]);
  t.equal(await next(), null);
  t.equal((await all()).length, 4);
});

t.test('what was put there while a join still looked at the rest is not taken away again', async (t) => {
  let meanwhile = async (): Promise<void> => undefined;
  const { next, kinds, work, home } = await staged(t, { asked: () => meanwhile() });
  await next();
  const addresses = await work();
  await tear(home, '180p');
  await next();
  // It has seen that the piece is gone, and is about to say so.
  meanwhile = async () => {
    meanwhile = async () => undefined;
    t.match(await next(), { kind: 'encode', state: 'done' });
  };
  t.match(await next(), { kind: 'join', state: 'queued', waits: 0, attempts: 0 });
  t.same(await work(), addresses);
  t.match([await next(), await next()], [{ kind: 'join', state: 'done' }, { kind: 'join', state: 'done' }]);
  t.same(await kinds(), [['encode', 'done'], ['join', 'done'], ['join', 'done'], ['encode', 'done']]);
});

t.test('what is torn each time it has been made is given up', async (t) => {
  const { next, kinds, home } = await staged(t);
  for (let time = 0; time < 4; time += 1) {
    t.match(await next(), { kind: 'encode', state: 'done' });
    await tear(home, '240p');
    await tear(home, '180p');
    await next();
    await next();
  }
  t.same(await kinds(), [['encode', 'done'], ['join', 'dead'], ['join', 'dead'], ['encode', 'done'], ['encode', 'done'], ['encode', 'done']]);
});

t.test('sound that is gone or torn when it is to be listed is made anew', async (t) => {
  const input = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=5:duration=4', '-f', 'lavfi', '-i', 'anoisesrc=r=96000:d=4:a=0.3'];
  // More bits than anybody hears.
  const film = await encoded('mp4', [...input, '-c:v', 'libx264', '-g', '10', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '500k', '-ac', '2', '-movflags', '+faststart']);
  const { next, kinds, work, home } = await staged(t, { film, tasks: [task('sound', { kind: 'sound' })] });
  t.match(await next(), { kind: 'sound', state: 'done' });
  await rm(join(home, 'work'), { recursive: true });
  t.match(await next(), { kind: 'list-sound', state: 'queued', waits: 1, attempts: 0 });
  t.match(await next(), { kind: 'sound', state: 'done' });
  await tear(home, 'sound');
  t.match(await next(), { kind: 'list-sound', state: 'queued', waits: 1, attempts: 0 });
  t.same(await work(), []);
  t.match(await next(), { kind: 'sound', state: 'done' });
  t.match(await next(), { kind: 'list-sound', state: 'done' });
  t.same(await kinds(), [['sound', 'done'], ['list-sound', 'done'], ['sound', 'done'], ['sound', 'done']]);
  const [track] = (await readdir(home)).toSorted();
  t.match(track, /^a/, 'it lies beside the original');
});

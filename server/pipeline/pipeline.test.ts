/** What is interrupted between two steps goes on, and what nobody needs any more goes. */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { filmOf } from '../../test/support/pipeline.ts';
import { until } from '../../test/support/playlists.ts';
import { systemClock } from '../../packager/clock.ts';
import { createCoreBudget } from '../../packager/encode/budget.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { Sandbox } from '../../packager/encode/sandbox.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { standardLadder, usualPipeline } from '../../packager/pipeline/testing.ts';
import { someAccount, testCatalog } from '../catalog/testing.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { newId } from '../catalog/ids.ts';
import type { VideoRow } from '../catalog/videos.ts';
import { silent } from '../intake/testing.ts';
import { Crew } from '../jobs/crew.ts';
import { roomsOf } from '../jobs/room.ts';
import { VideoPipelines, type PipelineOptions } from './pipeline.ts';
import { playableFilm } from './testing.ts';

const film = await filmOf(12);
const [lowest] = standardLadder.toReversed();
/** Tracks only. */
const pipeline = { name: 'tracks', tasks: usualPipeline().tasks.filter(({ kind }) => kind === 'encode' || kind === 'join') };

type Stage = {
  readonly catalog: Catalog;
  readonly home: (video: string) => string;
  /** Begins; before that, nothing is planned. */
  readonly pipelines: VideoPipelines;
  readonly crew: Crew;
  /** The next process: this one has been stopped. */
  next(more?: Partial<PipelineOptions>): VideoPipelines;
  /** Whole, and `playable`, as a kill leaves it before anything is planned. */
  film(ladder?: string): Promise<string>;
  becomes(video: string, fits: (row: VideoRow) => boolean): Promise<VideoRow>;
};

const openSandbox = async (folder: string): Promise<Sandbox | string> => (await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false })) ?? 'none';

const staged = async (t: Test, sandbox?: string, more: Partial<PipelineOptions> = {}): Promise<Stage> => {
  const { catalog, folder: data } = await testCatalog(t, { clock: systemClock });
  const ownerId = await someAccount(catalog);
  const [folder, jobs] = [join(data, 'videos'), join(data, 'jobs')];
  await Promise.all([mkdir(folder), mkdir(jobs)]);
  const opened = sandbox ?? (await openSandbox(data));
  const budget = createCoreBudget(2);
  const newCrew = (): Crew => new Crew({ queue: catalog.jobs, clock: systemClock, log: silent, folder: jobs, budget, rooms: roomsOf(budget, { here: 2 }), idleMs: 50 });
  const crew = newCrew();
  const shared = { catalog, clock: systemClock, log: silent, disk: nodeDisk, folder };
  const begun = (crew: Crew, more: Partial<PipelineOptions>): VideoPipelines => {
    const pipelines = new VideoPipelines({
      ...{ ...shared, crew, pipeline, sandbox: Promise.resolve(opened), fullFrom: 1, lookEveryMs: 50, wanted: async () => 'all' as const },
      ladders: new Map([['standard', { rungs: lowest ? [lowest] : [], soundBitRate: null }]]),
      ...{ outdated: () => undefined, changed: () => undefined },
      ...more,
    });
    t.teardown(async () => {
      await crew.stop();
      await pipelines.stop();
    });
    return pipelines;
  };
  const pipelines = begun(crew, more);
  return {
    ...{ catalog, pipelines, crew, home: (video) => join(folder, video), next: (others = more) => begun(newCrew(), others) },
    film: (ladder = 'standard') => playableFilm({ catalog, clock: systemClock, folder, ownerId, file: film, ladder }, (open) => pipelines.makesTracks(open) || true),
    becomes: (video, fits) =>
      until(
        async () => {
          const row = await catalog.videos.get(video);
          if (!row) throw new Error('the video is gone');
          return row;
        },
        fits,
        30_000,
      ),
  };
};

/** So many times it is not known which rungs a video is to have, as when the catalog is busy. */
const busyFor = (times: number): Pick<PipelineOptions, 'wanted'> & { asked: number } => {
  const busy = {
    asked: 0,
    wanted: async (): Promise<'all'> => {
      busy.asked += 1;
      if (busy.asked <= times) throw new Error('the catalog is busy');
      return 'all';
    },
  };
  return busy;
};

const isReady = ({ state }: VideoRow): boolean => state === 'ready';
/** Longer than several looks. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

t.test('a video that was whole when the server was killed is planned by the next one, and made once', async (t) => {
  const { catalog, pipelines, crew, film: whole, becomes, home } = await staged(t);
  const [video, plain] = [await whole(), await whole('source')];
  t.match(await catalog.videos.get(video), { state: 'playable' });
  await pipelines.start();
  crew.start();
  await becomes(plain, isReady);
  await becomes(video, isReady);
  const { tracks = [] } = (await catalog.videos.withTracks(video)) ?? {};
  t.same(tracks.map(({ kind, original }) => [kind, original === null]), [['video', false], ['video', true], ['audio', false]]);
  t.same((await readdir(home(video))).toSorted(), ['original', tracks[1]?.id].toSorted());
  const jobs = await catalog.jobs.ofVideo(video);
  pipelines.playable(video);
  pipelines.want(video);
  await aWhile();
  t.same((await catalog.jobs.ofVideo(video)).map(({ key }) => key), jobs.map(({ key }) => key), 'planned again, nothing is queued again');
  t.match(await catalog.videos.get(video), { state: 'ready' });
});

t.test('what still arrives, and what intake has not handed over, waits', async (t) => {
  const { catalog, pipelines, crew, film: whole, becomes, home } = await staged(t);
  // Of some there would be nothing to make.
  const [arriving, making, free, nothing] = [await whole(), await whole(), await whole(), await whole('source')];
  await writeFile(join(home(arriving), 'original.landed'), '');
  for (const video of [making, nothing]) await catalog.jobs.enqueue({ key: `mezzanine:${video}`, class: 'nobody', kind: 'make', payload: { video }, videoId: video });
  await pipelines.start();
  crew.start();
  await becomes(free, isReady);
  const waiting = [arriving, making, nothing];
  for (const video of waiting) {
    pipelines.want(video);
    await pipelines.again(video);
  }
  await aWhile();
  for (const video of waiting) {
    t.same((await catalog.jobs.ofVideo(video)).filter(({ kind }) => kind !== 'make'), []);
    t.match(await catalog.videos.get(video), { state: 'playable' });
  }
});

t.test('a best picture that died is made when it is tried again: the video is not ready without it', async (t) => {
  const { catalog, pipelines, film: whole, becomes } = await staged(t);
  const [video, other] = [await whole('source'), await whole('source')];
  const died = { code: 'no-room', message: 'There is no room.' };
  for (const one of [video, other]) {
    for (const kind of ['make', 'captions']) await catalog.jobs.enqueue({ key: `${kind}:${one}`, class: 'nobody', kind, payload: { video: one }, videoId: one });
    for (let job = await catalog.jobs.lease(['nobody'], 'somebody', 60_000); job; job = await catalog.jobs.lease(['nobody'], 'somebody', 60_000)) await catalog.jobs.fail(job.token, { reason: 'no-room: none', recoverable: false });
    await catalog.videos.become(one, ['playable'], { state: 'playable', error: died });
  }
  await pipelines.start();
  await pipelines.again(video);
  await catalog.jobs.retryVideo(video);
  pipelines.retried(video);
  const captions = await catalog.jobs.byKey(`captions:${other}`);
  t.ok(await catalog.jobs.retry(captions?.id ?? ''));
  pipelines.retried(other);
  await becomes(video, ({ errorCode }) => errorCode === null);
  await aWhile();
  t.match(await catalog.videos.get(video), { state: 'playable', errorCode: null });
  t.match(await catalog.videos.get(other), { state: 'playable', errorCode: 'no-room' }, 'it was not that which was tried again');
  for (let job = await catalog.jobs.lease(['nobody'], 'somebody', 60_000); job; job = await catalog.jobs.lease(['nobody'], 'somebody', 60_000)) await catalog.jobs.complete(job.token);
  await becomes(video, isReady);
});

t.test('what cannot be planned is said after a few tries, and is planned when it can be', async (t) => {
  const { catalog, pipelines, film: whole, becomes, home } = await staged(t);
  const video = await whole();
  await writeFile(join(home(video), 'original'), 'nothing of the kind');
  await pipelines.start();
  t.match(await becomes(video, ({ errorCode }) => errorCode !== null), { state: 'playable', errorCode: 'encode-failed' });
  await copyFile(film, join(home(video), 'original'));
  // Of something else that had failed.
  pipelines.retried(video);
  t.match(await becomes(video, ({ errorCode }) => errorCode === null), { state: 'playable' });
  await until(() => catalog.jobs.ofVideo(video), (jobs) => jobs.length > 0);
});

t.test('it is planned when that is said to be so, and by a server that stops no more, but by the next one', async (t) => {
  const { catalog, pipelines, next, film: whole } = await staged(t);
  const [video, late] = [await whole(), await whole()];
  for (const one of [video, late]) await catalog.videos.become(one, ['playable'], { state: 'ready' });
  const planned = (one: string): Promise<unknown> => until(() => catalog.jobs.ofVideo(one), (jobs) => jobs.length > 0);
  await pipelines.again(video);
  await planned(video);
  await until(() => catalog.plannings.all(), (noted) => noted.length === 0);
  await pipelines.stop();
  pipelines.playable(late);
  await pipelines.again(late);
  await aWhile();
  t.same(await catalog.jobs.ofVideo(late), []);
  await next().start();
  await planned(late);
  await until(() => catalog.plannings.all(), (noted) => noted.length === 0);
});

t.test('what could not be planned is tried again, ready or not, and holds nobody up who only tells of it', async (t) => {
  const busy = busyFor(2);
  const { catalog, pipelines, film: whole } = await staged(t, undefined, busy);
  const video = await whole();
  await catalog.videos.become(video, ['playable'], { state: 'ready' });
  await pipelines.again(video);
  await pipelines.start();
  await until(() => catalog.jobs.ofVideo(video), (jobs) => jobs.length > 0);
  t.ok(busy.asked > 2);
  t.match(await catalog.videos.get(video), { state: 'ready', errorCode: null });
});

t.test('what is given up is planned when somebody asks for it, or by the next server; what is on its way is not called failed', async (t) => {
  const busy = busyFor(3);
  const { catalog, pipelines, next, film: whole } = await staged(t, undefined, busy);
  const video = await whole();
  await catalog.videos.become(video, ['playable'], { state: 'ready' });
  await pipelines.start();
  pipelines.want(video);
  await until(async () => busy.asked, (asked) => asked === 3);
  await aWhile();
  t.equal(busy.asked, 3, 'not again and again');
  pipelines.want(video);
  const jobs = await until(() => catalog.jobs.ofVideo(video), (some) => some.length > 0);
  await catalog.videos.become(video, ['ready'], { state: 'playable' });
  busy.asked = 0;
  await pipelines.again(video);
  await until(async () => busy.asked, (asked) => asked === 3);
  await aWhile();
  t.match(await catalog.videos.get(video), { state: 'playable', errorCode: null });
  t.same(await catalog.plannings.all(), [video]);
  await pipelines.stop();
  await next().start();
  await until(() => catalog.plannings.all(), (noted) => noted.length === 0);
  t.equal((await catalog.jobs.ofVideo(video)).length, jobs.length);
});

t.test('a video that goes while it is planned has not failed', async (t) => {
  const errors: unknown[] = [];
  let goes = async (): Promise<void> => undefined;
  const wanted = async (): Promise<'all'> => {
    await goes();
    return 'all';
  };
  const { catalog, pipelines, film: whole } = await staged(t, undefined, { wanted, log: { ...silent, error: (facts: object) => void errors.push(facts) } as typeof silent });
  const [video, other] = [await whole(), await whole()];
  goes = async () => void (await catalog.videos.remove(video));
  pipelines.playable(video);
  pipelines.playable(other);
  await until(() => catalog.jobs.ofVideo(other), (jobs) => jobs.length > 0);
  t.same(errors, []);
});

t.test('a video whose folder is missing holds up no other: it is said, and those behind it go on', async (t) => {
  const { catalog, pipelines, crew, film: whole, becomes, home } = await staged(t);
  const [behind, lost] = [await whole(), await whole()];
  await rm(home(lost), { recursive: true });
  await pipelines.start();
  crew.start();
  await becomes(behind, isReady);
  t.match(await becomes(lost, ({ errorCode }) => errorCode !== null), { state: 'playable', errorCode: 'encode-failed' });
  t.same(await catalog.jobs.ofVideo(lost), []);
});

t.test('where it cannot be seen what there is to make there may be more', async (t) => {
  const { catalog, pipelines, film: whole, home } = await staged(t);
  const video = await whole();
  await pipelines.start();
  const found = await catalog.videos.withTracks(video);
  await rm(join(home(video), 'original'));
  t.equal(found && (await pipelines.hasMore(found)), true);
});

t.test('what was said of a failure stays, though its job is not dead yet', async (t) => {
  const { catalog, pipelines, film: whole } = await staged(t);
  const video = await whole();
  await pipelines.start();
  await until(() => catalog.jobs.ofVideo(video), (jobs) => jobs.length > 0);
  await catalog.videos.become(video, ['playable'], { state: 'playable', error: { code: 'no-room', message: 'There is no room.' } });
  await aWhile();
  t.match(await catalog.videos.get(video), { state: 'playable', errorCode: 'no-room' });
});

t.test('where ffmpeg is missing, what plays is all that there is, until a server has one', async (t) => {
  const { catalog, pipelines, next, home, film: whole, becomes } = await staged(t, 'ffmpeg is not in PATH');
  const [video, untold] = [await whole(), await whole()];
  await pipelines.start();
  for (const one of [video, untold]) await becomes(one, isReady);
  await pipelines.again(video);
  await aWhile();
  t.same(await catalog.plannings.all(), [video], 'it is still to be planned');
  await pipelines.stop();
  await next({ sandbox: Promise.resolve(await openSandbox(home('..'))) }).start();
  await until(() => catalog.jobs.ofVideo(video), (jobs) => jobs.length > 0);
  await until(() => catalog.plannings.all(), (noted) => noted.length === 0);
  t.same(await catalog.jobs.ofVideo(untold), []);
});

t.test('work whose workers vanished too often is told of; tried again, it is not any more', async (t) => {
  const { catalog, pipelines, crew, film: whole, becomes } = await staged(t);
  const video = await whole();
  await pipelines.start();
  await until(() => catalog.jobs.ofVideo(video), (jobs) => jobs.length > 0);
  for (let death = 0; death < 4; death += 1) {
    const lease = await catalog.jobs.lease(['encode'], 'a ghost', 1);
    t.ok(lease);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.equal(await catalog.jobs.lease(['encode'], 'a ghost', 1), null);
  t.match(await becomes(video, ({ errorCode }) => errorCode !== null), { state: 'playable', errorCode: 'encode-failed' });
  t.same((await catalog.jobs.ofVideo(video)).map(({ kind, state }) => [kind, state]), [['encode', 'dead'], ['join', 'cancelled']]);
  await catalog.jobs.retryVideo(video);
  pipelines.retried(video);
  t.match(await becomes(video, ({ errorCode }) => errorCode === null), { state: 'playable' });
  crew.start();
  await becomes(video, isReady);
});

t.test('a chunk that is not what was made is made anew', async (t) => {
  const { catalog, pipelines, crew, film: whole, becomes, home } = await staged(t);
  const video = await whole();
  await pipelines.start();
  await until(() => catalog.jobs.ofVideo(video), (jobs) => jobs.length > 0);
  // As if somebody had done it, and a power cut had taken what he made.
  const lease = await catalog.jobs.lease(['encode'], 'somebody', 60_000);
  t.ok(lease && (await catalog.jobs.complete(lease.token, { address: 'gone' })));
  const join = (await catalog.jobs.ofVideo(video)).find(({ kind }) => kind === 'join');
  await catalog.jobs.enqueue({ key: 'behind', class: 'nobody', kind: 'posters', payload: null, videoId: video, needs: join ? [join.key] : [] });
  crew.start();
  await becomes(video, isReady);
  t.equal((await catalog.videos.withTracks(video))?.tracks.length, 3);
  const jobs = await catalog.jobs.ofVideo(video);
  t.equal(jobs.find(({ key }) => key === 'behind')?.waits, 0);
  t.same(jobs.flatMap(({ kind, state, attempts }) => (kind === 'join' ? [[state, attempts]] : [])), [['done', 1]], 'what waits for the join waits for the same one, which has not failed');
  t.notOk((await readdir(home(video))).includes('work'));
});

t.test('what nobody needs any more is removed at the start: work of what is ready, tracks without a row; nothing else', async (t) => {
  const { catalog, pipelines, film: whole, home } = await staged(t);
  const [video, waiting, strange, late] = [await whole('source'), await whole(), newId(), newId()];
  await catalog.videos.become(video, ['playable'], { state: 'ready' });
  const names = ['work', 'vabcdefgh1234', 'pictures', 'v0', 'vtt-of-mine'];
  for (const name of names) {
    for (const one of [video, waiting]) await mkdir(join(home(one), name));
  }
  await mkdir(join(home(strange), 'vabcdefgh1234'), { recursive: true });
  await mkdir(join(home(late), 'work', 'x'), { recursive: true });
  await pipelines.start();
  await until(() => readdir(home(video)), (left) => !left.includes('work'));
  t.same((await readdir(home(video))).toSorted(), ['original', 'pictures', 'v0', 'vtt-of-mine']);
  await until(() => readdir(home(late)).catch(() => null), (left) => left === null);
  t.same(await readdir(home(strange)), ['vabcdefgh1234'], 'it may belong to a catalog that was lost');
  t.same((await readdir(home(waiting))).filter((name) => name !== 'original').toSorted(), names.toSorted(), 'what is not ready may need it');
});

t.test('a folder that cannot be read is no reason to leave the others as they are', async (t) => {
  let bad = '';
  const list = async (folder: string): Promise<string[]> => {
    if (folder.endsWith(bad)) throw new Error('nobody may read this');
    return nodeDisk.list(folder);
  };
  const { catalog, pipelines, film: whole, home } = await staged(t, undefined, { disk: { ...nodeDisk, list } });
  const videos = [await whole('source'), await whole('source'), await whole('source')].toSorted();
  for (const video of videos) {
    await catalog.videos.become(video, ['playable'], { state: 'ready' });
    await mkdir(join(home(video), 'work'));
  }
  bad = videos[1] ?? '';
  await pipelines.start();
  for (const video of videos) if (video !== bad) await until(() => readdir(home(video)), (left) => !left.includes('work'));
  t.ok((await readdir(home(bad))).includes('work'));
});

t.test('a removed video takes its jobs with it', async (t) => {
  const { catalog, pipelines, film: whole } = await staged(t);
  const video = await whole();
  await pipelines.start();
  await until(() => catalog.jobs.ofVideo(video), (jobs) => jobs.length > 0);
  await pipelines.dropped(video);
  t.same(await catalog.jobs.ofVideo(video), []);
});

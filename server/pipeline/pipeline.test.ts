/** What is interrupted between two steps goes on, and what nobody needs any more goes. */
import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
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
import { someAccount, someUpload, testCatalog } from '../catalog/testing.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { newId } from '../catalog/ids.ts';
import type { VideoRow } from '../catalog/videos.ts';
import { Arrivals } from '../intake/arrivals.ts';
import { nothingBehind, silent } from '../intake/testing.ts';
import { Crew } from '../jobs/crew.ts';
import { roomsOf } from '../jobs/room.ts';
import type { Running } from '../live/presentations.ts';
import { VideoPipelines } from './pipeline.ts';

const film = await filmOf(12);
const { size } = await stat(film);
const [lowest] = standardLadder.toReversed();
/** Tracks only. */
const pipeline = { name: 'tracks', tasks: usualPipeline().tasks.filter(({ kind }) => kind === 'encode' || kind === 'join') };

type Stage = {
  readonly catalog: Catalog;
  readonly home: (video: string) => string;
  /** Begins; before that, nothing is planned. */
  readonly pipelines: VideoPipelines;
  readonly crew: Crew;
  /** Whole, and `playable`, as a kill leaves it before anything is planned. */
  film(ladder?: string): Promise<string>;
  becomes(video: string, fits: (row: VideoRow) => boolean): Promise<VideoRow>;
};

const staged = async (t: Test, sandbox?: string): Promise<Stage> => {
  const { catalog, folder: data } = await testCatalog(t, { clock: systemClock });
  const ownerId = await someAccount(catalog);
  const [folder, jobs] = [join(data, 'videos'), join(data, 'jobs')];
  await Promise.all([mkdir(folder), mkdir(jobs)]);
  const opened = sandbox ?? (await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder: data, gentle: false })) ?? 'none';
  const budget = createCoreBudget(2);
  const crew = new Crew({ queue: catalog.jobs, clock: systemClock, log: silent, folder: jobs, budget, rooms: roomsOf(budget, { here: 2 }), idleMs: 50 });
  const shared = { catalog, clock: systemClock, log: silent, disk: nodeDisk, folder };
  const pipelines = new VideoPipelines({
    ...{ ...shared, crew, pipeline, sandbox: Promise.resolve(opened), lookEveryMs: 50, wanted: async () => 'all' as const },
    ladders: new Map([['standard', { rungs: lowest ? [lowest] : [], soundBitRate: null }]]),
    ...{ outdated: () => undefined, changed: () => undefined },
  });
  t.teardown(async () => {
    await crew.stop();
    await pipelines.stop();
  });
  const presentations = { add: () => undefined, ended: (run: Running) => void run.close(), drop: () => undefined };
  return {
    ...{ catalog, pipelines, crew, home: (video) => join(folder, video) },
    async film(ladder = 'standard') {
      const video = await someUpload(catalog, { ownerId, ladder, size });
      await mkdir(join(folder, video));
      await copyFile(film, join(folder, video, 'original'));
      const arrivals = new Arrivals({ ...shared, videos: catalog.videos, presentations, behind: { ...nothingBehind, makesTracks: (open) => pipelines.makesTracks(open) || true } });
      await catalog.uploads.whole(video);
      await arrivals.whole(video);
      await arrivals.close();
      await catalog.uploads.taken(video);
      return video;
    },
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
  await t.rejects(pipelines.again(video), 'whoever told of it tells it again');
  await copyFile(film, join(home(video), 'original'));
  pipelines.want(video);
  t.match(await becomes(video, ({ errorCode }) => errorCode === null), { state: 'playable' });
  t.ok((await catalog.jobs.ofVideo(video)).length > 0);
});

t.test('it is planned when that is said to be so, and not at all by a server that stops', async (t) => {
  const { catalog, pipelines, film: whole } = await staged(t);
  const [video, late] = [await whole(), await whole()];
  await pipelines.again(video);
  t.ok((await catalog.jobs.ofVideo(video)).length > 0);
  await pipelines.stop();
  await t.rejects(pipelines.again(late));
  pipelines.playable(late);
  await aWhile();
  t.same(await catalog.jobs.ofVideo(late), []);
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

t.test('where ffmpeg is missing, what plays is all that there will be', async (t) => {
  const { catalog, pipelines, film: whole, becomes } = await staged(t, 'ffmpeg is not in PATH');
  const video = await whole();
  await pipelines.start();
  await becomes(video, isReady);
  t.same(await catalog.jobs.ofVideo(video), []);
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

t.test('a removed video takes its jobs with it', async (t) => {
  const { catalog, pipelines, film: whole } = await staged(t);
  const video = await whole();
  await pipelines.start();
  await until(() => catalog.jobs.ofVideo(video), (jobs) => jobs.length > 0);
  await pipelines.dropped(video);
  t.same(await catalog.jobs.ofVideo(video), []);
});

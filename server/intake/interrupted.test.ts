/** Work that is broken off in the middle, by whatever: nothing half is seen, nothing goes on behind it, and it is done in the end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { encoded } from '../../test/support/encoded.ts';
import { noPrograms, programsIn } from '../../test/support/left-behind.ts';
import { systemClock } from '../../packager/clock.ts';
import { createCoreBudget } from '../../packager/encode/budget.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import { openCatalog } from '../catalog/catalog.ts';
import { someUpload, testFolder } from '../catalog/testing.ts';
import { aac, picture, tone } from './exactness.ts';
import { sweepJobs } from './sweep.ts';
import { leftOvers, silent, testIntake, type TestIntake } from './testing.ts';
import { openWorkshop } from './workshop.ts';

const programs = await findPrograms();
const mpeg4 = ['-c:v', 'mpeg4', '-q:v', '5', '-g', '25'];
const film = await encoded('mkv', [...picture(12), ...tone(12), ...mpeg4, ...aac]);

/** An ffmpeg that works no faster than the film plays, until `hurry`: there is time to come in between. */
const slowly = async (t: Test): Promise<{ readonly sandbox: Promise<Sandbox | string>; readonly path: string; hurry(): Promise<void> }> => {
  const folder = await testFolder(t);
  const [path, slow] = [join(folder, 'ffmpeg'), join(folder, 'slow')];
  await writeFile(slow, '');
  await writeFile(path, `#!/bin/sh\nif [ -e ${slow} ]; then exec ${programs.ffmpeg} -re "$@"; fi\nexec ${programs.ffmpeg} "$@"\n`);
  await chmod(path, 0o755);
  const { sandbox } = await openWorkshop({ folder: join(folder, 'jobs'), clock: systemClock, log: silent, strict: false, gentle: false, environment: { ...process.env, FFMPEG_PATH: path } });
  return { sandbox: Promise.resolve(sandbox), path, hurry: () => rm(slow) };
};

/** Resolves when the video is in the middle of this step. */
const inTheMiddle = async ({ intake }: TestIntake, video: string, step: string): Promise<void> => {
  for (;;) {
    const progress = intake.progress(video);
    if (progress?.step === step && (progress.done ?? 0) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

t.test('whoever waits is told what is done, and how far it is', async (t) => {
  const { sandbox, hurry } = await slowly(t);
  const shop = await testIntake(t, { sandbox });
  const video = await shop.upload(await encoded('mkv', [...picture(4), ...mpeg4]));
  await shop.intake.whole(video);
  t.equal((await shop.settled(video)).state, 'ready');
  await hurry();
  const told = shop.told.get(video) ?? [];
  const done = told.filter(({ step }) => step === 'lowest').map((progress) => progress.done ?? 0);
  t.ok(done.length > 3 && done.every((share, index) => share >= (done[index - 1] ?? 0) && share <= 1), done.join(' '));
  t.equal(shop.intake.progress(video), null);
});

t.test('a video that is removed ends its work at once', async (t) => {
  const shop = await testIntake(t, { sandbox: (await slowly(t)).sandbox });
  const video = await shop.upload(film);
  await shop.intake.whole(video);
  await inTheMiddle(shop, video, 'lowest');
  t.ok((await programsIn(shop.jobs)).length > 0);
  await shop.catalog.videos.remove(video);
  shop.intake.dropped(video);
  t.ok(await noPrograms(shop.jobs));
  t.same(await leftOvers(shop), []);
  t.equal(shop.intake.progress(video), null);
  t.equal(await shop.catalog.jobs.byKey(`lowest:${video}`), null);
});

t.test('a server that stops gives its work back, and the next one does it', async (t) => {
  const { sandbox, hurry } = await slowly(t);
  const shop = await testIntake(t, { sandbox });
  const video = await shop.upload(film);
  await shop.intake.whole(video);
  await inTheMiddle(shop, video, 'lowest');
  await shop.intake.stop();
  t.ok(await noPrograms(shop.jobs));
  t.same(await readdir(shop.jobs), []);
  t.same(await readdir(join(shop.data, 'videos', video)), ['original']);
  t.match(await shop.catalog.jobs.byKey(`lowest:${video}`), { state: 'queued', attempts: 0 });
  await hurry();
  const next = shop.again();
  next.start();
  t.equal((await shop.settled(video)).state, 'ready');
});

t.test('killed in the middle, it leaves no program and nothing that could be seen, and is done anew', async (t) => {
  const data = await testFolder(t);
  const { path } = await slowly(t);
  const open = () => openCatalog({ folder: data, clock: systemClock, log: silent });
  const first = await open();
  const video = await someUpload(first);
  await first.close();
  await mkdir(join(data, 'videos', video), { recursive: true });
  await copyFile(film, join(data, 'videos', video, 'original'));
  const child = spawn(process.execPath, [fileURLToPath(new URL('kill-child.ts', import.meta.url)), data, video], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, FFMPEG_PATH: path } });
  for await (const line of createInterface(child.stdout)) {
    if (/^lowest 0\.\d/.test(line)) break;
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.ok(await noPrograms(data));
  t.same(await readdir(join(data, 'videos', video)), ['original'], 'no half track');

  // Each attempt has a folder of its own: that of a dead one is cleared away by the next server's start.
  await sweepJobs(join(data, 'jobs'), silent);
  const shop = await testIntake(t, { data, leaseMs: 1_500, idleMs: 200 });
  t.match(await shop.catalog.videos.withTracks(video), { video: { state: 'processing' }, tracks: [] });
  t.equal((await shop.settled(video)).state, 'ready');
  t.same(await leftOvers(shop), []);
  t.match(await shop.catalog.jobs.byKey(`lowest:${video}`), { state: 'done', attempts: 2 });
  t.equal((await readdir(join(data, 'videos', video))).length, 3, 'the original, a picture, a sound');
});

t.test('live comes first: work gives its cores back and goes on later', async (t) => {
  const budget = createCoreBudget(2.25);
  const { sandbox, hurry } = await slowly(t);
  const shop = await testIntake(t, { budget, sandbox });
  const video = await shop.upload(film);
  await shop.intake.whole(video);
  await inTheMiddle(shop, video, 'lowest');
  const live = budget.take({ rank: 'live', cores: 2, name: 'a ladder', yield: () => undefined });
  t.ok(await noPrograms(shop.jobs));
  await hurry();
  live?.release();
  t.equal((await shop.settled(video)).state, 'ready');
});

import { existsSync, rmSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encoded } from '../../test/support/encoded.ts';
import { until } from '../../test/support/playlists.ts';
import { systemClock, type Clock } from '../../packager/clock.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { Sandbox } from '../../packager/encode/sandbox.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { testFolder } from '../catalog/testing.ts';
import { aac, picture, tone, x264, x265 } from './exactness.ts';
import { leftOvers, silent, testIntake } from './testing.ts';
import { openWorkshop } from './workshop.ts';

const mpeg4 = ['-c:v', 'mpeg4', '-q:v', '5', '-g', '25'];
const short = await encoded('mkv', [...picture(1), ...tone(1), ...x264, ...aac]);

t.test('what can be shown as it is needs no work', async (t) => {
  const asked: string[] = [];
  const shop = await testIntake(t, { arrivals: { arrived: () => undefined, dropped: () => undefined, whole: async (video) => (asked.push(video), 'taken') } });
  const video = await shop.upload(short);
  await shop.intake.whole(video);
  t.same(asked, [video]);
  t.equal(await shop.catalog.jobs.byKey(`inspect:${video}`), null);
  t.equal(shop.intake.progress(video), null);
});

t.test('told twice that it is whole, and while work goes on, it is worked on once', async (t) => {
  const shop = await testIntake(t);
  const video = await shop.upload(short);
  await Promise.all([shop.intake.whole(video), shop.intake.whole(video)]);
  await shop.intake.whole(video);
  t.equal((await shop.settled(video)).state, 'ready');
  const before = await shop.catalog.videos.withTracks(video);
  await shop.intake.whole(video);
  t.same(await shop.catalog.videos.withTracks(video), before);
  t.match(await shop.catalog.jobs.byKey(`inspect:${video}`), { attempts: 1, state: 'done' });
});

t.test('a track that was moved and never named is cleared away when the work is done anew', async (t) => {
  const shop = await testIntake(t);
  const video = await shop.upload(short);
  const home = join(shop.data, 'videos', video);
  await mkdir(join(home, 'vmwqj7g9d'));
  await writeFile(join(home, 'vmwqj7g9d', '00000.cmaf'), 'of an earlier attempt');
  await mkdir(join(home, 'tmwqj7g9d'));
  await shop.intake.whole(video);
  await shop.settled(video);
  const { tracks = [] } = (await shop.catalog.videos.withTracks(video)) ?? {};
  t.same((await readdir(home)).sort(), [...tracks.map(({ id }) => id), 'original', 'tmwqj7g9d'].sort());
});

t.test('a machine that hardly lets a program work makes no film fail: it is looked at again', async (t) => {
  const folder = await testFolder(t);
  const { ffmpeg, ffprobe } = await findPrograms();
  const busy = join(folder, 'busy');
  await writeFile(busy, '');
  for (const [name, script] of [['ffmpeg', `exec ${ffmpeg} "$@"`], ['ffprobe', `if [ -e ${busy} ]; then exec sleep 1000; fi\nexec ${ffprobe} "$@"`]] as const) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  // The first minute is over at once, and with it what keeps the machine busy.
  const clock: Clock = {
    ...systemClock,
    after: (ms, run) => {
      if (ms !== 60_000 || !existsSync(busy)) return systemClock.after(ms, run);
      return systemClock.after(100, () => {
        rmSync(busy);
        run();
      });
    },
  };
  const programs = { ...(await findPrograms()), ffmpeg: join(folder, 'ffmpeg'), ffprobe: join(folder, 'ffprobe') };
  const sandbox = (await Sandbox.open({ programs, clock, folder, gentle: false })) ?? 'none';
  const shop = await testIntake(t, { sandbox: Promise.resolve(sandbox) });
  const video = await shop.upload(short);
  await shop.intake.whole(video);
  t.match(await shop.settled(video), { state: 'ready', errorCode: null });
  const { state, attempts = 0 } = (await shop.catalog.jobs.byKey(`inspect:${video}`)) ?? {};
  t.equal(state, 'done');
  t.ok(attempts > 1);
});

t.test('where ffmpeg is missing, what has to be converted says so', async (t) => {
  const folder = await testFolder(t);
  const { sandbox, facts } = await openWorkshop({ folder: join(folder, 'jobs'), clock: systemClock, log: silent, strict: false, environment: { PATH: folder } });
  t.same(facts, { ffmpeg: null, sandbox: null, refused: 'ffmpeg is not in PATH' });
  const shop = await testIntake(t, { sandbox: Promise.resolve(sandbox) });
  const { video } = await shop.taken(short);
  t.match(video, { state: 'failed', errorCode: 'encode-failed', errorMessage: 'This server cannot convert videos: ffmpeg is not in PATH.' });
  t.match(await shop.taken(Buffer.from('#EXTM3U')), { video: { errorCode: 'not-a-video' } });
});

t.test('strict: nothing is converted but behind all of the walls', async (t) => {
  const folder = join(await testFolder(t), 'jobs');
  const open = (strict: boolean, only: readonly ('bwrap' | 'unshare' | 'limits' | 'bare')[]) => openWorkshop({ folder, clock: systemClock, log: silent, strict, only });
  const strict = await open(true, ['limits', 'bare']);
  t.type(strict.sandbox, 'string');
  t.match(strict.facts.refused, /strict/);
  t.type((await open(false, ['limits', 'bare'])).sandbox, 'object');
  const full = await open(true, ['bwrap', 'unshare']);
  t.ok(typeof full.sandbox === 'object' ? full.facts.sandbox === 'full' : full.facts.refused, 'where this machine allows it');
});

t.test('what fails for good is told with a code and a sentence, and is not tried again', async (t) => {
  const shop = await testIntake(t);
  const broken = (await readFile(short)).subarray(0, 600);
  const { video } = await shop.taken(broken);
  t.equal(video.state, 'failed');
  t.same(await leftOvers(shop), []);
  t.match(await shop.catalog.jobs.byKey(`inspect:${video.id}`), { state: 'dead', attempts: 1 });
  t.equal(shop.intake.progress(video.id), null);
});

/** ffmpeg with a few lines of a shell ahead of it. */
const altered = async (t: Test, script: string): Promise<Sandbox | string> => {
  const folder = await testFolder(t);
  const fake = join(folder, 'ffmpeg');
  await writeFile(fake, `#!/bin/sh\n${script}\nexec ffmpeg "$@"\n`);
  await chmod(fake, 0o755);
  const { sandbox } = await openWorkshop({ folder: join(folder, 'jobs'), clock: systemClock, log: silent, strict: false, gentle: false, environment: { ...process.env, FFMPEG_PATH: fake } });
  return sandbox;
};

t.test('without the better picture, a video plays on with the lowest, and says why', async (t) => {
  const shop = await testIntake(t, { sandbox: altered(t, 'case "$*" in *scale=640:400*) echo no >&2; exit 1;; esac') });
  const { video, tracks } = await shop.taken(await encoded('mkv', [...picture(2, '640x400'), ...mpeg4]));
  t.match(video, { state: 'playable', errorCode: 'encode-failed' });
  t.match(tracks, [{ kind: 'video', codec: 'h264' }]);
});

t.test('a rung that comes out with other key frames than the picture that it stands beside stands alone', async (t) => {
  const shop = await testIntake(t, { sandbox: altered(t, 'for word; do shift; [ "$word" = source ] && word="expr:gte(t,n_forced*0.7)"; set -- "$@" "$word"; done') });
  const { video, tracks } = await shop.taken(await encoded('mp4', [...picture(4, '480x384'), ...tone(4), ...x265, ...aac]));
  t.match(video, { state: 'ready', errorCode: null });
  t.same(tracks.map(({ codec, original }) => [codec, original]), [['h264', null], ['h264', null], ['aac', null]]);
});

t.test('no room on the disk: it is tried again for a while, and then told', async (t) => {
  const shop = await testIntake(t, { disk: { space: async () => ({ free: 1_000_000, total: 1_000_000_000 }) }, idleMs: 10 });
  const video = await shop.upload(short);
  await shop.intake.whole(video);
  for (;;) {
    const job = await shop.catalog.jobs.byKey(`remux:${video}`);
    if (job?.state === 'queued' && job.reason !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.match(await shop.catalog.jobs.byKey(`remux:${video}`), { attempts: 1, reason: /^no-room: / });
  t.equal((await shop.catalog.videos.get(video))?.state, 'processing');
});

t.test('work whose workers vanished too often is no reason to wait for ever, however many wait besides', async (t) => {
  // Two of a page, and twenty of a turn.
  const shop = await testIntake(t, { tidyMs: 50, idleMs: 10, pageSize: 2 });
  const { jobs, videos } = shop.catalog;
  /** Whose only job has died without a word. */
  const lost = async (key: 'inspect' | 'mezzanine', state: 'processing' | 'playable'): Promise<string> => {
    const video = await shop.upload(short);
    await videos.become(video, ['uploading'], { state });
    // Nobody here takes jobs of such a class.
    await jobs.enqueue({ key: `${key}:${video}`, class: 'nobody', kind: key, payload: { video }, maxAttempts: 1, runAt: 0 });
    await jobs.lease(['nobody'], 'a ghost', 1);
    return video;
  };
  const [first, second] = [await lost('inspect', 'processing'), await lost('mezzanine', 'playable')];
  // They wait behind newer ones of which nothing is known yet.
  for (let newer = 0; newer < 44; newer += 1) {
    const state = newer % 2 === 0 ? 'processing' : 'playable';
    await videos.become(await shop.upload(Buffer.from('x')), ['uploading'], { state });
  }
  t.match(await shop.settled(first), { state: 'failed', errorCode: 'encode-failed' });
  t.match(await shop.settled(second), { state: 'playable', errorCode: 'encode-failed' });
  const { updatedAt } = (await videos.get(second)) ?? {};
  // When a newer one has been found, those that were there before have been looked at again.
  await shop.settled(await lost('inspect', 'processing'));
  t.equal((await videos.get(second))?.updatedAt, updatedAt, 'it is said once');
});

t.test('work that somebody cancelled is no reason to wait for ever, and is told at once', async (t) => {
  const shop = await testIntake(t, { tidyMs: 50, idleMs: 10 });
  const { jobs, videos } = shop.catalog;
  const cancelled = async (kind: 'inspect' | 'mezzanine', state: 'processing' | 'playable'): Promise<string> => {
    const video = await shop.upload(short);
    await videos.become(video, ['uploading'], { state });
    const { job } = await jobs.enqueue({ key: `${kind}:${video}`, class: 'nobody', kind, payload: { video } });
    await jobs.cancel(job.id);
    return video;
  };
  t.match(await shop.settled(await cancelled('inspect', 'processing')), { state: 'failed', errorCode: 'encode-failed', errorMessage: /cancelled/ });
  t.match(await shop.settled(await cancelled('mezzanine', 'playable')), { state: 'playable', errorCode: 'encode-failed' });
  await shop.intake.stop();
  const video = await cancelled('inspect', 'processing');
  await shop.intake.cancelled(video);
  t.match(await videos.get(video), { state: 'failed' });
  t.equal(shop.intake.progress(video), null);
});

t.test('what is cancelled while its tracks are put in their place plays, and nothing more is made of it', async (t) => {
  let cancel = async (): Promise<unknown> => undefined;
  const shop = await testIntake(t, {
    disk: {
      async rename(from, to) {
        await nodeDisk.rename(from, to);
        if (to.includes('/videos/')) await cancel();
      },
    },
  });
  const { jobs, videos } = shop.catalog;
  const video = await shop.upload(await encoded('mkv', [...picture(2, '640x400'), ...mpeg4]));
  cancel = () => jobs.cancelVideo(video);
  await shop.intake.whole(video);
  await until(() => videos.get(video), (row) => row?.state === 'playable');
  // Whatever it was about to do is done.
  await shop.intake.stop();
  t.same((await jobs.ofVideo(video)).map(({ task, state }) => [task, state]), [['inspect', 'done'], ['lowest', 'cancelled']]);
});

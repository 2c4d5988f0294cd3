import t from 'tap';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import { usualPipeline } from '../../packager/pipeline/testing.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import { createLog } from '../log.ts';
import { until } from '../../test/support/playlists.ts';
import { VideoPipelines } from './pipeline.ts';

t.test('rungs that came off the list go when nobody can be reading them any more, and nothing else does', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const id = await someUpload(catalog);
  const track = { kind: 'video', codec: 'h264', timescale: 90_000, bandwidth: 1, averageBandwidth: 1, partTarget: null, group: 'video', language: null, name: null } as const;
  await catalog.videos.become(id, ['uploading'], { state: 'ready', tracks: [{ ...track, id: 'v0', original: 1 }, { ...track, id: 'vaaaaaaaaaa24', original: null }] });
  const folder = t.testdir({});
  for (const name of ['original', 'pictures', 'vaaaaaaaaaa24', 'vaaaaaaaaaa72']) mkdirSync(join(folder, id, name), { recursive: true });
  const outdated: string[] = [];
  const pipelines = new VideoPipelines({
    ...{ catalog, clock, folder, disk: nodeDisk, pipeline: usualPipeline(), ladders: new Map(), log: createLog('fatal', { write: () => undefined }) },
    sandbox: Promise.resolve({ programs: { ffmpeg: '', ffprobe: '', version: '', encoders: new Set(), filters: new Set() } } as Partial<Sandbox> as Sandbox),
    outdated: (video) => outdated.push(video),
    changed: () => undefined,
    fullFrom: 1,
    crew: { take: () => undefined, wake: () => undefined, drop: async () => undefined },
    wanted: async () => 'lowest',
  });
  pipelines.shorter(id);
  t.same(outdated, [id], 'who comes now sees the others');
  clock.advance(6 * 3_600_000);
  t.equal(readdirSync(join(folder, id)).length, 4, 'who came before reads on');
  clock.advance(120_000);
  await pipelines.stop();
  t.same(readdirSync(join(folder, id)), ['original', 'pictures', 'vaaaaaaaaaa24']);
});

t.test('what was made of work that was cancelled goes a day later, and what may be gone on with stays', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const folder = t.testdir({});
  const row = { kind: 'encode', class: 'encode', payload: null, maxAttempts: 1 };
  const film = async (...ends: readonly ('done' | 'dead' | 'cancelled')[]): Promise<string> => {
    const videoId = await someUpload(catalog);
    await catalog.videos.become(videoId, ['uploading'], { state: 'playable' });
    // The second one is of intake: whole, and waiting for others.
    for (const name of ['work/x', 'vaaaaaaaaaa24']) mkdirSync(join(folder, videoId, name), { recursive: true });
    for (const [at, end] of ends.entries()) {
      const { job } = await catalog.jobs.enqueue({ ...row, key: `${videoId}/${at}`, videoId });
      const lease = end === 'cancelled' ? null : await catalog.jobs.lease(['encode'], 'somebody', 60_000);
      if (!lease) await catalog.jobs.cancel(job.id);
      else if (end === 'done') await catalog.jobs.complete(lease.token);
      else await catalog.jobs.fail(lease.token, { reason: 'no', recoverable: false });
    }
    return videoId;
  };
  const [old, failed] = [await film('done', 'cancelled'), await film('done', 'dead', 'cancelled')];
  clock.advance(24 * 3_600_000 + 1);
  const fresh = await film('done', 'cancelled');
  const looked = new Set<string>();
  const list = (path: string): Promise<string[]> => {
    if (path !== folder) looked.add(path);
    return nodeDisk.list(path);
  };
  const pipelines = new VideoPipelines({
    ...{ catalog, clock, folder, disk: { ...nodeDisk, list }, fullFrom: 1, pipeline: usualPipeline(), ladders: new Map(), log: createLog('fatal', { write: () => undefined }) },
    ...{ sandbox: Promise.resolve('none'), outdated: () => undefined, changed: () => undefined, wanted: async () => 'lowest' as const },
    crew: { take: () => undefined, wake: () => undefined, drop: async () => undefined },
  });
  await pipelines.start();
  await until(async () => looked.size, (size) => size === 3);
  // What it has begun to look at it is done with.
  await pipelines.stop();
  const names = (video: string): string[] => readdirSync(join(folder, video));
  t.same(names(old), ['vaaaaaaaaaa24']);
  t.same([names(failed), names(fresh)], [['vaaaaaaaaaa24', 'work'], ['vaaaaaaaaaa24', 'work']]);
});

import t from 'tap';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import { usualPipeline } from '../../packager/pipeline/testing.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { someUpload, testCatalog } from '../catalog/testing.ts';
import { createLog } from '../log.ts';
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

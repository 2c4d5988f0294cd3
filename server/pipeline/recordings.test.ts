/** What is made of a show that has ended: what its channel wanted and live could not carry. */
import t, { type Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { initSegment } from '../../packager/cmaf/init.ts';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import { standardLadder, usualPipeline } from '../../packager/pipeline/testing.ts';
import type { EncodeWork, JoinWork, PicturesWork } from '../../packager/pipeline/work.ts';
import { videoConfig } from '../../packager/live/pretend-sender.ts';
import { MemoryDisk } from '../../packager/log/memory-disk.ts';
import { createTrackLog } from '../../packager/log/open.ts';
import { channelOf, liveOn, someAccount, testCatalog } from '../catalog/testing.ts';
import type { TrackRow } from '../catalog/videos.ts';
import { createLog } from '../log.ts';
import { VideoPipelines } from './pipeline.ts';

const folder = '/videos';
const segments = 40;

/** `holes`: segments of it that have no media. */
type Picture = { readonly id: string; readonly height: number; readonly holes?: number };

const write = async (disk: MemoryDisk, video: string, { id, height, holes = 0 }: Picture): Promise<void> => {
  const log = await createTrackLog({ disk, clock: new FakeClock(), folder: `${folder}/${video}/${id}` });
  const init = initSegment({ kind: 'video', codec: 'h264', config: videoConfig.config, timescale: 90_000, width: 2 * Math.round((height * 8) / 9), height });
  await log.beginEpoch({ epoch: 0, timescale: 90_000, wallClock: 0, start: 0, reorderDelay: 0, codecString: 'avc1.64001F', run: 'run12345', init });
  for (let at = 0; at < segments; at += 1) {
    const gap = at < holes;
    const about = { dts: at * 180_000, firstPts: at * 180_000, duration: 180_000, key: !gap, segmentStart: true, gap };
    await log.append(about, gap ? [] : [Buffer.from([0, 0, 0, 8]), Buffer.from('moof')]);
  }
  await log.close();
};

const row = ({ id, height }: Picture): TrackRow => ({
  ...{ id, kind: 'video', codec: 'h264', timescale: 90_000, bandwidth: height * 1_000, averageBandwidth: height * 1_000 },
  ...{ partTarget: null, group: 'video', language: null, name: null, original: null },
});

const made = async (t: Test, ladder: string, pictures: readonly Picture[]) => {
  const { catalog, clock } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(ownerId, { ladder }));
  const { id } = await catalog.videos.createLive(liveOn(channel.id, ownerId, { ladder, tracks: pictures.map(row) }));
  const disk = new MemoryDisk();
  for (const picture of pictures) await write(disk, id, picture);
  await catalog.videos.endLive(id, { endedAt: 80_000, durationMs: segments * 2_000, bytes: 5, state: 'ready' });
  const planned = Promise.withResolvers<void>();
  const pipelines = new VideoPipelines({
    ...{ catalog, clock, disk, folder, pipeline: usualPipeline(), log: createLog('fatal', { write: () => undefined }) },
    ladders: new Map([['standard', { rungs: standardLadder, soundBitRate: null }]]),
    sandbox: Promise.resolve({ programs: { ffmpeg: '', ffprobe: '', version: '', encoders: new Set(), filters: new Set() } } as Partial<Sandbox> as Sandbox),
    fullFrom: 1,
    outdated: () => undefined,
    changed: () => planned.resolve(),
    crew: { take: () => undefined, wake: () => undefined, drop: async () => undefined },
    wanted: async () => 'all',
  });
  await pipelines.start();
  t.teardown(() => pipelines.stop());
  pipelines.playable(id);
  await planned.promise;
  const jobs = await catalog.jobs.ofVideo(id);
  const joins = jobs.filter(({ kind }) => kind === 'join').map(({ payload }) => payload as JoinWork);
  return { jobs, state: (await catalog.videos.get(id))?.state, joins: joins.map(({ rung, replaces }) => [rung.name, ...replaces]) };
};

t.test('all that its ladder wanted, where live made nothing of it', async (t) => {
  const { jobs, joins, state } = await made(t, 'standard', [{ id: 'v0', height: 720 }]);
  t.same(joins, [['240p'], ['360p'], ['480p']]);
  t.equal(state, 'ready', 'it is all there for whoever watches now');
  const chunks = jobs.filter(({ task }) => task === 'lowest').map(({ payload }) => payload as EncodeWork);
  t.same(chunks.map(({ source }) => source), chunks.map(() => ({ kind: 'log', folder: 'v0' })));
  t.same([chunks[0]?.from, chunks.at(-1)?.to], [0, segments]);
  t.same((await made(t, 'auto', [{ id: 'v0', height: 720 }])).joins, joins, 'what is chosen by the machine while live has time afterwards');
});

t.test('what is missing, and what is full of holes', async (t) => {
  const { joins } = await made(t, 'standard', [{ id: 'v0', height: 720 }, { id: 'v1', height: 480, holes: 5 }, { id: 'v2', height: 360, holes: 4 }]);
  t.same(joins, [['240p'], ['480p', 'v1']]);
  const gone = await made(t, 'standard', [{ id: 'v0', height: 720, holes: 10 }, { id: 'v1', height: 480, holes: 12 }, { id: 'v2', height: 360, holes: 10 }, { id: 'v3', height: 240, holes: 10 }]);
  t.same(gone.joins, [], 'holes of what was sent are nobody’s fault');
});

t.test('nothing but pictures, where that is all that was wanted or all is there', async (t) => {
  const whole = [480, 360, 240].map((height, index) => ({ id: `v${index + 1}`, height }));
  for (const [ladder, rungs] of [['source', []], ['gone', []], ['standard', whole]] as const) {
    const { jobs, joins } = await made(t, ladder, [{ id: 'v0', height: 720 }, ...rungs]);
    t.same([joins, jobs.filter(({ kind }) => kind === 'encode')], [[], []], ladder);
    const [board] = jobs.filter(({ kind }) => kind === 'storyboard').map(({ payload }) => payload as PicturesWork);
    t.same(board?.source, { kind: 'log', folder: rungs.length > 0 ? 'v3' : 'v0' });
    t.same(jobs.filter(({ kind }) => kind === 'texts'), [], 'no file came with it');
  }
});

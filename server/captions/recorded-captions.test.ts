/** Where captions come to stand, and what a hostile file of them costs: its sender's time, and nobody else's. */
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { PretendStream } from '../../packager/hls/pretend-stream.ts';
import { MemoryDisk } from '../../packager/log/memory-disk.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import { parseWebVtt } from '../../packager/text/webvtt.ts';
import type { VideoSource } from '../catalog/schema.ts';
import type { VideoRow, VideoStore } from '../catalog/videos.ts';
import { RecordedCaptions } from './recorded-captions.ts';

const folder = '/data/videos';
const video = 'abcdefgh12345678';
const videosOf = (source: VideoSource): VideoStore => ({ get: async () => ({ source }) as VideoRow, withTracks: async () => null, setCaptions: async () => true }) as Partial<VideoStore> as VideoStore;

t.test('tens of thousands of cues that all stand for ever: the thread is for everybody after each segment', async (t) => {
  const segments = 1_000;
  const stream = new PretendStream({ video }).segments(segments, 1);
  stream.end();
  const disk = new MemoryDisk();
  await disk.mkdir(`${folder}/${video}`);
  const captions = new RecordedCaptions({
    ...{ folder, disk, clock: new FakeClock(), log: { warn: t.fail } as never },
    videos: videosOf('live'),
    snapshotOf: async () => stream.snapshot(),
    changed: () => undefined,
    mayWrite: () => true,
  });
  const vtt = parseWebVtt(`WEBVTT\n\n${'00:00.000 --> 10:00:00.000\nx\n\n'.repeat(49_999)}`);
  let turns = 0;
  let watching = true;
  const count = (): void => {
    turns += 1;
    if (watching) setImmediate(count);
  };
  count();
  const before = process.cpuUsage();
  t.equal(await captions.put(video, 'ko', null, vtt), 'put');
  watching = false;
  const { user, system } = process.cpuUsage(before);
  t.ok(turns > segments, `${turns} turns`);
  // Looking at every cue for every segment took ten.
  t.ok(user + system < 4_000_000, `${(user + system) / 1e6} s for ${segments} segments`);
});

t.test('a recording counts from its first picture, a file that was sent from its own beginning, which may come before', async (t) => {
  const stream = new PretendStream({ video }).segments(4);
  stream.end();
  const snapshot = stream.snapshot();
  // Segments of 2 s; the first that there is begins at 2 s.
  const late = { ...snapshot, tracks: snapshot.tracks.map((track) => ({ ...track, firstSegment: 1 })) };
  const segmentOf = async (source: VideoSource): Promise<number> => {
    const disk = new MemoryDisk();
    await disk.mkdir(`${folder}/${video}`);
    const options = { folder, disk, clock: new FakeClock(), log: { warn: t.fail } as never, changed: () => undefined, mayWrite: () => true };
    const captions = new RecordedCaptions({ ...options, videos: videosOf(source), snapshotOf: async () => late });
    t.equal(await captions.put(video, 'ko', null, parseWebVtt('WEBVTT\n\n00:02.500 --> 00:03.000\nhere')), 'put');
    const [name] = await disk.list(`${folder}/${video}`);
    const reader = await openTrackLogReader({ disk, folder: `${folder}/${video}/${name}` });
    const { first, end } = reader.snapshot();
    const texts = await reader.read(first, end);
    await reader.close();
    return texts.findIndex((bytes) => bytes.includes('here'));
  };
  t.equal(await segmentOf('live'), 1, 'at 4.5 s');
  for (const source of ['upload', 'import'] as const) t.equal(await segmentOf(source), 0, `${source}: at 2.5 s`);
});

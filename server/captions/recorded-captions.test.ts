/** What a hostile file of captions costs: its sender's time, and nobody else's. */
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { PretendStream } from '../../packager/hls/pretend-stream.ts';
import { MemoryDisk } from '../../packager/log/memory-disk.ts';
import { parseWebVtt } from '../../packager/text/webvtt.ts';
import type { VideoStore } from '../catalog/videos.ts';
import { RecordedCaptions } from './recorded-captions.ts';

const folder = '/data/videos';
const video = 'abcdefgh12345678';

t.test('tens of thousands of cues that all stand for ever: the thread is for everybody after each segment', async (t) => {
  const segments = 1_000;
  const stream = new PretendStream({ video }).segments(segments, 1);
  stream.end();
  const disk = new MemoryDisk();
  await disk.mkdir(`${folder}/${video}`);
  const captions = new RecordedCaptions({
    ...{ folder, disk, clock: new FakeClock(), log: { warn: t.fail } as never },
    videos: { withTracks: async () => null, setCaptions: async () => true } as Partial<VideoStore> as VideoStore,
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

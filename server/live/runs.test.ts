import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { emsgBox, emsgScheme } from '../../packager/cmaf/emsg.ts';
import { initSegment } from '../../packager/cmaf/init.ts';
import { PretendStream } from '../../packager/hls/pretend-stream.ts';
import { videoConfig } from '../../packager/live/pretend-sender.ts';
import { MemoryDisk } from '../../packager/log/memory-disk.ts';
import { createTrackLog } from '../../packager/log/open.ts';
import { textTag } from '../../packager/media/id3.ts';
import type { VideoStore, VideoWithTracks } from '../catalog/videos.ts';
import { createLog } from '../log.ts';
import { RunStore } from './runs.ts';

const id = 'k3v9x0a2b7';

t.test('a recording that cannot be opened leaves no file open', async (t) => {
  const memory = new MemoryDisk();
  const clock = new FakeClock();
  const init = initSegment({ kind: 'video', codec: 'h264', config: videoConfig.config, timescale: 90_000, width: 320, height: 180 });
  for (const [track, kept] of [['v0', init], ['a0', Buffer.from('no init')]] as const) {
    const log = await createTrackLog({ disk: memory, clock, folder: `/videos/${id}/${track}` });
    await log.beginEpoch({ epoch: 0, timescale: 90_000, wallClock: 0, start: 0, reorderDelay: 0, codecString: 'x', run: id, init: kept });
    const event = emsgBox({ scheme: emsgScheme.id3, timescale: 1000, time: 5, duration: null, id: 7, data: textTag('a', 'b') });
    await log.append({ dts: 0, firstPts: 0, duration: 90_000, key: true, segmentStart: true, gap: false, events: true }, [event, Buffer.from([0, 0, 0, 8]), Buffer.from('moof')]);
    await log.close();
  }
  let open = 0;
  let opened = 0;
  const opening = memory.open.bind(memory);
  memory.open = async (path, mode) => {
    const file = await opening(path, mode);
    open += 1;
    opened += 1;
    return { ...file, close: async () => void (open -= 1) };
  };
  const { policy } = new PretendStream().snapshot();
  const track = { timescale: 90_000, bandwidth: 1, averageBandwidth: 1, partTarget: null, group: 'g', language: null, name: null, original: null };
  const found = {
    video: { id, state: 'ready', run: id, startedAt: 0, policy: { ...policy, rhythm: { frameRate: 30 } }, cutInMs: null, cutOutMs: null },
    tracks: [{ ...track, id: 'v0', kind: 'video', codec: 'h264' }, { ...track, id: 'a0', kind: 'audio', codec: 'aac' }],
  };
  const videos = { withTracks: async () => found as unknown as VideoWithTracks } as Partial<VideoStore> as VideoStore;
  const log = createLog('error', { write: () => undefined });
  const store = new RunStore({ folder: '/videos', disk: memory, clock, log, videos, syncEveryMs: 0, stallMs: 100, keepMs: 0 });
  await t.rejects(store.open(id), { name: 'CmafError' });
  await new Promise((resolve) => setImmediate(resolve));
  t.ok(opened > 2, 'the events of the picture were read');
  t.equal(open, 0);
});

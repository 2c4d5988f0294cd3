/** What is done to pictures before they become rungs, by what the source says of them and by what this ffmpeg can do. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import type { PictureTreatment } from '../../packager/pipeline/work.ts';
import { encoded } from '../../test/support/encoded.ts';
import { recording } from '../../test/support/whole-rungs.ts';
import type { TrackRow, VideoRow } from '../catalog/videos.ts';
import { factsOfVideo } from './facts.ts';

const every = new Set(['bwdif', 'zscale', 'tonemap']);
const row: TrackRow = { id: 'v0', kind: 'video', codec: 'h264', timescale: 90_000, bandwidth: 1, averageBandwidth: 1, partTarget: null, group: 'video', language: null, name: null, original: null };
const video: Partial<VideoRow> = { id: 'v', source: 'live', ladder: 'standard', policy: null, run: null, originalBytes: 0, durationMs: 2_000, rungsTurn: 0 };

const treated = async (t: Test, more: readonly string[], filters: ReadonlySet<string>): Promise<PictureTreatment | undefined> => {
  const folder = t.testdir({});
  const clip = await encoded('mp4', ['-f', 'lavfi', '-i', 'testsrc2=size=192x144:rate=50:duration=2', ...more, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-video_track_timescale', '90000']);
  await recording({ folder }, 'v0', { epochs: [clip] });
  const log = await openTrackLogReader({ disk: nodeDisk, folder: join(folder, 'v0') });
  try {
    return factsOfVideo({ found: { video: video as VideoRow, tracks: [row], channelName: null }, readers: new Map([['v0', log]]) }, [], filters).picture?.treatment;
  } finally {
    await log.close();
  }
};

t.test('two fields in a picture become one where ffmpeg can do so, and whole pictures stay', async (t) => {
  const fields = ['-vf', 'interlace', '-flags', '+ildct+ilme'];
  t.same(await treated(t, fields, every), { deinterlace: true, toneMap: null });
  t.same(await treated(t, fields, new Set()), { deinterlace: false, toneMap: null });
  t.same(await treated(t, [], every), { deinterlace: false, toneMap: null });
});

t.test('bright pictures become darker where ffmpeg can do so, and are not refused where it cannot', async (t) => {
  const bright = ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc'];
  t.same(await treated(t, bright, every), { deinterlace: false, toneMap: 'smpte2084' });
  t.same(await treated(t, bright, new Set(['zscale'])), { deinterlace: false, toneMap: null });
});

/** What a plan is told of pictures: the shape that they are shown in, and what is done to them before they become rungs, by what the source says and by what this ffmpeg can do. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { initSegment, type VideoInit } from '../../packager/cmaf/init.ts';
import { videoConfig } from '../../packager/live/pretend-sender.ts';
import { MemoryLog } from '../../packager/log/memory-log.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import type { PipelineFacts } from '../../packager/pipeline/plan.ts';
import { chosenRungs } from '../../packager/pipeline/rungs.ts';
import { standardLadder } from '../../packager/pipeline/testing.ts';
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

const hevc = Buffer.from('0101600000009000000000005df000fcfdf8f800000f00', 'hex');
type Coded = Pick<VideoInit, 'width' | 'height' | 'rotation' | 'pixelAspect'> & { readonly codec?: 'h264' | 'hevc' };

/** Of a video with these pictures: `v0`, `v1` and so on. */
const factsOf = async (pictures: readonly Coded[]): Promise<Pick<PipelineFacts, 'picture' | 'there'>> => {
  const tracks = pictures.map((_, index): TrackRow => ({ ...row, id: `v${index}` }));
  const readers = new Map<string, MemoryLog>();
  for (const [index, { codec = 'h264', ...picture }] of pictures.entries()) {
    const log = new MemoryLog();
    const init = initSegment({ kind: 'video', codec, config: codec === 'hevc' ? hevc : videoConfig.config, timescale: 90_000, ...picture });
    await log.beginEpoch({ epoch: 0, timescale: 90_000, wallClock: 0, start: 0, reorderDelay: 0, codecString: '', run: 'run', init });
    await log.append({ dts: 0, firstPts: 0, duration: 180_000, key: true, segmentStart: true, gap: false }, [Buffer.alloc(8)]);
    readers.set(`v${index}`, log);
  }
  return factsOfVideo({ found: { video: video as VideoRow, tracks, channelName: null }, readers }, standardLadder, every);
};

const rungsOf = ({ picture, there }: Pick<PipelineFacts, 'picture' | 'there'>): string[] =>
  picture ? chosenRungs({ source: picture, ladder: standardLadder, there, marked: false, names: () => [] }).map(({ work }) => `${work.name} ${work.width}x${work.height}`) : [];

t.test('rungs have the shape that is shown: turned upright, in pixels that are square', async (t) => {
  const hd = { width: 1280, height: 720 };
  const pal = { width: 720, height: 576, pixelAspect: { width: 64, height: 45 } };
  const [lying, standing] = [['240p 426x240', '360p 640x360', '480p 854x480'], ['240p 240x426', '360p 360x640', '480p 480x854']];
  const shapes: readonly (readonly [Coded, readonly [number, number], readonly string[]])[] = [
    [hd, [1280, 720], lying],
    [{ ...hd, rotation: 90 }, [720, 1280], standing],
    [{ ...hd, rotation: 180 }, [1280, 720], lying],
    [{ ...hd, rotation: 270 }, [720, 1280], standing],
    [pal, [1024, 576], lying],
    [{ ...pal, rotation: 90 }, [576, 1024], standing],
    [{ ...pal, pixelAspect: { width: 16, height: 15 } }, [768, 576], ['240p 320x240', '360p 480x360', '480p 640x480']],
  ];
  for (const [coded, [width, height], rungs] of shapes) {
    const facts = await factsOf([coded]);
    t.match(facts.picture, { width, height }, JSON.stringify(coded));
    t.same(rungsOf(facts), rungs);
  }
});

t.test('what is there is known by its size as well, however the source was coded', async (t) => {
  const phone = await factsOf([{ width: 1920, height: 1080, rotation: 90, codec: 'hevc' }, { width: 360, height: 640 }]);
  t.match(phone, { picture: { track: 'v0', width: 1080, height: 1920 }, there: [{ track: 'v1', width: 360, height: 640 }] });
  t.same(rungsOf(phone), ['240p 240x426', '480p 480x854', '720p 720x1280'], 'the rung that made it playable is not made twice');
  // 853 pixels wide as it is shown: what was encoded of it has one more, and is no better.
  const show = await factsOf([{ width: 720, height: 480, pixelAspect: { width: 32, height: 27 }, codec: 'hevc' }, { width: 854, height: 480 }, { width: 426, height: 240 }]);
  t.match(show, { picture: { track: 'v0', width: 854, height: 480 }, there: [{ track: 'v1' }, { track: 'v2' }] });
  t.same(rungsOf(show), ['360p 640x360'], 'nor what live made');
});

import t from 'tap';
import { videoConfig } from '../../packager/live/pretend-sender.ts';
import type { RunTrack } from '../../packager/live/run.ts';
import { encodedFlv } from '../../test/support/encoded.ts';
import { picturesHeldBack } from './encoder.ts';

const rung = (frameRate: number | null, mostPictures: number | null = null): { track: RunTrack; from: number } => ({
  from: 0,
  track: {
    ...{ id: 'v1', kind: 'video', codec: 'h264', timescale: 90_000, partTarget: 0.3, group: 'video', bandwidth: 1, averageBandwidth: 1 },
    rung: { width: 426, height: 240, mostPictures, frameRate, bitRate: 1, preset: 'veryfast', level: 30, codecString: 'avc1.64001E' },
  },
});

t.test('a decoder keeps no more pictures than those that may come to stand before others', async (t) => {
  const scene = ['-f', 'lavfi', '-i', 'testsrc2=size=128x96:rate=30:duration=1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-f', 'flv'];
  const { avcConfig } = await encodedFlv([...scene, '-bf', '2']);
  if (!avcConfig) throw new Error('no pictures');
  t.equal(picturesHeldBack({ source: { kind: 'video', codec: 'h264', config: avcConfig }, reorder: 9_000, rungs: [rung(30)] }), 2, 'as the stream says');
  const source = { ...videoConfig, codec: 'vp9' } as const;
  t.equal(picturesHeldBack({ source, reorder: 0, rungs: [rung(30)] }), 0);
  t.equal(picturesHeldBack({ source, reorder: 6_000, rungs: [rung(30)] }), 2, 'or as it was seen');
  t.equal(picturesHeldBack({ source, reorder: 6_030, rungs: [rung(29.97)] }), 2, 'in milliseconds');
  t.equal(picturesHeldBack({ source, reorder: 3_000, rungs: [rung(30, 30)] }), 2, 'behind a cap there were more');
  t.equal(picturesHeldBack({ source, reorder: 90_000, rungs: [rung(null)] }), 16);
});

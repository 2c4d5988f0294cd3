import t from 'tap';
import type { Observed } from './gate.ts';
import { planRungs } from './ladder-plan.ts';
import { videoConfig } from './pretend-sender.ts';
import { showShape } from './show-shape.ts';

const seen: Observed = {
  ...{ startedAt: 0, video: videoConfig, audio: null, gopMicros: 2_000_000, usualFrameMicros: 33_333, frameRate: 30, longestFrameMicros: 33_334 },
  ...{ videoBitrate: 150_000, audioBitrate: 0, audioFrameSamples: null, closedCaptions: [] },
};
const wishes = [{ height: 72, bitRate: 300_000, preset: 'veryfast', mostPictures: null }, { height: 64, bitRate: 200_000, preset: 'veryfast', mostPictures: null }];
const ratesWith = (videoBitrate: number, rungs = wishes): number[][] => {
  const { tracks } = showShape({ ...seen, videoBitrate }, { captions: [], latency: 'low', dvrSeconds: null, ladder: (source) => planRungs(rungs, source) }, {});
  return tracks.map(({ bandwidth, averageBandwidth }) => [bandwidth, averageBandwidth]);
};

t.test('a source that begins with next to nothing is told to take more of the line than what is made of it', async (t) => {
  t.same(ratesWith(150_000), [[562_500, 375_000], [450_000, 300_000], [300_000, 200_000]]);
  t.same(ratesWith(1_000_000), [[1_250_000, 1_000_000], [450_000, 300_000], [300_000, 200_000]]);
  t.same(ratesWith(150_000, []), [[187_500, 150_000]], 'without rungs it is what it is');
});

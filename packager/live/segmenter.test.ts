import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { VIDEO_TIMESCALE } from '../media/timeline.ts';
import { MICROS } from '../media/wire-time.ts';
import { freeze } from './policy.ts';
import { audioConfig, videoConfig } from './pretend-sender.ts';
import { Segmenter, type Cut } from './segmenter.ts';

const rhythmOf = (fps: number, gop: number): ReturnType<typeof freeze>['rhythm'] => {
  const frame = Math.round(MICROS / fps);
  const seen = { startedAt: 0, video: videoConfig, audio: audioConfig(), gopMicros: gop * frame, usualFrameMicros: frame, frameRate: fps, longestFrameMicros: frame, videoBitrate: 1, audioBitrate: 1, audioFrameSamples: null, closedCaptions: [] };
  return freeze(seen, { latency: 'low', dvrSeconds: 0, captions: [] }, 21_333).rhythm;
};
const cuts = (fps: number, gop: number, seconds: number): { live: Cut[]; last: Cut[] } => {
  const all: Cut[] = [];
  const segmenter = new Segmenter({ rhythm: rhythmOf(fps, gop), startMicros: 0, hasVideo: true, audioTimescale: 48_000, emit: (cut) => all.push(cut) });
  const data = Buffer.alloc(1);
  let heard = 0;
  for (let frame = 0; frame < seconds * fps; frame += 1) {
    const dts = Math.round((frame * VIDEO_TIMESCALE) / fps);
    for (; heard * 1024 * fps < frame * 48_000; heard += 1) segmenter.write({ kind: 'audio', dts: heard * 1024, pts: heard * 1024, duration: 1024, key: true, data });
    segmenter.write({ kind: 'video', dts, pts: dts, duration: null, key: frame % gop === 0, data });
  }
  const live = all.splice(0);
  segmenter.flush(() => []);
  return { live, last: all };
};

t.test('what is hinted at comes: while live, every segment ends with a part', async (t) => {
  const random = new Random(7);
  for (let round = 0; round < 60; round += 1) {
    const fps = [24, 25, 30, 50, 60, 120][random.below(6)] ?? 30;
    const gop = 1 + random.below(fps * 5);
    const { live } = cuts(fps, gop, 12);
    t.same(live.filter(({ type }) => type !== 'fragment').slice(0, 2), [], `${fps} pictures a second, a key frame every ${gop}`);
  }
});

t.test('parts of sound are as long as was told, whatever packets of Opus last later on', async (t) => {
  for (const hasVideo of [true, false]) {
    const all: Cut[] = [];
    const frame = Math.round(MICROS / 30);
    const seen = { startedAt: 0, video: hasVideo ? videoConfig : null, audio: audioConfig(), gopMicros: 60 * frame, usualFrameMicros: frame, frameRate: 30, longestFrameMicros: frame, videoBitrate: 1, audioBitrate: 1, audioFrameSamples: 960, closedCaptions: [] };
    const { rhythm, audioPartTarget } = freeze(seen, { latency: 'low', dvrSeconds: 0, captions: [] }, 20_000);
    const segmenter = new Segmenter({ rhythm, startMicros: 0, hasVideo, audioTimescale: 48_000, audioPartTarget, emit: (cut) => all.push(cut) });
    const data = Buffer.alloc(1);
    let heard = 0;
    for (let picture = 0; picture < 600; picture += 1) {
      // 20 ms, then 60, then 10.
      for (const lasts = picture < 200 ? 960 : picture < 400 ? 2880 : 480; heard * 30 < picture * 48_000; heard += lasts) {
        segmenter.write({ kind: 'audio', dts: heard, pts: heard, duration: lasts, key: true, data });
      }
      const dts = picture * 3000;
      if (hasVideo) segmenter.write({ kind: 'video', dts, pts: dts, duration: null, key: picture % 60 === 0, data });
    }
    const parts = all.flatMap((cut) => (cut.type === 'fragment' && cut.kind === 'audio' ? [{ seconds: cut.duration / 48_000, last: cut.segmentEnd }] : []));
    t.ok(parts.length > 50, `${parts.length} parts`);
    t.same(parts.filter(({ seconds }) => seconds > (audioPartTarget ?? 0)), [], 'none is longer than PART-TARGET');
    const short = parts.filter(({ seconds, last }) => !last && seconds < 0.85 * (audioPartTarget ?? 0));
    t.ok(short.length <= 2, `${short.length} are too short: those in which the length of packets changes`);
  }
});

t.test('sound that ended long before the pictures gets holes, each as long as its segment', async (t) => {
  const all: Cut[] = [];
  const segmenter = new Segmenter({ rhythm: rhythmOf(30, 60), startMicros: 0, hasVideo: true, audioTimescale: 48_000, emit: (cut) => all.push(cut) });
  const data = Buffer.alloc(1);
  for (let frame = 0; frame < 240; frame += 1) segmenter.write({ kind: 'video', dts: frame * 3_000, pts: frame * 3_000, duration: null, key: frame % 60 === 0, data });
  segmenter.flush(() => []);
  const holes = all.flatMap((cut) => (cut.type === 'hole' ? [{ dts: cut.dts, duration: cut.duration }] : []));
  t.same(holes, [0, 1, 2, 3].map((segment) => ({ dts: segment * 96_000, duration: 96_000 })));
});

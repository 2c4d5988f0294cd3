/** What is judged of the picture: its rhythm, its rate, its form. */
import type { IngestFacts, VideoFacts } from './facts.ts';
import type { FindingParams } from './findings.ts';
import type { Rule } from './judge.ts';

/** Segments last 6 s at the most (packager/live/policy.ts): longer groups of pictures are cut where no player can begin. */
const gopOver = 6_100;
/** YouTube asks for four seconds or less. */
const gopLong = 4_100;
const gopShort = 450;

/** kbit/s that pictures of a height usually need and are worth, at 30 a second, H.264; YouTube's ranges, widened. */
const usual: readonly (readonly [height: number, low: number, high: number])[] = [
  [2160, 8_000, 40_000],
  [1440, 4_500, 22_000],
  [1080, 2_000, 12_000],
  [720, 1_000, 8_000],
  [480, 400, 4_500],
  [360, 250, 3_000],
  [0, 100, 2_000],
];
/** More than 40 pictures a second need half as much again; newer codecs need less. */
const manyFps = 40;
const manyFactor = 1.5;
const newerFactor = 0.6;

const ofVideo =
  (look: (video: VideoFacts, stands: boolean, facts: IngestFacts) => FindingParams | null): Rule['judge'] =>
  (facts, stands) =>
    facts.session && facts.video ? look(facts.video, stands, facts) : null;

/** The longest of the group that ended last and the one that runs. */
const gopNow = ({ gop }: VideoFacts): number => Math.max(gop.last ?? 0, gop.running);
const seconds = (ms: number): number => Math.round(ms / 100) / 10;

const range = ({ codec, width, height, fps }: VideoFacts): { low: number; high: number } | null => {
  if (width === null || height === null) return null;
  // A phone that is held upright sends as many pixels.
  const lines = Math.min(width, height);
  const [, low = 0, high = 0] = usual.find(([from]) => lines >= from * 0.95) ?? [];
  const factor = ((fps ?? 30) > manyFps ? manyFactor : 1) * (codec === 'h264' ? 1 : newerFactor);
  return { low: Math.round(low * factor), high: Math.round(high * factor) };
};
const formOf = ({ width, height, fps }: VideoFacts): FindingParams => ({ width: width ?? 0, height: height ?? 0, fps: Math.round(fps ?? 0) });

/** A bitrate means something once several seconds have come. */
const settled = ({ session }: IngestFacts): boolean => (session?.age ?? 0) >= 10_000;

export const videoRules: readonly Rule[] = [
  {
    ...{ code: 'gopSizeOver', severity: 'error', after: 0, stays: 3_000 },
    judge: ofVideo((video) => (gopNow(video) > gopOver ? { seconds: seconds(gopNow(video)), limit: 6 } : null)),
  },
  {
    // On its way to six seconds one is longer than four only for a while: then that is the finding, and not both.
    ...{ code: 'gopSizeLong', severity: 'warning', after: 2_500, stays: 3_000 },
    judge: ofVideo((video) => (gopNow(video) > gopLong && gopNow(video) <= gopOver ? { seconds: seconds(gopNow(video)), limit: 4 } : null)),
  },
  {
    ...{ code: 'gopSizeShort', severity: 'info', after: 5_000, stays: 5_000 },
    judge: ofVideo(({ gop: { recent } }, stands) => (recent && recent.count >= 4 && recent.max < gopShort * (stands ? 1.2 : 1) ? { seconds: recent.max / 1000 } : null)),
  },
  {
    ...{ code: 'gopMismatch', severity: 'info', after: 5_000, stays: 15_000 },
    judge: ofVideo(({ gop: { recent } }, stands) => {
      if (!recent || recent.count < 4 || recent.max < 1_000) return null;
      return recent.max > recent.min * (stands ? 1.25 : 1.5) ? { from: seconds(recent.min), to: seconds(recent.max) } : null;
    }),
  },
  {
    // The first key frame of a stream is always a clean one.
    ...{ code: 'openGop', severity: 'warning', after: 0, stays: 10_000 },
    judge: ofVideo(({ openKeys }, stands) => (openKeys !== null && openKeys >= (stands ? 1 : 2) ? {} : null)),
  },
  {
    ...{ code: 'bitrateHigh', severity: 'warning', after: 10_000, stays: 10_000 },
    judge: ofVideo((video, stands, facts) => {
      const usually = range(video);
      const kbps = Math.round(video.bitrate / 1000);
      return usually && settled(facts) && kbps > usually.high * (stands ? 0.9 : 1) ? { kbps, limit: usually.high, ...formOf(video) } : null;
    }),
  },
  {
    ...{ code: 'bitrateLow', severity: 'info', after: 20_000, stays: 10_000 },
    judge: ofVideo((video, stands, facts) => {
      const usually = range(video);
      const kbps = Math.round(video.bitrate / 1000);
      // Nothing at all is another finding.
      return usually && settled(facts) && video.silent < 3_000 && kbps < usually.low * (stands ? 1.15 : 1) ? { kbps, limit: usually.low, ...formOf(video) } : null;
    }),
  },
  {
    ...{ code: 'frameRateHigh', severity: 'warning', after: 5_000, stays: 5_000 },
    judge: ofVideo(({ fps }, stands) => (fps !== null && fps > (stands ? 60.5 : 61) ? { fps: Math.round(fps), limit: 60 } : null)),
  },
  {
    // Encoders that cannot keep up, or a line that makes them drop pictures: the stream's own word is the only measure.
    ...{ code: 'frameRateLow', severity: 'warning', after: 8_000, stays: 8_000 },
    judge: ofVideo(({ fps, declaredFps }, stands, facts) => {
      if (fps === null || declaredFps === null || declaredFps > 240 || !settled(facts)) return null;
      return fps < declaredFps * (stands ? 0.95 : 0.85) ? { fps: Math.round(fps * 10) / 10, declared: Math.round(declaredFps * 10) / 10 } : null;
    }),
  },
  {
    // Browsers decode H.264 in 4:2:0 with eight bits, and nothing else of it.
    ...{ code: 'videoProfile', severity: 'error', after: 0, stays: 3_000 },
    judge: ofVideo(({ codec, profile, chroma, bitDepth }) => (codec === 'h264' && ((bitDepth ?? 8) > 8 || (chroma ?? '4:2:0') !== '4:2:0') ? { profile: profile ?? '', chroma: chroma ?? '', bits: bitDepth ?? 0 } : null)),
  },
  {
    ...{ code: 'videoInterlaced', severity: 'warning', after: 0, stays: 3_000 },
    judge: ofVideo(({ interlaced }) => (interlaced ? {} : null)),
  },
];

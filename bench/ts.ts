/**
 * How fast segments in MPEG-TS are made: samples to packets, and fragments of the log to packets.
 *
 *     node bench/ts.ts
 */
import { fragment, type Sample } from '../packager/cmaf/fragment.ts';
import { initSegment } from '../packager/cmaf/init.ts';
import { tsSegment, type TsSegmentPlan } from '../packager/hls/ts-segment.ts';
import { encodeAvcConfig } from '../packager/media/h264.ts';
import { muxSegment } from '../packager/mpegts/mux.ts';

const rounds = 40;
const pictures = 120;
const avcC = encodeAvcConfig([Buffer.from('6764000aacd942846840000003004000000c83c4896580', 'hex')], [Buffer.from('68ebe3cb22c0', 'hex')]);
const aac = Buffer.from('1190', 'hex');

/** Four seconds of 30 pictures a second with a key frame each second, and AAC at 128 kbit/s. */
const media = (megabits: number): { video: Sample[]; audio: Sample[] } => {
  const mean = (megabits * 1e6) / 8 / 30;
  const video = Array.from({ length: pictures }, (_, n): Sample => {
    const data = Buffer.alloc(Math.round(n % 30 === 0 ? 6 * mean : 0.83 * mean), n);
    data.writeUInt32BE(data.length - 4, 0);
    data[4] = n % 30 === 0 ? 0x65 : 0x41;
    return { duration: 3000, size: data.length, key: n % 30 === 0, compositionOffset: 0, data };
  });
  const audio = Array.from({ length: 188 }, (): Sample => ({ duration: 1024, size: 341, key: true, compositionOffset: 0, data: Buffer.alloc(341, 7) }));
  return { video, audio };
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const measure = (name: string, make: () => Buffer): void => {
  const took: number[] = [];
  let bytes = 0;
  for (let round = 0; round < rounds; round += 1) {
    const from = performance.now();
    bytes = make().length;
    took.push(performance.now() - from);
  }
  const ms = median(took.slice(rounds >> 2));
  console.log(`${name.padEnd(44)} ${(bytes / 1e6).toFixed(2).padStart(6)} MB  ${ms.toFixed(2).padStart(6)} ms  ${(bytes / 1e3 / ms).toFixed(0).padStart(5)} MB/s`);
};

for (const megabits of [0.5, 2, 6, 20]) {
  const { video, audio } = media(megabits);
  const input = {
    video: { avcC, samples: video.map(({ key, data }, n) => ({ dts: n * 3000, pts: n * 3000, key, data })) },
    audio: { config: aac, samples: audio.map(({ data }, n) => ({ pts: n * 1920, data })) },
  };
  measure(`mux, ${megabits} Mbit/s`, () => muxSegment({ ...input, end: 360_000, number: 1, version: 0 }));

  const parts = <Kind extends 'video' | 'audio'>(kind: Kind, samples: readonly Sample[], ticks: number): Buffer[] =>
    Array.from({ length: 12 }, (_, part) => {
      const each = Math.ceil(samples.length / 12);
      return Buffer.concat(fragment({ sequence: part + 1, baseDecodeTime: part * each * ticks, kind, samples: samples.slice(part * each, (part + 1) * each) }));
    });
  const read = { video: parts('video', video, 3000), audio: parts('audio', audio, 1024), reorderDelay: 0 };
  const plan: TsSegmentPlan = {
    ...{ kind: 'media', msn: 1, epoch: 0, end: 360_000, size: 0 },
    video: { track: 'v0', timescale: 90_000, from: 0, to: 12, init: initSegment({ kind: 'video', codec: 'h264', config: avcC, timescale: 90_000, width: 160, height: 90 }) },
    audio: { track: 'a0', timescale: 48_000, from: 0, to: 12, init: initSegment({ kind: 'audio', codec: 'aac', config: aac, timescale: 48_000, sampleRate: 48_000, channels: 2 }) },
  };
  measure(`fragments of the log to TS, ${megabits} Mbit/s`, () => tsSegment(plan, read));
}

/** Noise as packets of Opus of every length, how packets sound when they are decoded, and how far one sound lies behind another. */
import { readFile } from 'node:fs/promises';
import { fragment } from '../../packager/cmaf/fragment.ts';
import { initSegment } from '../../packager/cmaf/init.ts';
import { opusSamples, surroundOpusConfig } from '../../packager/media/opus.ts';
import type { AudioConfig } from '../../packager/media/unit.ts';
import { NutReader } from '../../packager/nut/reader.ts';
import { encoded } from './encoded.ts';
import { mustFfmpeg } from './ffmpeg.ts';

export type SoundPacket = { readonly pts: number; readonly samples: number; readonly data: Buffer };

const rate = 48_000;
export const packetLengths = [2.5, 5, 10, 20, 40, 60] as const;
/** Noise that coders keep the shape of: most of it is low. */
const noise = ['-f', 'lavfi', '-i', 'anoisesrc=color=brown:seed=7:sample_rate=48000:duration=6:amplitude=0.5'];

/** Six seconds, from zero on. */
export const opusOf = async (milliseconds: number, channels = 2): Promise<SoundPacket[]> => {
  const layout = ['mono', 'stereo', '', '', '', '5.1'][channels - 1] ?? '';
  const file = await encoded('nut', [...noise, '-af', `aformat=channel_layouts=${layout}`, '-c:a', 'libopus', '-b:a', `${64 * channels}k`, '-frame_duration', String(milliseconds)]);
  const packets: SoundPacket[] = [];
  let pts = 0;
  for (const item of new NutReader().push(await readFile(file))) {
    if (item.kind !== 'picture') continue;
    const samples = opusSamples(item.data);
    packets.push({ pts, samples, data: item.data });
    pts += samples;
  }
  return packets;
};

/** One after the other, chosen by `choose` among those of every length that begin where the one before has ended. */
export const mixedOpus = async (choose: (end: number) => number): Promise<SoundPacket[]> => {
  const all = await Promise.all(packetLengths.map((milliseconds) => opusOf(milliseconds)));
  const byStart = all.map((packets) => new Map(packets.map((one) => [one.pts, one])));
  const mixed: SoundPacket[] = [];
  for (let pts = 0, next: SoundPacket | undefined; ; pts += next.samples) {
    const here = byStart.flatMap((packets) => packets.get(pts) ?? []);
    next = here[choose(here.length)];
    if (!next) return mixed;
    mixed.push(next);
  }
};

export const opusConfig = (channels = 2): AudioConfig => ({ kind: 'audio', codec: 'opus', config: surroundOpusConfig(channels) });

/** Mono, from the first sample of the first packet on. */
export const heard = async (config: AudioConfig, packets: readonly SoundPacket[], channels = 2): Promise<Float32Array> => {
  const samples = packets.map(({ samples: duration, data }) => ({ duration, size: data.length, key: true, compositionOffset: 0, data }));
  const init = initSegment({ ...config, timescale: rate, sampleRate: rate, channels });
  const input = Buffer.concat([init, ...fragment({ sequence: 1, baseDecodeTime: 0, kind: 'audio', samples })]);
  const { stdout } = await mustFfmpeg(['-f', 'mp4', '-i', 'pipe:0', '-ac', '1', '-ar', String(rate), '-f', 'f32le', 'pipe:1'], { input });
  return new Float32Array(stdout.buffer, stdout.byteOffset, stdout.length >> 2);
};

/** Samples by which `late` lies behind `early` at this place, and how alike they are there (1: the same). */
export const offsetBetween = (early: Float32Array, late: Float32Array, at: number, length = 4_800, most = 480): { offset: number; alike: number } => {
  let best = { offset: 0, alike: -1 };
  for (let offset = -most; offset <= most; offset += 1) {
    let [product, a, b] = [0, 0, 0];
    for (let index = 0; index < length; index += 1) {
      const x = early[at + index] ?? 0;
      const y = late[at + index + offset] ?? 0;
      product += x * y;
      a += x * x;
      b += y * y;
    }
    const alike = product / Math.sqrt(a * b || 1);
    if (alike > best.alike) best = { offset, alike };
  }
  return best;
};

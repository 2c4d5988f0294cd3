/** For tests: what a publisher sends, without an encoder. The pictures have real headers and nothing in them. */
import { encodeAvcConfig } from '../media/h264.ts';
import type { AccessUnit, AudioConfig, VideoConfig } from '../media/unit.ts';

const sps = Buffer.from('6764000dacd941419f9f0110000003001000000303c0f1429960', 'hex');
const pps = Buffer.from('68eae3cb22c0', 'hex');

export const videoConfig: VideoConfig = { kind: 'video', codec: 'h264', config: encodeAvcConfig([sps], [pps]) };
/** The same from another encoder. */
export const otherVideoConfig: VideoConfig = { kind: 'video', codec: 'h264', config: encodeAvcConfig([sps], [Buffer.from('68eae3cb22c1', 'hex')]) };
/** AAC-LC in stereo; 3 is 48 kHz, 4 is 44.1 kHz, 8 is 16 kHz (ISO 14496-3, table 1.18). */
export const audioConfig = (frequencyIndex = 3): AudioConfig => ({
  kind: 'audio',
  codec: 'aac',
  config: Buffer.from([0x10 | (frequencyIndex >> 1), ((frequencyIndex & 1) << 7) | 0x10]),
});

const wrap = (stamp: number): number => ((Math.round(stamp) % 2 ** 32) + 2 ** 32) % 2 ** 32;

export const picture = (dts: number, key: boolean, { cts = 0, bytes = 300 } = {}): AccessUnit => {
  const data = Buffer.alloc(4 + bytes);
  data.writeUInt32BE(bytes, 0);
  data[4] = key ? 0x65 : 0x41;
  return { kind: 'video', dts: wrap(dts), pts: wrap(dts + cts), key, data };
};

export const sound = (dts: number, bytes = 20): AccessUnit => ({ kind: 'audio', dts: wrap(dts), pts: wrap(dts), key: true, data: Buffer.alloc(bytes, 1) });

export type Rhythm = { readonly fps?: number; readonly gop?: number; readonly sampleRate?: number; readonly from?: number; readonly shift?: number; readonly only?: 'video' | 'audio' };

/** Whole units of both tracks for so many ms, as they would come: by their stamps, which are `shift` ms later. */
export const units = (ms: number, { fps = 30, gop = 60, sampleRate = 48_000, from = 0, shift = 0, only }: Rhythm = {}): AccessUnit[] => {
  const all: { at: number; unit: AccessUnit }[] = [];
  for (let frame = 0; only !== 'audio' && (frame * 1000) / fps < ms; frame += 1) {
    const at = from + (frame * 1000) / fps;
    all.push({ at, unit: picture(at + shift, frame % gop === 0) });
  }
  for (let frame = 0; only !== 'video' && (frame * 1_024_000) / sampleRate < ms; frame += 1) {
    const at = from + (frame * 1_024_000) / sampleRate;
    all.push({ at, unit: sound(at + shift) });
  }
  return all.sort((a, b) => a.at - b.at).map(({ unit }) => unit);
};

/**
 * AAC frames behind ADTS headers (ISO 14496-3, 1.A.2.2), which is how MPEG-TS and ancient decoders know AAC.
 *
 * The header speaks of the core alone: for HE-AAC it says AAC-LC at half of the rate that is heard, and the
 * decoder finds SBR inside the frames (implicit signalling, 1.6.5.3). The PMT says it aloud.
 */
import { parseAudioSpecificConfig } from '../media/aac.ts';
import { programConfigElement } from './program-config.ts';
import { TsError } from './ts-error.ts';

// 1.6.3.4, table 1.18: a rate has to be one of these, there is no room for a number.
const rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const headerSize = 7;
/** aac_frame_length has 13 bits. */
const largestFrame = 0x1fff;

export type Adts = {
  /** The header of a frame of 0 bytes. */
  readonly header: Buffer;
  /** Stands at the beginning of every frame whose channels have no number. */
  readonly element: Buffer;
  readonly sampleRate: number;
  readonly frameLength: number;
  /** For the PMT. */
  readonly descriptors: readonly number[];
};

export const adtsOf = (config: Buffer): Adts => {
  const aac = parseAudioSpecificConfig(config);
  const { objectType, sampleRate, channels, channelConfiguration, frameLength, outputSampleRate } = aac;
  const rate = rates.indexOf(sampleRate);
  if (rate < 0) throw new TsError('unsupported', `ADTS has no number for ${sampleRate} Hz`);
  if (frameLength !== 1024) throw new TsError('unsupported', `ADTS knows no frames of ${frameLength}`);
  if (channelConfiguration > 7) throw new TsError('unsupported', `ADTS has no room for channel configuration ${channelConfiguration}`);
  const header = Buffer.from([
    0xff,
    0xf1, // MPEG-4, no CRC
    ((objectType - 1) << 6) | (rate << 2) | (channelConfiguration >> 2),
    (channelConfiguration & 3) << 6,
    0,
    0x1f, // buffer fullness 7FF: variable rate
    0xfc, // one raw data block
  ]);
  const heard = Math.max(outputSampleRate, sampleRate);
  return {
    header,
    element: channelConfiguration === 0 ? programConfigElement(config) : Buffer.alloc(0),
    sampleRate,
    frameLength,
    descriptors: aac.sbr ? profileDescriptor(aac.ps, channels, heard) : [],
  };
};

/**
 * MPEG-4_audio_descriptor (ISO 13818-1, 2.6.38 and table 2-72). Only for HE-AAC: where there is none, decoders
 * expect plain AAC.
 */
const profileDescriptor = (ps: boolean, channels: number, rate: number): number[] => {
  const level = rate > 48_000 ? (channels > 2 ? 3 : 1) : channels > 2 ? 2 : 0;
  return [0x1c, 1, (ps ? 0x60 : 0x58) + level];
};

export const adtsFrameSize = (data: Buffer, { element }: Adts): number => {
  const size = headerSize + element.length + data.length;
  if (size > largestFrame) throw new TsError('limit', `a frame of AAC has ${data.length} bytes`);
  return size;
};

export const writeAdtsFrame = (out: Buffer, at: number, data: Buffer, adts: Adts): number => {
  const size = headerSize + adts.element.length + data.length;
  adts.header.copy(out, at);
  out[at + 3] = (out[at + 3] ?? 0) | (size >> 11);
  out[at + 4] = (size >> 3) & 0xff;
  out[at + 5] = (out[at + 5] ?? 0) | ((size & 7) << 5);
  const from = at + headerSize;
  adts.element.copy(out, from);
  data.copy(out, from + adts.element.length);
  return at + size;
};

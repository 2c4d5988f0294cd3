/** What a track's configuration says to people. What cannot be read, or is not known here, says its codec's name. */
import { parseAudioSpecificConfig } from '../../packager/media/aac.ts';
import { CodecError } from '../../packager/media/codec-error.ts';
import { avcCodecString, parseAvcConfig, parseSps } from '../../packager/media/h264.ts';
import { pictureFacts } from '../../packager/media/picture-facts.ts';
import { soundFacts } from '../../packager/media/sound-facts.ts';
import type { AudioConfig, VideoConfig } from '../../packager/media/unit.ts';
import type { AudioShape, VideoShape } from './facts.ts';

const nothingOf = { codecString: null, profile: null, width: null, height: null, bitDepth: null, chroma: null, interlaced: null, declaredFps: null };

/** ISO 14496-10, annex A. */
const profiles: Readonly<Record<number, string>> = { 66: 'Baseline', 77: 'Main', 88: 'Extended', 100: 'High', 110: 'High 10', 122: 'High 4:2:2', 244: 'High 4:4:4' };
const chromas = ['4:0:0', '4:2:0', '4:2:2', '4:4:4'] as const;

/** What a reader refuses is told as nothing: the show's own reader says what is wrong with it. */
const readOr = <T>(read: () => T, otherwise: T): T => {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodecError) return otherwise;
    throw error;
  }
};

const avcShape = (record: Buffer): VideoShape => {
  const config = parseAvcConfig(record);
  const [first] = config.sps;
  const named = { codec: 'h264', codecString: avcCodecString(config) };
  if (!first) return { ...nothingOf, ...named };
  const { profile, compatibility, width, height, bitDepth, chromaFormat, interlaced, frameRate } = parseSps(first);
  // A.2.1: Baseline with constraint_set1_flag is Constrained Baseline.
  const name = profile === 66 && (compatibility & 0x40) !== 0 ? 'Constrained Baseline' : (profiles[profile] ?? String(profile));
  return { ...named, profile: name, width, height, bitDepth, chroma: chromas[chromaFormat] ?? null, interlaced, declaredFps: frameRate };
};

const otherShape = (config: VideoConfig): VideoShape => {
  const { codecString, size, frameRate } = pictureFacts(config);
  return { ...nothingOf, codec: config.codec, codecString, width: size?.width ?? null, height: size?.height ?? null, declaredFps: frameRate };
};

export const videoShape = (config: VideoConfig): VideoShape =>
  readOr(() => (config.codec === 'h264' ? avcShape(config.config) : otherShape(config)), { ...nothingOf, codec: config.codec });

export const audioShape = (config: AudioConfig): AudioShape => {
  const { codec } = config;
  const unread: AudioShape = { codec, codecString: null, sampleRate: null, channels: null };
  return readOr(() => {
    const { codecString, sampleRate, channels } = soundFacts(config);
    // As it is heard: SBR doubles the rate behind the core.
    return { codec, codecString, sampleRate: codec === 'aac' ? parseAudioSpecificConfig(config.config).outputSampleRate : sampleRate, channels };
  }, unread);
};

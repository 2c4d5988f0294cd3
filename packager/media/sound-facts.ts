/** What the core and players need to know of sound, out of its decoder configuration, whatever the codec. */
import { aacCodecString, parseAudioSpecificConfig, silentAacFrame } from './aac.ts';
import { opusRate, opusSamples, parseOpusConfig, silentOpusPacket, silentOpusSamples } from './opus.ts';
import type { AudioConfig } from './unit.ts';

export type SoundFacts = {
  /** RFC 6381. */
  readonly codecString: string;
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples of a frame; of Opus, whose packets say it themselves, the usual number, which is also that of `silence`. */
  readonly frameLength: number;
  /** A frame of silence, or null where none is known. */
  readonly silence: Buffer | null;
  /** How long a frame lasts, where not all last the same. Throws CodecError. */
  readonly samplesOf: ((frame: Buffer) => number) | null;
};

/** Throws CodecError for what cannot be read. */
export const soundFacts = ({ codec, config }: AudioConfig): SoundFacts => {
  if (codec === 'opus') {
    const opus = parseOpusConfig(config);
    const silence = { silence: silentOpusPacket(opus), frameLength: silentOpusSamples };
    return { codecString: 'Opus', sampleRate: opusRate, channels: opus.channels, ...silence, samplesOf: opusSamples };
  }
  const aac = parseAudioSpecificConfig(config);
  const { sampleRate, channels, frameLength } = aac;
  return { codecString: aacCodecString(aac), sampleRate, channels, frameLength, silence: silentAacFrame(aac), samplesOf: null };
};

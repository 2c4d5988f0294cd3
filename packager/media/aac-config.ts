/**
 * AudioSpecificConfig (ISO 14496-3, 1.6.2.1): what a sequence header of AAC says. A track counts in samples of
 * the core decoder (`sampleRate`, `frameLength` a frame); SBR doubles the rate only behind it.
 */
import { BitReader } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { readProgramChannels } from './aac-pce.ts';

export type AacConfig = {
  /** Of the core: 2 is AAC-LC, also under SBR and PS. */
  readonly objectType: number;
  readonly sampleRate: number;
  /** Heard channels: parametric stereo makes two of one. */
  readonly channels: number;
  readonly channelConfiguration: number;
  readonly frameLength: 1024 | 960;
  readonly sbr: boolean;
  readonly ps: boolean;
  /** With SBR usually twice `sampleRate`. */
  readonly outputSampleRate: number;
};

// Table 1.18; 15 is an explicit rate.
const sampleRates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
// Table 1.19; 0 is a program config element, 8 to 10 and 15 are reserved.
const channelCounts = [0, 1, 2, 3, 4, 5, 6, 8, undefined, undefined, undefined, 7, 8, undefined, 8];

const sbrType = 5;
const psType = 29;
/** Main, LC, SSR, LTP: they share the frame of 1024 and the syntax that is read here. */
const largestCoreType = 4;
/** A program config element with the longest comment fits. */
const largestConfig = 512;

const readObjectType = (bits: BitReader): number => {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
};

const readSampleRate = (bits: BitReader): number => {
  const index = bits.bits(4);
  const rate = index === 15 ? bits.bits(24) : sampleRates[index];
  if (rate === undefined) throw new CodecError('invalid', `AAC: reserved sample rate index ${index}`);
  if (rate < 4000 || rate > 192_000) throw new CodecError('invalid', `AAC: a sample rate of ${rate} Hz`);
  return rate;
};

type Extension = { readonly sbr: boolean; readonly ps: boolean; readonly rate: number | null };

/** Signalling behind the core configuration, which old decoders do not see (1.6.6.1, table 1.15). */
const readTrailingExtension = (bits: BitReader): Extension => {
  const none = { sbr: false, ps: false, rate: null };
  if (bits.left < 17 || bits.bits(11) !== 0x2b7) return none;
  if (readObjectType(bits) !== sbrType || bits.left < 1 || !bits.flag()) return none;
  const rate = readSampleRate(bits);
  const ps = bits.left >= 12 && bits.bits(11) === 0x548 && bits.flag();
  return { sbr: true, ps, rate };
};

/** GASpecificConfig (4.4.1): frame length, and the program config element where the channels are not a number. */
const readCore = (bits: BitReader, channelConfiguration: number): { frameLength: 1024 | 960; channels: number } => {
  const frameLength = bits.flag() ? 960 : 1024;
  if (bits.flag()) bits.skip(14); // coreCoderDelay
  bits.skip(1); // extensionFlag: adds nothing to these object types
  const channels = channelConfiguration === 0 ? readProgramChannels(bits) : channelCounts[channelConfiguration];
  if (channels === undefined) {
    throw new CodecError('invalid', `AAC: reserved channel configuration ${channelConfiguration}`);
  }
  return { frameLength, channels };
};

export const parseAudioSpecificConfig = (config: Buffer): AacConfig => {
  if (config.length > largestConfig) throw new CodecError('limit', `AudioSpecificConfig has ${config.length} bytes`);
  const bits = new BitReader(config);
  const signalled = readObjectType(bits);
  const sampleRate = readSampleRate(bits);
  const channelConfiguration = bits.bits(4);
  const hierarchical = signalled === sbrType || signalled === psType;
  const leading: Extension | null = hierarchical
    ? { sbr: true, ps: signalled === psType, rate: readSampleRate(bits) }
    : null;
  const objectType = leading ? readObjectType(bits) : signalled;
  if (objectType < 1 || objectType > largestCoreType) {
    throw new CodecError('unsupported', `AAC: object type ${objectType} cannot be carried`);
  }
  const { frameLength, channels } = readCore(bits, channelConfiguration);
  const { sbr, ps, rate } = leading ?? readTrailingExtension(bits);
  if (ps && channels !== 1) throw new CodecError('invalid', `AAC: parametric stereo over ${channels} channels`);
  return {
    objectType,
    sampleRate,
    channels: ps ? 2 : channels,
    channelConfiguration,
    frameLength,
    sbr,
    ps,
    outputSampleRate: rate ?? sampleRate,
  };
};

/** RFC 6381, 3.3: the object type that a decoder needs for all of it. */
export const aacCodecString = (config: AacConfig): string => {
  const extension = config.ps ? psType : sbrType;
  return `mp4a.40.${config.sbr ? extension : config.objectType}`;
};

/**
 * The sound of one epoch of a log, packet by packet, each at its time in samples. What the clock of a container has shaken
 * lies end to end again; what is really missing, or really there twice, stays so.
 */
import { readFragments, readInit } from '../../cmaf/reader.ts';
import type { InitFacts } from '../../cmaf/reader-init.ts';
import { isLost, type EpochFacts, type TrackLogReader } from '../../log/types.ts';
import { parseAudioSpecificConfig } from '../../media/aac.ts';
import { opusHeadOf, opusRate, opusSamples, parseOpusConfig } from '../../media/opus.ts';
import type { AudioCodec } from '../../media/unit.ts';
import { rescale } from '../../media/wire-time.ts';

export type SoundPacket = {
  /** Samples of `sampleRate`. */
  readonly time: number;
  readonly data: Buffer;
};

/** Whoever decodes an epoch has to know this. */
export type EpochSound = {
  readonly codec: AudioCodec;
  /** As NUT carries it. */
  readonly config: Buffer;
  readonly channels: number;
  /** Of what is decoded. */
  readonly sampleRate: number;
  readonly preSkip: number;
  /** How many samples a packet is decoded to. Throws CodecError. */
  readonly samplesOf: (packet: Buffer) => number;
  readonly language: string;
  readonly defaults: InitFacts['defaults'];
};

/** Of a packet that is early or late: it is next to the one before all the same. */
const shaken = 0.0008;
const readAtOnce = 1024 * 1024;

/** Null: there is no sound in it. Throws CmafError, CodecError. */
export const epochSound = ({ init }: EpochFacts): EpochSound | null => {
  const facts = init.length > 0 ? readInit(init) : null;
  if (facts?.kind !== 'audio') return null;
  const { codec, config, language, defaults } = facts;
  if (codec === 'opus') {
    const { channels, preSkip } = parseOpusConfig(config);
    const head = opusHeadOf(config);
    // A filter deals with it: after a hole there is none.
    head.writeUInt16LE(0, preSkipAt);
    return { codec, config: head, channels, sampleRate: opusRate, preSkip, samplesOf: opusSamples, language, defaults };
  }
  const { channels, frameLength, sampleRate, outputSampleRate } = parseAudioSpecificConfig(config);
  const samples = Math.round((frameLength * outputSampleRate) / sampleRate);
  return { codec, config, channels, sampleRate: outputSampleRate, preSkip: 0, samplesOf: () => samples, language, defaults };
};

/** In an OpusHead. */
const preSkipAt = 10;

/** Fragments [from, to) of the log, which are all of one epoch. A damaged one is a hole. */
export async function* soundPackets(log: TrackLogReader, { from, to }: { readonly from: number; readonly to: number }, { timescale }: EpochFacts, sound: EpochSound): AsyncGenerator<SoundPacket> {
  const { sampleRate, samplesOf } = sound;
  const tolerance = Math.max(shaken * sampleRate, (0.75 * sampleRate) / timescale);
  let next: number | null = null;
  for await (const bytes of fragmentsOf(log, from, to)) {
    for (const { baseDecodeTime, samples } of readFragments(bytes, sound.defaults)) {
      let dts = baseDecodeTime;
      for (const { offset, size, duration, cts } of samples) {
        const told: number = rescale(dts + cts, timescale, sampleRate);
        dts += duration;
        if (size === 0) continue;
        const data = bytes.subarray(offset, offset + size);
        const time: number = next !== null && Math.abs(told - next) <= tolerance ? next : told;
        next = time + samplesOf(data);
        yield { time, data };
      }
    }
  }
}

async function* fragmentsOf(log: TrackLogReader, from: number, to: number): AsyncGenerator<Buffer> {
  const { entry } = log.snapshot();
  for (let seq = from; seq < to; ) {
    let end = seq;
    for (let bytes = 0; end < to && (end === seq || bytes + entry(end).size <= readAtOnce); end += 1) bytes += entry(end).size;
    for (const bytes of await readOrSkip(log, seq, end)) if (bytes.length > 0) yield bytes;
    seq = end;
  }
}

const readOrSkip = async (log: TrackLogReader, from: number, to: number): Promise<Buffer[]> => {
  try {
    return await log.readChecked(from, to);
  } catch (error) {
    if (!isLost(error)) throw error;
    if (to - from === 1) return [];
    const parts: Buffer[] = [];
    for (let seq = from; seq < to; seq += 1) parts.push(...(await readOrSkip(log, seq, seq + 1)));
    return parts;
  }
};

/**
 * A whole track of sound as AAC that every player has: decoded out of its log, encoded in one go, and put away as a log
 * whose segments are those of the source, with frames end to end from the source's first one on.
 *
 *     log ─▶ packets ─NUT─▶ ffmpeg ─NUT─▶ frames ─▶ segments ─▶ log
 *
 * A hole of the source is not decoded: behind it another ffmpeg begins, whose frames lie on the grid of those before it.
 */
import { createHash } from 'node:crypto';
import { CmafError } from '../../cmaf/cmaf-error.ts';
import { initSegment } from '../../cmaf/init.ts';
import type { Clock } from '../../clock.ts';
import { logIdBytes } from '../../log/record.ts';
import { LogError, type Disk, type EpochFacts, type FragmentFacts, type TrackLogReader } from '../../log/types.ts';
import { aacCodecString, parseAudioSpecificConfig, silentAacFrame } from '../../media/aac.ts';
import { BitWriter } from '../../media/bits.ts';
import { CodecError } from '../../media/codec-error.ts';
import { rescale } from '../../media/wire-time.ts';
import type { SoundMake } from '../../pipeline/work.ts';
import { segmentRates } from '../../rates.ts';
import { EncodeError } from '../runs.ts';
import type { JobPlace, Sandbox } from '../sandbox.ts';
import { aacFrame } from '../sound-command.ts';
import { WholeLog } from '../whole-log.ts';
import { soundCuts, type EpochCuts } from './sound-cuts.ts';
import { SoundLegRun } from './sound-leg.ts';
import { epochSound, soundPackets, type EpochSound, type SoundPacket } from './sound-packets.ts';
import { SoundShelf } from './sound-shelf.ts';

export type MakeSoundOptions = {
  readonly sandbox: Pick<Sandbox, 'piped'>;
  readonly place: JobPlace;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly source: TrackLogReader;
  readonly make: SoundMake;
  /** The log is made here, durably; nothing is in it yet. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly progress: (done: number) => void;
};

/** What players are told of it. */
export type MadeSound = {
  readonly codec: 'aac';
  /** Ticks a second of all its times: the sample rate. */
  readonly timescale: number;
  /** Bits a second. */
  readonly bandwidth: number;
  readonly averageBandwidth: number;
  /** On the disk. */
  readonly bytes: number;
};

/** Seconds: what is shorter is filled with silence on the way. */
const longestFilled = 1;
/** As long as anything may take: a while, and as long again as it plays. */
const leastMs = 10 * 60_000;
const longestMs = 86_400_000;
/** Frames between two times that progress is told: about ten seconds. */
const tellEvery = 500;

/** Table 1.18 of ISO 14496-3. */
const rateIndex: Readonly<Record<number, number>> = { 48000: 3, 44100: 4, 32000: 5, 24000: 6, 22050: 7, 16000: 8, 12000: 9, 11025: 10, 8000: 11 };

type Made = { readonly config: Buffer; readonly silence: Buffer; readonly codecString: string };

const madeOf = ({ sampleRate, channels }: SoundMake): Made => {
  const index = rateIndex[sampleRate];
  if (index === undefined) throw new RangeError(`AAC of ${sampleRate} Hz`);
  // AAC-LC; the number of channels is their configuration; frames of 1024.
  const config = new BitWriter().bits(2, 5).bits(index, 4).bits(channels, 4).bits(0, 3).bytes();
  const parsed = parseAudioSpecificConfig(config);
  const silence = silentAacFrame(parsed);
  if (!silence) throw new RangeError(`no silence is known for ${channels} channels`);
  return { config, silence, codecString: aacCodecString(parsed) };
};

/** Rejects with an EncodeError. */
export const makeSound = async (options: MakeSoundOptions): Promise<MadeSound> => {
  const { disk, clock, folder, signal, source, make } = options;
  const log = await WholeLog.create({ disk, clock, folder, logId: idOf(source, make) });
  try {
    const making = new SoundMaking(options, log);
    await making.run();
    if (signal.aborted) throw unwanted();
    const bytes = await log.finish();
    return { ...ratesOf(making.segments, make.sampleRate), codec: 'aac', timescale: make.sampleRate, bytes };
  } catch (error) {
    throw asEncodeError(error);
  } finally {
    await log.close();
  }
};

/** The same for the same work: its log is the same to the byte. */
const idOf = (source: TrackLogReader, make: SoundMake): Buffer => {
  const { first, end, epochs } = source.snapshot();
  const told = epochs.map(({ epoch, run, start, wallClock, init }) => [epoch, run, start, wallClock, init.toString('hex')]);
  return createHash('sha256').update(JSON.stringify([first, end, told, make])).digest().subarray(0, logIdBytes);
};

type Segment = { readonly duration: number; readonly size: number; readonly gap: boolean };

const ratesOf = (segments: readonly Segment[], timescale: number): Pick<MadeSound, 'bandwidth' | 'averageBandwidth'> => {
  const longest = segments.reduce((most, { duration }) => Math.max(most, duration), timescale);
  const { peak, average } = segmentRates(segments, Math.ceil(longest / timescale), timescale) ?? { peak: 0, average: 0 };
  return { bandwidth: peak, averageBandwidth: average };
};

const unwanted = (): EncodeError => new EncodeError('unwanted', 'It is not wanted any more.', true);

const asEncodeError = (error: unknown): unknown => {
  if (error instanceof CmafError || error instanceof CodecError) return new EncodeError('broken', 'Its sound cannot be read.', false, { cause: error });
  if (error instanceof LogError) return new EncodeError('encode-failed', 'Its sound could not be read from the disk of the server.', true, { cause: error });
  return error;
};

class SoundMaking {
  readonly #o: MakeSoundOptions;
  readonly #made: Made;
  readonly #log: WholeLog;
  /** What has been written. */
  readonly segments: Segment[] = [];
  #leg: SoundLegRun | null = null;
  #packets = 0;

  constructor(options: MakeSoundOptions, log: WholeLog) {
    this.#o = options;
    this.#made = madeOf(options.make);
    this.#log = log;
  }

  async run(): Promise<void> {
    const epochs = soundCuts(this.#o.source.snapshot(), this.#o.make.sampleRate);
    const [begin, end] = [epochs[0]?.cuts[0]?.start ?? 0, epochs.at(-1)?.cuts.at(-1)?.end ?? 0];
    let sequence = 1;
    try {
      for (const epoch of epochs) {
        const sound = epochSound(epoch.facts);
        await this.#log.beginEpoch(this.#epoch(epoch.facts, sound));
        const shelf = new SoundShelf({ append: (facts, data) => this.#append(facts, data), cuts: epoch.cuts, silence: this.#made.silence, sequence });
        if (sound && epoch.first) await this.#encode(epoch, epoch.first.made, sound, shelf, (time) => (time - begin) / Math.max(1, end - begin));
        await shelf.end();
        sequence += epoch.cuts.length;
      }
    } finally {
      await this.#leg?.stop();
    }
  }

  async #append(facts: FragmentFacts, data: readonly Buffer[]): Promise<void> {
    await this.#log.append(facts, data);
    this.segments.push({ duration: facts.duration, size: data.reduce((sum, { length }) => sum + length, 0), gap: facts.gap });
  }

  #epoch({ epoch, timescale, wallClock, start, run }: EpochFacts, sound: EpochSound | null): EpochFacts {
    const { sampleRate, channels } = this.#o.make;
    const { config, codecString } = this.#made;
    const language = sound && /^[a-z]{3}$/.test(sound.language) ? { language: sound.language } : {};
    const init = initSegment({ kind: 'audio', codec: 'aac', config, timescale: sampleRate, sampleRate, channels, ...language });
    return { epoch, timescale: sampleRate, wallClock, start: rescale(start, timescale, sampleRate), reorderDelay: 0, codecString, run, init };
  }

  /** `zero`: when the first frame of the epoch begins. */
  async #encode(epoch: EpochCuts, zero: number, sound: EpochSound, shelf: SoundShelf, doneAt: (time: number) => number): Promise<void> {
    const { make, signal, source, progress } = this.#o;
    let [first, end] = [0, -Infinity];
    for await (const packet of soundPackets(source, epoch, epoch.facts, sound)) {
      if (signal.aborted) throw unwanted();
      if (packet.time - end > longestFilled * sound.sampleRate) {
        await this.#endLeg(first, shelf);
        first = this.#begin(packet, zero, sound, shelf);
      }
      end = packet.time + sound.samplesOf(packet.data);
      await this.#leg?.feed(packet);
      await this.#shelve(first, shelf);
      this.#packets += 1;
      if (this.#packets % tellEvery === 0) progress(Math.min(1, Math.max(0, doneAt(rescale(packet.time, sound.sampleRate, make.sampleRate)))));
    }
    await this.#endLeg(first, shelf);
  }

  /** Resolves with the number of its first frame, which begins with its first packet, or up to a frame ahead of it. */
  #begin({ time }: SoundPacket, zero: number, sound: EpochSound, shelf: SoundShelf): number {
    const { sandbox, place, clock, signal, make } = this.#o;
    const isFirst = shelf.next === 0;
    const behind = rescale(time, sound.sampleRate, make.sampleRate) - zero;
    const index = Math.max(0, Math.floor(behind / aacFrame));
    const made = zero + index * aacFrame;
    const source = rescale(made, make.sampleRate, sound.sampleRate);
    const { config } = this.#made;
    this.#leg = new SoundLegRun({ sandbox, place, clock, signal, wallMs: this.#wallMs(), sound, make, config, from: { source, made }, preSkip: isFirst ? sound.preSkip : 0 });
    return index;
  }

  #wallMs(): number {
    const { first, end, entry, epochs } = this.#o.source.snapshot();
    const timescale = epochs[0]?.timescale ?? 1;
    const ticks = end > first ? entry(end - 1).dts + entry(end - 1).duration - entry(first).dts : 0;
    return Math.min(longestMs, leastMs + Math.max(0, (1000 * ticks) / timescale));
  }

  async #endLeg(index: number, shelf: SoundShelf): Promise<void> {
    await this.#leg?.end();
    await this.#shelve(index, shelf);
    this.#leg = null;
  }

  async #shelve(first: number, shelf: SoundShelf): Promise<void> {
    for (const { index, data } of this.#leg?.taken() ?? []) await shelf.put(first + index, data);
  }
}

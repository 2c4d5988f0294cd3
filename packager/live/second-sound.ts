/**
 * The sound of a show a second time, in a codec that players everywhere know: what it is (pure), and its epochs one after
 * the other. It hangs on nothing but the sound that comes: whatever becomes of rungs, it goes on.
 */
import type { Clock } from '../clock.ts';
import { parseOpusConfig } from '../media/opus.ts';
import type { PlacedUnit } from '../media/timeline.ts';
import type { AudioConfig } from '../media/unit.ts';
import type { RunTrack, SecondSoundFacts } from './run-facts.ts';
import type { RungRun } from './rung-epoch.ts';
import type { Cut } from './segmenter.ts';
import { SecondSoundEpoch, type SoundTrouble, type StartSound } from './second-sound-epoch.ts';

/** Bits a second, in stereo: what is next to be heard like the original. */
const usualBitRate = 160_000;
/** Of that, for one channel. */
const monoShare = 0.6;
/** AAC-LC at 48 kHz (ISO 14496-3, 1.6.2.1). */
const configs = { 1: Buffer.from('1188', 'hex'), 2: Buffer.from('1190', 'hex') } as const;

/** Null: players everywhere know what comes. More channels than two are mixed down: boxes that need AAC have two loudspeakers. */
export const planSecondSound = ({ codec, config }: AudioConfig, stereo: number | null = null): Pick<SecondSoundFacts, 'channels' | 'bitRate'> | null => {
  if (codec !== 'opus') return null;
  const channels = parseOpusConfig(config).channels === 1 ? 1 : 2;
  return { channels, bitRate: Math.round((stereo ?? usualBitRate) * (channels === 1 ? monoShare : 1)) };
};

export const secondConfig = ({ channels }: Pick<SecondSoundFacts, 'channels'>): AudioConfig => ({ kind: 'audio', codec: 'aac', config: configs[channels] });

export type SecondSoundOptions = {
  readonly clock: Clock;
  readonly run: RungRun;
  readonly track: RunTrack;
  readonly facts: SecondSoundFacts;
  readonly start: StartSound;
  readonly trouble: (trouble: SoundTrouble) => void;
};

/** `silent`: nobody makes it now. */
export type SecondSoundState = { readonly silent: boolean; readonly restarts: number };

/** What is still in the encoder when an epoch ends. */
const DRAIN_MS = 700;

export class SecondSound {
  readonly #o: SecondSoundOptions;
  #current: SecondSoundEpoch | null = null;
  /** Of all epochs before the current one. */
  #before: Promise<void> = Promise.resolve();
  #restarts = 0;

  constructor(options: SecondSoundOptions) {
    this.#o = options;
  }

  get state(): SecondSoundState {
    return { silent: this.#current?.silent ?? false, restarts: this.#restarts };
  }

  begin(epoch: number, source: AudioConfig, startMicros: number): void {
    const { clock, run, track, facts, start } = this.#o;
    const trouble = (what: SoundTrouble): void => {
      this.#restarts += 1;
      this.#o.trouble(what);
    };
    const current = new SecondSoundEpoch({ clock, run, track, facts, start, config: secondConfig(facts), epoch, source, startMicros, trouble });
    this.#current = current;
    void this.#before.then(() => current.turn());
  }

  unit(unit: PlacedUnit): void {
    this.#current?.unit(unit);
  }

  line(cut: Cut): void {
    this.#current?.line(cut);
  }

  /** The epoch is over, and so long the source was; what is in the encoder still comes, for a while. */
  end(cuts: readonly Cut[], untilMicros: number): void {
    const ended = this.#current;
    this.#current = null;
    if (!ended) return;
    const cancel = this.#o.clock.after(DRAIN_MS, () => ended.stop());
    ended.end(cuts, untilMicros);
    this.#before = Promise.all([this.#before, ended.done]).then(cancel);
  }

  /** All epochs that have ended are in the run. */
  settled(): Promise<void> {
    return this.#before;
  }

  close(): void {
    this.#current?.stop();
  }
}

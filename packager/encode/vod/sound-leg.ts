/** One ffmpeg for a stretch of sound without a hole: packets in, as fast as it takes them; frames out, by their number. */
import { nutHead } from '../../nut/writer.ts';
import type { NutItem } from '../../nut/reader.ts';
import type { Clock } from '../../clock.ts';
import type { SoundMake } from '../../pipeline/work.ts';
import type { Limits } from '../confine.ts';
import { faultOfMachine, started } from '../piped-fault.ts';
import { PipedFfmpeg } from '../piped-ffmpeg.ts';
import { EncodeError } from '../runs.ts';
import type { JobPlace, Sandbox } from '../sandbox.ts';
import { aacFrame } from '../sound-command.ts';
import { soundLead, vodSoundCommand } from './sound-command.ts';
import type { EpochSound, SoundPacket } from './sound-packets.ts';

export type LegOptions = {
  readonly sandbox: Pick<Sandbox, 'piped'>;
  readonly place: JobPlace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly wallMs: number;
  readonly sound: EpochSound;
  readonly make: SoundMake;
  /** What is made must be told by this AudioSpecificConfig. */
  readonly config: Buffer;
  /** The first sample that is encoded: of the rate of what comes, and of what is made. */
  readonly from: { readonly source: number; readonly made: number };
  readonly preSkip: number;
};

export type MadeFrame = { /** Whole frames from `from` on. */ readonly index: number; readonly data: Buffer };

const memoryBytes = 2 ** 30;
/** Samples by which another rate may round differently. */
const rounding = 4;

export class SoundLegRun {
  readonly #o: LegOptions;
  readonly #ffmpeg: PipedFfmpeg<'unwanted' | 'time'>;
  readonly #release: () => void;
  #frames: MadeFrame[] = [];
  #last = -Infinity;

  constructor(options: LegOptions) {
    this.#o = options;
    const { sandbox, place, clock, signal, wallMs, sound, make, from, preSkip } = options;
    const { codec, config, channels, sampleRate } = sound;
    const limits: Limits = { memoryBytes, cpuSeconds: Math.ceil(wallMs / 1000), fileBytes: 0 };
    const args = vodSoundCommand({ codec, sampleRate, from: from.source, preSkip, make });
    const head = nutHead({ codec, config, sampleRate, channels, timescale: sampleRate }, 0);
    this.#ffmpeg = started(() => new PipedFfmpeg({ sandbox, place, args, limits, head, timescale: make.sampleRate, outputs: 1, take: (_output, item) => this.#take(item) }));
    const unwanted = (): void => this.#ffmpeg.stop('unwanted');
    signal.addEventListener('abort', unwanted, { once: true });
    const cancel = clock.after(wallMs, () => this.#ffmpeg.stop('time'));
    this.#release = () => {
      cancel();
      signal.removeEventListener('abort', unwanted);
    };
    if (signal.aborted) unwanted();
  }

  /** Resolves when it has taken most of what it was given. */
  async feed({ time, data }: SoundPacket): Promise<void> {
    if (this.#ffmpeg.isOver || this.#ffmpeg.why) throw await this.#fault();
    this.#ffmpeg.send(time + soundLead * this.#o.sound.sampleRate, true, data);
    await this.#ffmpeg.drained();
  }

  /** What has come since. */
  taken(): MadeFrame[] {
    return this.#frames.splice(0);
  }

  /** There is no more: everything that is inside has come when this resolves. */
  async end(): Promise<void> {
    this.#ffmpeg.end();
    const { code } = await this.#ffmpeg.ended;
    if (code !== 0 || this.#ffmpeg.why) throw await this.#fault();
    this.#release();
  }

  /** Whatever becomes of the rest: nothing of it runs any more when this resolves. */
  async stop(): Promise<void> {
    this.#release();
    this.#ffmpeg.stop('unwanted');
    await this.#ffmpeg.ended;
  }

  #take(item: NutItem): void {
    const { from, make, config } = this.#o;
    if (item.kind === 'stream') {
      // Behind it some say again that there is no SBR.
      if (!item.config.subarray(0, config.length).equals(config)) throw new Error(`AAC of ${item.config.toString('hex')}, not ${config.toString('hex')}`);
      return;
    }
    const at = item.pts - soundLead * make.sampleRate - from.made;
    const index = Math.round(at / aacFrame);
    if (Math.abs(at - index * aacFrame) > rounding || (this.#last > -Infinity && index !== this.#last + 1)) throw new Error(`a frame ${at} samples behind the first one, after number ${this.#last}`);
    this.#last = index;
    // The one ahead of the first is the run-up of the encoder.
    if (index >= 0) this.#frames.push({ index, data: item.data });
  }

  async #fault(): Promise<EncodeError> {
    const { words } = await this.#ffmpeg.ended;
    this.#release();
    const { why } = this.#ffmpeg;
    if (why === 'unwanted') return new EncodeError('unwanted', 'It is not wanted any more.', true);
    const cause = new Error(words);
    if (why === 'time') return new EncodeError('took-too-long', 'Working on it took longer than any video should.', false, { cause });
    return (why === null && faultOfMachine(words)) || new EncodeError('encode-failed', 'Its sound could not be converted.', false, { cause });
  }
}

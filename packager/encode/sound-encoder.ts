/**
 * One ffmpeg that makes AAC of a span of live Opus: packets go in as they come, frames come out, each at its own time. It
 * never makes whoever feeds it wait, and its end is a value, and the end of all that it started.
 */
import { opusHeadOf, opusRate, parseOpusConfig } from '../media/opus.ts';
import { nutHead } from '../nut/writer.ts';
import type { Limits } from './confine.ts';
import { PipedFfmpeg } from './piped-ffmpeg.ts';
import type { JobPlace, Sandbox } from './sandbox.ts';
import { soundCommand, soundOffset, type SoundSpan } from './sound-command.ts';

export type SoundEnd = {
  /** `drained`: it was told that there is no more, and gave out all that it had. */
  readonly how: 'drained' | 'crashed' | 'killed';
  /** What it said last, for the log of the server. */
  readonly words: string;
};

export type SoundEncoderOptions = SoundSpan & {
  readonly sandbox: Pick<Sandbox, 'piped'>;
  readonly place: JobPlace;
  /** The `dOps` of what comes. */
  readonly config: Buffer;
  readonly frame: (pts: number, data: Buffer) => void;
};

/** In an OpusHead. */
const preSkipAt = 10;
const queueBytes = 1024 * 1024;
const limits: Limits = { memoryBytes: 2 ** 30, cpuSeconds: null, fileBytes: 0 };

export class SoundEncoder {
  /** Settles when its last process is gone and its pipes are closed. */
  readonly ended: Promise<SoundEnd>;
  readonly #ffmpeg: PipedFfmpeg<'killed'>;
  #ending = false;

  /** Throws where no process can be made at all. */
  constructor({ sandbox, place, config, frame, ...span }: SoundEncoderOptions) {
    // The pre-skip is dealt with by a filter: after a new start in the middle there is none.
    const opus = opusHeadOf(config);
    opus.writeUInt16LE(0, preSkipAt);
    this.#ffmpeg = new PipedFfmpeg({
      ...{ sandbox, place, limits, args: soundCommand(span), timescale: opusRate, outputs: 1 },
      head: nutHead({ codec: 'opus', config: opus, sampleRate: opusRate, channels: parseOpusConfig(config).channels, timescale: opusRate }, 0),
      take: (_output, item) => {
        if (item.kind === 'picture') frame(item.pts - soundOffset, item.data);
      },
    });
    this.ended = this.#ffmpeg.ended.then(({ code, words }) => {
      const how = this.#ffmpeg.why ?? (this.#ending && code === 0 ? 'drained' : 'crashed');
      return { how, words: how === 'drained' ? '' : words };
    });
  }

  get pid(): number | undefined {
    return this.#ffmpeg.pid;
  }

  /** False: too much waits already, or nothing is taken any more. */
  feed(pts: number, data: Buffer): boolean {
    if (this.#ending || this.#ffmpeg.why || this.#ffmpeg.queuedBytes + data.length > queueBytes) return false;
    this.#ffmpeg.send(pts + soundOffset, true, data);
    return true;
  }

  /** There is no more: what is inside still comes out. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#ffmpeg.end();
  }

  /** At once; nothing comes out any more. */
  kill(): void {
    this.#ffmpeg.stop('killed');
  }
}

/**
 * Sound in MPEG-TS: frames behind headers of their own, several in a PES packet, some across two. The time stamp of a
 * packet is that of the first frame that begins in it (ISO 13818-1, 2.7.4); the others follow at the length of a frame.
 */
import { CodecError } from '../codec-error.ts';
import type { AudioCodec } from '../unit.ts';
import type { FrameReader, Framing, SoundFrame } from './frames.ts';
import type { Pes } from './pes.ts';
import type { MediaOutput } from './pictures.ts';
import { tsClock, tsTurn } from './wire.ts';

const nothing = Buffer.alloc(0);

export class SoundStream {
  readonly #output: MediaOutput;
  readonly #codec: AudioCodec;
  readonly #frameAt: FrameReader;
  #rest: Buffer = nothing;
  #config: Buffer | null = null;
  /** Another configuration: believed when it is said twice, because a damaged header would end an epoch. */
  #doubted: Buffer | null = null;
  /** Stamp of a frame, and samples since it; null before the first stamp. */
  #anchor: number | null = null;
  #samples = 0;
  #rate = 0;
  /** Bytes that belonged to no frame. */
  skipped = 0;

  constructor(codec: AudioCodec, frameAt: FrameReader, output: MediaOutput) {
    this.#output = output;
    this.#codec = codec;
    this.#frameAt = frameAt;
  }

  take({ pts, data }: Pes): void {
    const old = this.#rest.length;
    const bytes = old === 0 ? data : Buffer.concat([this.#rest, data]);
    let at = 0;
    let stamp = pts;
    while (at < bytes.length) {
      if (stamp !== null && at >= old) {
        this.#anchor = stamp;
        this.#samples = 0;
        stamp = null;
      }
      const found = this.#read(bytes, at);
      if (found === 'more') break;
      if (found === 'garbage') {
        at += 1;
        this.skipped += 1;
        continue;
      }
      for (const frame of found.frames) this.#frame(frame);
      at += found.size;
    }
    this.#rest = bytes.subarray(at);
  }

  /** What comes next does not continue what came last. */
  gap(): void {
    this.skipped += this.#rest.length;
    this.#rest = nothing;
  }

  #read(bytes: Buffer, at: number): Framing {
    try {
      return this.#frameAt(bytes, at);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return 'garbage';
    }
  }

  #frame({ config, sampleRate, frameLength, data }: SoundFrame): void {
    const believed = this.#believes(config);
    if (this.#anchor === null) return;
    if (this.#rate !== sampleRate && this.#samples > 0) {
      this.#anchor = this.#now();
      this.#samples = 0;
    }
    this.#rate = sampleRate;
    const pts = this.#now();
    this.#samples += frameLength;
    if (believed && data.length > 0) this.#output.unit({ kind: 'audio', dts: pts, pts, key: true, data });
  }

  #now(): number {
    const ticks = this.#samples === 0 ? 0 : Math.round((this.#samples * tsClock.timescale) / this.#rate);
    return ((this.#anchor ?? 0) + ticks) % tsTurn;
  }

  #believes(config: Buffer): boolean {
    if (this.#config?.equals(config)) {
      this.#doubted = null;
      return true;
    }
    if (this.#config && !this.#doubted?.equals(config)) {
      this.#doubted = config;
      return false;
    }
    this.#config = config;
    this.#doubted = null;
    this.#output.track({ kind: 'audio', codec: this.#codec, config });
    return true;
  }
}

/**
 * One ffmpeg that makes AAC of a span of live Opus: packets go in as they come, frames come out, each at its own time. It
 * never makes whoever feeds it wait, and its end is a value, and the end of all that it started.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { opusHeadOf, opusRate, parseOpusConfig } from '../media/opus.ts';
import { NutReader } from '../nut/reader.ts';
import { nutFrameHead, nutHead } from '../nut/writer.ts';
import { killGroup, nowhere, Tail } from './child.ts';
import type { Limits } from './confine.ts';
import { firstPipe } from './live-command.ts';
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
const keptComplaints = 16 * 1024;
const limits: Limits = { memoryBytes: 2 ** 30, cpuSeconds: null, fileBytes: 0 };

export class SoundEncoder {
  /** Settles when its last process is gone and its pipes are closed. */
  readonly ended: Promise<SoundEnd>;
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #complaints = new Tail(keptComplaints);
  #why: 'killed' | 'crashed' | null = null;
  #ending = false;

  constructor({ sandbox, place, config, frame, ...span }: SoundEncoderOptions) {
    const command = sandbox.piped({ program: 'ffmpeg', args: soundCommand(span), place, limits });
    // A group of its own, so that all of it can be killed at once.
    const child = spawn(command.file, command.args, { cwd: command.cwd, env: command.env, detached: true, stdio: ['pipe', 'ignore', 'pipe', 'pipe'] });
    this.#child = child;
    // Ahead of all else: nobody else hears that it could not be started.
    this.ended = this.#untilOver();
    this.#input = child.stdin ?? nowhere();
    // It may end before it has read everything; its end says so.
    this.#input.on('error', () => {});
    child.stderr?.on('data', (chunk: Buffer) => this.#complaints.add(chunk));
    this.#hear(child.stdio?.[firstPipe] as Readable | undefined, frame);
    // The pre-skip is dealt with by a filter: after a new start in the middle there is none.
    const head = opusHeadOf(config);
    head.writeUInt16LE(0, preSkipAt);
    this.#input.write(nutHead({ codec: 'opus', config: head, sampleRate: opusRate, channels: parseOpusConfig(config).channels, timescale: opusRate }, 0));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False: too much waits already, or nothing is taken any more. */
  feed(pts: number, data: Buffer): boolean {
    if (this.#ending || this.#why || this.#input.writableLength + data.length > queueBytes) return false;
    // Both in one write to the kernel.
    this.#input.cork();
    this.#input.write(nutFrameHead(pts + soundOffset, true, data.length));
    this.#input.write(data);
    this.#input.uncork();
    return true;
  }

  /** There is no more: what is inside still comes out. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#input.end();
  }

  /** At once; nothing comes out any more. */
  kill(): void {
    this.#stop('killed');
  }

  #hear(output: Readable | undefined, frame: SoundEncoderOptions['frame']): void {
    if (!output) return;
    const reader = new NutReader();
    output.on('error', () => {});
    output.on('data', (chunk: Buffer) => {
      if (this.#why) return;
      try {
        for (const item of reader.push(chunk)) {
          if (item.kind === 'picture') frame(item.pts - soundOffset, item.data);
          else if (item.timeBase.numerator !== 1 || item.timeBase.denominator !== opusRate) throw new Error(`times in ${item.timeBase.numerator}/${item.timeBase.denominator} s`);
        }
      } catch (error) {
        this.#complaints.add(Buffer.from(`\n${String(error)}\n`));
        this.#stop('crashed');
      }
    });
  }

  #stop(why: 'killed' | 'crashed'): void {
    if (this.#why) return;
    this.#why = why;
    this.#input.destroy();
    killGroup(this.#child.pid);
  }

  #untilOver(): Promise<SoundEnd> {
    const { promise, resolve } = Promise.withResolvers<SoundEnd>();
    const child = this.#child;
    const over = (code: number | null, signal: NodeJS.Signals | null): void => {
      const how = this.#why ?? (this.#ending && code === 0 ? 'drained' : 'crashed');
      resolve({ how, words: how === 'drained' ? '' : `${signal ?? code}: ${this.#complaints.text.trim().split('\n').slice(-3).join(' | ').slice(-600)}` });
    };
    child.on('error', (error) => {
      this.#complaints.add(Buffer.from(String(error)));
      if (child.pid === undefined) over(null, null);
    });
    // What it started and left behind must not outlive it.
    child.on('exit', () => killGroup(child.pid));
    child.on('close', over);
    return promise;
  }
}

/**
 * An ffmpeg that is fed and heard while it runs: NUT goes in over one pipe and comes out over others. It never makes whoever
 * feeds it wait. Its end is a value, whatever ended it, and the end of all that it started.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { NutReader, type NutItem } from '../nut/reader.ts';
import { nutFrameHead } from '../nut/writer.ts';
import { killGroup, nowhere, Tail } from './child.ts';
import type { Limits } from './confine.ts';
import { firstPipe } from './live-command.ts';
import type { JobPlace, Sandbox } from './sandbox.ts';

export type PipedOptions = {
  readonly sandbox: Pick<Sandbox, 'piped'>;
  readonly place: JobPlace;
  readonly args: readonly string[];
  readonly limits: Limits;
  /** What its input begins with. */
  readonly head: Buffer;
  /** That times come out in; others are nonsense. */
  readonly timescale: number;
  readonly outputs: number;
  /** What it throws ends the program as one that says what nobody understands. */
  readonly take: (output: number, item: NutItem) => void;
};

const keptComplaints = 16 * 1024;

export class PipedFfmpeg<Why extends string> {
  /** Settles when its last process is gone and its pipes are closed. `words`: what it said last. */
  readonly ended: Promise<{ readonly code: number | null; readonly words: string }>;
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #complaints = new Tail(keptComplaints);
  #why: Why | 'crashed' | null = null;
  #over = false;

  /** Throws where no process can be made at all. */
  constructor({ sandbox, place, args, limits, head, timescale, outputs, take }: PipedOptions) {
    const command = sandbox.piped({ program: 'ffmpeg', args, place, limits });
    // A group of its own, so that all of it can be killed at once.
    const child = spawn(command.file, command.args, {
      ...{ cwd: command.cwd, env: command.env, detached: true },
      stdio: ['pipe', 'ignore', 'pipe', ...Array.from({ length: outputs }, () => 'pipe' as const)],
    });
    this.#child = child;
    // Ahead of all else: nobody else hears that it could not be started.
    this.ended = this.#untilOver();
    this.#input = child.stdin ?? nowhere();
    // It may end before it has read everything; its end says so.
    this.#input.on('error', () => {});
    child.stderr?.on('data', (chunk: Buffer) => this.#complaints.add(chunk));
    for (let output = 0; output < outputs; output += 1) this.#hear(child.stdio?.[firstPipe + output] as Readable | undefined, timescale, (item) => take(output, item));
    this.#input.write(head);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Why we ended it; null: we did not. */
  get why(): Why | 'crashed' | null {
    return this.#why;
  }

  get isOver(): boolean {
    return this.#over;
  }

  get queuedBytes(): number {
    return this.#input.writableLength;
  }

  send(stamp: number, key: boolean, data: Buffer): void {
    const head = nutFrameHead(stamp, key, data.length);
    // Both in one write to the kernel.
    this.#input.cork();
    this.#input.write(head);
    this.#input.write(data);
    this.#input.uncork();
  }

  /** Resolves when it has taken most of what it was given, or takes nothing any more. */
  async drained(): Promise<void> {
    const input = this.#input;
    if (!input.writableNeedDrain || input.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        input.off('drain', done).off('close', done);
        resolve();
      };
      input.on('drain', done).on('close', done);
    });
  }

  /** There is no more: what is inside still comes out. */
  end(): void {
    this.#input.end();
  }

  /** At once; nothing comes out any more. */
  stop(why: Why | 'crashed'): void {
    if (this.#over || this.#why) return;
    this.#why = why;
    this.#input.destroy();
    killGroup(this.#child.pid);
  }

  #hear(output: Readable | undefined, timescale: number, take: (item: NutItem) => void): void {
    if (!output) return;
    const reader = new NutReader();
    output.on('error', () => {});
    output.on('data', (chunk: Buffer) => {
      try {
        for (const item of this.#why ? [] : reader.push(chunk)) {
          // Whoever was handed one item may have ended it.
          if (this.#why) return;
          if (item.kind === 'stream' && (item.timeBase.numerator !== 1 || item.timeBase.denominator !== timescale)) throw new Error(`times in ${item.timeBase.numerator}/${item.timeBase.denominator} s`);
          take(item);
        }
      } catch (error) {
        this.#complaints.add(Buffer.from(`\n${String(error)}\n`));
        this.stop('crashed');
      }
    });
  }

  #untilOver(): PipedFfmpeg<Why>['ended'] {
    const { promise, resolve } = Promise.withResolvers<Awaited<PipedFfmpeg<Why>['ended']>>();
    const child = this.#child;
    const over = (code: number | null, signal: NodeJS.Signals | null): void => {
      this.#over = true;
      resolve({ code, words: `${signal ?? code}: ${this.#complaints.text.trim().split('\n').slice(-3).join(' | ').slice(-600)}` });
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

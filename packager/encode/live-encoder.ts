/**
 * One ffmpeg for one span of a live stream: from a key picture on its pictures go in as they come, and those of every rung
 * come out, each at its own time. It never makes whoever feeds it wait: what does not fit its queue is refused. Its end is a value,
 * whatever ended it, and the end of all that it started.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../clock.ts';
import { encodeAvcConfig, normaliseAvc } from '../media/h264.ts';
import { nalType, typeOf } from '../media/h264-nal.ts';
import { nalsOf, withLengths } from '../media/mpegts/pictures.ts';
import { NutReader, type NutItem } from '../nut/reader.ts';
import { nutFrameHead, nutHead } from '../nut/writer.ts';
import { killGroup, nowhere, Tail } from './child.ts';
import type { Limits } from './confine.ts';
import { firstPipe, liveCommand, liveTimescale, ptsOf, stampOf, type LiveRung, type LiveSource } from './live-command.ts';
import { coreSecondsOf } from './process-cost.ts';
import type { JobPlace, Sandbox } from './sandbox.ts';
import { WaitingPictures } from './waiting-pictures.ts';

/** `pts` in 90 kHz; `data` as a sample of an MP4 has it. */
export type LivePicture = { readonly pts: number; readonly key: boolean; readonly data: Buffer };

export type LiveEnd = {
  /**
   * `drained`: it was told that there is no more, and gave out all that it had. `crashed`: it ended, or said what nobody
   * understands. `hung`: it was ended since nothing came any more. `killed`: nobody wanted it any more.
   */
  readonly how: 'drained' | 'crashed' | 'hung' | 'killed';
  /** What it said last, for the log of the server. */
  readonly words: string;
};

export type LiveProgress = {
  readonly picturesIn: number;
  readonly queuedBytes: number;
  readonly rungs: readonly {
    readonly picturesOut: number;
    /** Ticks from the last picture that came out to the last one that went in; some are always on their way. */
    readonly lag: number;
    /** How long the picture has waited that should come out next. */
    readonly waitingMs: number;
  }[];
  /** Of a core, by it and all around it; null: this machine does not say, or it is over. */
  readonly coreSeconds: number | null;
};

export type LiveSpan = {
  readonly sandbox: Pick<Sandbox, 'piped'>;
  readonly place: JobPlace;
  readonly clock: Clock;
  readonly source: LiveSource & { readonly config: Buffer; /** Pictures that a decoder holds back. */ readonly reorder: number };
  readonly rungs: readonly LiveRung[];
  /** Ahead of its pictures: its avcC. */
  readonly configured: (rung: number, config: Buffer) => void;
  readonly picture: (rung: number, picture: LivePicture) => void;
  /** Most that waits here for it to read on. */
  readonly queueBytes?: number;
  /** It hangs when it has had more than it may hold back, and has been silent for so long. */
  readonly hungMs?: number;
};

const usualQueue = 16 * 1024 * 1024;
const usualHungMs = 5_000;
const watchMs = 500;
const keptComplaints = 16 * 1024;
const limits: Limits = { memoryBytes: 4 * 2 ** 30, cpuSeconds: null, fileBytes: 0 };
/** Pictures that may be inside without anything being wrong, beside those that the decoder holds back: a cap leaves out some. */
const heldBack = 8;

export class LiveEncoder {
  /** Settles when its last process is gone and its pipes are closed. */
  readonly ended: Promise<LiveEnd>;
  readonly #span: LiveSpan;
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #waiting: WaitingPictures;
  readonly #lastOut: number[];
  readonly #picturesOut: number[];
  /** Pictures that a rung has to have, or a cap leaves out. */
  readonly #expected: number[];
  readonly #complaints = new Tail(keptComplaints);
  #picturesIn = 0;
  /** Since when there is no more to come; null: there may be. */
  #ending: number | null = null;
  /** Why we ended it; null: we did not. */
  #why: 'hung' | 'killed' | 'crashed' | null = null;
  #over = false;
  #cancelWatch: () => void;

  constructor(span: LiveSpan) {
    this.#span = span;
    const { source, rungs, sandbox, place, clock } = span;
    const command = sandbox.piped({ program: 'ffmpeg', args: liveCommand(source, rungs), place, limits });
    // A group of its own, so that all of it can be killed at once.
    const child = spawn(command.file, command.args, {
      ...{ cwd: command.cwd, env: command.env, detached: true },
      stdio: ['pipe', 'ignore', 'pipe', ...rungs.map(() => 'pipe' as const)],
    });
    this.#child = child;
    // Ahead of all else: nobody else hears that it could not be started.
    this.ended = this.#untilOver();
    this.#input = child.stdin ?? nowhere();
    this.#waiting = new WaitingPictures(rungs.map(({ after }) => after ?? -Infinity));
    this.#lastOut = rungs.map(() => clock.now());
    this.#picturesOut = rungs.map(() => 0);
    this.#expected = rungs.map(() => 0);
    // It may end before it has read everything; its end says so.
    this.#input.on('error', () => {});
    child.stderr?.on('data', (chunk: Buffer) => this.#complaints.add(chunk));
    for (const index of rungs.keys()) this.#hear(index, child.stdio?.[firstPipe + index] as Readable | undefined);
    this.#cancelWatch = clock.after(watchMs, () => this.#watch());
    this.#input.write(nutHead({ ...source, timescale: liveTimescale }, 0));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** In the order in which they are decoded, a key picture first. False: it is not taken, since too much waits already, or nothing is taken any more. */
  feed({ pts, key, data }: LivePicture): boolean {
    const { clock, rungs, queueBytes = usualQueue } = this.#span;
    if (this.#ending !== null || this.#why || this.#over || this.#input.writableLength + data.length > queueBytes) return false;
    const stamp = stampOf(pts, key);
    // It would throw into the way of the source, which lets nothing so early through.
    if (stamp < 0) return false;
    // Both in one write to the kernel.
    this.#input.cork();
    this.#input.write(nutFrameHead(stamp, key, data.length));
    this.#input.write(data);
    this.#input.uncork();
    this.#picturesIn += 1;
    for (const [rung, { after }] of rungs.entries()) if (pts > (after ?? -Infinity)) this.#expected[rung] = (this.#expected[rung] ?? 0) + 1;
    this.#waiting.feed(pts, clock.now());
    return true;
  }

  /** There is no more: what is inside still comes out. */
  end(): void {
    if (this.#ending !== null) return;
    this.#ending = this.#span.clock.now();
    this.#input.end();
  }

  /** At once; nothing comes out any more. */
  kill(): void {
    this.#stop('killed');
  }

  progress(): LiveProgress {
    const { clock, rungs } = this.#span;
    const now = clock.now();
    const { pid } = this.#child;
    return {
      picturesIn: this.#picturesIn,
      queuedBytes: this.#input.writableLength,
      rungs: rungs.map((_, index) => ({
        picturesOut: this.#picturesOut[index] ?? 0,
        lag: this.#waiting.lag(index),
        waitingMs: now - (this.#waiting.since(index, 0) ?? now),
      })),
      coreSeconds: pid === undefined || this.#over ? null : coreSecondsOf(pid),
    };
  }

  #hear(rung: number, output: Readable | undefined): void {
    if (!output) return;
    const reader = new NutReader();
    output.on('error', () => {});
    output.on('data', (chunk: Buffer) => {
      if (this.#why) return;
      try {
        for (const item of reader.push(chunk)) this.#take(rung, item);
      } catch (error) {
        this.#complain(error);
      }
    });
  }

  #take(rung: number, item: NutItem): void {
    if (this.#why) return;
    if (item.kind === 'stream') {
      const { numerator, denominator } = item.timeBase;
      if (numerator !== 1 || denominator !== liveTimescale) throw new Error(`times in ${numerator}/${denominator} s`);
      const nals = nalsOf(item.config);
      const ofType = (type: number): Buffer[] => nals.filter((nal) => typeOf(nal) === type);
      this.#span.configured(rung, encodeAvcConfig(ofType(nalType.sps), ofType(nalType.pps)));
      return;
    }
    const pts = ptsOf(item.pts);
    this.#waiting.out(rung, pts);
    this.#lastOut[rung] = this.#span.clock.now();
    this.#picturesOut[rung] = (this.#picturesOut[rung] ?? 0) + 1;
    this.#span.picture(rung, { pts, key: item.key, data: normaliseAvc(withLengths(nalsOf(item.data)), 4).data });
  }

  #complain(error: unknown): void {
    this.#complaints.add(Buffer.from(`\n${String(error)}\n`));
    this.#stop('crashed');
  }

  #watch(): void {
    const { clock, rungs, source, hungMs = usualHungMs } = this.#span;
    const now = clock.now();
    const isHung = (rung: number): boolean => {
      const since = this.#ending ?? this.#waiting.since(rung, source.reorder + heldBack);
      return since !== null && now - Math.max(since, this.#lastOut[rung] ?? now) > hungMs;
    };
    if ([...rungs.keys()].some(isHung)) this.#stop('hung');
    if (!this.#over) this.#cancelWatch = clock.after(watchMs, () => this.#watch());
  }

  #stop(why: 'hung' | 'killed' | 'crashed'): void {
    if (this.#over || this.#why) return;
    this.#why = why;
    this.#input.destroy();
    killGroup(this.#child.pid);
  }

  #untilOver(): Promise<LiveEnd> {
    const { promise, resolve } = Promise.withResolvers<LiveEnd>();
    const child = this.#child;
    const over = (code: number | null, signal: NodeJS.Signals | null): void => {
      this.#over = true;
      this.#cancelWatch();
      // Given nothing that it understands, it is content.
      const silent = this.#picturesOut.some((count, rung) => count === 0 && (this.#expected[rung] ?? 0) > heldBack);
      const how = this.#why ?? (this.#ending !== null && code === 0 && !silent ? 'drained' : 'crashed');
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

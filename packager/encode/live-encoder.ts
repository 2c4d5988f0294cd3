/**
 * One ffmpeg for one span of a live stream: from a key picture on its pictures go in as they come, and those of every rung
 * come out, each at its own time. It never makes whoever feeds it wait: what does not fit its queue is refused. Its end is a value,
 * whatever ended it, and the end of all that it started.
 */
import type { Clock } from '../clock.ts';
import { encodeAvcConfig, normaliseAvc } from '../media/h264.ts';
import { nalType, typeOf } from '../media/h264-nal.ts';
import { nalsOf, withLengths } from '../media/mpegts/pictures.ts';
import type { NutItem } from '../nut/reader.ts';
import { nutHead } from '../nut/writer.ts';
import type { Limits } from './confine.ts';
import { liveCommand, liveTimescale, ptsOf, stampOf, type LiveRung, type LiveSource } from './live-command.ts';
import { PipedFfmpeg } from './piped-ffmpeg.ts';
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
const limits: Limits = { memoryBytes: 4 * 2 ** 30, cpuSeconds: null, fileBytes: 0 };
/** Pictures that may be inside without anything being wrong, beside those that the decoder holds back: a cap leaves out some. */
const heldBack = 8;

export class LiveEncoder {
  /** Settles when its last process is gone and its pipes are closed. */
  readonly ended: Promise<LiveEnd>;
  readonly #span: LiveSpan;
  readonly #ffmpeg: PipedFfmpeg<'hung' | 'killed'>;
  readonly #waiting: WaitingPictures;
  readonly #lastOut: number[];
  readonly #picturesOut: number[];
  /** Pictures that a rung has to have, or a cap leaves out. */
  readonly #expected: number[];
  #picturesIn = 0;
  /** Since when there is no more to come; null: there may be. */
  #ending: number | null = null;
  #cancelWatch: () => void;

  /** Throws where no process can be made at all. */
  constructor(span: LiveSpan) {
    this.#span = span;
    const { source, rungs, sandbox, place, clock } = span;
    this.#waiting = new WaitingPictures(rungs.map(({ after }) => after ?? -Infinity));
    this.#lastOut = rungs.map(() => clock.now());
    this.#picturesOut = rungs.map(() => 0);
    this.#expected = rungs.map(() => 0);
    this.#ffmpeg = new PipedFfmpeg({
      ...{ sandbox, place, limits, args: liveCommand(source, rungs), timescale: liveTimescale, outputs: rungs.length },
      head: nutHead({ ...source, timescale: liveTimescale }, 0),
      take: (rung, item) => this.#take(rung, item),
    });
    this.#cancelWatch = clock.after(watchMs, () => this.#watch());
    this.ended = this.#ffmpeg.ended.then(({ code, words }) => {
      this.#cancelWatch();
      // Given nothing that it understands, it is content.
      const silent = this.#picturesOut.some((count, rung) => count === 0 && (this.#expected[rung] ?? 0) > heldBack);
      const how = this.#ffmpeg.why ?? (this.#ending !== null && code === 0 && !silent ? 'drained' : 'crashed');
      return { how, words: how === 'drained' ? '' : words };
    });
  }

  get pid(): number | undefined {
    return this.#ffmpeg.pid;
  }

  /** In the order in which they are decoded, a key picture first. False: it is not taken, since too much waits already, or nothing is taken any more. */
  feed({ pts, key, data }: LivePicture): boolean {
    const { clock, rungs, queueBytes = usualQueue } = this.#span;
    if (this.#ending !== null || this.#ffmpeg.why || this.#ffmpeg.isOver || this.#ffmpeg.queuedBytes + data.length > queueBytes) return false;
    const stamp = stampOf(pts, key);
    // It would throw into the way of the source, which lets nothing so early through.
    if (stamp < 0) return false;
    this.#ffmpeg.send(stamp, key, data);
    this.#picturesIn += 1;
    for (const [rung, { after }] of rungs.entries()) if (pts > (after ?? -Infinity)) this.#expected[rung] = (this.#expected[rung] ?? 0) + 1;
    this.#waiting.feed(pts, clock.now());
    return true;
  }

  /** There is no more: what is inside still comes out. */
  end(): void {
    if (this.#ending !== null) return;
    this.#ending = this.#span.clock.now();
    this.#ffmpeg.end();
  }

  /** At once; nothing comes out any more. */
  kill(): void {
    this.#ffmpeg.stop('killed');
  }

  progress(): LiveProgress {
    const { clock, rungs } = this.#span;
    const now = clock.now();
    const { pid, isOver, queuedBytes } = this.#ffmpeg;
    return {
      picturesIn: this.#picturesIn,
      queuedBytes,
      rungs: rungs.map((_, index) => ({
        picturesOut: this.#picturesOut[index] ?? 0,
        lag: this.#waiting.lag(index),
        waitingMs: now - (this.#waiting.since(index, 0) ?? now),
      })),
      coreSeconds: pid === undefined || isOver ? null : coreSecondsOf(pid),
    };
  }

  #take(rung: number, item: NutItem): void {
    if (item.kind === 'stream') {
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

  #watch(): void {
    const { clock, rungs, source, hungMs = usualHungMs } = this.#span;
    const now = clock.now();
    const isHung = (rung: number): boolean => {
      const since = this.#ending ?? this.#waiting.since(rung, source.reorder + heldBack);
      return since !== null && now - Math.max(since, this.#lastOut[rung] ?? now) > hungMs;
    };
    if ([...rungs.keys()].some(isHung)) this.#ffmpeg.stop('hung');
    if (!this.#ffmpeg.isOver) this.#cancelWatch = clock.after(watchMs, () => this.#watch());
  }
}

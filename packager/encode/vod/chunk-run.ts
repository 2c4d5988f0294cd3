/** The run of one ffmpeg for a chunk: it is fed as fast as it takes what it is given, and heard, and every rung is checked and written while it runs. */
import { createHash } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codedPicture, type CodedPicture } from '../../cmaf/coded-picture.ts';
import { fragment } from '../../cmaf/fragment.ts';
import { initSegment } from '../../cmaf/init.ts';
import { readInit } from '../../cmaf/reader.ts';
import { logIdBytes } from '../../log/record.ts';
import type { EpochFacts } from '../../log/types.ts';
import { CodecError } from '../../media/codec-error.ts';
import { encodeAvcConfig, normaliseAvc } from '../../media/h264.ts';
import { nalType, typeOf } from '../../media/h264-nal.ts';
import { nalsOf, withLengths } from '../../media/mpegts/pictures.ts';
import { pictureFacts } from '../../media/picture-facts.ts';
import type { NutItem } from '../../nut/reader.ts';
import { nutHead } from '../../nut/writer.ts';
import type { EncodeWork, RungWork } from '../../pipeline/work.ts';
import type { Limits } from '../confine.ts';
import { faultOfMachine, SaidError, started } from '../piped-fault.ts';
import { PipedFfmpeg, type PipedOptions } from '../piped-ffmpeg.ts';
import { EncodeError } from '../runs.ts';
import { WholeLog } from '../whole-log.ts';
import type { ChunkBench } from './addressed.ts';
import { chunkCommand, chunkTimescale } from './command.ts';
import { pictures, stampsOf, type Stamps } from './feed.ts';
import { MatchError, RungMatch, type MatchedSegment } from './match.ts';
import { spanOf, type SourceLog, type Span } from './span.ts';
import { markName } from './watermark.ts';

export type ChunkRun = Pick<ChunkBench, 'sandbox' | 'place' | 'folder' | 'disk' | 'clock' | 'signal' | 'progress'> & {
  /** Where the logs of the rungs are made. */
  readonly made: string;
  /** By which the logs are told from others: the same for the same work. */
  readonly id: Buffer;
  /** Pictures of the source that nothing comes of are left out: one in ten at the most, and the same ones of every rung. */
  readonly mayLose: boolean;
};

const memoryBytes = 6 * 2 ** 30;
/** A second of film takes no longer than that, whatever it is and whatever else the machine does; and a while for anything. */
const slowest = 240;
const leastMs = 10 * 60_000;
/** Timers take no more than 2^31 ms. */
const longestMs = 7 * 86_400_000;
/** Of segments that the disk has not taken, beyond which nothing more is fed. */
const mostUnwritten = 64 * 2 ** 20;
const progressSteps = 200;
/** Of the pictures of a chunk, that may be damaged. */
const mostLost = 0.1;

type Why = 'unwanted' | 'time' | 'fault';

/** How many pictures were left out. Rejects with an EncodeError; its cause is a MatchError where what came is not what was fed, and a SaidError where ffmpeg gave up. */
export const runChunk = async (run: ChunkRun, work: EncodeWork, log: SourceLog): Promise<number> => {
  const { signal, clock } = run;
  if (work.rungs.length === 0) throw new EncodeError('encode-failed', 'There is nothing to make.');
  const { watermark: mark } = work;
  if (mark) await copyFile(join(run.folder, mark.path), join(run.place.work, markName));
  const span = await spanOf(log, work.from, work.to);
  const source = sourceOf(log, work.epoch);
  const fed = stampsOf(span, source.timescale);
  // What is shown twice is told by its number, which is another where pictures are missing.
  const stamps = run.mayLose ? { ...fed, runUp: null } : fed;
  const seconds = ((span.segments.at(-1)?.end ?? 0) - (span.segments[0]?.start ?? 0)) / source.timescale;
  const rungs = work.rungs.map((rung) => new RungMaking(run, rung, span, stamps, source));
  const total = span.segments.reduce((sum, { pts }) => sum + pts.length, 0);
  let fault: unknown = null;
  let told = 0;
  const wallMs = Math.min(longestMs, leastMs + slowest * 1000 * seconds);
  const limits: Limits = { memoryBytes, cpuSeconds: Math.ceil(wallMs / 1000), fileBytes: 0 };
  const options: PipedOptions = {
    ...{ sandbox: run.sandbox, place: run.place, limits, timescale: chunkTimescale, outputs: rungs.length },
    args: chunkCommand({ source, rungs: work.rungs, treatment: work.treatment, mark, frameRate: seconds > 0 ? total / seconds : 30, runUp: stamps.runUp }),
    head: nutHead({ ...source, timescale: chunkTimescale, reorder: span.reorder }, 0),
    take: (index, item) => {
      rungs[index]?.take(item);
      const done = Math.floor((progressSteps * Math.min(...rungs.map(({ count }) => count))) / total);
      if (done > told) run.progress((told = done) / progressSteps);
    },
  };
  const ffmpeg = started(() => new PipedFfmpeg<Why>(options));
  const stop = (why: Why, error: unknown = null): void => {
    fault ??= error;
    ffmpeg.stop(why);
  };
  const unwanted = (): void => stop('unwanted');
  signal.addEventListener('abort', unwanted, { once: true });
  const cancel = clock.after(wallMs, () => stop('time'));
  try {
    if (signal.aborted) unwanted();
    try {
      for await (const { stamp, key, data } of pictures(log, work.from, span, stamps)) {
        if (ffmpeg.isOver || ffmpeg.why) break;
        ffmpeg.send(stamp, key, data);
        await ffmpeg.drained();
        while (unwritten(rungs) > mostUnwritten) await Promise.all(rungs.map(({ written }) => written));
      }
      ffmpeg.end();
    } catch (error) {
      stop('fault', error);
    }
    const { code, words } = await ffmpeg.ended;
    if (fault !== null) throw fault;
    if (ffmpeg.why === 'unwanted') throw new EncodeError('unwanted', 'It is not wanted any more.', true);
    if (ffmpeg.why === 'time') throw new EncodeError('took-too-long', 'Working on it took longer than any video should.', false);
    // What could not be written ended it too.
    for (const rung of rungs) if (rung.fault !== null) throw rung.fault;
    for (const rung of rungs) if (rung.mismatch !== null) throw failed(rung.mismatch);
    if (ffmpeg.why !== null || code !== 0) throw (ffmpeg.why === null && faultOfMachine(words)) || failed(new SaidError(words));
    for (const rung of rungs) await rung.finish();
    return lostOf(rungs, total);
  } finally {
    cancel();
    signal.removeEventListener('abort', unwanted);
    for (const rung of rungs) await rung.close();
  }
};

const failed = (cause: MatchError | SaidError): EncodeError => new EncodeError('encode-failed', 'It could not be converted.', true, { cause });

/** What the decoder makes nothing of is missing in every rung; what is missing in one was lost by its encoder. */
const lostOf = (rungs: readonly RungMaking[], total: number): number => {
  const [lost = [], ...others] = rungs.map((rung) => rung.lost);
  if (others.some((other) => other.join() !== lost.join())) throw failed(new MatchError('Rungs have lost pictures that others have.'));
  if (lost.length > mostLost * total) throw new EncodeError('broken', 'Too many of its pictures are damaged.', false);
  return lost.length;
};

const unwritten = (rungs: readonly RungMaking[]): number => rungs.reduce((sum, rung) => sum + rung.unwritten, 0);

type Source = CodedPicture & { readonly epoch: EpochFacts; readonly timescale: number };

const sourceOf = (log: Pick<SourceLog, 'snapshot'>, number: number): Source => {
  const epoch = log.snapshot().epochs.find((one) => one.epoch === number);
  const facts = epoch && epoch.init.length > 0 ? readInit(epoch.init) : null;
  if (!epoch || facts?.kind !== 'video') throw new EncodeError('encode-failed', 'The source has no pictures.');
  return { epoch, timescale: epoch.timescale, ...codedPicture(facts) };
};

/** One rung of a chunk: its log begins with the configuration that its encoder says, and gets a fragment for each segment. */
class RungMaking {
  /** All that has been handed to the disk so far is there. */
  written: Promise<void> = Promise.resolve();
  unwritten = 0;
  readonly #run: ChunkRun;
  readonly #rung: RungWork;
  readonly #span: Span;
  readonly #source: Source;
  readonly #match: RungMatch;
  #log: Promise<WholeLog> | null = null;
  #mismatch: MatchError | null = null;
  #fault: unknown = null;

  constructor(run: ChunkRun, rung: RungWork, span: Span, stamps: Stamps, source: Source) {
    this.#run = run;
    this.#rung = rung;
    this.#span = span;
    this.#source = source;
    this.#match = new RungMatch(stamps.segments, stamps.wanted, (segment) => this.#write(segment), run.mayLose);
  }

  get count(): number {
    return this.#match.count;
  }

  get lost(): readonly number[] {
    return this.#match.lost;
  }

  /** What came that was not asked for; null: nothing. */
  get mismatch(): MatchError | null {
    return this.#mismatch;
  }

  /** Why nothing more is written; null: nothing is wrong. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Throws for whatever it cannot take: that is the end of the program. */
  take(item: NutItem): void {
    if (this.#fault !== null) throw new Error('It could not be written.', { cause: this.#fault });
    if (item.kind === 'stream') return this.#begin(item.config);
    const { data, idr, empty } = normaliseAvc(withLengths(nalsOf(item.data)), 4);
    if (empty) throw new CodecError('invalid', 'a picture of nothing');
    try {
      this.#match.picture({ stamp: item.pts, idr, data });
    } catch (error) {
      if (error instanceof MatchError) this.#mismatch ??= new MatchError(`${this.#rung.name}: ${error.message}`);
      throw error;
    }
  }

  async finish(): Promise<void> {
    try {
      this.#match.end();
    } catch (error) {
      throw failed(new MatchError(`${this.#rung.name}: ${String(error)}`, { cause: error }));
    }
    await this.written;
    if (this.#fault !== null) throw this.#fault;
    const log = await this.#log;
    if (!log) throw failed(new MatchError(`${this.#rung.name}: nothing came out`));
    await log.finish();
    await this.#run.disk.syncFolder(join(this.#run.made, this.#rung.name));
  }

  async close(): Promise<void> {
    await this.written;
    const log = await this.#log?.catch(() => null);
    await log?.close();
  }

  #begin(config: Buffer): void {
    if (this.#log) throw new CodecError('invalid', 'it begins twice');
    const nals = nalsOf(config);
    const ofType = (type: number): Buffer[] => nals.filter((nal) => typeOf(nal) === type);
    const avc = encodeAvcConfig(ofType(nalType.sps), ofType(nalType.pps));
    const { codecString, size, colour } = pictureFacts({ kind: 'video', codec: 'h264', config: avc });
    const { width, height } = this.#rung;
    if (size?.width !== width || size.height !== height) throw new CodecError('invalid', `pictures of ${size?.width} × ${size?.height}`);
    const { epoch, timescale } = this.#source;
    const init = initSegment({ kind: 'video', codec: 'h264', config: avc, timescale, width, height, colour });
    // How far pictures are decoded behind the moment that they are shown at is told when the rung is joined.
    const facts: EpochFacts = { epoch: epoch.epoch, timescale, wallClock: 0, start: epoch.start, reorderDelay: 0, codecString, run: '', init };
    const { disk, clock, made, id } = this.#run;
    const { name } = this.#rung;
    this.#log = (async () => {
      const log = await WholeLog.create({ disk, clock, folder: join(made, name), logId: createHash('sha256').update(id).update(name).digest().subarray(0, logIdBytes) });
      await log.beginEpoch(facts);
      return log;
    })();
    this.#follow(async () => void (await this.#log));
  }

  #write({ index, firstPts, samples }: MatchedSegment): void {
    const segment = this.#span.segments[index];
    const log = this.#log;
    if (!segment || !log) throw new CodecError('invalid', 'pictures ahead of what they are');
    const { seq, start, end } = segment;
    const bytes = samples.reduce((sum, { size }) => sum + size, 0);
    this.unwritten += bytes;
    this.#follow(async () => {
      const data = fragment({ sequence: (seq + 1) % 2 ** 32, baseDecodeTime: start, kind: 'video', samples });
      await (await log).append({ dts: start, firstPts, duration: end - start, key: true, segmentStart: true, gap: false }, data);
      this.unwritten -= bytes;
    });
  }

  /** One after the other; the first fault is the end of it. */
  #follow(step: () => Promise<void>): void {
    this.written = this.written.then(async () => {
      if (this.#fault !== null) return;
      try {
        await step();
      } catch (error) {
        this.#fault = error;
        this.unwritten = 0;
      }
    });
  }
}

/**
 * Chunk after chunk of a rung becomes one track log, with the gaps and the epochs of its source: the same segments, at the
 * same times. What a chunk could not read of the source is a gap as well. All of it is looked at before anything is written.
 */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CmafError } from '../../cmaf/cmaf-error.ts';
import { readFragments } from '../../cmaf/reader.ts';
import type { Clock } from '../../clock.ts';
import type { RunTrack } from '../../live/run-facts.ts';
import { openTrackLogReader } from '../../log/open.ts';
import { logIdBytes } from '../../log/record.ts';
import { LogError, type Disk, type EpochFacts, type LogSnapshot, type TrackLogReader } from '../../log/types.ts';
import { segmentRates } from '../../rates.ts';
import { EncodeError } from '../runs.ts';
import { WholeLog } from '../whole-log.ts';
import { intervalsOf, segmentsOf, type ChunkRange } from './intervals.ts';

/** What was made of the fragments [from, to) of the source, and where it lies. */
export type ChunkPlace = {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  /** `<video>/work/<address>`. */
  readonly folder: string;
};

export type JoinOptions = {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of the picture that the chunks were made of. */
  readonly source: LogSnapshot;
  /** All of this rung, in any order. */
  readonly chunks: readonly ChunkPlace[];
  /** `RungWork.name`. */
  readonly rung: string;
  /** Where the log is made: nothing is there yet. Whoever asks renames it to its place. */
  readonly folder: string;
  /** Seconds; of the presentation that the track comes to: bandwidths are measured by it. */
  readonly targetDuration: number;
  readonly progress: (done: number) => void;
};

export type Joined =
  | {
      readonly kind: 'joined';
      /** But for its id, which is whose who lists it. */
      readonly track: Omit<RunTrack, 'id'>;
      /** Of the log, on the disk. */
      readonly bytes: number;
      /** Pictures a second on average; null: nobody can tell. */
      readonly frameRate: number | null;
    }
  /** These are torn, or not there: they have to be made anew (`rm -r` their folders first). Nothing was written. */
  | { readonly kind: 'torn'; readonly chunks: readonly ChunkPlace[]; readonly why: string };

type Line = ReturnType<typeof segmentsOf>[number];
type OpenChunk = { readonly place: ChunkPlace; readonly log: TrackLogReader; readonly facts: EpochFacts; readonly lines: readonly Line[] };

/** Rejects with an EncodeError: `no-room`, `broken` where nothing but gaps came of its chunks, or `encode-failed` where chunks do not fit each other or the source. */
export const joinRung = async (options: JoinOptions): Promise<Joined> => {
  const { source, chunks, rung, progress } = options;
  const intervals = intervalsOf(source);
  const places = covering(intervals.filter(({ gap }) => !gap), chunks);
  const lines = segmentsOf(source);
  const open: OpenChunk[] = [];
  try {
    const torn: ChunkPlace[] = [];
    let why = '';
    const said = new Said();
    for (const [index, place] of places.entries()) {
      const own = lines.filter(({ from, to }) => from >= place.from && to <= place.to);
      try {
        const chunk = await openChunk(options, place, own);
        open.push(chunk);
        await check(chunk, said, options.signal);
      } catch (error) {
        if (!(error instanceof Torn)) throw error;
        torn.push(place);
        why ||= `${rung} of fragments ${place.from} to ${place.to}: ${error.message}`;
      }
      progress((index + 1) / places.length / 2);
    }
    // A library below ffmpeg was another one for some of them, and nobody knows which: all are made anew, by what there is now.
    for (const place of places) if (said.unequal.has(place.epoch) && !torn.includes(place)) torn.push(place);
    for (const epoch of said.unequal) why ||= `${rung}: parameter sets of epoch ${epoch} differ from chunk to chunk`;
    if (torn.length > 0) return { kind: 'torn', chunks: torn, why };
    if (places.length > 0 && said.pictures === 0) throw new EncodeError('broken', 'Nothing of its source can be read.');
    return await write(options, open, lines, said);
  } finally {
    for (const { log } of open) await log.close();
  }
};

/** In order, and each interval once. */
const covering = (intervals: readonly Pick<ChunkRange, 'epoch' | 'from' | 'to'>[], chunks: readonly ChunkPlace[]): ChunkPlace[] => {
  const places = chunks.toSorted((a, b) => a.from - b.from);
  let at = 0;
  for (const { epoch, from, to } of places) {
    let next = from;
    for (let interval = intervals[at]; interval && interval.from === next && interval.epoch === epoch && interval.to <= to; interval = intervals[at]) {
      next = interval.to;
      at += 1;
    }
    if (next !== to) throw misfit(`fragments ${from} to ${to} are not whole intervals of the source, or were made twice`);
  }
  if (at < intervals.length) throw misfit(`nothing was made of the fragments from ${intervals[at]?.from} on`);
  return places;
};

const misfit = (why: string): EncodeError => new EncodeError('encode-failed', 'What was made in parts does not fit together.', false, { cause: new Error(why) });

/** A chunk that is not what was put there: it is made anew. */
class Torn extends Error {
  override readonly name = 'Torn';
}

const openChunk = async ({ disk, rung, source }: JoinOptions, place: ChunkPlace, lines: readonly Line[]): Promise<OpenChunk> => {
  const log = await tearing(openTrackLogReader({ disk, folder: join(place.folder, rung) }));
  try {
    const { first, end, epochs, entry } = log.snapshot();
    const [facts] = epochs;
    const timescale = source.epochs.find(({ epoch }) => epoch === place.epoch)?.timescale;
    if (first !== 0 || end !== lines.length || !facts || epochs.length > 1) throw new Torn(`${end} segments in place of ${lines.length}`);
    if (facts.epoch !== place.epoch || facts.timescale !== timescale) throw new Torn('it is of another source');
    for (const [seq, { start, end: until }] of lines.entries()) {
      const { dts, duration, key, segmentStart, gap } = entry(seq);
      if (dts !== start || dts + duration !== until || key === gap || !segmentStart) throw new Torn(`segment ${seq} is not where the source's is`);
    }
    return { place, log, facts, lines };
  } catch (error) {
    await log.close();
    throw error;
  }
};

const tearing = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LogError || error instanceof CmafError) throw new Torn(error.message, { cause: error });
    throw error;
  }
};

/** What the chunks of an epoch say of themselves: all of them the same. */
class Said {
  /** Of these, chunks differ in their parameter sets. */
  readonly unequal = new Set<number>();
  readonly epochs = new Map<number, { readonly init: Buffer; readonly codecString: string; reorderDelay: number }>();
  pictures = 0;

  add({ epoch, init, codecString }: EpochFacts): void {
    // One of gaps alone says nothing.
    if (init.length === 0) return;
    const known = this.epochs.get(epoch);
    if (!known) this.epochs.set(epoch, { init, codecString, reorderDelay: 0 });
    // Players are told of one init segment: pictures of another would not be decoded.
    else if (!known.init.equals(init)) this.unequal.add(epoch);
  }

  segment(epoch: number, offsets: Iterable<number>, count: number): void {
    const known = this.epochs.get(epoch);
    for (const offset of offsets) if (known) known.reorderDelay = Math.max(known.reorderDelay, -offset);
    this.pictures += count;
  }
}

/** Every byte of it is there, and is what it says that it is. */
const check = async ({ log, facts, lines }: OpenChunk, said: Said, signal: AbortSignal): Promise<void> => {
  said.add(facts);
  for (const [seq, { start }] of lines.entries()) {
    signal.throwIfAborted();
    const [bytes] = await tearing(log.readChecked(seq, seq + 1));
    if (log.snapshot().entry(seq).gap) continue;
    const found = bytes && (await tearing((async () => readFragments(bytes))()));
    const [fragment] = found ?? [];
    if (!fragment || found?.length !== 1 || fragment.baseDecodeTime !== start || !fragment.samples[0]?.key) throw new Torn(`segment ${seq} does not begin where it should`);
    said.segment(facts.epoch, fragment.samples.map(({ cts }) => cts), fragment.samples.length);
    await setImmediate();
  }
};

const write = async (options: JoinOptions, chunks: readonly OpenChunk[], lines: readonly Line[], said: Said): Promise<Joined> => {
  const { disk, clock, signal, source, folder, rung, targetDuration, progress } = options;
  const byLine = new Map(chunks.flatMap(({ log, lines: own }) => own.map((line, seq) => [line.from, { log, seq }] as const)));
  const id = createHash('sha256').update(JSON.stringify([rung, chunks.map(({ place }) => [place.from, basename(place.folder)])])).digest().subarray(0, logIdBytes);
  const log = await WholeLog.create({ disk, clock, folder, logId: id });
  const segments: { duration: number; size: number; gap: boolean }[] = [];
  let epoch: number | null = null;
  try {
    for (const [index, line] of lines.entries()) {
      signal.throwIfAborted();
      if (line.epoch !== epoch) {
        epoch = line.epoch;
        await log.beginEpoch(epochOf(source, epoch, said));
      }
      const made = byLine.get(line.from);
      const entry = made?.log.snapshot().entry(made.seq);
      const duration = line.end - line.start;
      if (made && entry && !entry.gap) {
        const { firstPts, size } = entry;
        await log.append({ dts: line.start, firstPts, duration, key: true, segmentStart: true, gap: false }, await made.log.readChecked(made.seq, made.seq + 1));
        segments.push({ duration, size, gap: false });
      } else {
        await log.append({ dts: line.start, firstPts: line.start, duration, key: false, segmentStart: true, gap: true }, []);
        segments.push({ duration, size: 0, gap: true });
      }
      progress(0.5 + (index + 1) / lines.length / 2);
    }
    const bytes = await log.finish();
    await disk.syncFolder(folder);
    const timescale = source.epochs[0]?.timescale ?? 1;
    const rates = segmentRates(segments, targetDuration, timescale) ?? { peak: 0, average: 0 };
    const ticks = segments.reduce((sum, { gap, duration }) => sum + (gap ? 0 : duration), 0);
    return {
      kind: 'joined',
      track: { kind: 'video', codec: 'h264', timescale, bandwidth: rates.peak, averageBandwidth: rates.average, partTarget: null, group: 'video' },
      bytes,
      frameRate: said.pictures > 1 && ticks > 0 ? Math.round((said.pictures * timescale * 1000) / ticks) / 1000 : null,
    };
  } finally {
    await log.close();
  }
};

const epochOf = ({ epochs }: LogSnapshot, number: number, said: Said): EpochFacts => {
  const source = epochs.find(({ epoch }) => epoch === number);
  if (!source) throw misfit(`the source does not say what its epoch ${number} is`);
  // Where there are only holes nobody decodes anything.
  const made = said.epochs.get(number) ?? { init: Buffer.alloc(0), codecString: '', reorderDelay: 0 };
  return { ...source, ...made };
};

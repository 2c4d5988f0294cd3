/**
 * A ladder made in chunks out of a source that is whole, as tests want it: by the real ffmpeg, in chunks as short as they
 * like, and read back by readers that are not those which it was made with.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../packager/clock.ts';
import { fragment, type Sample } from '../../packager/cmaf/fragment.ts';
import { readFragments } from '../../packager/cmaf/reader.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { makeJobPlace, Sandbox } from '../../packager/encode/sandbox.ts';
import { buildOf } from '../../packager/encode/vod/address.ts';
import type { ChunkBench } from '../../packager/encode/vod/addressed.ts';
import { encodeChunk, type PicturesMade } from '../../packager/encode/vod/chunk.ts';
import { intervalsOf } from '../../packager/encode/vod/intervals.ts';
import { joinRung, type ChunkPlace, type Joined } from '../../packager/encode/vod/join.ts';
import { openSource } from '../../packager/encode/vod/source.ts';
import { WholeLog } from '../../packager/encode/whole-log.ts';
import { openMovie } from '../../packager/encode/shelve.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import { openTrackLogReader } from '../../packager/log/open.ts';
import { parseRecord, recordBytes, recordMark } from '../../packager/log/record.ts';
import type { LogSnapshot, TrackLogReader } from '../../packager/log/types.ts';
import { virtualEpoch } from '../../packager/mp4/virtual-facts.ts';
import type { EncodeWork, PictureTreatment, RungWork, SourceTrack } from '../../packager/pipeline/work.ts';
import { decodeErrors, probe } from './encoded.ts';

export const plain: PictureTreatment = { deinterlace: false, toneMap: null };
export const rung = (name: string, width: number, height: number, more: Partial<RungWork> = {}): RungWork => ({ name, width, height, crf: 23, maxRate: 400_000, preset: 'veryfast', level: 30, ...more });

export type WholeBench = Omit<ChunkBench, 'progress' | 'signal' | 'folder'> & { readonly folder: string; readonly sandbox: Sandbox };

/** A folder of a video, and one of a job beside it; gone with the test. */
export const wholeBench = async (t: Pick<Test, 'teardown'>): Promise<WholeBench> => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-whole-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const programs = await findPrograms();
  const sandbox = await Sandbox.open({ programs, clock: systemClock, folder, gentle: false });
  if (!sandbox) throw new Error('ffmpeg does not run here');
  return { sandbox, place: await makeJobPlace(join(folder, 'job')), disk: nodeDisk, clock: systemClock, folder: join(folder, 'video'), build: buildOf(programs) };
};

/** An uploaded file, as a video of its own. */
export const original = async ({ folder }: Pick<WholeBench, 'folder'>, path: string, name: string): Promise<SourceTrack> => {
  await mkdir(folder, { recursive: true });
  await cp(path, join(folder, name));
  return { kind: 'original', path: name, track: 1 };
};

export type LadderWish = { readonly rungs: readonly RungWork[]; readonly treatment?: PictureTreatment; /** Intervals in a chunk. */ readonly each?: number; readonly sandbox?: WholeBench['sandbox'] };

export const worksOf = (source: SourceTrack, log: LogSnapshot, { rungs, treatment = plain, each = 2 }: LadderWish): EncodeWork[] => {
  const works: EncodeWork[] = [];
  let held = 0;
  for (const { epoch, from, to } of intervalsOf(log).filter(({ gap }) => !gap)) {
    const last = works.at(-1);
    if (last && last.epoch === epoch && last.to === from && held < each) {
      works[works.length - 1] = { ...last, to };
      held += 1;
    } else {
      works.push({ video: 'v', source, version: '1', epoch, from, to, rungs, treatment, watermark: null });
      held = 1;
    }
  }
  return works;
};

export const encodeOne = (bench: WholeBench, work: EncodeWork, more: Partial<ChunkBench> = {}): Promise<PicturesMade> =>
  encodeChunk({ ...bench, signal: new AbortController().signal, progress: () => undefined, ...more }, work);

export type MadeRung = { readonly name: string; readonly joined: Extract<Joined, { kind: 'joined' }>; readonly log: TrackLogReader; readonly folder: string };

/** All chunks, and every rung joined. */
export const makeLadder = async (t: Pick<Test, 'teardown'>, bench: WholeBench, source: SourceTrack, wish: LadderWish): Promise<{ readonly source: TrackLogReader; readonly rungs: readonly MadeRung[]; readonly chunks: readonly ChunkPlace[]; readonly lost: number; readonly holes: number }> => {
  const open = await openSource(nodeDisk, bench.folder, source);
  t.teardown(() => open.close());
  const works = worksOf(source, open.log.snapshot(), wish);
  const chunks: ChunkPlace[] = [];
  let [lost, holes] = [0, 0];
  for (const work of works) {
    const { folder, ...one } = await encodeOne(bench, work);
    lost += one.lost;
    holes += one.holes;
    chunks.push({ epoch: work.epoch, from: work.from, to: work.to, folder });
  }
  const rungs: MadeRung[] = [];
  for (const { name } of wish.rungs) {
    const folder = await mkdtemp(join(bench.folder, `${name}-`));
    const joined = await joinAll(open.log.snapshot(), chunks, name, join(folder, 'log'));
    if (joined.kind === 'torn') throw new Error(joined.why);
    const log = await openTrackLogReader({ disk: nodeDisk, folder: join(folder, 'log') });
    t.teardown(() => log.close());
    rungs.push({ name, joined, log, folder: join(folder, 'log') });
  }
  return { source: open.log, rungs, chunks, lost, holes };
};

export const joinAll = (source: LogSnapshot, chunks: readonly ChunkPlace[], name: string, folder: string): Promise<Joined> =>
  joinRung({ disk: nodeDisk, clock: systemClock, signal: new AbortController().signal, source, chunks, rung: name, folder, targetDuration: 6, progress: () => undefined });

export type SeenSegment = { readonly epoch: number; readonly start: number; readonly end: number; readonly gap: boolean; /** As decoded. */ readonly pts: readonly number[]; readonly dts: readonly number[]; readonly keys: readonly boolean[] };

/** What is in a log, segment by segment. */
export const segmentsIn = async (log: TrackLogReader): Promise<SeenSegment[]> => {
  const { first, end, entry } = log.snapshot();
  const segments: { epoch: number; start: number; end: number; gap: boolean; pts: number[]; dts: number[]; keys: boolean[] }[] = [];
  for (let seq = first; seq < end; seq += 1) {
    const { epoch, dts, duration, gap, segmentStart } = entry(seq);
    if (segmentStart || segments.length === 0) segments.push({ epoch, start: dts, end: dts, gap, pts: [], dts: [], keys: [] });
    const segment = segments.at(-1);
    if (!segment) continue;
    segment.end = dts + duration;
    if (gap) continue;
    for (const bytes of await log.readChecked(seq, seq + 1)) {
      for (const { baseDecodeTime, samples } of readFragments(bytes)) {
        let at = baseDecodeTime;
        for (const { cts, key, duration: lasts } of samples) {
          segment.pts.push(at + cts);
          segment.dts.push(at);
          segment.keys.push(key);
          at += lasts;
        }
      }
    }
  }
  return segments;
};

/** One epoch of a log as a file that anybody can play: its init segment, and its fragments behind it. */
export const fileOf = async (log: TrackLogReader, path: string, number = log.snapshot().epochs[0]?.epoch ?? 0): Promise<string> => {
  const { first, end, entry, epochs } = log.snapshot();
  const init = epochs.find(({ epoch }) => epoch === number)?.init ?? Buffer.alloc(0);
  const parts: Buffer[] = [init];
  for (let seq = first; seq < end; seq += 1) if (entry(seq).epoch === number && !entry(seq).gap) parts.push(...(await log.readChecked(seq, seq + 1)));
  await writeFile(path, Buffer.concat(parts));
  return path;
};

export type Probed = { readonly frames: number; readonly pts: readonly number[]; readonly width: number; readonly height: number; readonly complaints: string };

/** By ffprobe and ffmpeg: pictures that come out of a decoder, and the times of those that go in. */
export const probed = async (path: string): Promise<Probed> => {
  const found = (await probe(path, '-count_frames', '-show_entries', 'stream=nb_read_frames,width,height:packet=pts')) as {
    streams: { nb_read_frames: string; width: number; height: number }[];
    packets: { pts: number }[];
  };
  const [stream] = found.streams;
  if (!stream) throw new Error('there is no picture in it');
  const { width, height } = stream;
  return { frames: Number(stream.nb_read_frames), pts: found.packets.map(({ pts }) => pts), width, height, complaints: await decodeErrors(['-i', path]) };
};

export type RecordingWish = {
  /** Of files with times in 90 kHz, one after the other. */
  readonly epochs: readonly string[];
  /** Segments of the log that were lost, by their numbers. */
  readonly holes?: readonly number[];
  /** Seconds after which a segment ends, key picture or not; absent: never. */
  readonly limit?: number;
};

/** A log as a show leaves it: parts of a third of a second, segments of about two, epoch after epoch, as they are decoded. */
export const recording = async ({ folder }: Pick<WholeBench, 'folder'>, name: string, { epochs, holes = [], limit = Infinity }: RecordingWish): Promise<SourceTrack> => {
  const log = await WholeLog.create({ disk: nodeDisk, clock: systemClock, folder: join(folder, name) });
  let start = 0;
  let count = 0;
  for (const [number, path] of epochs.entries()) {
    const { movie, source, close } = await openMovie(nodeDisk, path);
    const track = movie.tracks.find((one) => one.kind === 'video');
    if (!track || track.kind !== 'video' || track.codec === 'other') throw new Error('there is no picture in it');
    const { timescale, samples } = track;
    const rows = samples.rows(0, samples.count);
    const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0;
    // Decoding begins when the first picture is shown: the rest of the order is in the offsets.
    const reorderDelay = at(rows.cts, 0);
    const facts = virtualEpoch({ track, reorderDelay, segments: 0, first: new Uint32Array(), starts: new Float64Array(), sizes: new Uint32Array(), lows: new Float64Array(), highs: new Float64Array(), shift: 0 }, { run: 'run1', wallClock: 1_000_000 });
    await log.beginEpoch({ ...facts, epoch: number, start });
    let from = -Infinity;
    let lost = false;
    for (let index = 0; index < rows.count; ) {
      const dts = start + at(rows.dts, index) - at(rows.dts, 0);
      const key = at(rows.key, index) === 1;
      const old = (dts - from) / timescale;
      const segmentStart = from === -Infinity || (key && old >= 1.8) || old >= limit;
      if (segmentStart) {
        from = dts;
        lost = holes.includes(count);
        count += 1;
      }
      const part: Sample[] = [];
      let duration = 0;
      do {
        const data = await source.read(at(rows.offset, index), at(rows.size, index));
        const lasts = at(rows.duration, index);
        part.push({ duration: lasts, size: data.length, key: at(rows.key, index) === 1, compositionOffset: at(rows.cts, index) - reorderDelay, data });
        duration += lasts;
        index += 1;
      } while (index < rows.count && duration < timescale / 3 && at(rows.key, index) === 0 && (dts + duration - from) / timescale < limit);
      const times = { dts, firstPts: dts + (part[0]?.compositionOffset ?? 0), duration, segmentStart };
      if (lost) await log.append({ ...times, firstPts: dts, key: false, gap: true }, []);
      else await log.append({ ...times, key, gap: false }, fragment({ sequence: count, baseDecodeTime: dts, kind: 'video', samples: part }));
      if (index === rows.count) start = dts + duration;
    }
    await close();
  }
  await log.finish();
  await log.close();
  return { kind: 'log', folder: name };
};

/** A bit of one fragment of a recording is another one on the disk, in the middle of it. */
export const rot = async ({ folder }: Pick<WholeBench, 'folder'>, name: string, seq: number): Promise<void> => {
  const path = join(folder, name, '00000.cmaf');
  const bytes = await readFile(path);
  for (let at = bytes.indexOf(recordMark) - 4; at >= 0; at = bytes.indexOf(recordMark, at + recordBytes) - 4) {
    const record = parseRecord(bytes, at, null);
    if (record.kind !== 'fragment' || record.seq !== seq) continue;
    const middle = at + recordBytes + (record.size >> 1);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    return writeFile(path, bytes);
  }
  throw new Error(`there is no fragment ${seq} in ${path}`);
};

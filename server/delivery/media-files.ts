/**
 * Media files: from a name to where its bytes lie in the log, and from there through the hot cache to one
 * buffer with its headers. A media file never changes, so what is cached is never looked at again.
 */
import type { MediaName } from '../../packager/names.ts';
import { LogError, type TrackLogReader } from '../../packager/log/types.ts';
import type { PartRef, PresentationSnapshot, SegmentRef, TrackSnapshot } from '../../packager/snapshot.ts';
import { nextMsn, nextPart, runOf, segmentByMsn } from '../../packager/hls/window.ts';
import { HotCache } from './cache.ts';
import { cacheControl, common, type RawHeaders } from './headers.ts';
import { problems, type Problem } from './problem.ts';
import { SingleFlight } from './single-flight.ts';

export type MediaFile = {
  readonly body: Buffer;
  readonly etag: string;
  readonly type: string;
  readonly shared: RawHeaders;
  readonly own: RawHeaders;
};

export type Found =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Fragments [from, to) of the log; `eager`: many will ask for it in the next moment. */
  | { readonly kind: 'log'; readonly from: number; readonly to: number; readonly eager: boolean }
  /** The part that comes next, which the playlist has hinted at. */
  | { readonly kind: 'soon' }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** The live edge: parts of so many segments are kept in RAM at the first request. */
const tailSegments = 4;
const readsAtOnce = 32;

export const findMedia = (snapshot: PresentationSnapshot, track: TrackSnapshot, name: MediaName): Found => {
  const closed = name.kind === 'init' ? null : segmentByMsn(track, name.msn);
  const epoch = name.kind === 'init' ? name.epoch : closed?.epoch;
  if (name.run !== (epoch === undefined ? snapshot.run : runOf(snapshot, epoch))) return { kind: 'problem', problem: problems.otherRun };
  if (name.kind === 'init') {
    const config = track.epochs.find((known) => known.epoch === name.epoch);
    return config ? { kind: 'bytes', bytes: config.init } : { kind: 'problem', problem: problems.unknown };
  }
  if (name.kind === 'key' || name.kind === 'captions') return { kind: 'problem', problem: problems.unknown };
  if (name.kind === 'segment') return closed ? wholeSegment(closed) : { kind: 'problem', problem: problems.unknown };

  const eager = snapshot.state === 'live' && name.msn + tailSegments >= nextMsn(track);
  if (closed) {
    const part = closed.parts[name.part];
    return part ? onePart(part, eager) : { kind: 'problem', problem: problems.unknown };
  }
  if (name.msn !== nextMsn(track) || snapshot.state === 'ended') return { kind: 'problem', problem: problems.notYet };
  const part = name.part < nextPart(track) ? track.open?.parts[name.part] : undefined;
  if (part) return onePart(part, eager);
  return name.part === nextPart(track) && track.partTarget !== null ? { kind: 'soon' } : { kind: 'problem', problem: problems.notYet };
};

const onePart = (part: PartRef, eager: boolean): Found =>
  part.gap || part.size === 0
    ? { kind: 'problem', problem: problems.gap }
    : { kind: 'log', from: part.seq, to: part.seq + 1, eager };

const wholeSegment = ({ parts, gap, size }: SegmentRef): Found => {
  const first = parts[0];
  const last = parts.at(-1);
  if (!first || !last || gap || size === 0) return { kind: 'problem', problem: problems.gap };
  return { kind: 'log', from: first.seq, to: last.seq + 1, eager: false };
};

export class MediaFiles {
  readonly #cache: HotCache<MediaFile>;
  readonly #reads = new SingleFlight<MediaFile>(readsAtOnce);
  #hits = 0;
  #misses = 0;

  constructor(cacheBytes: number) {
    this.#cache = new HotCache(cacheBytes);
  }

  get stats(): { readonly hits: number; readonly misses: number; readonly bytes: number; readonly files: number } {
    return { hits: this.#hits, misses: this.#misses, bytes: this.#cache.bytes, files: this.#cache.size };
  }

  cached(key: string): MediaFile | undefined {
    const file = this.#cache.get(key);
    if (file) this.#hits++;
    return file;
  }

  read(key: string, track: TrackSnapshot, reader: TrackLogReader, from: number, to: number, eager: boolean): Promise<MediaFile> {
    this.#misses++;
    return this.#reads.get(key, async () => {
      const file = mediaFile(key, track, oneBuffer(await reader.readChecked(from, to)));
      this.#cache.offer(key, file, file.body.length, eager);
      return file;
    });
  }

  /** What is in memory anyhow only needs its headers. */
  keep(key: string, track: TrackSnapshot, bytes: Buffer): MediaFile {
    const file = mediaFile(key, track, bytes);
    this.#cache.offer(key, file, bytes.length, true);
    return file;
  }
}

/** What to say when the log would not give the bytes. Null: that was no fault of the log's. */
export const readProblem = (error: unknown): Problem | null => {
  if (!(error instanceof LogError)) return null;
  switch (error.code) {
    case 'gone':
      return problems.gone;
    case 'not-yet':
    case 'out-of-order':
      return problems.notYet;
    case 'corrupt':
      // Asked for again it would be no better, and players do not ask again after a 404.
      return problems.damaged;
    case 'io':
    case 'closed':
      return problems.busy;
  }
};

/** Contiguous, so that it leaves in one write; and of its own memory, so that the cache counts what it keeps. */
const oneBuffer = (fragments: readonly Buffer[]): Buffer => {
  const [only] = fragments;
  if (only && fragments.length === 1 && only.buffer.byteLength <= only.length + 1024) return only;
  return Buffer.concat(fragments);
};

const mediaFile = (key: string, track: TrackSnapshot, body: Buffer): MediaFile => {
  const type = `${track.kind}/mp4`;
  const etag = `"${key.slice(key.indexOf('/') + 1)}"`;
  const head = (shared: boolean): RawHeaders => [
    ...common,
    'Content-Type',
    type,
    'Content-Length',
    String(body.length),
    'ETag',
    etag,
    'Accept-Ranges',
    'bytes',
    'Cache-Control',
    cacheControl.media(shared),
  ];
  return { body, etag, type, shared: head(true), own: head(false) };
};

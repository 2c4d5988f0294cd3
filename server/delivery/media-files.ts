/**
 * Media files: from a name to where its bytes lie in the log, and from there through the hot cache to one
 * buffer with its headers. A media file never changes, so what is cached is never looked at again.
 */
import type { MediaName } from '../../packager/names.ts';
import { LogError, type TrackLogReader } from '../../packager/log/types.ts';
import { progress } from '../../packager/dash/open-segment.ts';
import type { OpenSegment, PartRef, PresentationSnapshot, SegmentRef, TrackSnapshot } from '../../packager/snapshot.ts';
import { nextMsn, nextPart, runOf, segmentByMsn } from '../../packager/hls/window.ts';
import { HotCache } from './cache.ts';
import { isWithin } from './cut.ts';
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

/** Fragments [from, to) of the log; `eager`: many will ask for it in the next moment. */
export type LogSpan = { readonly type: string; readonly from: number; readonly to: number; readonly eager: boolean };

export type Found =
  | { readonly kind: 'bytes'; readonly type: string; readonly bytes: Buffer }
  | ({ readonly kind: 'log' } & LogSpan)
  /** A segment of which the first parts are there. */
  | { readonly kind: 'open'; readonly type: string; readonly msn: number }
  /** The part that comes next, which the playlist has hinted at; or the segment that does. */
  | { readonly kind: 'soon' }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** The live edge: parts of so many segments are kept in RAM at the first request. */
const tailSegments = 4;
const readsAtOnce = 32;

/** Pure: where the bytes of a name are, as far as this snapshot knows. */
export const findMedia = (snapshot: PresentationSnapshot, track: TrackSnapshot, name: MediaName): Found => {
  const closed = name.kind === 'init' ? null : segmentByMsn(track, name.msn);
  const epoch = name.kind === 'init' ? name.epoch : (closed ?? openAt(track, name.msn))?.epoch;
  if (name.run !== (epoch === undefined ? snapshot.run : runOf(snapshot, epoch))) return refused(problems.otherRun);
  const type = typeOf(track);
  if (name.kind === 'init') {
    const config = track.epochs.find((known) => known.epoch === name.epoch);
    return config ? { kind: 'bytes', type, bytes: config.init } : refused(problems.unknown);
  }
  // What has been trimmed away is not there for whoever remembers its name, either.
  if (closed && !isWithin(snapshot.cut, track, closed)) return refused(problems.trimmed);
  switch (name.kind) {
    case 'segment':
      return closed ? wholeSegment(type, closed) : openSegment(snapshot, track, type, name.msn);
    case 'part':
      return partOf(snapshot, track, closed, name);
    case 'key':
    case 'captions':
      return refused(problems.unknown);
  }
};

const refused = (problem: Problem): Found => ({ kind: 'problem', problem });

/** Text has no pictures and no sound: its fragments are files of an application. */
const typeOf = ({ kind }: TrackSnapshot): string => (kind === 'text' ? 'application/mp4' : `${kind}/mp4`);

const openAt = ({ open }: TrackSnapshot, msn: number): OpenSegment | null => (open && open.count > 0 && open.msn === msn ? open : null);

const partOf = (snapshot: PresentationSnapshot, track: TrackSnapshot, closed: SegmentRef | null, name: { readonly msn: number; readonly part: number }): Found => {
  const type = typeOf(track);
  const eager = isAtEdge(snapshot, track, name.msn);
  if (closed) {
    const part = closed.parts[name.part];
    return part ? onePart(type, part, eager) : refused(problems.unknown);
  }
  if (name.msn !== nextMsn(track) || snapshot.state === 'ended') return refused(problems.notYet);
  const part = name.part < nextPart(track) ? track.open?.parts[name.part] : undefined;
  if (part) return onePart(type, part, eager);
  return name.part === nextPart(track) && track.partTarget !== null ? { kind: 'soon' } : refused(problems.notYet);
};

/** What lies here is asked for by many in the next moment. */
export const isAtEdge = ({ state }: PresentationSnapshot, track: TrackSnapshot, msn: number): boolean =>
  state === 'live' && msn + tailSegments >= nextMsn(track);

const onePart = (type: string, part: PartRef, eager: boolean): Found =>
  part.gap || part.size === 0 ? refused(problems.gap) : { kind: 'log', type, from: part.seq, to: part.seq + 1, eager };

const wholeSegment = (type: string, { parts, gap, size }: SegmentRef): Found => {
  const first = parts[0];
  const last = parts.at(-1);
  if (!first || !last || gap || size === 0) return refused(problems.gap);
  return { kind: 'log', type, from: first.seq, to: last.seq + 1, eager: false };
};

const openSegment = (snapshot: PresentationSnapshot, { id }: TrackSnapshot, type: string, msn: number): Found => {
  const { kind } = progress(snapshot, id, msn);
  if (kind === 'soon') return { kind };
  return kind === 'open' ? { kind, type, msn } : refused(problems.unknown);
};

export class MediaFiles {
  readonly #cache: HotCache<MediaFile>;
  readonly #reads = new SingleFlight<MediaFile>(readsAtOnce);
  #hits = 0;
  #misses = 0;
  /** Counts what was forgotten: what was read from before that must not be kept after it. */
  #forgotten = 0;

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

  read(key: string, { type, from, to, eager }: LogSpan, reader: TrackLogReader): Promise<MediaFile> {
    return this.make(key, type, eager, async () => oneBuffer(await reader.readChecked(from, to)), this.#reads);
  }

  /** What costs more than a read waits in a line of its own. */
  make(key: string, type: string, eager: boolean, body: () => Promise<Buffer>, line: SingleFlight<MediaFile>): Promise<MediaFile> {
    this.#misses++;
    return line.get(key, async () => {
      const before = this.#forgotten;
      const file = mediaFile(key, type, await body());
      if (before === this.#forgotten) this.#cache.offer(key, file, file.body.length, eager);
      return file;
    });
  }

  /** What is in memory anyhow only needs its headers. */
  keep(key: string, type: string, bytes: Buffer): MediaFile {
    const file = mediaFile(key, type, bytes);
    this.#cache.offer(key, file, bytes.length, true);
    return file;
  }

  /** The video is gone, or less of it may be seen. */
  forget(video: string): void {
    this.#forgotten++;
    this.#cache.drop((key) => key.startsWith(`${video}/`));
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

/** Of its name below the video: what a name stands for never changes. */
export const etagOf = (key: string): string => `"${key.slice(key.indexOf('/') + 1)}"`;

const mediaFile = (key: string, type: string, body: Buffer): MediaFile => {
  const etag = etagOf(key);
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

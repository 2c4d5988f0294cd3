/**
 * Media files: the bytes of a log through the hot cache, as one buffer with its headers. A media file never changes,
 * so what is cached is never looked at again.
 */
import { CmafError } from '../../packager/cmaf/cmaf-error.ts';
import { LogError, type TrackLogReader } from '../../packager/log/types.ts';
import { KeyError } from '../../packager/protect/key-error.ts';
import { ProtectError } from '../../packager/protect/protect-error.ts';
import { HotCache } from './cache.ts';
import type { LogSpan } from './find-media.ts';
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

const readsAtOnce = 32;
const mostUnfit = 1000;

export class MediaFiles {
  readonly #cache: HotCache<MediaFile>;
  readonly #reads = new SingleFlight<MediaFile>(readsAtOnce);
  /** Files that cannot be made, however often they are asked for; oldest first. */
  readonly #unfit = new Map<string, Error>();
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

  read(key: string, { type, from, to, eager, made }: LogSpan, reader: TrackLogReader): Promise<MediaFile> {
    const body = async (): Promise<Buffer> => {
      const fragments = oneBuffer(await reader.readChecked(from, to));
      return made ? await made(fragments) : fragments;
    };
    return this.make(key, type, eager, body, this.#reads);
  }

  /** What costs more than a read waits in a line of its own. */
  make(key: string, type: string, eager: boolean, body: () => Promise<Buffer>, line: SingleFlight<MediaFile>): Promise<MediaFile> {
    const unfit = this.#unfit.get(key);
    if (unfit) return Promise.reject(unfit);
    this.#misses++;
    // Before it waits in the line: what is forgotten meanwhile may be what this is made of.
    const before = this.#forgotten;
    return line.get(key, async () => {
      try {
        const file = mediaFile(key, type, await body());
        if (before === this.#forgotten) this.#cache.offer(key, file, file.body.length, eager);
        return file;
      } catch (error) {
        if (isLasting(error) && before === this.#forgotten) this.#remember(key, error);
        throw error;
      }
    });
  }

  #remember(key: string, error: Error): void {
    this.#unfit.set(key, error);
    const [oldest] = this.#unfit.size > mostUnfit ? this.#unfit.keys() : [];
    if (oldest !== undefined) this.#unfit.delete(oldest);
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
    for (const key of this.#unfit.keys()) if (key.startsWith(`${video}/`)) this.#unfit.delete(key);
  }
}

/** The bytes were read, and are what was written: whoever asks again hears the same, by the same error. */
export const isLasting = (error: unknown): error is CmafError | ProtectError => error instanceof CmafError || error instanceof ProtectError;

/** What to say when the log would not give the bytes. Null: that was no fault of the log's. */
export const readProblem = (error: unknown): Problem | null => {
  // The bytes are what was written, and what was written is not what it should be.
  if (error instanceof CmafError) return problems.damaged;
  if (error instanceof ProtectError) return error.code === 'damaged' ? problems.damaged : problems.noCbcsHere;
  if (error instanceof KeyError) return keyProblems[error.code];
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

const keyProblems = { late: problems.keysLate, failed: problems.keysFailed, unusable: problems.keysUnusable } as const;

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

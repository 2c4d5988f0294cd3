/**
 * Playlists and manifests as ready-made answers. Each is written once per change of the presentation, however many
 * viewers ask, and its buffers (plain and gzip) are shared by all of them.
 */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import { common, type RawHeaders } from './headers.ts';
import type { Presentation } from './presentation.ts';

export type Encoding = 'identity' | 'gzip';

/** Deflating this much takes less than a turn through the thread pool; more is done there. */
const gzipHere = 32 * 1024;
const gzipLevel = { level: 1 };
const gzipElsewhere = promisify<Buffer, { level: number }, Buffer>(gzip);

export class ReadyPlaylist {
  readonly plain: Buffer;
  readonly #type: string;
  readonly #tag: string;
  #gzip: Buffer | Promise<Buffer> | null = null;
  readonly #heads = new Map<string, RawHeaders>();
  #pieces: readonly Buffer[] | null = null;

  constructor(text: string | Buffer, type: string) {
    this.plain = typeof text === 'string' ? Buffer.from(text) : text;
    this.#type = type;
    this.#tag = hash('sha1', this.plain, 'base64url').slice(0, 20);
  }

  /** The same with a text of his own for whoever asks, wherever its place is kept. */
  filled({ place, text }: Own): ReadyPlaylist {
    this.#pieces ??= between(this.plain, Buffer.from(place));
    const own = Buffer.from(text);
    return new ReadyPlaylist(Buffer.concat(this.#pieces.flatMap((piece, index) => (index === 0 ? [piece] : [own, piece]))), this.#type);
  }

  /** Two encodings are two representations (RFC 9110, 8.8.3.3). */
  etag(encoding: Encoding): string {
    return encoding === 'gzip' ? `"${this.#tag}-gz"` : `"${this.#tag}"`;
  }

  body(encoding: Encoding): Buffer | Promise<Buffer> {
    if (encoding === 'identity') return this.plain;
    if (this.#gzip) return this.#gzip;
    if (this.plain.length <= gzipHere) return (this.#gzip = gzipSync(this.plain, gzipLevel));
    const deflating = gzipElsewhere(this.plain, gzipLevel);
    this.#gzip = deflating;
    deflating.then(
      (done) => (this.#gzip = done),
      () => (this.#gzip = null),
    );
    return deflating;
  }

  headers(encoding: Encoding, cacheControl: string, length: number): RawHeaders {
    const key = `${encoding} ${cacheControl}`;
    let head = this.#heads.get(key);
    if (!head) {
      head = [...common, 'Content-Type', this.#type, 'Content-Length', String(length), ...this.validators(encoding, cacheControl)];
      if (encoding === 'gzip') head.push('Content-Encoding', 'gzip');
      this.#heads.set(key, head);
    }
    return head;
  }

  /** What a 304 says as well. */
  validators(encoding: Encoding, cacheControl: string): RawHeaders {
    return ['ETag', this.etag(encoding), 'Cache-Control', cacheControl, 'Vary', 'Accept-Encoding'];
  }
}

const between = (bytes: Buffer, mark: Buffer): Buffer[] => {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, from)) {
    pieces.push(bytes.subarray(from, at));
    from = at + mark.length;
  }
  return [...pieces, bytes.subarray(from)];
};

export const playlistType = 'application/vnd.apple.mpegurl';
export const manifestType = 'application/dash+xml';

/** What is another for each who asks, and where it stands in what is written for all. */
type Own = { readonly place: string; readonly text: string };

export type Wanted = {
  /** Which of the presentation's playlists. */
  readonly key: string;
  readonly type: string;
  /** Whoever asks names its number, a start or a cut: there is no end of such playlists, so few of them are kept. */
  readonly rare: boolean;
  /** Null: there is nothing to list yet. */
  readonly write: () => string | null;
  readonly own?: Own;
};

type Shelf = { revision: number; readonly ready: Map<string, ReadyPlaylist>; readonly rare: Map<string, ReadyPlaylist>; rareBytes: number };

const mostRare = 32;
/** A few cuts of a show of twelve hours: one that is not kept would be written anew for every viewer. */
const mostRareBytes = 6 * 1024 * 1024;

export class Playlists {
  readonly #shelves = new WeakMap<Presentation, Shelf>();
  #written = 0;

  get written(): number {
    return this.#written;
  }

  /** Written once per revision; of the rare ones, as long as they are among those that were asked for lately. */
  get(presentation: Presentation, { revision }: PresentationSnapshot, wanted: Wanted): ReadyPlaylist | null {
    const shelf = this.#shelf(presentation, revision);
    const ready = this.#forAll(shelf, wanted);
    if (!ready || !wanted.own) return ready;
    const key = `${wanted.key} ${wanted.own.text}`;
    const known = lately(shelf, key);
    if (known) return known;
    const filled = ready.filled(wanted.own);
    keepRare(shelf, key, filled);
    return filled;
  }

  #forAll(shelf: Shelf, { key, type, rare, write }: Wanted): ReadyPlaylist | null {
    const known = rare ? lately(shelf, key) : shelf.ready.get(key);
    if (known) return known;
    const text = write();
    if (text === null) return null;
    const ready = new ReadyPlaylist(text, type);
    this.#written++;
    if (rare) keepRare(shelf, key, ready);
    else shelf.ready.set(key, ready);
    return ready;
  }

  #shelf(presentation: Presentation, revision: number): Shelf {
    let shelf = this.#shelves.get(presentation);
    if (!shelf) this.#shelves.set(presentation, (shelf = { revision, ready: new Map(), rare: new Map(), rareBytes: 0 }));
    if (shelf.revision !== revision) {
      shelf.revision = revision;
      shelf.ready.clear();
      shelf.rare.clear();
      shelf.rareBytes = 0;
    }
    return shelf;
  }
}

/** One of the rare, which is the newest again. */
const lately = (shelf: Shelf, key: string): ReadyPlaylist | undefined => {
  const known = shelf.rare.get(key);
  if (known) {
    shelf.rare.delete(key);
    shelf.rare.set(key, known);
  }
  return known;
};

const keepRare = (shelf: Shelf, key: string, ready: ReadyPlaylist): void => {
  shelf.rare.set(key, ready);
  shelf.rareBytes += ready.plain.length;
  for (const [oldest, { plain }] of shelf.rare) {
    if (shelf.rare.size <= mostRare && shelf.rareBytes <= mostRareBytes) return;
    shelf.rare.delete(oldest);
    shelf.rareBytes -= plain.length;
  }
};

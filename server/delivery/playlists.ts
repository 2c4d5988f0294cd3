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
import { deflatedHere, Spliced } from './spliced.ts';

export type Encoding = 'identity' | 'gzip';

const gzipLevel = { level: 1 };
const gzipElsewhere = promisify<Buffer, { level: number }, Buffer>(gzip);

const tagOf = (bytes: Buffer | string): string => hash('sha1', bytes, 'base64url').slice(0, 20);

/** An answer in both encodings. */
export abstract class Ready {
  readonly #heads = new Map<string, RawHeaders>();
  readonly type: string;
  readonly tag: string;

  constructor(type: string, tag: string) {
    this.type = type;
    this.tag = tag;
  }

  abstract body(encoding: Encoding): Buffer | Promise<Buffer>;

  /** Two encodings are two representations (RFC 9110, 8.8.3.3). */
  etag(encoding: Encoding): string {
    return encoding === 'gzip' ? `"${this.tag}-gz"` : `"${this.tag}"`;
  }

  headers(encoding: Encoding, cacheControl: string, length: number): RawHeaders {
    const key = `${encoding} ${cacheControl}`;
    let head = this.#heads.get(key);
    if (!head) {
      head = [...common, 'Content-Type', this.type, 'Content-Length', String(length), ...this.validators(encoding, cacheControl)];
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

class ReadyPlaylist extends Ready {
  readonly plain: Buffer;
  #gzip: Buffer | Promise<Buffer> | null = null;
  #spliced: Spliced | null = null;

  constructor(text: string, type: string) {
    const plain = Buffer.from(text);
    super(type, tagOf(plain));
    this.plain = plain;
  }

  /** The same with a text of his own for whoever asks, wherever its place is kept. */
  filled({ place, text }: Own): Ready {
    this.#spliced ??= new Spliced(this.plain, place);
    return new FilledPlaylist(this.#spliced, text, this.type, tagOf(`${this.tag} ${text}`));
  }

  body(encoding: Encoding): Buffer | Promise<Buffer> {
    if (encoding === 'identity') return this.plain;
    if (this.#gzip) return this.#gzip;
    if (this.plain.length <= deflatedHere) return (this.#gzip = gzipSync(this.plain, gzipLevel));
    const deflating = gzipElsewhere(this.plain, gzipLevel);
    this.#gzip = deflating;
    deflating.then(
      (done) => (this.#gzip = done),
      () => (this.#gzip = null),
    );
    return deflating;
  }
}

class FilledPlaylist extends Ready {
  readonly #spliced: Spliced;
  readonly #own: Buffer;

  constructor(spliced: Spliced, own: string, type: string, tag: string) {
    super(type, tag);
    this.#spliced = spliced;
    this.#own = Buffer.from(own);
  }

  body(encoding: Encoding): Buffer | Promise<Buffer> {
    return encoding === 'gzip' ? this.#spliced.gzip(this.#own) : this.#spliced.plain(this.#own);
  }
}

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
  get(presentation: Presentation, { revision }: PresentationSnapshot, wanted: Wanted): Ready | null {
    const ready = this.#forAll(this.#shelf(presentation, revision), wanted);
    return ready && wanted.own ? ready.filled(wanted.own) : ready;
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

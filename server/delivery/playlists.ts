/**
 * Playlists as ready-made answers. Each is written once per change of the presentation, however many viewers
 * ask, and its buffers (plain and gzip) are shared by all of them.
 */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { PresentationSnapshot } from '../../packager/snapshot.ts';
import { common, type RawHeaders } from './headers.ts';
import type { Presentation } from './presentation.ts';

export type Encoding = 'identity' | 'gzip';

const contentType = 'application/vnd.apple.mpegurl';
/** Deflating this much takes less than a turn through the thread pool; more is done there. */
const gzipHere = 32 * 1024;
const gzipLevel = { level: 1 };
const gzipElsewhere = promisify<Buffer, { level: number }, Buffer>(gzip);

export class ReadyPlaylist {
  readonly plain: Buffer;
  readonly #tag: string;
  #gzip: Buffer | Promise<Buffer> | null = null;
  readonly #heads = new Map<string, RawHeaders>();

  constructor(text: string) {
    this.plain = Buffer.from(text);
    this.#tag = hash('sha1', this.plain, 'base64url').slice(0, 20);
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
      head = [...common, 'Content-Type', contentType, 'Content-Length', String(length), ...this.validators(encoding, cacheControl)];
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

type Shelf = { revision: number; readonly ready: Map<string, ReadyPlaylist> };

export class Playlists {
  readonly #shelves = new WeakMap<Presentation, Shelf>();
  #written = 0;

  get written(): number {
    return this.#written;
  }

  /** `key` says which of the presentation's playlists; `write` is called once per revision. */
  get(presentation: Presentation, snapshot: PresentationSnapshot, key: string, write: () => string): ReadyPlaylist {
    let shelf = this.#shelves.get(presentation);
    if (!shelf) this.#shelves.set(presentation, (shelf = { revision: snapshot.revision, ready: new Map() }));
    if (shelf.revision !== snapshot.revision) {
      shelf.revision = snapshot.revision;
      shelf.ready.clear();
    }
    let ready = shelf.ready.get(key);
    if (!ready) {
      ready = new ReadyPlaylist(write());
      this.#written++;
      shelf.ready.set(key, ready);
    }
    return ready;
  }
}

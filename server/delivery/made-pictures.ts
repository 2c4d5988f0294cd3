/**
 * What was made of a video once and lies there as files: posters, storyboard, preview; and its chapters. An address with the version
 * that is there is for ever; any other is asked for again each time.
 */
import type { Exchange } from './exchange.ts';
import { cacheControl, common } from './headers.ts';
import type { MediaFile } from './media-files.ts';
import type { PlayPath } from './path.ts';
import type { FoundPicture, PictureSource } from './presentation.ts';
import { problems } from './problem.ts';
import type { Service } from './service.ts';
import { SingleFlight } from './single-flight.ts';

export type MadePicturePath = Extract<PlayPath, { kind: 'made-picture' }>;

/** Some hundred KB each. */
const readsAtOnce = 16;
const versionShape = /^[0-9a-f]{1,20}$/;

export class MadePictures {
  readonly #service: Service;
  readonly #source: PictureSource | null;
  readonly #reads = new SingleFlight<MediaFile>(readsAtOnce);

  constructor(service: Service, source: PictureSource | null) {
    this.#service = service;
    this.#source = source;
  }

  give(exchange: Exchange, path: MadePicturePath, query: string): void {
    this.#service.whenKnown(exchange, this.#source?.find(path.video, path.name) ?? null, (found) => this.#give(exchange, path, found, versionIn(query)));
  }

  #give(exchange: Exchange, { video, name, file }: MadePicturePath, found: FoundPicture | null, asked: string | null): void {
    if (!found) return exchange.problem(name.kind === 'chapters' ? problems.noChapters : problems.notMade);
    if (exchange.maxHeight !== null && found.height !== null && found.height > exchange.maxHeight) return exchange.problem(problems.height);
    // Cells of an older storyboard lie elsewhere in this one.
    if (name.kind === 'sheet' && asked !== null && asked !== found.version) return exchange.problem(problems.notMade);
    const { files } = this.#service;
    const key = `${video}/${file}@${found.version}`;
    const made = files.cached(key) ?? files.make(key, found.type, false, () => found.read(), this.#reads);
    this.#service.whenKnown(exchange, made, (picture) => (asked === found.version ? exchange.media(picture) : giveOnce(exchange, picture)));
  }
}

/** Of the address of another version, or of none: it may be another picture tomorrow. */
const giveOnce = (exchange: Exchange, { body, type, etag }: MediaFile): void => {
  const keep = cacheControl.changing(exchange.shared);
  if (exchange.unchanged(etag, keep)) return;
  exchange.text(body, [...common, 'Content-Type', type, 'Content-Length', String(body.length), 'ETag', etag, 'Cache-Control', keep]);
};

/** Null: none is asked for, or what no version looks like. */
const versionIn = (query: string): string | null => {
  for (const pair of query.split('&', 8)) if (pair.startsWith('v=')) return versionShape.test(pair.slice(2)) ? pair.slice(2) : null;
  return null;
};

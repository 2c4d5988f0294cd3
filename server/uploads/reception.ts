/**
 * Reception: files that are sent and files that are fetched, put together, with those who want to know how far they are.
 * The rest of the server sees only this.
 */
import type { UploadDesk } from '../../ingest/upload/desk.ts';
import type { ApiHooks } from '../api/hooks.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import type { WebSockets } from '../ws/websockets.ts';
import { ImportError } from './import-error.ts';
import { Imports, type ImportsOptions } from './imports.ts';
import { SourceGuard } from './source-guard.ts';
import { Uploads, type UploadFiles, type UploadsOptions } from './uploads.ts';
import { VideoTopic } from './video-topic.ts';

export type ReceptionOptions = Omit<UploadsOptions, 'changed' | 'fetch' | 'files' | 'catalog' | 'events'> & {
  readonly catalog: Catalog;
  readonly events: EventDispatcher;
  readonly sockets: WebSockets;
  /** As those keep them who take bytes in over the network. */
  readonly files: UploadFiles;
  readonly imports: Pick<ImportsOptions, 'maxSize' | 'timeMs' | 'limits' | 'mostAtOnce'> & {
    /** Hosts and networks besides public ones. */
    readonly from: readonly string[];
    /** The name that this server has for the world; null: it was not told. */
    readonly publicHost: string | null;
  };
};

export class Reception {
  readonly #uploads: Uploads;
  readonly #imports: Imports;
  readonly #topic: VideoTopic;
  readonly hooks: ApiHooks['uploads'];

  constructor(options: ReceptionOptions) {
    const { catalog, events, clock, log, intake, files, sockets, imports } = options;
    const guard = new SourceGuard(imports.from, { ownHost: imports.publicHost });
    this.#uploads = new Uploads({
      ...options,
      fetch: (wanted) => this.#imports.add(wanted),
      changed: (video) => this.#topic.changed(video),
      files: {
        landed: (path, size) => files.landed(path, size),
        finish: (upload) => files.finish(upload),
        release: async (video) => {
          await this.#imports.release(video);
          await files.release(video);
        },
      },
    });
    this.#imports = new Imports({ ...imports, desk: this.#uploads, catalog, guard, clock, log });
    this.hooks = {
      create: (upload) => this.#uploads.create(upload),
      import: async (upload, url) => {
        try {
          guard.mustBeAllowed(url);
        } catch (error) {
          if (error instanceof ImportError) return { kind: 'forbidden', why: error.message };
          throw error;
        }
        return this.#uploads.create(upload, url.href);
      },
      address: (video) => this.#uploads.address(video),
      received: (video) => this.#uploads.received(video),
      progress: (video) => this.#imports.progress(video) ?? intake.progress(video),
    };
    const failed = (error: unknown): void => log.error({ err: error }, 'Pages could not be told of a video.');
    this.#topic = new VideoTopic({ sockets, catalog, events, uploads: this.hooks, clock, failed });
  }

  get desk(): UploadDesk {
    return this.#uploads;
  }
  get figures(): { readonly uploads: Uploads['figures']; readonly imports: Imports['figures'] } {
    return { uploads: this.#uploads.figures, imports: this.#imports.figures };
  }

  /** How far it is has changed: whoever listens is told. Takes no time. */
  changed(video: string): void {
    this.#topic.changed(video);
  }

  letGo(video: string): Promise<void> {
    return this.#uploads.letGo(video);
  }

  start(): Promise<void> {
    return this.#uploads.start();
  }

  async stop(): Promise<void> {
    this.#topic.stop();
    await this.#imports.stop();
    await this.#uploads.stop();
  }
}

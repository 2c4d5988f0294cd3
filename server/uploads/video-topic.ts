/**
 * The WebSocket topic `video:<id>`: how far a video is, whole, at every change, and no more often than twice a second.
 * `snapshot` and `update` carry {state, duration, error, progress, upload, tasks}.
 */
import { shownMs } from '../api/routes/span.ts';
import { maySee } from '../api/routes/access.ts';
import type { UploadHooks } from '../api/hooks.ts';
import type { Clock } from '../../packager/clock.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { EventDispatcher } from '../events/dispatcher.ts';
import { tasksOf, type Tasks } from '../jobs/tasks.ts';
import type { WebSockets } from '../ws/websockets.ts';
import { forStrangers } from './import-error.ts';

type Parts = {
  readonly sockets: Pick<WebSockets, 'topics' | 'publish' | 'recheck' | 'heard' | 'isHeard'>;
  readonly catalog: Pick<Catalog, 'videos'> & { readonly jobs: Pick<Catalog['jobs'], 'sharesOf' | 'onChange'> };
  readonly events: Pick<EventDispatcher, 'subscribe'>;
  readonly uploads: Pick<UploadHooks, 'received' | 'progress'>;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
};

const everyMs = 500;

/** They speak of files and of the server: their owner asks for them. */
const withoutReasons = ({ done, tasks }: Tasks): Tasks => ({ done, tasks: tasks.map((task) => ({ ...task, reason: null })) });

export class VideoTopic {
  readonly #p: Parts;
  /** When each was told last: of those that somebody hears. */
  readonly #told = new Map<string, number>();
  /** How far each was then, as far as no event says so. */
  readonly #known = new Map<string, string>();
  readonly #due = new Set<string>();
  readonly #telling = new Set<string>();
  #cancel: () => void = () => undefined;
  readonly #unlisten: () => void;

  constructor(parts: Parts) {
    this.#p = parts;
    const { sockets, catalog, events } = parts;
    sockets.topics.define('video', {
      async authorise(id, who) {
        const video = await catalog.videos.get(id);
        return video && maySee(who, video) ? video.id : null;
      },
      snapshot: (id) => {
        // Others may have to be told of a change still.
        if (!this.#known.has(id)) this.#known.set(id, this.#figures(id));
        return this.#view(id);
      },
    });
    events.subscribe('video.', async (event) => {
      if (!('videoId' in event) || !sockets.isHeard(`video:${event.videoId}`)) return;
      const hidden = event.type === 'video.deleted' || (event.type === 'video.updated' && event.changed.includes('visibility'));
      if (hidden) await sockets.recheck(`video:${event.videoId}`);
      this.changed(event.videoId);
    });
    this.#unlisten = catalog.jobs.onChange((id) => {
      if (id !== null) this.changed(id);
    });
    this.#look();
  }

  /** Takes no time, however often it is called. */
  changed(id: string): void {
    const { sockets, clock } = this.#p;
    if (!sockets.isHeard(`video:${id}`)) return;
    this.#due.add(id);
    if (clock.now() - (this.#told.get(id) ?? -everyMs) >= everyMs) this.#tell(id);
  }

  stop(): void {
    this.#unlisten();
    this.#cancel();
  }

  /** Work goes on without events: whoever listens is told how far it is. */
  #look(): void {
    this.#cancel = this.#p.clock.after(everyMs, () => {
      const heard = new Set(this.#p.sockets.heard('video'));
      for (const id of heard) if (this.#due.has(id) || this.#known.get(id) !== this.#figures(id)) this.#tell(id);
      for (const kept of [this.#told, this.#known, this.#due]) for (const id of kept.keys()) if (!heard.has(id)) kept.delete(id);
      this.#look();
    });
  }

  #tell(id: string): void {
    const { sockets, clock, failed } = this.#p;
    this.#due.add(id);
    // What is older must not come after what is newer.
    if (this.#telling.has(id)) return;
    this.#telling.add(id);
    this.#due.delete(id);
    this.#told.set(id, clock.now());
    this.#known.set(id, this.#figures(id));
    this.#view(id)
      .then((view) => (view ? sockets.publish(`video:${id}`, 'update', view) : undefined), failed)
      .finally(() => this.#telling.delete(id));
  }

  #figures(id: string): string {
    const { uploads } = this.#p;
    return JSON.stringify([uploads.received(id), uploads.progress(id)]);
  }

  async #view(id: string): Promise<object | null> {
    const { catalog, uploads } = this.#p;
    const video = await catalog.videos.get(id);
    if (!video) return null;
    const { state, errorCode: code, errorMessage } = video;
    const ms = shownMs(video);
    const came = uploads.received(id);
    return {
      state,
      duration: ms === null ? null : ms / 1000,
      // Whoever may see it listens to the same.
      error: code === null ? null : forStrangers({ code, message: errorMessage ?? '' }),
      progress: uploads.progress(id),
      upload: came && { received: came.received, size: came.size },
      tasks: withoutReasons(tasksOf(await catalog.jobs.sharesOf(id))),
    };
  }
}

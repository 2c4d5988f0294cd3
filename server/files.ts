/**
 * Files that come in, put together: those who take the bytes, the desk that says whose they are, and what becomes of them.
 *
 *     /upload/<token> ─ edge ─ originals ─┐
 *     imports ────────────────────────────┴─ reception ─ intake
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { readBootId } from '../ingest/upload/files.ts';
import { createUploadEdge } from '../ingest/upload/handler.ts';
import { Originals } from '../ingest/upload/originals.ts';
import type { Clock } from '../packager/clock.ts';
import { nodeDisk } from '../packager/log/node-disk.ts';
import { sniff, sniffBytes } from '../packager/media/sniff.ts';
import type { ApiHooks } from './api/hooks.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { Config } from './config/settings.ts';
import type { EventDispatcher } from './events/dispatcher.ts';
import { Arrivals } from './intake/arrivals.ts';
import type { Intake } from './intake/types.ts';
import type { Live } from './live/live.ts';
import type { ServerLog } from './log.ts';
import { Reception } from './uploads/reception.ts';
import type { WebSockets } from './ws/websockets.ts';

type Parts = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly events: EventDispatcher;
  readonly sockets: WebSockets;
  readonly live: Live;
  readonly clock: Clock;
  readonly log: ServerLog;
};

export type Files = {
  readonly hooks: ApiHooks['uploads'];
  readonly figures: Reception['figures'];
  /** False: this is not for uploads. See `UploadEdge`. */
  handle(request: IncomingMessage, response: ServerResponse, invite?: () => void): boolean;
  /** The video is gone: nobody writes to its files or works on them any more when this resolves. */
  letGo(video: string): Promise<void>;
  start(): Promise<void>;
  /** Requests end where they are, and what came is written down. Before connections are closed, and what plays. */
  stop(): Promise<void>;
};

export const receiveFiles = async ({ config, catalog, events, sockets, live, clock, log }: Parts): Promise<Files> => {
  const folder = join(config.data, 'videos');
  const originals = new Originals({
    ...{ clock, bootId: await readBootId() },
    landed: (video, landed) => reception.desk.landed(video, landed),
    failed: (video, error) => log.error({ video, err: error }, 'The file of an upload had trouble.'),
  });
  const arrivals = new Arrivals({ clock, log, disk: nodeDisk, folder, videos: catalog.videos, presentations: live.presentations });
  const intake: Intake = {
    arrived: (video, original) => arrivals.arrived(video, original),
    whole: async (video) => {
      if ((await arrivals.whole(video)) === 'taken') return;
      const file = await nodeDisk.open(join(folder, video, 'original'), 'read');
      const container = await file.read(0, sniffBytes).then(sniff).finally(() => file.close());
      const error =
        container === null
          ? { code: 'not-a-video', message: 'This is no video or sound that is known here.' }
          : { code: 'encode-failed', message: 'This file would have to be converted first, which this version cannot do.' };
      await catalog.videos.become(video, ['uploading', 'playable'], { state: 'failed', error });
    },
    dropped: (video) => arrivals.dropped(video),
    progress: () => null,
  };
  const reception = new Reception({
    ...{ catalog, events, sockets, clock, log, intake, folder },
    disk: live.disk,
    marks: { refuse: config['disk.refuse'] },
    expireMs: config['uploads.expire'],
    usualQuota: config['uploads.quota'],
    files: originals,
    imports: { from: config['uploads.importFrom'], maxSize: config['uploads.maxSize'], timeMs: config['uploads.importTime'] },
  });
  const edge = createUploadEdge({ desk: reception.desk, originals, clock, failed: (error) => log.error({ err: error }, 'A request of an upload failed.') });
  return {
    hooks: reception.hooks,
    get figures() {
      return reception.figures;
    },
    handle: (request, response, invite) => edge.handle(request, response, invite),
    letGo: (video) => reception.letGo(video),
    start: () => reception.start(),
    stop: async () => {
      await edge.stop();
      await reception.stop();
      await originals.stop();
      await arrivals.close();
    },
  };
};

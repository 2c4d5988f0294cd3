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
import type { CoreBudget } from '../packager/encode/budget.ts';
import { nodeDisk } from '../packager/log/node-disk.ts';
import type { ApiHooks } from './api/hooks.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { Config } from './config/settings.ts';
import type { EventDispatcher } from './events/dispatcher.ts';
import { Arrivals } from './intake/arrivals.ts';
import { VideoIntake } from './intake/intake.ts';
import { openWorkshop, type Workshop } from './intake/workshop.ts';
import type { Live } from './live/live.ts';
import { Machine } from './ladders/machine.ts';
import type { SecondSounds } from './ladders/sounds.ts';
import type { LadderWorks } from './ladders/works.ts';
import type { ServerLog } from './log.ts';
import type { LivePictures } from './pictures/live-pictures.ts';
import { Reception } from './uploads/reception.ts';
import type { WebSockets } from './ws/websockets.ts';

type Parts = {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly events: EventDispatcher;
  readonly sockets: WebSockets;
  readonly live: Live;
  readonly ladders: Pick<LadderWorks, 'equip' | 'price' | 'presets'>;
  readonly sounds: Pick<SecondSounds, 'equip'>;
  readonly pictures: Pick<LivePictures, 'equip'>;
  readonly budget: CoreBudget;
  /** That there are, before anything is set aside. */
  readonly cores: number;
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
  /** Resolves with what files can be converted with. */
  start(): Promise<Workshop['facts']>;
  /** Requests end where they are, and what came is written down. Before connections are closed, and what plays. */
  stop(): Promise<void>;
};

export const receiveFiles = async ({ config, catalog, events, sockets, live, ladders, sounds, pictures, budget, cores, clock, log }: Parts): Promise<Files> => {
  const folder = join(config.data, 'videos');
  const originals = new Originals({
    ...{ clock, bootId: await readBootId() },
    landed: (video, landed) => reception.desk.landed(video, landed),
    failed: (video, error) => log.error({ video, err: error }, 'The file of an upload had trouble.'),
  });
  const arrivals = new Arrivals({ clock, log, disk: nodeDisk, folder, videos: catalog.videos, presentations: live.presentations });
  const jobsFolder = join(config.data, 'jobs');
  // While the rest of the server starts: programs are run for it.
  const workshop = openWorkshop({ folder: jobsFolder, clock, log, strict: config.sandbox === 'strict' });
  const sandbox = workshop.then((opened) => opened.sandbox);
  // It is waited for at the start; where that does not come about, nobody asks for it.
  sandbox.catch(() => undefined);
  const intake = new VideoIntake({
    ...{ catalog, clock, log, disk: nodeDisk, folder, jobsFolder, arrivals },
    sandbox,
    budget,
    // What went wrong stands in the log.
    outdated: (video) => void live.presentations.forget(video).catch(() => undefined),
    captions: live.captions,
    changed: (video) => reception.changed(video),
  });
  const machine = new Machine({ ladders, budget, cores, data: config.data, clock, log });
  const equip = async (): Promise<void> => {
    const opened = await sandbox;
    await sounds.equip(typeof opened === 'string' ? null : opened);
    if (typeof opened === 'string') return;
    await pictures.equip(opened);
    await machine.equip(opened);
  };
  const reception = new Reception({
    ...{ catalog, events, sockets, clock, log, intake, folder },
    disk: live.disk,
    marks: { refuse: config['disk.refuse'] },
    expireMs: config['uploads.expire'],
    usualQuota: config['uploads.quota'],
    files: {
      landed: (path, size) => originals.landed(path, size),
      release: (video) => originals.release(video),
      finish: (upload) => edge.finish(upload),
    },
    imports: {
      ...{ from: config['uploads.importFrom'], maxSize: config['uploads.maxSize'], mostAtOnce: config['uploads.imports'], timeMs: config['uploads.importTime'] },
      publicHost: config['server.publicUrl'] === '' ? null : new URL(config['server.publicUrl']).hostname,
    },
  });
  const edge = createUploadEdge({ desk: reception.desk, originals, clock, failed: (error) => log.error({ err: error }, 'A request of an upload failed.') });
  return {
    hooks: reception.hooks,
    get figures() {
      return reception.figures;
    },
    handle: (request, response, invite) => edge.handle(request, response, invite),
    letGo: (video) => reception.letGo(video),
    start: async () => {
      const { facts } = await workshop;
      // The first start measures what encoding costs here: nobody waits for that.
      equip().catch((error: unknown) => log.error({ err: error }, 'Live ladders cannot be encoded.'));
      intake.start();
      await reception.start();
      return facts;
    },
    stop: async () => {
      machine.stop();
      await edge.stop();
      await reception.stop();
      await intake.stop();
      await originals.stop();
      await arrivals.close();
    },
  };
};

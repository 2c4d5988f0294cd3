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
import { mayTakeMore } from '../packager/log/watermarks.ts';
import type { ApiHooks } from './api/hooks.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { Config } from './config/settings.ts';
import type { EventDispatcher } from './events/dispatcher.ts';
import { Arrivals } from './intake/arrivals.ts';
import { VideoIntake } from './intake/intake.ts';
import { openWorkshop, type Workshop } from './intake/workshop.ts';
import type { Live } from './live/live.ts';
import { Crew, workerClasses } from './jobs/crew.ts';
import { roomsOf } from './jobs/room.ts';
import { workHooks } from './jobs/work-hooks.ts';
import { Machine } from './ladders/machine.ts';
import type { Ladders } from './ladders/read.ts';
import type { SecondSounds } from './ladders/sounds.ts';
import type { LadderWorks } from './ladders/works.ts';
import type { ServerLog } from './log.ts';
import type { LivePictures } from './pictures/live-pictures.ts';
import { pictureHandlers } from './pictures/handlers.ts';
import { keepPicturesHandler } from './pictures/keep.ts';
import { OwnPosters } from './pictures/own-posters.ts';
import { RungCosts } from './pipeline/costs.ts';
import { hearVideos } from './pipeline/heard.ts';
import { VideoPipelines } from './pipeline/pipeline.ts';
import type { Pipeline } from '../packager/pipeline/spec.ts';
import { textsHandler } from './pictures/texts.ts';
import { Reception } from './uploads/reception.ts';
import { version } from './version.ts';
import { WorkersDesk } from './workers/desk.ts';
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
  /** As they are written down. */
  readonly written: Ladders;
  /** What is made behind a video that plays. */
  readonly pipeline: Pipeline;
  readonly budget: CoreBudget;
  /** That there are, before anything is set aside. */
  readonly cores: number;
  readonly clock: Clock;
  readonly log: ServerLog;
};

export type Files = {
  readonly hooks: ApiHooks['uploads'];
  readonly posters: ApiHooks['posters'];
  readonly work: ApiHooks['work'];
  readonly figures: Reception['figures'];
  /** Somebody is about to play it. Takes no time. */
  asked(video: string): void;
  /** False: this is not for uploads. See `UploadEdge`. */
  handle(request: IncomingMessage, response: ServerResponse, invite?: () => void): boolean;
  /** The video is gone: nobody writes to its files or works on them any more when this resolves. */
  letGo(video: string): Promise<void>;
  /** Resolves with what files can be converted with. */
  start(): Promise<Workshop['facts']>;
  /** Requests end where they are, and what came is written down. Before connections are closed, and what plays. */
  stop(): Promise<void>;
};

export const receiveFiles = async ({ config, catalog, events, sockets, live, ladders, sounds, pictures, written, pipeline, budget, cores, clock, log }: Parts): Promise<Files> => {
  const folder = join(config.data, 'videos');
  const originals = new Originals({
    ...{ clock, bootId: await readBootId() },
    landed: (video, landed) => reception.desk.landed(video, landed),
    failed: (video, error) => log.error({ video, err: error }, 'The file of an upload had trouble.'),
  });
  const jobsFolder = join(config.data, 'jobs');
  // While the rest of the server starts: programs are run for it.
  const workshop = openWorkshop({ folder: jobsFolder, clock, log, strict: config.sandbox === 'strict', gentle: config['encode.gentle'] });
  const sandbox = workshop.then((opened) => opened.sandbox);
  // It is waited for at the start; where that does not come about, nobody asks for it.
  sandbox.catch(() => undefined);
  const mayWrite = (): boolean => mayTakeMore(live.disk.level);
  let converts = false;
  const rooms = roomsOf(budget, { here: config['encode.jobs'] ?? Math.ceil(cores), mayWrite, mayConvert: () => converts, clock });
  const crew = new Crew({ queue: catalog.jobs, clock, log, folder: jobsFolder, budget, rooms, encodes: config['encode.jobs'] !== 0 });
  // What may take hours gives way to encoders of what is live, too.
  const behindLive = sandbox.then((opened) => (typeof opened === 'string' ? opened : opened.behindLive));
  behindLive.catch(() => undefined);
  const shared = {
    ...{ catalog, clock, log, disk: nodeDisk, folder, crew, sandbox: behindLive },
    // What went wrong stands in the log.
    outdated: (video: string, dropped = false) => void live.presentations.renew(video, dropped).catch(() => undefined),
    changed: (video: string) => reception.changed(video),
  };
  // What is looked at more than watched: where it fails, nothing is wrong with the video.
  const looks = { ...pictureHandlers({ disk: nodeDisk, videos: folder, sandbox: behindLive }), 'keep-pictures': keepPicturesHandler({ catalog, videos: folder }), texts: textsHandler(shared) };
  crew.take(looks, async () => undefined);
  const costs = new RungCosts({ config, store: catalog.rungCosts, clock, log, want: (video) => pipelines.want(video), shorter: (video) => pipelines.shorter(video) });
  const pipelines = new VideoPipelines({ ...shared, ladders: written, pipeline, fullFrom: config['disk.stop'], wanted: (video) => costs.wanted(video) });
  const arrivals = new Arrivals({ clock, log, disk: nodeDisk, folder, videos: catalog.videos, presentations: live.presentations, behind: pipelines });
  const intake = new VideoIntake({ ...shared, arrivals, behind: pipelines, captions: live.captions });
  const posters = new OwnPosters({ disk: nodeDisk, videos: folder, jobs: jobsFolder, store: catalog.videos, sandbox, mayWrite });
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
  hearVideos(events, pipelines);
  const edge = createUploadEdge({ desk: reception.desk, originals, clock, failed: (error) => log.error({ err: error }, 'A request of an upload failed.') });
  let desk: WorkersDesk | null = null;
  const openDesk = async ({ ffmpeg, refused }: Workshop['facts']): Promise<void> => {
    // Where the server converts nothing it gives nothing away, either.
    if (ffmpeg === null || refused !== null) return;
    desk = new WorkersDesk({
      ...{ data: config.data, queue: catalog.jobs, room: rooms.workers, classes: workerClasses, clock, log, version, ffmpeg },
      died: (job, error) => crew.died(job, error),
      over: () => crew.wake(),
    });
    crew.join(() => desk?.wake());
    // It is no reason not to serve.
    await desk.open().catch((error: unknown) => log.error({ err: error }, 'Workers cannot be met: everything is done in this process.'));
  };
  return {
    hooks: reception.hooks,
    posters,
    work: workHooks({ crew, desk: () => desk, slots: rooms.slots, retried: (video) => pipelines.retried(video), wanted: (video) => pipelines.want(video), cancelled: (video) => intake.cancelled(video), clock, log }),
    get figures() {
      return reception.figures;
    },
    handle: (request, response, invite) => edge.handle(request, response, invite),
    asked: (video) => costs.asked(video),
    letGo: async (video) => {
      await reception.letGo(video);
      await Promise.all([pipelines.dropped(video), desk?.drop(({ videoId }) => videoId === video)]);
    },
    start: async () => {
      const { facts } = await workshop;
      converts = facts.refused === null;
      // The first start measures what encoding costs here: nobody waits for that.
      equip().catch((error: unknown) => log.error({ err: error }, 'Live ladders cannot be encoded.'));
      intake.start();
      await pipelines.start();
      crew.start();
      costs.start();
      await openDesk(facts);
      await reception.start();
      return facts;
    },
    stop: async () => {
      machine.stop();
      await edge.stop();
      await reception.stop();
      await desk?.stop();
      await crew.stop();
      await pipelines.stop();
      await costs.stop();
      await posters.stop();
      await intake.stop();
      await originals.stop();
      await arrivals.close();
    },
  };
};

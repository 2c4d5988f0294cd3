/**
 * The application: every part made and started in order, and stopped in the opposite one.
 *
 *     catalog ─ auth ─ events ─ live (resumes what was interrupted) ─ delivery, API, pages ─ HTTP ─ RTMP, SRT ─ ready
 *
 * Stopping: not ready, no new publishers, publishers let go (their shows wait for the next start), waiters
 * released, connections closed; whatever still hangs after the grace is cut off.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { createRtmpServer } from '../ingest/rtmp/server.ts';
import { createSrtServer } from '../ingest/srt/server.ts';
import { systemClock, type Clock } from '../packager/clock.ts';
import { createCoreBudget } from '../packager/encode/budget.ts';
import { nodeDisk } from '../packager/log/node-disk.ts';
import { tsTracks } from '../packager/hls/ts.ts';
import { downloadsOf } from '../packager/progressive/downloads.ts';
import { createApi } from './api/api.ts';
import { defaultApiConfig, type ApiHooks } from './api/hooks.ts';
import { Auth } from './auth/auth.ts';
import { Viewings } from './auth/viewings.ts';
import { createGatekeeper } from './auth/gatekeeper.ts';
import { foreignTokens } from './tokens.ts';
import { GrantKeys } from './auth/grant-keys.ts';
import { Grants } from './auth/grants.ts';
import { addressBanner, linkBanner } from './banner.ts';
import { captionDesk } from './captions/caption-desk.ts';
import { openCatalog } from './catalog/catalog.ts';
import { FileCertificates, tlsFacts } from './certificates.ts';
import type { Config } from './config/settings.ts';
import { createDelivery } from './delivery/handler.ts';
import { internalKeys } from './keys/internal-keys.ts';
import { KeyRings } from './keys/rings.ts';
import { Demo } from './demo.ts';
import { EventDispatcher } from './events/dispatcher.ts';
import { ChannelTopic } from './live/channel-topic.ts';
import { receiveFiles } from './files.ts';
import type { HookSettings } from './hooks/duty.ts';
import { portError, reachableHost } from './listening.ts';
import { tellHealth } from './health/health-topic.ts';
import { coresHere } from './ladders/cores.ts';
import { readLadders } from './ladders/read.ts';
import { SecondSounds } from './ladders/sounds.ts';
import { WorkTopic } from './jobs/work-topic.ts';
import { LadderWorks } from './ladders/works.ts';
import { Live } from './live/live.ts';
import { Viewers } from './live/viewers.ts';
import { createMetrics } from './metrics.ts';
import { pipelineOf } from './pipeline/read.ts';
import { LivePictures } from './pictures/live-pictures.ts';
import { ServedPictures } from './pictures/served.ts';
import { jobReadings, ladderReadings, pictureReadings, secondSoundReadings, serverReadings, tlsReadings } from './readings.ts';
import { openRtmps } from './rtmps.ts';
import type { TlsGate } from './tls-gate.ts';
import { version } from './version.ts';
import { limitBody } from './web/body-time.ts';
import { clientAddresses } from './web/client-address.ts';
import { openFront } from './web/front.ts';
import { healthHandler } from './web/health.ts';
import { WebPages } from './web/pages.ts';
import { reachedAt } from './web/reached.ts';
import { createWebSockets } from './ws/websockets.ts';

export type ServerOptions = {
  readonly config: Config;
  readonly log: Logger;
  readonly demo?: boolean;
  readonly clock?: Clock;
  /** Something failed that nothing can go on without. */
  readonly fatal: (error: unknown) => void;
};

export type RunningServer = {
  readonly httpPort: number;
  /** Null: not opened. */
  readonly httpsPort: number | null;
  readonly rtmpPort: number;
  readonly rtmpsPort: number | null;
  readonly srtPort: number;
  /** What the terminal should say. */
  readonly banner: string;
  stop(): Promise<void>;
};

/** Linux tells twice of what was granted; 4 MiB are asked for. */
const fewSocketBytes = 4 * 1024 * 1024;
const laddersFolder = fileURLToPath(new URL('../conf/ladders', import.meta.url));
const webFolder = fileURLToPath(new URL('../player/dist', import.meta.url));

export const startServer = async ({ config, log, demo = false, clock = systemClock, fatal }: ServerOptions): Promise<RunningServer> => {
  const stops: (() => unknown)[] = [];
  const stopAll = async (): Promise<void> => {
    // One that fails keeps nobody else from coming to an orderly end.
    for (const stop of stops.reverse()) await Promise.try(stop).catch((error: unknown) => log.error({ err: error }, 'Stopping a part of the server failed.'));
  };
  try {
    return await start({ config, log, demo, clock, fatal }, stops, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
};

const start = async (
  { config, log, demo, clock, fatal }: Required<ServerOptions>,
  stops: (() => unknown)[],
  stopAll: () => Promise<void>,
): Promise<RunningServer> => {
  let ready = false;
  let stopping = false;
  const publicUrl = config['server.publicUrl'] === '' ? null : config['server.publicUrl'];

  const { 'https.port': httpsWanted, 'rtmps.port': rtmpsWanted } = config;
  const certificates =
    httpsWanted === null && rtmpsWanted === null
      ? null
      : await FileCertificates.open({ files: { certificate: config['tls.certificate'], key: config['tls.key'] }, lookEveryMs: config['tls.lookEvery'], clock, log });
  stops.push(() => certificates?.close());

  const catalog = await openCatalog({ folder: config.data, clock, log, onFault: fatal });
  stops.push(() => catalog.close());
  const auth = await Auth.create({ catalog, clock, log });
  if (config['admin.password'] !== '') await auth.ensureAdmin(config['admin.password']);
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log });
  stops.push(() => events.stop());

  const addressOf = clientAddresses(config.trustedProxies);
  const sockets = createWebSockets({ auth, clock, log, publicUrl, addressOf });
  const pagesNotTold = (error: unknown): void => log.error({ err: error }, 'Pages could not be told of a channel.');
  // Before what plays hears of a change: whoever may not see a video any more is refused before its media goes.
  const grantKeys = await GrantKeys.open({
    ...{ store: catalog.grantKeys, clock, signsForMs: config['grants.keyLife'] },
    failed: (error) => log.error({ err: error }, 'The key that signs grants could not be renewed.'),
  });
  stops.push(() => grantKeys.stop());
  const viewings = new Viewings(clock, { perAccount: config['streams.perAccount'], whenFull: config['streams.whenFull'] });
  const grants = new Grants({ ...catalog, keys: grantKeys, viewings, events, clock });
  const foreign = foreignTokens(config, clock, (error) => log.error({ err: error }, 'The keys of the issuer of tokens could not be had.'));
  const gatekeeper = createGatekeeper(catalog.videos, events, grants);
  const [cores, most] = [coresHere(), config['encode.cores']];
  // It keeps a quarter of a core for the server itself.
  const budget = createCoreBudget(most === 0 ? cores : most + 0.25);
  const written = readLadders(config['encode.ladders'] || laddersFolder);
  const ladders = new LadderWorks({ clock, log, budget, ladders: written, folder: join(config.data, 'jobs') });
  const sounds = new SecondSounds({ clock, log, budget, folder: join(config.data, 'jobs') });
  const live = new Live({
    ...{ catalog, events, clock, log, disk: nodeDisk, folder: join(config.data, 'videos') },
    reconnectWindow: config['live.reconnectWindow'],
    takeoverSilence: config['live.takeoverSilence'],
    newVideoAfter: config['live.newVideoAfter'],
    keepMs: config['recording.keep'],
    syncEveryMs: config['recording.sync'],
    stallMs: config['recording.patience'],
    marks: { warn: config['disk.warn'], refuse: config['disk.refuse'], stop: config['disk.stop'], hysteresis: 0.02 },
    publishHook: hookSettings(config),
    ladders,
    sounds,
    letGo: (video) => files.letGo(video),
    changed: (channelId, _name, status) => void topic.changed(channelId, status).catch(pagesNotTold),
  });
  stops.push(() => live.stop());
  const pictures = new LivePictures({ clock, log, budget, folder: join(config.data, 'jobs'), shows: () => live.channels.flatMap(({ run, newestKey: key }) => (run ? [{ video: run.facts.video, key }] : [])) });
  stops.push(() => pictures.stop());
  const files = await receiveFiles({ config, catalog, events, sockets, live, ladders, sounds, pictures, written, pipeline: pipelineOf(config), budget, cores, clock, log });
  stops.push(() => files.stop());
  const viewers = new Viewers(clock, addressOf);
  stops.push(() => viewers.stop());
  const delivery = createDelivery({
    asked: (video) => files.asked(video),
    ...{ presentations: live.presentations, gatekeeper, pictures, madePictures: new ServedPictures(catalog.videos, events, join(config.data, 'videos')), clock, addressOf, cacheBytes: config['delivery.cache'] },
    keys: new KeyRings({
      ...{ source: internalKeys({ secrets: catalog.mediaSecrets, segmentsPerKey: config['protection.segmentsPerKey'] }), clock },
      failed: (video, error) => log.error({ err: error, video }, 'The keys of a protected video could not be had.'),
    }),
    reachedAt: reachedAt(config.trustedProxies, publicUrl),
    oneAddress: publicUrl !== null,
    onError: (error) => log.error({ err: error }, 'An answer to a player failed.'),
  });
  const hooks: ApiHooks = {
    uploads: files.hooks,
    ingest: { now: (channelId) => live.health.view(channelId), of: (videoId) => live.health.of(videoId) },
    attempts: live.attempts,
    liveOf: (channelId) => {
      const { videoId, startedAt } = live.status(channelId);
      return videoId !== null && startedAt !== null ? { videoId, startedAt, viewers: viewers.count(videoId) } : null;
    },
    endShow: (channelId) => live.end(channelId, 'ended-by-owner'),
    ...{ grants, grantKeys, streams: viewings, foreign },
    asked: (videoId) => files.asked(videoId),
    shownAnew: (videoId) => live.presentations.forget(videoId),
    downloads: async (videoId) => {
      const found = await live.presentations.find(videoId);
      return found ? downloadsOf(found.snapshot()) : [];
    },
    inTransport: async (videoId) => {
      const found = await live.presentations.find(videoId);
      return !found || tsTracks(found.snapshot()).length > 0;
    },
    ...{ ladders, pictures, posters: files.posters, work: files.work },
    captions: captionDesk(live.captions, (id) => live.channels.find((channel) => channel.id === id) ?? null, clock),
  };
  const topic = new ChannelTopic({ sockets, catalog, events, grants, status: (id) => live.status(id), viewers: (video) => viewers.count(video), clock, live: () => live.channels, failed: pagesNotTold });
  stops.push(() => topic.stop());
  const workTopic = new WorkTopic({ sockets, catalog, work: files.work, clock, failed: (error) => log.error({ err: error }, 'Pages could not be told of jobs.') });
  stops.push(() => workTopic.stop());
  tellHealth({ sockets, catalog, events, health: live.health });
  await live.start();
  const converting = await files.start();
  events.start();

  const rtmp = createRtmpServer({
    ...{ desk: live.desk, clock, limits: { idleMs: config['rtmp.idleTimeout'] } },
    log: ({ event, level, ...facts }) => log[level]({ event, ...facts }, event),
  });
  const srt = createSrtServer({
    ...{ desk: live.desk, clock, limits: { idleMs: config['srt.idleTimeout'], latencyMs: config['srt.latency'] } },
    log: ({ event, level, ...facts }) => log[level]({ event, ...facts }, event),
  });
  const gates: TlsGate[] = [];
  const metrics = config['metrics.enabled'] ? createMetrics(() => [...serverReadings({ live, files, delivery, rtmp, srt, sockets })(), ...ladderReadings(ladders)(), ...secondSoundReadings(sounds)(), ...pictureReadings(pictures)(), ...jobReadings(catalog.jobs, files.work)(), ...(certificates ? tlsReadings({ certificates, gates })() : [])]) : null;
  const pages = WebPages.load(webFolder);
  if (!pages) log.warn('The web app has not been built: `npm run build:web` does it. The API and the streams work.');
  const health = healthHandler({
    notReady: () => (ready ? [] : ['starting or stopping']),
    facts: () => ({ version, disk: { level: live.disk.level, ...live.disk.space }, live: live.channels.length, converting, tls: certificates && tlsFacts(certificates) }),
    metrics,
    failed: (error) => log.error({ err: error }, 'The metrics could not be gathered.'),
  });

  // The port must be known before the API can tell encoders where to send.
  const rtmpAt = await rtmp.listen({ host: reachableHost(config['rtmp.host']), port: config['rtmp.port'] }).catch((error: unknown) => {
    throw portError(error, config['rtmp.port'], 'MILLRACE_RTMP_PORT');
  });
  stops.push(() => rtmp.close());
  const rtmps = certificates && rtmpsWanted !== null ? await openRtmps({ rtmp, certificates, clock, log, host: config['rtmps.host'], port: rtmpsWanted }) : null;
  stops.push(() => rtmps?.close());
  const srtAt = await srt.listen({ host: reachableHost(config['srt.host']), port: config['srt.port'] }).catch((error: unknown) => {
    throw portError(error, config['srt.port'], 'MILLRACE_SRT_PORT');
  });
  stops.push(() => srt.close());
  if (srtAt.receiveBuffer < fewSocketBytes) log.warn({ bytes: srtAt.receiveBuffer }, 'The system allows only a small buffer for UDP, and SRT loses packets in bursts: set net.core.rmem_max to 8388608.');
  const api = await createApi({
    ...{ catalog, auth, hooks, clock, log },
    config: { ...defaultApiConfig, abilities: { ...defaultApiConfig.abilities, ladders: { live: ladders.names, files: ladders.names } }, publicUrl, trustedProxies: config.trustedProxies, rtmpPort: rtmpAt.port, rtmpsPort: rtmps?.port ?? null, srtPort: srtAt.port, dvrSeconds: config['live.dvr'], uploads: { maxSize: config['uploads.maxSize'], quota: config['uploads.quota'] }, version },
    ...(metrics && { registry: metrics }),
  });
  stops.push(() => api.close());

  const handle = (request: IncomingMessage, response: ServerResponse, invite?: () => void): void => {
    // Players ask again on the connection that they have: it must end with the answer, or the stop waits for them.
    if (stopping) response.shouldKeepAlive = false;
    // It takes large bodies, and looks after them itself.
    if (files.handle(request, response, invite)) return;
    invite?.();
    limitBody(request, response, clock);
    if (delivery.handle(request, response)) {
      viewers.note(request);
      return;
    }
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (health(path, request, response)) return;
    if (api.owns(path) || !pages) api.handler(request, response);
    else pages.handle(request, response);
  };
  const front = await openFront({ config, clock, log, certificates, sockets, handle });
  stops.push(() => front.close());
  for (const gate of [rtmps?.gate, front.gate]) if (gate) gates.push(gate);
  // Upgraded connections are not the HTTP server's any more: it would wait for them for ever.
  stops.push(() => sockets.close());
  // Before connections close: uploads end where they are, the shows are brought to rest and everybody who waits gets what there is.
  stops.push(async () => {
    rtmp.stopAccepting();
    rtmps?.close();
    srt.stopAccepting();
    await files.stop();
    await live.stop();
    delivery.release();
  });

  if (demo) {
    const sender = new Demo({ catalog, auth, clock, log, rtmpPort: rtmpAt.port });
    stops.push(() => sender.stop());
    await sender.start();
  }
  ready = true;
  const ports = { http: front.httpPort, https: front.httpsPort, rtmp: rtmpAt.port, rtmps: rtmps?.port ?? null, srt: srtAt.port };
  log.info({ ...ports, version }, 'The server is ready.');

  const link = await auth.setupLink();
  const place = { config, ports, names: certificates?.current.names ?? [] };
  const banner = addressBanner(place, converting) + (link ? linkBanner(place, link.token, 'Open this link once to make the admin’s account:') : '\n');
  return {
    httpPort: ports.http,
    httpsPort: ports.https,
    rtmpPort: ports.rtmp,
    rtmpsPort: ports.rtmps,
    srtPort: ports.srt,
    banner,
    stop: () => {
      ready = false;
      stopping = true;
      return stopAll();
    },
  };
};

const hookSettings = (config: Config): HookSettings | null =>
  config['hooks.publish.url'] === ''
    ? null
    : { url: config['hooks.publish.url'], secret: config['hooks.publish.secret'], timeoutMs: config['hooks.publish.timeout'], onFailure: config['hooks.publish.onFailure'] };

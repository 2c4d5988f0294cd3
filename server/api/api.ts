/** The API as one fastify instance that does not listen: composition puts `handler` behind its own server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../../packager/clock.ts';
import type { Auth } from '../auth/auth.ts';
import { TokenBuckets } from '../auth/buckets.ts';
import { cookieName } from '../auth/cookies.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ApiConfig, ApiHooks } from './hooks.ts';
import { docsPage, docsPolicy } from './kit/docs-page.ts';
import { answerFailures, failureAnswer } from './kit/failures.ts';
import { mountAll, prefix } from './kit/mount.ts';
import { openApi } from './kit/openapi.ts';
import { parseJson } from './kit/json.ts';
import type { Route } from './kit/route.ts';
import { observe } from './kit/observe.ts';
import { accountRoutes } from './routes/accounts.ts';
import { attemptRoutes } from './routes/attempts.ts';
import { captionRoutes } from './routes/captions.ts';
import { channelRoutes } from './routes/channels.ts';
import type { Ground } from './routes/ground.ts';
import { grantKeyRoutes } from './routes/grant-keys.ts';
import { grantRoutes } from './routes/grants.ts';
import { ingestRoutes } from './routes/ingest.ts';
import { jobRoutes } from './routes/jobs.ts';
import { ladderRoutes } from './routes/ladders.ts';
import { playbackRoutes } from './routes/playback.ts';
import { posterRoutes } from './routes/posters.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { setupRoutes } from './routes/setup.ts';
import { streamRoutes } from './routes/streams.ts';
import { streamKeyRoutes } from './routes/stream-keys.ts';
import { taskRoutes } from './routes/tasks.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { videoRoutes } from './routes/videos.ts';

export type ApiOptions = {
  readonly catalog: Catalog;
  readonly auth: Auth;
  readonly hooks: ApiHooks;
  readonly config: ApiConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry?: Registry;
};

export type Api = {
  readonly app: FastifyInstance;
  readonly routes: readonly Route[];
  /** Whether a request of this path is the API's. */
  owns(path: string): boolean;
  handler(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
};

export const allRoutes = (ground: Ground): readonly Route[] => [
  ...setupRoutes(ground),
  ...sessionRoutes(ground),
  ...accountRoutes(ground),
  ...channelRoutes(ground),
  ...streamKeyRoutes(ground),
  ...ingestRoutes(ground),
  ...ladderRoutes(ground),
  ...attemptRoutes(ground),
  ...playbackRoutes(ground),
  ...videoRoutes(ground),
  ...uploadRoutes(ground),
  ...posterRoutes(ground),
  ...captionRoutes(ground),
  ...grantRoutes(ground),
  ...grantKeyRoutes(ground),
  ...streamRoutes(ground),
  ...taskRoutes(ground),
  ...jobRoutes(ground),
];

const documentation = (app: FastifyInstance, routes: readonly Route[], version: string): void => {
  const document = JSON.stringify(openApi(routes, version, cookieName));
  const page = docsPage(routes, version);
  app.get(`${prefix}/openapi.json`, (_request, reply) => reply.type('application/json; charset=utf-8').send(document));
  app.get('/api/docs', (_request, reply) => reply.type('text/html; charset=utf-8').header('content-security-policy', docsPolicy).send(page));
};

const hour = 3_600_000;

/** Expired sessions and kept answers go now and then. */
const sweepHourly = (catalog: Catalog, clock: Clock, log: Logger): (() => void) => {
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = clock.after(hour, () => {
      catalog.sweep().catch((error: unknown) => log.error({ err: error }, 'What expired could not be removed.'));
      next();
    });
  };
  next();
  return () => cancel();
};

export const createApi = async ({ catalog, auth, hooks, config, clock, log, registry }: ApiOptions): Promise<Api> => {
  const app = Fastify({
    loggerInstance: log,
    // Its lines hold whole addresses; `observe` writes ours.
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: [...config.trustedProxies],
    bodyLimit: config.bodyLimit,
    routerOptions: { maxParamLength: 200 },
    return503OnClosing: true,
    frameworkErrors: (error, request, reply) => {
      failureAnswer(error, request, reply, config.bodyLimit);
    },
  }) as unknown as FastifyInstance;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, async (_request: unknown, body: string) => parseJson(body));
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });
  observe(app, log, registry);
  const routes = allRoutes({ catalog, auth, hooks, config });
  const limits = new TokenBuckets({ burst: config.requests.burst, refillMs: 1000 / config.requests.perSecond }, clock);
  mountAll(app, routes, { auth, answers: catalog.answers, limits, publicUrl: config.publicUrl, checkAnswers: config.checkAnswers ?? false });
  documentation(app, routes, config.version);
  answerFailures(app, routes, config.bodyLimit);
  await app.ready();
  const stopSweeping = sweepHourly(catalog, clock, log);
  return {
    app,
    routes,
    owns: (path) => path === '/api' || path.startsWith('/api/'),
    handler: (request, response) => app.routing(request, response),
    close: async () => {
      stopSweeping();
      await app.close();
    },
  };
};

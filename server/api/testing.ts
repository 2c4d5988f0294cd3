/** A whole API on a port of loopback, with everything that it logs, for tests. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { pino } from 'pino';
import type { FakeClock } from '../../packager/clock.ts';
import { Auth } from '../auth/auth.ts';
import { GrantKeys } from '../auth/grant-keys.ts';
import { Grants } from '../auth/grants.ts';
import { Viewings, type StreamLimits } from '../auth/viewings.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Role } from '../catalog/schema.ts';
import { testCatalog } from '../catalog/testing.ts';
import { EventDispatcher } from '../events/dispatcher.ts';
import type { FakeIntake } from '../uploads/testing.ts';
import { uploadsOn } from '../uploads/testing.ts';
import type { Uploads, UploadsOptions } from '../uploads/uploads.ts';
import { createApi, type Api } from './api.ts';
import { defaultApiConfig, type ApiConfig, type ApiHooks, type LiveNow } from './hooks.ts';

type Test = Parameters<typeof testCatalog>[0];

export type Reply = { readonly status: number; readonly headers: Headers; readonly text: string; readonly body: Record<string, unknown> };
export type Ask = {
  readonly method?: string;
  readonly body?: unknown;
  /** As it is, instead of `body`. */
  readonly raw?: string;
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
};

export type Person = { readonly id: string; readonly username: string; readonly password: string; readonly token: string };

export class TestApi {
  readonly catalog: Catalog;
  readonly clock: FakeClock;
  readonly auth: Auth;
  readonly events: EventDispatcher;
  readonly api: Api;
  readonly server: Server;
  readonly folder: string;
  readonly logged: string[];
  readonly live: Map<string, LiveNow>;
  readonly grants: Grants;
  readonly uploads: Uploads;
  readonly intake: FakeIntake;
  readonly base: string;

  constructor(parts: Omit<TestApi, 'ask' | 'person'>) {
    this.catalog = parts.catalog;
    this.clock = parts.clock;
    this.auth = parts.auth;
    this.events = parts.events;
    this.api = parts.api;
    this.server = parts.server;
    this.folder = parts.folder;
    this.logged = parts.logged;
    this.live = parts.live;
    this.grants = parts.grants;
    this.uploads = parts.uploads;
    this.intake = parts.intake;
    this.base = parts.base;
  }
  async ask(path: string, { method = 'GET', body, raw, token, headers = {} }: Ask = {}): Promise<Reply> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.base}${path}`, {
      method,
      ...(sent === undefined ? {} : { body: sent }),
      headers: {
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') && text !== '';
    return { status: response.status, headers: response.headers, text, body: json ? (JSON.parse(text) as Record<string, unknown>) : {} };
  }
  async person(username: string, role: Role): Promise<Person> {
    const password = `password of ${username}`;
    const { id } = await this.catalog.accounts.create({ username, role, passwordHash: await this.auth.passwords.hash(password) });
    const { token } = await this.catalog.sessions.create(id, { userAgent: 'test', address: '127.0.0.1' });
    return { id, username, password, token };
  }
}

const noIngest: ApiHooks['ingest'] = { now: () => null, of: async () => null };
const noPosters: ApiHooks['posters'] = { put: async () => 'not-available', remove: async () => false };
const noLadders: ApiHooks['ladders'] = { offered: [], cores: { total: 0, free: 0 }, budget: { total: 0, free: 0, leases: [] }, shows: [] };
const noWork: ApiHooks['work'] = { workers: () => [], cancelled: () => undefined, retried: () => undefined, wanted: () => undefined };
const noCaptions: ApiHooks['captions'] = { list: async () => [], put: async () => 'no-video', remove: async () => false, say: () => ({ kind: 'not-live' }) };

export const testApi = async (t: Test, { streams, ...config }: Partial<ApiConfig> & { readonly streams?: StreamLimits } = {}, moreHooks: Partial<ApiHooks> = {}, upload: Partial<UploadsOptions> = {}): Promise<TestApi> => {
  const { catalog, clock, folder } = await testCatalog(t);
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  const auth = await Auth.create({ catalog, clock, log, cost: { memoryKiB: 64, passes: 1, lanes: 1 } });
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log });
  const live = new Map<string, LiveNow>();
  const grantKeys = await GrantKeys.open({ store: catalog.grantKeys, clock, signsForMs: 30 * 86_400_000, failed: () => undefined });
  const viewings = new Viewings(clock, streams ?? { perAccount: 0, whenFull: 'refuse-new' });
  const grants = new Grants({ ...catalog, keys: grantKeys, viewings, events, clock });
  const { uploads, intake } = uploadsOn(catalog, clock, events, upload);
  const files: ApiHooks['uploads'] = {
    create: (wanted) => uploads.create(wanted),
    import: (wanted, url) => uploads.create(wanted, url.href),
    address: (id) => uploads.address(id),
    received: (id) => uploads.received(id),
    progress: (id) => intake.progress(id),
  };
  const hooks: ApiHooks = { work: noWork, liveOf: (channelId) => live.get(channelId) ?? null, endShow: async (channelId) => live.delete(channelId), grants, grantKeys, streams: viewings, foreign: null, shownAnew: async () => undefined, downloads: async () => [], asked: () => undefined, inTransport: async () => true, pictures: { of: () => null }, posters: noPosters, captions: noCaptions, ladders: noLadders, attempts: { all: () => [], ofChannel: () => [] }, ingest: noIngest, uploads: files, ...moreHooks };
  const api = await createApi({ catalog, auth, hooks, clock, log, config: { ...defaultApiConfig, srtPort: 10_080, checkAnswers: true, ...config } });
  const server = createServer((request, response) => api.handler(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await uploads.stop();
    await events.stop();
    await api.close();
    grantKeys.stop();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return new TestApi({ catalog, clock, auth, events, api, server, folder, logged, live, grants, uploads, intake, base: `http://127.0.0.1:${port}` });
};

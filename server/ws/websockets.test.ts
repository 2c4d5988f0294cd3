import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { channelOf } from '../catalog/testing.ts';
import { testApi, type TestApi } from '../api/testing.ts';
import { ChannelTopic } from '../live/channel-topic.ts';
import type { WebSocketLimits } from './limits.ts';
import { createWebSockets } from './websockets.ts';

type Test = Parameters<typeof testApi>[0];
type Heard = { topic: string; type: string; data?: Record<string, unknown> };

/** A client that hands out what it hears, one after the other. */
class Client {
  readonly socket: WebSocket;
  readonly #heard: Heard[] = [];
  readonly #waiting: ((message: Heard) => void)[] = [];
  readonly closed: Promise<number>;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers });
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Heard;
      const next = this.#waiting.shift();
      if (next) next(message);
      else this.#heard.push(message);
    });
  }
  async opened(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }
  say(value: unknown): void {
    this.socket.send(typeof value === 'string' ? value : JSON.stringify(value));
  }
  next(): Promise<Heard> {
    const message = this.#heard.shift();
    return message ? Promise.resolve(message) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const setUp = async (t: Test, limits: Partial<WebSocketLimits> = {}) => {
  const server: TestApi = await testApi(t);
  const sockets = createWebSockets({ auth: server.auth, clock: server.clock, log: { warn: () => undefined }, publicUrl: null, limits });
  sockets.attach(server.server);
  const status = { state: 'ended', videoId: null, startedAt: null, until: null } as const;
  const topic = new ChannelTopic({
    ...{ sockets, catalog: server.catalog, events: server.events, grants: server.grants, clock: server.clock },
    ...{ status: () => status, viewers: () => 0, live: () => [] },
    failed: (error) => {
      throw error;
    },
  });
  t.teardown(() => topic.stop());
  server.events.start();
  const url = `${server.base.replace('http', 'ws')}/api/v1/ws`;
  const clients: Client[] = [];
  t.teardown(() => {
    for (const { socket } of clients) socket.terminate();
    sockets.close();
  });
  const client = async (headers?: Record<string, string>) => {
    const made = new Client(url, headers);
    clients.push(made);
    return made.opened();
  };
  return { server, sockets, topic, client, url };
};

t.test('a subscriber hears the state, then every change, under the name that he asked for', async (t) => {
  const { server, client, sockets, topic } = await setUp(t);
  const ann = await server.person('ann', 'creator');
  const { channel } = await server.catalog.channels.create(channelOf(ann.id, { name: 'show', title: 'Before' }));
  const listener = await client();
  listener.say({ subscribe: 'channel:@show' });
  t.match(await listener.next(), { topic: 'channel:@show', type: 'snapshot', data: { state: 'ended', title: 'Before' } });
  await server.catalog.channels.update(channel.id, { title: 'After' });
  t.match(await listener.next(), { topic: 'channel:@show', type: 'update', data: { title: 'After' } });
  await topic.changed(channel.id, { state: 'waiting', videoId: null, startedAt: null, until: 5 });
  t.match(await listener.next(), { type: 'update', data: { state: 'waiting', until: 5 } });
  sockets.publish(`channel:${channel.id}`, 'viewers', { viewers: 7 });
  t.same(await listener.next(), { topic: 'channel:@show', type: 'viewers', data: { viewers: 7 } });
  listener.say({ unsubscribe: 'channel:@show' });
  listener.say({ subscribe: 'channel:none' });
  t.match(await listener.next(), { type: 'error', data: { code: 'not-found' } });
});

t.test('of some kinds there is only one, and it is heard by the name of the kind', async (t) => {
  const { sockets, client } = await setUp(t);
  sockets.topics.define('only', { authorise: async (name) => (name === '' ? '' : null), snapshot: async () => 1 });
  const listener = await client();
  listener.say({ subscribe: 'only' });
  t.same(await listener.next(), { topic: 'only', type: 'snapshot', data: 1 });
  sockets.publish('only', 'update', 2);
  t.same(await listener.next(), { topic: 'only', type: 'update', data: 2 });
  for (const other of ['only:me', 'channel', 'only:']) {
    listener.say({ subscribe: other });
    t.match(await listener.next(), { topic: other, type: 'error', data: { code: 'not-found' } });
  }
});

t.test('a change while the snapshot is being made comes after it', async (t) => {
  const { sockets, client } = await setUp(t);
  const snapshot = Promise.withResolvers<unknown>();
  const asked = Promise.withResolvers<void>();
  sockets.topics.define('slow', { authorise: async (name) => name, snapshot: () => (asked.resolve(), snapshot.promise) });
  const listener = await client();
  listener.say({ subscribe: 'slow:a' });
  await asked.promise;
  sockets.publish('slow:a', 'change', 1);
  sockets.publish('slow:a', 'change', 2);
  snapshot.resolve(0);
  t.same([await listener.next(), await listener.next(), await listener.next()].map(({ data }) => data), [0, 1, 2]);
});

t.test('a private channel is heard by its owner alone, and one that becomes private is no longer heard by others', async (t) => {
  const { server, client } = await setUp(t);
  const ann = await server.person('ann', 'creator');
  const { channel } = await server.catalog.channels.create(channelOf(ann.id));
  const topic = `channel:${channel.id}`;
  const stranger = await client();
  const owner = await client({ authorization: `Bearer ${ann.token}` });
  const byCookie = await client({ cookie: `millrace_session=${ann.token}`, origin: server.base });
  const elsewhere = await client({ cookie: `millrace_session=${ann.token}`, origin: 'https://evil.example' });
  const all = [stranger, owner, byCookie, elsewhere];
  for (const one of all) one.say({ subscribe: topic });
  for (const one of all) t.match(await one.next(), { type: 'snapshot' });
  await server.catalog.channels.update(channel.id, { visibility: 'private' });
  t.same(await stranger.next(), { topic, type: 'gone' });
  t.same(await elsewhere.next(), { topic, type: 'gone' }, 'another site’s page is nobody');
  t.match(await owner.next(), { type: 'update' });
  t.match(await byCookie.next(), { type: 'update' });
  stranger.say({ subscribe: topic });
  t.match(await stranger.next(), { type: 'error', data: { code: 'not-found' } });
});

t.test('who has a link to a private channel hears it until the link expires or is taken back', async (t) => {
  const { server, client, topic: channelTopic } = await setUp(t, { pingMs: 3_600_000 });
  const ann = await server.person('ann', 'creator');
  const { channel } = await server.catalog.channels.create(channelOf(ann.id, { name: 'home', visibility: 'private' }));
  const topic = 'channel:@home';
  const link = async (ms: number) => {
    const { body } = await server.ask('/api/v1/channels/@home/grants', { method: 'POST', token: ann.token, body: { expiresAt: new Date(server.clock.wall() + ms).toISOString() } });
    return { id: String(body['id']), grant: String(body['page']).split('#grant=')[1] };
  };
  const [brief, long] = [await link(60_000), await link(600_000)];
  const [first, second, third] = [await client(), await client(), await client()];
  first.say({ subscribe: topic, grant: brief.grant });
  second.say({ subscribe: topic, grant: long.grant });
  for (const one of [first, second]) t.match(await one.next(), { topic, type: 'snapshot', data: { state: 'ended' } });
  for (const grant of ['made-up', null]) {
    third.say({ subscribe: topic, grant });
    t.match(await third.next(), { type: 'error', data: { code: 'not-found' } });
  }
  third.say({ subscribe: topic, grant: 'x'.repeat(2000) });
  t.match(await third.next(), { type: 'error', data: { code: 'malformed' } });
  const tell = () => channelTopic.changed(channel.id, { state: 'waiting', videoId: null, startedAt: null, until: 5 });
  await tell();
  for (const one of [first, second]) t.match(await one.next(), { type: 'update', data: { state: 'waiting' } });
  server.clock.advance(60_000);
  await tell();
  t.same(await first.next(), { topic, type: 'gone' });
  t.match(await second.next(), { type: 'update' });
  await server.ask(`/api/v1/channels/@home/grants/${long.id}`, { method: 'DELETE', token: ann.token });
  t.same(await second.next(), { topic, type: 'gone' });
});

t.test('whoever logs out is disconnected, and a wrong token does not connect', async (t) => {
  const { server, client, url } = await setUp(t);
  const ann = await server.person('ann', 'viewer');
  const mine = await client({ authorization: `Bearer ${ann.token}` });
  await server.ask('/api/v1/sessions/current', { method: 'DELETE', token: ann.token });
  t.equal(await mine.closed, 1008);
  const refused = new WebSocket(url, { headers: { authorization: 'Bearer nonsense' } });
  const [error] = (await once(refused, 'error')) as [Error];
  t.match(error.message, /401/);
});

t.test('whoever is given another role is disconnected, and hears nothing that is not for it when he comes back', async (t) => {
  const { server, client, sockets } = await setUp(t);
  sockets.topics.define('admins', { authorise: async (_name, who) => (who?.role === 'admin' ? '' : null), snapshot: async () => ({}) });
  const [ann, root] = [await server.person('ann', 'admin'), await server.person('root', 'admin')];
  const headers = { authorization: `Bearer ${ann.token}` };
  const [hers, other] = [await client(headers), await client({ authorization: `Bearer ${root.token}` })];
  for (const one of [hers, other]) {
    one.say({ subscribe: 'admins' });
    t.match(await one.next(), { type: 'snapshot' });
  }
  const change = (body: object) => server.ask(`/api/v1/accounts/${ann.id}`, { method: 'PATCH', token: root.token, body });
  t.match(await change({ quota: 1_000 }), { status: 200 });
  t.match(await change({ role: 'creator' }), { status: 200 });
  t.equal(await hers.closed, 1008);
  const again = await client(headers);
  again.say({ subscribe: 'admins' });
  t.match(await again.next(), { type: 'error', data: { code: 'not-found' } });
  sockets.publish('admins', 'update', {});
  t.match(await other.next(), { type: 'update' }, 'nobody else is');
});

t.test('what is not the protocol gets an error or an end, and costs only its sender', async (t) => {
  const { sockets, client } = await setUp(t, { messageBytes: 200, messages: { burst: 8, perSecond: 1 } });
  const good = await client();
  const bad = await client();
  for (const nonsense of ['{', '[]', '7', '{"subscribe":7}', '{"subscribe":"a","x":1}', '{"shout":"x"}']) {
    bad.say(nonsense);
    t.match(await bad.next(), { type: 'error', data: { code: 'malformed' } }, nonsense);
  }
  bad.say({ subscribe: '__proto__:x' });
  t.match(await bad.next(), { type: 'error', data: { code: 'not-found' } });
  bad.say({ subscribe: 'constructor:x' });
  await bad.next();
  bad.say('{}');
  t.equal(await bad.closed, 1008, 'too many');
  const large = await client();
  large.say('x'.repeat(1000));
  t.ok([1006, 1009].includes(await large.closed));
  sockets.topics.define('broken', { authorise: async (name) => name, snapshot: async () => Promise.reject(new Error('oops')) });
  good.say({ subscribe: 'broken:a' });
  t.match(await good.next(), { type: 'error', data: { code: 'internal' } });
  t.equal(good.socket.readyState, WebSocket.OPEN);
});

t.test('subscriptions and connections are counted', async (t) => {
  const { sockets, client, url } = await setUp(t, { subscriptions: 2, perAddress: 2 });
  sockets.topics.define('any', { authorise: async (name) => name, snapshot: async () => 0 });
  const one = await client();
  for (const name of ['any:a', 'any:b', 'any:c']) one.say({ subscribe: name });
  const answers = [await one.next(), await one.next(), await one.next()].map(({ topic, type }) => `${topic} ${type}`);
  t.same(answers.sort(), ['any:a snapshot', 'any:b snapshot', 'any:c error']);
  const two = await client();
  const third = new WebSocket(url);
  const [error] = (await once(third, 'error')) as [Error];
  t.match(error.message, /429/);
  two.socket.close();
  await two.closed;
  while (sockets.connections > 1) await new Promise((resolve) => setImmediate(resolve));
  await client();
});

t.test('a client that does not read is sent away instead of remembered for', async (t) => {
  const { server, sockets, client } = await setUp(t, { sendBufferBytes: 100_000 });
  sockets.topics.define('any', { authorise: async (name) => name, snapshot: async () => 0 });
  const slow = await client();
  slow.say({ subscribe: 'any:a' });
  await slow.next();
  slow.socket.pause();
  const filler = 'x'.repeat(50_000);
  for (let sent = 0; sent < 2_000 && sockets.connections > 0; sent += 1) {
    sockets.publish('any:a', 'filler', filler);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(sockets.connections, 0);
  t.ok(server.server.listening);
});

t.test('a client that does not answer a ping is gone at the next', async (t) => {
  const { server, sockets, client } = await setUp(t, { pingMs: 1000 });
  const alive = await client();
  const pinged = once(alive.socket, 'ping');
  const dead = await client();
  dead.socket.pause();
  server.clock.advance(1000);
  await pinged;
  // The pong is on its way back; a message after it proves that it has arrived.
  alive.say('{}');
  await alive.next();
  server.clock.advance(1000);
  while (sockets.connections > 1) await new Promise((resolve) => setImmediate(resolve));
  t.equal(alive.socket.readyState, WebSocket.OPEN);
  dead.socket.resume();
});

t.test('whoever asks for an upgrade and resets the connection takes nobody along', async (t) => {
  const { server, client } = await setUp(t);
  const { port } = new URL(server.base);
  const reset = async (path: string): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.server.once('upgrade', (_request, socket) => socket.once('close', resolve)));
    const raw = connect(Number(port), '127.0.0.1');
    raw.on('error', () => undefined);
    raw.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nmore than the server reads`);
    await once(server.server, 'upgrade');
    raw.resetAndDestroy();
    await closed;
  };
  for (const path of ['/other', '/other', '/api/v1/ws']) await reset(path);
  await client();
});

t.test('a refused upgrade is closed by us, whether or not the client closes too', async (t) => {
  const { server } = await setUp(t);
  const { port } = new URL(server.base);
  const raw = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => raw.destroy());
  const closed = new Promise<void>((resolve) => server.server.once('upgrade', (_request, socket) => socket.once('close', resolve)));
  raw.write('GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await closed;
  const [bytes] = (await once(raw, 'data')) as [Buffer];
  t.match(String(bytes), /^HTTP\/1\.1 404 /);
});

t.test('an upgrade elsewhere is a 404, and the end of the server is said', async (t) => {
  const { server, sockets, client } = await setUp(t);
  const { port } = new URL(server.base);
  const raw = connect(Number(port), '127.0.0.1');
  raw.write('GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [bytes] = (await once(raw, 'data')) as [Buffer];
  t.match(String(bytes), /^HTTP\/1\.1 404 /);
  raw.destroy();
  const listener = await client();
  sockets.close();
  t.equal(await listener.closed, 1001);
});

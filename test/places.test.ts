/**
 * A whole server under a crowd: of a thousand who begin at once exactly as many watch as may, by either policy; tokens of a
 * site whose keys lie behind a private authority; and nothing on the disk by which protected media would open.
 */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import t from 'tap';
import { makeCertificate } from './support/certificate.ts';
import { until } from './support/playlists.ts';
import { freePorts, startServer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

type Playback = { readonly hls: string };
type Link = { readonly id: string; readonly hls: string };
type Answer = { readonly status: number; readonly code: string | null; readonly cache: string; readonly body: Buffer };

const issuer = 'https://school.example';
const audience = 'https://video.example';
const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const nextSigning = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const data = await mkdtemp(join(tmpdir(), 'millrace-places-'));
t.teardown(() => rm(data, { recursive: true, force: true }));
const authority = makeCertificate(data, 'authority');
/** The site whose tokens are taken. */
const site = { keys: [{ kid: 'first', key: signing.publicKey }], asked: 0 };
const siteServer = createServer({ cert: await readFile(authority.certificate), key: await readFile(authority.key) }, (_, response) => {
  site.asked += 1;
  void Promise.all(site.keys.map(async ({ kid, key }) => ({ ...(await exportJWK(key)), kid, alg: 'ES256' }))).then((keys) => response.end(JSON.stringify({ keys })));
});
siteServer.listen(0, '127.0.0.1');
await once(siteServer, 'listening');
t.teardown(() => {
  siteServer.closeAllConnections();
  siteServer.close();
});

const ports = await freePorts();
const folder = join(data, 'millrace');
const start = (whenFull: string) =>
  startServer({
    data: folder,
    ports,
    env: {
      MILLRACE_STREAMS_PER_ACCOUNT: '2',
      MILLRACE_STREAMS_WHEN_FULL: whenFull,
      MILLRACE_TOKENS_ISSUER: issuer,
      MILLRACE_TOKENS_AUDIENCE: audience,
      MILLRACE_TOKENS_KEYS: `https://localhost:${(siteServer.address() as AddressInfo).port}/keys`,
      NODE_EXTRA_CA_CERTS: authority.certificate,
    },
  });

let server = await start('refuse-new');
t.teardown(() => server.stop());
let token = await server.login();
const channel = await server.createChannel(token, { name: 'crowded', visibility: 'private', protection: 'aes-128' });
const sender = await ShowSender.connect(server, channel, await flvClip({ bframes: 0, width: 160, height: 90, kbps: 100 }));
await sender.send();
const { live } = await until(() => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`, undefined, token), (seen) => seen.live !== null);
const video = live?.videoId ?? '';
await sender.end();
await until(() => server.must<{ state: string }>('GET', `videos/${video}`, undefined, token), ({ state }) => state === 'ready');

/** Null: the answer was broken off. */
const ask = (url: string, agent: string, localAddress = '127.0.0.1'): Promise<Answer | null> =>
  new Promise((resolve) => {
    const asked = request(url, { agent: false, localAddress, headers: { 'user-agent': agent } }, (incoming) => {
      const pieces: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => pieces.push(piece));
      incoming.on('error', () => resolve(null));
      incoming.on('end', () => {
        const body = Buffer.concat(pieces);
        const { 'content-type': type, 'cache-control': cache = '' } = incoming.headers;
        const code = type === 'application/problem+json' ? String((JSON.parse(body.toString()) as { code: unknown }).code) : null;
        resolve({ status: incoming.statusCode ?? 0, code, cache, body });
      });
    });
    asked.on('error', () => resolve(null));
    asked.end();
  });

const play = () => server.must<Playback>('POST', `videos/${video}/playback`, {}, token);
const firstOf = async (list: string, agent: string, what: RegExp): Promise<string> => new URL(what.exec((await ask(list, agent))?.body.toString() ?? '')?.[1] ?? '', list).href;
/** Before anybody watches. */
const own = await play();
const segmentBy = async ({ hls }: { readonly hls: string }): Promise<string> => firstOf(hls.replace('master', 'v0/whole'), 'whoever looks first', /^([^#\n]+-1\.m4s)$/m);
/** Each in a player of his own, over a connection of his own. */
const crowd = (url: string): Promise<(Answer | null)[]> => Promise.all(Array.from({ length: 1000 }, (_, index) => ask(url, `player ${index}`)));
const tally = (answers: readonly (Answer | null)[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const key = answer === null ? 'broken off' : (answer.code ?? String(answer.status));
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};
/** Whose places are taken. */
const watching = async (): Promise<string[]> => (await server.must<{ items: { userAgent: string }[] }>('GET', 'streams', undefined, token)).items.map(({ userAgent }) => userAgent).toSorted();
/** Some of those who do not watch, when they ask again. */
const others = async (url: string, inside: readonly string[]): Promise<Record<string, number>> => {
  const some = Array.from({ length: 40 }, (_, index) => `player ${25 * index}`).filter((name) => !inside.includes(name)).slice(0, 30);
  return tally(await Promise.all(some.map((name) => ask(url, name))));
};

t.test('of a thousand who begin at once two are let in where two may watch, and they go on', async (t) => {
  const segment = await segmentBy(own);
  const answers = await crowd(segment);
  t.same(tally(answers), { 200: 2, 'too-many-streams': 998 });
  t.ok(answers.every((answer) => answer?.status === 200 || (answer?.cache === 'no-store' && answer.body.length < 400)), 'nobody else was given a byte of it');
  const inside = answers.flatMap((answer, index) => (answer?.status === 200 ? [`player ${index}`] : [])).toSorted();
  t.same(await watching(), inside);
  for (const name of inside) t.equal((await ask(segment, name))?.status, 200);
  t.same(await others(segment, inside), { 'too-many-streams': 30 }, 'however often they try');
  t.same(await watching(), inside);
});

t.test('two viewers by one address that is handed on are two, wherever and in whatever they play', async (t) => {
  const link = await server.must<Link>('POST', `videos/${video}/grants`, { streams: 2 }, token);
  const segment = await segmentBy(link);
  const codes = async (...asked: (readonly [string, string])[]): Promise<unknown[]> => Promise.all(asked.map(async ([agent, address]) => (await ask(segment, agent, address))?.code ?? 200));
  t.same(await codes(['a player', '127.0.0.1'], ['another player', '127.0.0.1']), [200, 200]);
  t.same(await codes(['a third player', '127.0.0.1'], ['a player', '127.0.0.2']), ['too-many-streams', 'too-many-streams']);
  t.same(await codes(['a player', '127.0.0.1'], ['another player', '127.0.0.1']), [200, 200], 'who is in goes on');
  const other = await server.must<Link>('POST', `videos/${video}/grants`, { streams: 2 }, token);
  t.equal((await ask(await segmentBy(other), 'a third player'))?.status, 200, 'another link has places of its own');
});

t.test('tokens of a site whose certificate is of a private authority are exchanged for addresses; others are refused, each by its code', async (t) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: 'kim', exp: now + 600, video };
  const signed = (change: object = {}, header: object = {}, key = signing.privateKey) => new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'ES256', kid: 'first', ...header }).sign(key);
  const exchanged = async (jwt: string): Promise<unknown> => {
    const { status, body } = await server.api('POST', `videos/${video}/playback`, { token: jwt });
    const said = body as Partial<Playback> & { code?: string };
    return status === 200 ? (await ask(String(said.hls), 'a pupil'))?.status : [status, said.code];
  };
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
  const good = await signed();
  t.same(await Promise.all(Array.from({ length: 50 }, () => exchanged(good))), Array.from({ length: 50 }, () => 200));
  t.equal(site.asked, 1, 'fifty at once ask the site once');
  for (const [jwt, code] of [
    [none, 'jwt-unsigned'],
    [await signed({}, { kid: '../../first' }), 'jwt-key-unknown'],
    [await signed({}, { jku: 'https://elsewhere.example/keys' }), 'jwt-header'],
    [await signed({}, {}, nextSigning.privateKey), 'jwt-signature'],
    [await signed({ iss: 'https://elsewhere.example' }), 'jwt-issuer'],
    [await signed({ aud: issuer }), 'jwt-audience'],
    [await signed({ exp: now - 60 }), 'jwt-expired'],
    [await signed({ nbf: now + 600 }), 'jwt-not-yet'],
    [await signed({ video: 'another00another' }), 'jwt-other-video'],
    [await signed({ sub: 'x'.repeat(65) }), 'jwt-claims'],
    [`${good}.x`, 'jwt-malformed'],
  ] as const) {
    t.same(await exchanged(jwt), [403, code]);
  }
  t.same(await exchanged(good + 'A'.repeat(9000)), [400, 'validation'], 'what is too long is not looked at');
  t.equal(site.asked, 1, 'nor is the site asked for what is made up');
});

t.test('nothing on the disk or in the log opens protected media: no key, no grant, no session', async (t) => {
  const link = await server.must<Link>('POST', `videos/${video}/grants`, {}, token);
  const list = link.hls.replace('master', 'v0/whole');
  const key = (await ask(await firstOf(list, 'whoever has the link', /URI="([^"]+\/keys\/[^"]+)"/), 'whoever has the link'))?.body ?? Buffer.alloc(0);
  t.equal(key.length, 16);
  const grants = [own.hls, link.hls].map((url) => new URL(url).pathname.split('/')[2] ?? '');
  const needles: [string, Buffer | string][] = [
    ['a media key', key],
    ['a media key in hex', key.toString('hex')],
    ['a media key in base64', key.toString('base64').slice(0, 21)],
    ['a media key in base64url', key.toString('base64url')],
    ...grants.flatMap((grant): [string, Buffer | string][] => [['a grant', grant.slice(40)], ['the MAC of a grant', Buffer.from(grant, 'base64url').subarray(-16)]]),
    ['a session', token],
    ['a stream key', channel.streamKey],
  ];
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  t.ok(files.some((file) => file.endsWith('.db') || file.includes('.db-')) && files.some((file) => file.endsWith('.cmaf')), 'the catalog and the media are looked through');
  for (const file of files) {
    const bytes = await readFile(file);
    for (const [what, needle] of needles) t.notOk(bytes.includes(needle), `${what} in ${file}`);
  }
  for (const [what, needle] of needles) if (typeof needle === 'string') t.notOk(server.log.includes(needle), `${what} in the log`);
});

t.test('where the oldest is stopped for the newest, two are left of a thousand, and the others stay stopped', async (t) => {
  await server.stop();
  server = await start('stop-oldest');
  token = await server.login();
  const segment = await segmentBy(await play());
  const first = tally(await crowd(segment));
  t.equal((first['200'] ?? 0) + (first['broken off'] ?? 0), 1000, JSON.stringify(first));
  const inside = await watching();
  t.equal(inside.length, 2);
  t.same(await others(segment, inside), { 'stream-stopped': 30 });
  for (const name of inside) t.equal((await ask(segment, name))?.status, 200);
  t.same(await watching(), inside);
});

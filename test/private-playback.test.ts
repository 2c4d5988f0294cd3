/** What is private plays for its owner, by the addresses that the API gives out, and for nobody else: every kind of answer below /play/. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { writeGrant } from '../server/auth/grant-token.ts';
import { createVault } from '../server/catalog/vault.ts';
import { mustFfmpeg } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

type Seen = Channel & { readonly live: { readonly videoId: string } | null };
type Playback = { readonly videoId: string; readonly live: boolean; readonly hls: string; readonly dash: string; readonly ts: string; readonly downloads: readonly { readonly url: string }[]; readonly expiresAt: string | null };
type Reply = { readonly status: number; readonly code: string | null; readonly cache: string; readonly cors: string | null; readonly body: Buffer };

const clip = await flvClip({ bframes: 0, width: 160, height: 90, kbps: 100 });
const pictures = clip.units.filter(({ kind }) => kind === 'video').length;
const server = await startServer({ env: { MILLRACE_LOG_LEVEL: 'trace' } });
t.teardown(() => server.stop());
const token = await server.login();
const vault = createVault(readFileSync(path.join(server.data, 'master.key')));
/** Every grant that this test ever held: none may be printed. */
const grants = new Set<string>();

const get = async (url: string, method = 'GET'): Promise<Reply> => {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(30_000) });
  const body = Buffer.from(await response.arrayBuffer());
  const { headers, status } = response;
  const isProblem = headers.get('content-type') === 'application/problem+json' && body.length > 0;
  const code = isProblem ? String((JSON.parse(body.toString()) as { code: unknown }).code) : null;
  return { status, code, cache: headers.get('cache-control') ?? '', cors: headers.get('access-control-allow-origin'), body };
};

const play = async (where: string, body: object = {}): Promise<Playback> => {
  const playback = await server.must<Playback>('POST', `${where}/playback`, body, token);
  grants.add(grantIn(playback.hls));
  return playback;
};
const grantIn = (url: string): string => new URL(url).pathname.split('/')[2] ?? '';
const under = (url: string, grant: string): string => url.replace(`/play/${grantIn(url)}/`, `/play/${grant}/`);

/** The address of everything that a playlist names. */
const named = (url: string, text: string): string[] => {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const attributes = [...text.matchAll(/^#(?!EXT-X-(?:RENDITION-REPORT|PRELOAD-HINT)).*URI="([^"]+)"/gm)].map(([, uri = '']) => uri);
  return [...lines, ...attributes].map((uri) => new URL(uri, url).href);
};

/** All that plays of a video, one address of each kind, found as a player finds them. */
const everything = async ({ hls, dash, ts, downloads }: Playback): Promise<Map<string, string>> => {
  const found = new Map([['multivariant', hls], ['MPD', dash], ['TS multivariant', ts], ...downloads.map(({ url }) => ['download', url] as const)]);
  for (const [kind, from] of [['', hls], ['TS ', ts]] as const) {
    for (const list of named(from, (await get(from)).body.toString())) {
      found.set(`${kind}playlist ${list.split('/').slice(-2).join('/')}`, list);
      for (const file of named(list, (await get(list)).body.toString())) {
        found.set(`${kind}${/-i\d+\.mp4$/.test(file) ? 'init' : /-\d+-\d+\.m4s$/.test(file) ? 'part' : /-k\d+\.m4s$/.test(file) ? 'key picture' : 'segment'} of ${list.split('/').at(-2)}`, file);
      }
    }
  }
  return found;
};

const privateShow = async (name: string): Promise<{ sender: ShowSender; channel: Channel; video: string }> => {
  const channel = await server.createChannel(token, { name, visibility: 'private' });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`, undefined, token), (seen) => seen.live !== null);
  const video = live?.videoId ?? '';
  const { hls } = await play(`videos/${video}`);
  await until(() => get(hls.replace('master', 'v0/index')), ({ body }) => /-\d+-\d+\.m4s/.test(body.toString()) && /-\d+\.m4s/.test(body.toString()));
  return { sender, channel, video };
};

/** For its owner each of them, never to be kept by a shared cache; for nobody else. */
const closedToOthers = async (t: Test, playback: Playback, kinds: RegExp[], otherVideo: string): Promise<void> => {
  const addresses = await everything(playback);
  for (const kind of kinds) t.ok([...addresses.keys()].some((known) => kind.test(known)), `there is ${kind.source}`);
  const own = grantIn(playback.hls);
  const facts = { video: playback.videoId, account: (await server.must<{ id: string }>('GET', 'me', undefined, token)).id, expiresAt: Date.now() };
  const minutes = 60_000;
  const written = (change: object): string => writeGrant(vault, { ...facts, expiresAt: Math.ceil((facts.expiresAt + 5 * minutes) / 1000) * 1000, ...change });
  const expired = written({ expiresAt: Math.floor(facts.expiresAt / 1000) * 1000 - 1000 });
  const others: [string, string, number, string][] = [
    ['without a grant', '-', 404, 'not-found'],
    ['tampered', `${own.slice(0, 30)}${own[30] === 'A' ? 'B' : 'A'}${own.slice(31)}`, 403, 'grant-invalid'],
    ['truncated', own.slice(0, -1), 403, 'grant-invalid'],
    ['longer', `${own}A`, 403, 'grant-invalid'],
    ['made up', 'A'.repeat(72), 403, 'grant-invalid'],
    ['of another video', written({ video: otherVideo }), 403, 'grant-invalid'],
    ['of nobody', written({ account: 'nobody0000000000' }), 403, 'grant-invalid'],
    ['of another server', writeGrant(createVault(Buffer.alloc(32, 1)), { ...facts, expiresAt: 4_000_000_000_000 }), 403, 'grant-invalid'],
    ['expired', expired, 403, 'grant-expired'],
  ];
  for (const [kind, url] of addresses) {
    const mine = await get(url);
    t.equal(mine.status, 200, `${kind} for its owner`);
    t.match(mine.cache, /^private, /, kind);
    t.notMatch(mine.cache, /public|s-maxage/, kind);
    for (const [who, grant, status, code] of others) {
      grants.add(grant);
      const theirs = await get(under(url, grant));
      t.same([theirs.status, theirs.code, theirs.cors], [status, code, '*'], `${kind}, ${who}`);
      t.match(theirs.cache, /no-store/, 'a no is not kept');
      t.equal((await get(under(url, grant), 'HEAD')).status, status);
    }
  }
  t.equal((await get(under(playback.hls, written({})))).status, 200, 'what the test writes itself is a grant');
};

t.test('a private show and its recording play for its owner, live and later, and for nobody else', async (t) => {
  const { sender, channel, video } = await privateShow('hidden');
  const other = await privateShow('other');
  await t.test('live', async (t) => {
    const playback = await play(`channels/${channel.id}`);
    t.match(playback, { videoId: video, live: true });
    const lasts = Date.parse(playback.expiresAt ?? '') - Date.now();
    t.ok(lasts > 12 * 3_600_000 && lasts <= 24 * 3_600_000, 'a ten-hour show is watched with one grant');
    await closedToOthers(t, playback, [/^playlist v0\/index/, /^playlist a0/, /^playlist v0\/iframes/, /^key picture of v0/, /^init of v0/, /^part of v0/, /^part of a0/, /^segment of v0/, /^MPD/, /^TS playlist/, /^TS segment/], other.video);
    const grant = grantIn(playback.hls);
    for (const file of ['master.m3u8', 'ts/master.m3u8', 'manifest.mpd']) {
      const at = (by: string): Promise<Reply> => get(`${server.origin}/play/${by}/@${channel.name}/${file}`);
      t.equal((await at(grant)).status, 200, `the channel’s ${file}, under the same grant`);
      t.same(await at('-'), await get(`${server.origin}/play/-/@nobody-here/${file}`), 'as for a channel that does not exist');
    }
    t.equal((await server.api('POST', `videos/${video}/playback`, {})).status, 404, 'and strangers are given no address');
  });
  await t.test('recorded', async (t) => {
    const before = await play(`videos/${video}`);
    await sender.end();
    await until(() => server.must<{ state: string }>('GET', `videos/${video}`, undefined, token), ({ state }) => state === 'ready');
    const { stdout } = await mustFfmpeg(['-v', 'error', '-i', before.hls, '-map', '0:v', '-f', 'framemd5', 'pipe:1']);
    t.equal(stdout.toString().split('\n').filter((line) => /^\d/.test(line)).length, pictures, 'every picture, by the address from when it was live');
    const after = await play(`videos/${video}`);
    t.match(after, { videoId: video, live: false });
    await closedToOthers(t, after, [/^playlist v0\/whole/, /^init of v0/, /^segment of v0/, /^segment of a0/, /^key picture/, /^MPD/, /^TS segment/, /^download/], other.video);
  });
  await other.sender.end();
});

t.test('what is opened to everybody goes on under the grant and without one; what is closed again, under the grant alone', async (t) => {
  const { sender, video } = await privateShow('changing');
  await sender.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`, undefined, token), ({ state }) => state === 'ready');
  const { hls } = await play(`videos/${video}`);
  const statuses = async (): Promise<number[]> => [(await get(hls)).status, (await get(under(hls, '-'))).status];
  t.same(await statuses(), [200, 404]);
  for (const visibility of ['public', 'private', 'unlisted', 'private']) {
    await server.must('PATCH', `videos/${video}`, { visibility }, token);
    const open = visibility !== 'private';
    await until(statuses, ([, open_]) => open_ === (open ? 200 : 404));
    t.same(await statuses(), [200, open ? 200 : 404], visibility);
    t.match((await get(hls)).cache, /^private, /, 'under a grant never for a shared cache');
  }
  await server.must('DELETE', `videos/${video}`, undefined, token);
  t.equal((await until(() => get(hls), ({ status }) => status !== 200)).code, 'not-found', 'removed: gone for its owner as well');
});

t.test('an admin watches what is private; another creator is told of nothing', async (t) => {
  await server.must('POST', 'accounts', { username: 'ann', password: 'password of ann', role: 'creator' }, token);
  const ann = await server.login('ann', 'password of ann');
  const channel = await server.createChannel(ann, { name: 'of-ann', visibility: 'private' });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`, undefined, ann), (seen) => seen.live !== null);
  const playback = await play(`videos/${live?.videoId}`);
  t.equal((await get(playback.hls)).status, 200, 'by the admin’s grant');
  await server.must('POST', 'accounts', { username: 'bob', password: 'password of bob', role: 'creator' }, token);
  const bob = await server.login('bob', 'password of bob');
  t.equal((await server.api('POST', `videos/${live?.videoId}/playback`, {}, bob)).status, 404);
  t.equal((await server.api('POST', `channels/@of-ann/playback`, {}, bob)).status, 404);
  await sender.end();
});

t.test('no grant is in what the server printed or counted', async (t) => {
  grants.delete('-');
  t.ok(grants.size > 10);
  const metrics = (await get(`${server.origin}/metrics`)).body.toString();
  t.match(metrics, /millrace_delivery_answers_total\{answer="[a-z]+ 403"\}/);
  t.match(server.log, /playback/, 'what was asked for is in the log');
  for (const grant of grants) t.notOk(server.log.includes(grant.slice(0, 40)) || metrics.includes(grant.slice(0, 40)));
});

/** What is private plays for its owner, by the addresses that the API gives out, and for nobody else: every kind of answer below /play/. */
import { createHmac } from 'node:crypto';
import t, { type Test } from 'tap';
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
/** Every grant that this test ever held: none may be printed. */
const grants = new Set<string>();

const get = async (url: string, method = 'GET', agent = 'a player'): Promise<Reply> => {
  const response = await fetch(url, { method, headers: { 'user-agent': agent }, signal: AbortSignal.timeout(30_000) });
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
        found.set(`${kind}${/-i[\d-]+\.mp4$/.test(file) ? 'init' : /-\d+-\d+\.m4s$/.test(file) ? 'part' : /-k\d+\.m4s$/.test(file) ? 'key picture' : 'segment'} of ${list.split('/').at(-2)}`, file);
      }
    }
  }
  return found;
};

const privateShow = async (name: string, settings: object = {}): Promise<{ sender: ShowSender; channel: Channel; video: string }> => {
  const channel = await server.createChannel(token, { name, visibility: 'private', ...settings });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`, undefined, token), (seen) => seen.live !== null);
  const video = live?.videoId ?? '';
  const { hls } = await play(`videos/${video}`);
  await until(() => get(hls.replace('master', 'v0/index')), ({ body }) => /-\d+-\d+\.m4s/.test(body.toString()) && /-\d+\.m4s/.test(body.toString()));
  return { sender, channel, video };
};

type Link = { readonly id: string; readonly hls: string; readonly expiresAt: string };
/** A grant that is handed on. */
const link = async (video: string, wish: object = {}): Promise<Link & { readonly grant: string }> => {
  const made = await server.must<Link>('POST', `videos/${video}/grants`, { downloads: true, ...wish }, token);
  grants.add(grantIn(made.hls));
  return { ...made, grant: grantIn(made.hls) };
};

/** The same facts, signed by somebody who has another key. */
const forged = (grant: string): string => {
  const facts = Buffer.from(grant, 'base64url').subarray(0, -16);
  return Buffer.concat([facts, createHmac('sha256', 'another key').update(facts).digest().subarray(0, 16)]).toString('base64url');
};

/** For its owner each of them, never to be kept by a shared cache; for nobody else. */
const closedToOthers = async (t: Test, playback: Playback, kinds: RegExp[], otherVideo: string): Promise<void> => {
  const addresses = await everything(playback);
  for (const kind of kinds) t.ok([...addresses.keys()].some((known) => kind.test(known)), `there is ${kind.source}`);
  const own = grantIn(playback.hls);
  const video = playback.videoId;
  const brief = await link(video, { expiresAt: new Date(Date.now() + 2_000).toISOString() });
  const taken = await link(video);
  t.equal((await get(under(playback.hls, taken.grant))).status, 200, 'as long as it is not taken back');
  await server.must('DELETE', `videos/${video}/grants/${taken.id}`, undefined, token);
  const others: [string, string, number, string][] = [
    ['without a grant', '-', 404, 'not-found'],
    ['tampered', `${own.slice(0, 30)}${own[30] === 'A' ? 'B' : 'A'}${own.slice(31)}`, 403, 'grant-signature'],
    ['signed with another key', forged(own), 403, 'grant-signature'],
    ['truncated', own.slice(0, -1), 403, 'grant-malformed'],
    ['longer', `${own}A`, 403, 'grant-malformed'],
    ['made up', 'A'.repeat(108), 403, 'grant-malformed'],
    ['of another video', (await link(otherVideo)).grant, 403, 'grant-other-video'],
    ['for something else', (await link(video, { audiences: ['statistics'] })).grant, 403, 'grant-other-audience'],
    ['for another network', (await link(video, { networks: ['192.0.2.0/24'] })).grant, 403, 'grant-other-network'],
    ['kept out by a rule', (await link(video, { rules: [{ action: 'block', networks: ['127.0.0.0/8', '::1'] }] })).grant, 403, 'grant-blocked'],
    ['for another player', (await link(video, { device: 'another player' })).grant, 403, 'grant-other-device'],
    ['too early', (await link(video, { notBefore: new Date(Date.now() + 3_600_000).toISOString() })).grant, 403, 'grant-not-yet'],
    ['taken back', taken.grant, 403, 'grant-revoked'],
    ['expired', brief.grant, 403, 'grant-expired'],
  ];
  await until(() => get(under(playback.hls, brief.grant)), ({ status }) => status === 403);
  await until(() => get(under(playback.hls, taken.grant)), ({ status }) => status === 403);
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
  t.equal((await get(under(playback.hls, (await link(video)).grant))).status, 200, 'and one that says nothing of the kind opens');
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

t.test('keys and licences of a protected recording are given where its media is, and refused with the same codes', async (t) => {
  const other = await privateShow('unprotected');
  await other.sender.end();
  for (const [protection, name] of [['aes-128', 'sealed'], ['cbcs', 'sealed-cbcs']] as const) {
    const { sender, video } = await privateShow(name, { protection });
    await sender.end();
    await until(() => server.must<{ state: string }>('GET', `videos/${video}`, undefined, token), ({ state }) => state === 'ready');
    const { hls } = await play(`videos/${video}`);
    const list = hls.replace('master', 'v0/whole');
    const key = named(list, (await get(list)).body.toString()).find((address) => address.includes('/keys/')) ?? '';
    const licence = hls.replace('master.m3u8', 'keys/licence');
    t.match(await get(key), { status: 200, cache: /no-store/ }, protection);
    const ask = async (url: string): Promise<unknown[]> => {
      if (!url.endsWith('/licence')) return [(await get(url)).status, (await get(url)).code];
      const answer = await fetch(url, { method: 'POST', body: '{"kids":[]}', headers: { 'user-agent': 'a player' } });
      return [answer.status, ((await answer.json()) as { code?: string }).code ?? null];
    };
    const revoked = await link(video);
    await server.must('DELETE', `videos/${video}/grants/${revoked.id}`, undefined, token);
    const refusals: [string, string][] = [
      [forged(grantIn(hls)), 'grant-signature'],
      [grantIn(hls).slice(0, -1), 'grant-malformed'],
      [(await link(other.video)).grant, 'grant-other-video'],
      [(await link(video, { audiences: ['media'] })).grant, 'grant-other-audience'],
      [(await link(video, { networks: ['192.0.2.0/24'] })).grant, 'grant-other-network'],
      [(await link(video, { notBefore: new Date(Date.now() + 3_600_000).toISOString() })).grant, 'grant-not-yet'],
      [revoked.grant, 'grant-revoked'],
    ];
    for (const url of protection === 'cbcs' ? [key, licence] : [key]) {
      for (const [grant, code] of refusals) t.same(await ask(under(url, grant)), [403, code], `${protection} ${url.split('/').at(-1)}`);
      t.equal((await ask(under(url, '-')))[0], 404);
    }
  }
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

t.test('as many as a link says, lists included, and whoever watches goes on although the link is over', async (t) => {
  const { sender, video } = await privateShow('crowded');
  await sender.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`, undefined, token), ({ state }) => state === 'ready');
  const addresses = await everything(await play(`videos/${video}`));
  const segment = addresses.get('segment of v0') ?? '';
  const { grant, hls } = await link(video, { streams: 1, expiresAt: new Date(Date.now() + 4_000).toISOString() });
  const ask = async (url: string, agent: string): Promise<unknown[]> => {
    const { status, code } = await get(under(url, grant), 'GET', agent);
    return [status, code];
  };
  t.same(await ask(hls, 'the second'), [200, null], 'a list takes no place');
  t.same(await ask(segment, 'the first'), [200, null]);
  for (const [kind, url] of addresses) if (kind !== 'download') t.same(await ask(url, 'the second'), [403, 'too-many-streams'], kind);
  t.same(await until(() => ask(hls, 'the second'), ([, code]) => code !== 'too-many-streams'), [403, 'grant-expired']);
  t.same(await ask(hls, 'the first'), [200, null]);
  t.same(await ask(segment, 'the first'), [200, null]);
});

t.test('up to a height: higher pictures are neither listed nor served; where downloading is not granted, it is refused', async (t) => {
  const { sender, video } = await privateShow('limited');
  await sender.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`, undefined, token), ({ state }) => state === 'ready');
  const playback = await play(`videos/${video}`);
  const addresses = await everything(playback);
  const low = (await link(video, { maxHeight: 89 })).grant;
  const enough = (await link(video, { maxHeight: 90, downloads: false })).grant;
  for (const manifest of ['multivariant', 'TS multivariant', 'MPD']) {
    const url = addresses.get(manifest) ?? '';
    t.match((await get(under(url, enough))).body.toString(), /160x90|height="90"/);
    t.notMatch((await get(under(url, low))).body.toString(), /160x90|height="90"|v0/, manifest);
  }
  for (const [kind, url] of addresses) {
    const isPicture = /\bv0\b|key picture/.test(kind) || (/^TS (segment|playlist)/.test(kind) && /\/v0\//.test(url)) || kind === 'download';
    const answer = await get(under(url, low));
    t.same([answer.status, answer.code], isPicture ? [403, 'height-limit'] : [200, null], `${kind}, up to a lower height`);
    const download = await get(under(url, enough));
    t.same([download.status, download.code], kind === 'download' ? [403, 'download-not-allowed'] : [200, null], `${kind}, without downloading`);
  }
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

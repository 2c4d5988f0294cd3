/** A video for whoever has a link to it, and who watches just now, by the API. */
import t from 'tap';
import { liveOn } from '../catalog/testing.ts';
import type { StreamLimits } from '../auth/viewings.ts';
import type { ApiHooks } from './hooks.ts';
import { testApi } from './testing.ts';

const setUp = async (t: Parameters<typeof testApi>[0], streams?: StreamLimits, foreign: ApiHooks['foreign'] = null) => {
  const server = await testApi(t, streams ? { streams } : {}, { foreign });
  server.events.start();
  const owner = await server.person('ann', 'creator');
  const made = await server.ask('/api/v1/channels', { method: 'POST', token: owner.token, body: { name: 'mill', title: 'Mine', visibility: 'private' } });
  const { id: video } = await server.catalog.videos.createLive(liveOn(String(made.body['id']), owner.id, { visibility: 'private', title: 'The show' }));
  const playback = (body: object, token?: string, headers: Record<string, string> = {}) => server.ask(`/api/v1/videos/${video}/playback`, { method: 'POST', body, token, headers });
  return { server, owner, channel: String(made.body['id']), video, playback };
};

t.test('who has a link sees the video and where it plays, by the link alone', async (t) => {
  const { server, owner, video, playback } = await setUp(t);
  const at = `/api/v1/videos/${video}`;
  const link = await server.ask(`${at}/grants`, { method: 'POST', token: owner.token, body: { streams: 3 } });
  const grant = String(link.body['hls']).split('/')[4] ?? '';
  t.match(await server.ask(`${at}?grant=${grant}`), { status: 200, body: { id: video, visibility: 'private', title: 'The show' } });
  t.notOk('ownerId' in (await server.ask(`${at}?grant=${grant}`)).body, 'as a viewer sees it');
  t.match(await playback({ grant }), { status: 200, body: { hls: link.body['hls'], expiresAt: link.body['expiresAt'] } });
  t.equal((await server.ask(at)).status, 404);
  t.match(await server.ask(`${at}?grant=${grant.slice(0, -4)}`), { status: 403, body: { code: 'grant-malformed' } });
  t.match(await playback({ grant: `${grant.slice(0, -1)}${grant.endsWith('A') ? 'B' : 'A'}` }), { status: 403, body: { code: 'grant-signature' } });
  for (const made of [grant.slice(0, -4), 'A'.repeat(108)]) {
    const nowhere = await server.ask(`/api/v1/videos/${'0'.repeat(16)}?grant=${made}`);
    t.same([nowhere.status, nowhere.body['code']], [403, 'grant-malformed'], 'where there is no such video it is refused alike');
  }
  await server.ask(`${at}/grants/${String(link.body['id'])}`, { method: 'DELETE', token: owner.token });
  await server.events.settled();
  t.match(await playback({ grant }), { status: 403, body: { code: 'grant-revoked' } });
});

t.test('too many screens: the list says which, one is stopped, and it goes on there when somebody begins it again', async (t) => {
  const { server, owner, video, playback } = await setUp(t, { perAccount: 1, whenFull: 'refuse-new' });
  const { token: second } = await server.catalog.sessions.create(owner.id, { userAgent: 'Safari', address: '127.0.0.1' });
  const watch = async (token: string, agent: string) => {
    const reply = await playback({}, token, { 'user-agent': agent });
    const text = String(reply.body['hls']).split('/')[4] ?? '';
    return reply.status === 200 ? server.grants.verdict(text, video, 'media', { address: '127.0.0.1', agent, wantsMedia: true }) : reply.body['code'];
  };
  const list = async (token: string) => (await server.ask('/api/v1/streams', { token })).body['items'] as { id: string }[];
  t.match(await watch(owner.token, 'Firefox'), { ok: true });
  t.match(await watch(owner.token, 'Firefox'), { ok: true }, 'a page that is loaded again is the same');
  t.equal(await watch(second, 'Safari'), 'too-many-streams');
  const [stream] = await list(second);
  t.match(stream, { videoId: video, title: 'The show', address: '127.0.0.1', userAgent: 'Firefox', current: false });
  t.match(await list(owner.token), [{ current: true }]);

  const rival = await server.person('rival', 'creator');
  t.same(await list(rival.token), []);
  const stop = (token?: string) => server.ask(`/api/v1/streams/${stream?.id}`, { method: 'DELETE', token });
  t.same([(await stop(rival.token)).status, (await stop()).status], [404, 401]);
  t.equal((await stop(second)).status, 204);
  t.match(await watch(second, 'Safari'), { ok: true });
  t.equal(await watch(owner.token, 'Firefox'), 'stream-stopped', 'not by itself');
  const again = () => playback({ restart: true }, owner.token, { 'user-agent': 'Firefox' });
  t.match(await again(), { status: 403, body: { code: 'too-many-streams' } });
  const [other] = await list(owner.token);
  await server.ask(`/api/v1/streams/${other?.id}`, { method: 'DELETE', token: owner.token });
  t.equal((await again()).status, 200);
});

t.test('the token of an issuer whom the server trusts is exchanged for a grant, by which the viewer is counted', async (t) => {
  const by = { viewer: 'kim', expiresAt: Date.UTC(2030, 0, 1), maxHeight: 720, mayDownload: false, streams: 1, networks: [] };
  const foreign: ApiHooks['foreign'] = {
    issuer: 'https://school.example',
    read: async (token) => (token === 'none' ? { kind: 'no-keys' } : token === 'wrong' ? { kind: 'refused', code: 'jwt-signature' } : { kind: 'vouched', by: { ...by, viewer: token } }),
  };
  const { server, owner, channel, video, playback } = await setUp(t, undefined, foreign);
  const grantOf = async (token: string) => String((await playback({ token })).body['hls']).split('/')[4] ?? '';
  const kim = await grantOf('kim');
  t.match(server.grants.read(kim), { opens: { kind: 'video', id: video }, viewer: 'kim', own: false, maxHeight: 720, streams: 1, expiresAt: Math.floor(server.clock.wall() / 1000) * 1000 + 86_400_000 });
  const watch = (text: string, address: string) => server.grants.verdict(text, video, 'media', { address, agent: 'a player', wantsMedia: true });
  t.match(await watch(kim, '192.0.2.1'), { ok: true, shared: false, maxHeight: 720, mayDownload: false });
  t.match(await watch(kim, '192.0.2.2'), { ok: false, code: 'too-many-streams' });
  t.match(await playback({ token: 'kim' }), { status: 403, body: { code: 'too-many-streams' } }, 'who asks elsewhere for addresses is told at once');
  t.match(await watch(await grantOf('lee'), '192.0.2.2'), { ok: true });
  t.match(await playback({ token: 'wrong' }), { status: 403, body: { code: 'jwt-signature' } });
  t.match(await playback({ token: 'none' }), { status: 503, body: { code: 'jwt-keys-unavailable' } });

  const onChannel = (name: string, body: object, token?: string) => server.ask(`/api/v1/channels/@${name}/playback`, { method: 'POST', body, token });
  const nothing = (await onChannel('nobody-here', { token: 'ann' })).body;
  t.match(nothing, { status: 404, code: 'not-found' });
  t.same((await onChannel('mill', { token: 'ann' })).body, nothing, 'a channel on which nothing is live is not told of');
  server.live.set(channel, { videoId: video, startedAt: server.clock.wall(), viewers: 1 });
  const ann = await onChannel('mill', { token: 'ann' });
  t.match(ann, { status: 200, body: { videoId: video } });
  t.match(await watch(String(ann.body['hls']).split('/')[4] ?? '', '192.0.2.3'), { ok: true, maxHeight: 720 });
  for (const token of ['wrong', 'none']) t.same((await onChannel('mill', { token })).body, nothing, `${token}: nor to whoever brings no good one`);
  t.match(await onChannel('mill', { token: 'wrong' }, owner.token), { status: 403, body: { code: 'jwt-signature' } }, 'who may see the channel is told what is wrong');
});

t.test('where no issuer is trusted, tokens are not taken', async (t) => {
  const { playback } = await setUp(t);
  t.match(await playback({ token: 'kim' }), { status: 422, body: { code: 'not-available' } });
});

/** Links to channels by the API: who has one sees the channel, what is live on it, and where that plays; nobody learns what else there is. */
import t from 'tap';
import { channelOf, liveOn } from '../catalog/testing.ts';
import { testApi } from './testing.ts';

type Test = Parameters<typeof testApi>[0];
type Link = { id: string; page: string; hls: string; notBefore: string };

const setUp = async (t: Test) => {
  const server = await testApi(t);
  server.events.start();
  const owner = await server.person('ann', 'creator');
  const { channel } = await server.catalog.channels.create(channelOf(owner.id, { name: 'mill', title: 'At home', visibility: 'private' }));
  const at = `/api/v1/channels/${channel.id}`;
  const goLive = async () => {
    const { id: videoId } = await server.catalog.videos.createLive(liveOn(channel.id, owner.id, { visibility: 'private', startedAt: server.clock.wall() }));
    server.live.set(channel.id, { videoId, startedAt: server.clock.wall(), viewers: 1 });
    return videoId;
  };
  const make = async (body: object = {}) => (await server.ask(`${at}/grants`, { method: 'POST', token: owner.token, body })).body as unknown as Link;
  const by = (path: string, grant: string) => server.ask(`/api/v1/${path}`, { headers: { 'millrace-grant': grant } });
  const play = (path: string, grant: string) => server.ask(`/api/v1/${path}/playback`, { method: 'POST', body: { grant } });
  return { server, owner, channel, at, goLive, make, by, play };
};
const grantOf = ({ page }: Link): string => page.split('#grant=')[1] ?? '';

t.test('an owner makes a link to a channel, lists it, and takes it back; it is nobody else’s to do', async (t) => {
  const { server, owner, channel, at, make } = await setUp(t);
  const link = await make({ label: 'Grandmother', streams: 2 });
  t.match(link, { label: 'Grandmother', streams: 2, notBefore: new Date(Math.floor(server.clock.wall() / 1000) * 1000).toISOString() });
  t.match(link, { page: new RegExp(`/@mill#grant=[A-Za-z0-9_-]{108}$`), hls: /\/play\/[A-Za-z0-9_-]{108}\/@mill\/master\.m3u8$/ });
  const list = async () => (await server.ask(`${at}/grants`, { token: owner.token })).body['items'] as Link[];
  t.same(await list(), [link]);
  const bob = await server.person('bob', 'creator');
  for (const [method, where] of [['POST', ''], ['GET', ''], ['DELETE', `/${link.id}`]] as const) {
    t.equal((await server.ask(`${at}/grants${where}`, { method, token: bob.token, ...(method === 'POST' && { body: {} }) })).status, 404, method);
    await server.catalog.channels.update(channel.id, { visibility: 'unlisted' });
    t.equal((await server.ask(`${at}/grants${where}`, { method, token: bob.token, ...(method === 'POST' && { body: {} }) })).status, 403, method);
    await server.catalog.channels.update(channel.id, { visibility: 'private' });
  }
  t.equal((await server.ask(`/api/v1/channels/@mill/grants/${link.id}`, { method: 'DELETE', token: owner.token })).status, 204);
  t.equal((await server.ask(`${at}/grants/${link.id}`, { method: 'DELETE', token: owner.token })).status, 404, 'once');
  t.same(await list(), []);
});

t.test('who has the link sees the channel as a viewer does, and plays what is live on it, show after show', async (t) => {
  const { server, make, by, play, goLive, channel } = await setUp(t);
  const link = await make();
  const grant = grantOf(link);
  const seen = await by('channels/@mill', grant);
  t.match(seen, { status: 200, body: { name: 'mill', title: 'At home', live: null } });
  for (const secret of ['ownerId', 'ingest', 'ladder']) t.notOk(secret in seen.body, `${secret} is for its owner`);
  t.match(await play('channels/@mill', grant), { status: 404, body: { code: 'not-found' } }, 'nothing is live yet');
  for (let show = 0; show < 2; show += 1) {
    const video = await goLive();
    t.match(await by('channels/@mill', grant), { body: { live: { videoId: video } } });
    for (const path of ['channels/@mill', `channels/${channel.id}`, `videos/${video}`]) t.match(await play(path, grant), { status: 200, body: { videoId: video, hls: new RegExp(`/play/${grant}/${video}/master`) } });
    t.match(await by(`videos/${video}`, grant), { status: 200, body: { id: video } });
    await server.catalog.videos.endLive(video, { endedAt: server.clock.wall(), durationMs: 1, bytes: 1, state: 'ready' });
    server.clock.advance(2_000);
  }
});

t.test('a link to one thing opens no other, and tells nobody what there is', async (t) => {
  const { server, owner, make, by, play, goLive } = await setUp(t);
  const video = await goLive();
  const { channel: other } = await server.catalog.channels.create(channelOf(owner.id, { name: 'other', visibility: 'private' }));
  const grant = grantOf(await make());
  const ofVideo = grantOf((await server.ask(`/api/v1/videos/${video}/grants`, { method: 'POST', token: owner.token, body: {} })).body as unknown as Link);
  for (const [given, code] of [[grant, 'grant-other-channel'], ['made-up', 'grant-malformed']] as const) {
    for (const name of ['@other', other.id, '@nobody-here']) {
      t.match(await by(`channels/${name}`, given), { status: 403, body: { code } }, `${name}: the same whether or not it is there`);
      t.match(await play(`channels/${name}`, given), { status: 403, body: { code } });
    }
  }
  t.match(await by('channels/@mill', ofVideo), { status: 403, body: { code: 'grant-other-channel' } });
  t.match(await by(`videos/${video}`, ofVideo), { status: 200 });
  t.match(await by('channels/@mill', 'A'.repeat(4000)), { status: 403, body: { code: 'grant-malformed' } });
  t.equal((await server.ask('/api/v1/channels/@mill')).status, 404);
  t.equal((await server.ask('/api/v1/channels/@mill', { token: owner.token, headers: { 'millrace-grant': 'made-up' } })).status, 200, 'who may see it needs none');
  t.notOk(server.logged.some((line) => line.includes(grant.slice(0, 40)) || line.includes(ofVideo.slice(0, 40))), 'none of them is logged');
});

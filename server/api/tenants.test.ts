/** Two tenants, every route: generated from the route table, so that a new route is tested the moment it exists. */
import t from 'tap';
import { liveOn, uploadOf } from '../catalog/testing.ts';
import { prefix } from './kit/mount.ts';
import type { Route } from './kit/route.ts';
import { testApi, type TestApi } from './testing.ts';

/** Bodies that would do something, were one allowed. */
const bodies: Record<string, unknown> = {
  patchChannel: { title: 'stolen', dvr: 0, captions: ['ko'], downloads: false },
  patchVideo: { title: 'stolen', downloads: false, trim: null },
  playChannel: { start: 1 },
  playVideo: { start: 1 },
  patchAccount: { password: 'stolen password', quota: 0 },
  postGrant: { label: 'stolen' },
  postStreamKey: { label: 'stolen' },
  putCaptions: { vtt: 'WEBVTT\n\n00:00.000 --> 00:01.000\nstolen' },
  sayCaption: { language: 'ko', text: 'stolen' },
};

const pathTo = (route: Route, ids: Record<string, string>): string => prefix + route.path.replace(/:([a-zA-Z]+)/g, (_whole, name: string) => ids[name] ?? `no-id-for-${name}`);

const victim = async (server: TestApi, visibility: 'private' | 'public') => {
  const owner = await server.person(`victim-${visibility}`, 'creator');
  const made = await server.ask('/api/v1/channels', { method: 'POST', token: owner.token, body: { name: `of-${visibility}`, title: 'Mine', visibility } });
  t.equal(made.status, 201);
  const channel = String(made.body['id']);
  const keys = await server.catalog.streamKeys.ofChannel(channel);
  const { id: video } = await server.catalog.videos.createLive(liveOn(channel, owner.id, { visibility }));
  // A second one, whose bytes are on their way: for the routes that are about those.
  const uploading = await server.uploads.create(uploadOf(owner.id, { visibility }));
  server.live.set(channel, { videoId: video, startedAt: 1, viewers: 0 });
  const link = await server.ask(`/api/v1/videos/${video}/grants`, { method: 'POST', token: owner.token, body: {} });
  t.equal(link.status, 201);
  const [session] = await server.catalog.sessions.ofAccount(owner.id);
  const ids = { channel, video, account: owner.id, key: keys[0]?.id ?? '', session: session?.id ?? '', language: 'ko', grant: String(link.body['id']) };
  return { ids, uploading: uploading.kind === 'made' ? uploading.video.id : '', owner, streamKey: String(made.body['streamKey']) };
};

const everything = async ({ catalog }: TestApi) => ({
  accounts: await catalog.db.selectFrom('accounts').selectAll().execute(),
  channels: await catalog.db.selectFrom('channels').selectAll().execute(),
  keys: await catalog.db.selectFrom('streamKeys').selectAll().execute(),
  videos: await catalog.db.selectFrom('videos').selectAll().execute(),
  uploads: await catalog.db.selectFrom('uploads').selectAll().execute(),
  grants: await catalog.db.selectFrom('grants').selectAll().execute(),
  sessions: await catalog.db.selectFrom('sessions').select('id').execute(),
});

for (const visibility of ['private', 'public'] as const) {
  t.test(`no route gives a stranger what is another's (${visibility})`, async (t) => {
    const server = await testApi(t);
    const { ids, uploading, streamKey } = await victim(server, visibility);
    const strangers = { nobody: undefined, viewer: (await server.person('viewer', 'viewer')).token, creator: (await server.person('rival', 'creator')).token };
    const before = await everything(server);
    const withIds = server.api.routes.filter((route) => route.params);
    t.ok(withIds.length >= 14, 'the table is not empty');
    for (const route of withIds) {
      // What is public may be looked at and played; that is what public means.
      const open = visibility === 'public' && route.auth === 'none';
      for (const [who, token] of Object.entries(strangers)) {
        for (const at of [ids, { ...ids, channel: `@of-${visibility}`, video: uploading }]) {
          const reply = await server.ask(pathTo(route, at), { method: route.method, token, ...(route.body ? { body: bodies[route.name] ?? {} } : {}), ...(route.bytes && { raw: 'a file', headers: { 'content-type': route.bytes[0] ?? '' } }) });
          // Nothing of it can be played yet.
          const played = at.video === uploading && route.name === 'playVideo';
          const allowed = open ? [played ? 409 : 200] : visibility === 'private' && route.auth === 'none' ? [404] : token === undefined ? [401] : [403, 404];
          t.ok(allowed.includes(reply.status), `${who}: ${route.method} ${route.path} is ${reply.status}`);
          t.notOk(reply.text.includes(streamKey), 'no stream key');
          t.notOk('ingest' in reply.body || 'ownerId' in reply.body || 'trim' in reply.body || 'filename' in reply.body || 'upload' in reply.body, 'nothing of the owner’s view');
          t.notMatch(reply.text, /\/play\/[^-]|\/upload\//, 'and neither a grant nor an address to write to');
        }
      }
    }
    t.same(await everything(server), before, 'and nothing changed');
  });
}

t.test('its owner and an admin may do all of it', async (t) => {
  const server = await testApi(t);
  const { ids, owner } = await victim(server, 'private');
  const admin = await server.person('boss', 'admin');
  for (const token of [owner.token, admin.token]) {
    t.equal((await server.ask(`/api/v1/channels/${ids.channel}`, { token })).status, 200);
    t.equal((await server.ask(`/api/v1/channels/${ids.channel}/stream-keys/${ids.key}/reveal`, { method: 'POST', token })).status, 200);
    t.equal((await server.ask(`/api/v1/videos/${ids.video}`, { method: 'PATCH', token, body: { title: 'ok', downloads: false, trim: null } })).status, 200);
    t.equal((await server.ask(`/api/v1/channels/${ids.channel}`, { method: 'PATCH', token, body: { dvr: 60, captions: ['ko'], downloads: false } })).status, 200);
    for (const path of [`/videos/${ids.video}`, `/channels/${ids.channel}`]) {
      const reply = await server.ask(`/api/v1${path}/playback`, { method: 'POST', token });
      t.match(reply, { status: 200, body: { hls: /\/play\/[A-Za-z0-9_-]{108}\//, expiresAt: String } });
    }
  }
});

t.test('lists show what is public and one’s own, never another’s', async (t) => {
  const server = await testApi(t);
  const hidden = await victim(server, 'private');
  const open = await victim(server, 'public');
  const rival = await server.person('rival', 'creator');
  const idsOf = (reply: { body: Record<string, unknown> }) => (reply.body['items'] as { id: string }[]).map(({ id }) => id);
  for (const token of [undefined, rival.token]) {
    t.same(idsOf(await server.ask('/api/v1/videos', { token })), [open.ids.video]);
    t.same(idsOf(await server.ask('/api/v1/channels', { token })), [open.ids.channel]);
    t.equal((await server.ask('/api/v1/videos?channel=@of-private', { token })).status, 404);
  }
  t.same(idsOf(await server.ask('/api/v1/videos?mine=true', { token: hidden.owner.token })), [hidden.uploading, hidden.ids.video].sort().toReversed());
  t.same(idsOf(await server.ask('/api/v1/channels?mine=true', { token: rival.token })), []);
  t.equal((await server.ask('/api/v1/channels?mine=true')).status, 401);
});

t.test('a route that is for a role refuses the ones below it', async (t) => {
  const server = await testApi(t);
  const tokens = { none: undefined, viewer: (await server.person('v', 'viewer')).token, creator: (await server.person('c', 'creator')).token };
  for (const route of server.api.routes) {
    if (route.auth === 'none' || route.params) continue;
    for (const [role, token] of Object.entries(tokens)) {
      const rank = ['none', 'viewer', 'creator', 'admin'];
      if (rank.indexOf(role) >= rank.indexOf(route.auth)) continue;
      const reply = await server.ask(prefix + route.path, { method: route.method, token, ...(route.body ? { body: {} } : {}) });
      t.equal(reply.status, token === undefined ? 401 : 403, `${role}: ${route.method} ${route.path}`);
    }
  }
});

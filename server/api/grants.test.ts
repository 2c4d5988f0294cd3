/** Links that are handed on, and the keys that sign them, by the API. */
import t from 'tap';
import { mostOfOne, outlivedForMs } from '../catalog/grants.ts';
import { liveOn } from '../catalog/testing.ts';
import { testApi } from './testing.ts';

type Link = { id: string; hls: string; page: string };

const setUp = async (t: Parameters<typeof testApi>[0]) => {
  const server = await testApi(t);
  const owner = await server.person('ann', 'creator');
  const made = await server.ask('/api/v1/channels', { method: 'POST', token: owner.token, body: { name: 'mill', title: 'Mine', visibility: 'private' } });
  const { id: video } = await server.catalog.videos.createLive(liveOn(String(made.body['id']), owner.id, { visibility: 'private' }));
  const at = `/api/v1/videos/${video}/grants`;
  const post = (body: object) => server.ask(at, { method: 'POST', token: owner.token, body });
  const list = async () => (await server.ask(at, { token: owner.token })).body['items'] as Link[];
  return { server, owner, video, at, post, list };
};

t.test('a link says what it says, is listed with its address, and is gone when it is taken back or over', async (t) => {
  const { server, owner, video, at, post, list } = await setUp(t);
  const now = Math.floor(server.clock.wall() / 1000) * 1000;
  const iso = (ms: number): string => new Date(now + ms).toISOString();
  const plain = await post({});
  t.match(plain, { status: 201, body: { label: '', notBefore: null, expiresAt: iso(7 * 86_400_000), audiences: ['media', 'pictures', 'keys'], networks: [], rules: [], bound: false, maxHeight: null, downloads: false, streams: null } });
  t.match(plain.body, { hls: new RegExp(`/play/[A-Za-z0-9_-]{108}/${video}/master\\.m3u8$`), page: new RegExp(`/watch/${video}#grant=[A-Za-z0-9_-]{108}$`) });
  server.clock.advance(1000);
  const rules = [{ action: 'block', networks: ['192.0.2.7'] }, { action: 'allow', networks: [] }];
  const wish = { label: 'For the family', notBefore: iso(3_600_000), expiresAt: iso(7_200_000), audiences: ['media'], networks: ['::ffff:192.0.2.0/120', '192.0.2.0/24'], rules, device: 'VLC/3', maxHeight: 720, downloads: true, streams: 2 };
  const rich = await post(wish);
  const { device: _device, ...rest } = wish;
  t.match(rich, { status: 201, body: { ...rest, networks: ['192.0.2.0/24'], bound: true } });
  t.same(await list(), [rich.body, plain.body], 'the newest first, with all that they say');
  t.equal((await server.ask(`${at}/${String(plain.body['id'])}`, { method: 'DELETE', token: owner.token })).status, 204);
  t.equal((await server.ask(`${at}/${String(plain.body['id'])}`, { method: 'DELETE', token: owner.token })).status, 404, 'once');
  t.same(await list(), [rich.body]);
  server.clock.advance(7_200_000);
  t.same(await list(), []);
  server.clock.advance(7 * 86_400_000 + outlivedForMs);
  await server.catalog.sweep();
  t.same(await server.catalog.db.selectFrom('grants').selectAll().execute(), []);
});

t.test('when a link is said to be taken back it is, however long events wait to be handed out', async (t) => {
  // Of this server nobody hands any out.
  const { server, owner, video, at, post } = await setUp(t);
  const link = (await post({})).body as Link;
  const [, , , , grant = ''] = link.hls.split('/');
  let brokenOff = 0;
  const watch = () => server.grants.verdict(grant, video, 'media', { address: '192.0.2.9', agent: 'a player', wantsMedia: true, onOver: () => undefined, breakOff: () => void (brokenOff += 1) });
  t.match(await watch(), { ok: true });
  t.notOk(watch() instanceof Promise, 'known by now');
  t.equal((await server.ask(`${at}/${link.id}`, { method: 'DELETE', token: owner.token })).status, 204);
  t.equal(brokenOff, 2, 'what was on its way is broken off');
  t.match(await watch(), { ok: false, code: 'grant-revoked' });
  t.equal((await server.catalog.outbox.next(100)).filter(({ event }) => event.type === 'grant.revoked').length, 1, 'a server that ends in between hears of it at its next start');
});

t.test('what makes no sense is refused with the field that it is about', async (t) => {
  const { server, post } = await setUp(t);
  const at = (ms: number): string => new Date(server.clock.wall() + ms).toISOString();
  const wrong: [object, string][] = [
    [{ expiresAt: at(-1000) }, 'expiresAt'],
    [{ expiresAt: at(367 * 86_400_000) }, 'expiresAt'],
    [{ notBefore: at(8 * 86_400_000) }, 'expiresAt'],
    [{ networks: ['nowhere'] }, 'networks'],
    [{ rules: [{ action: 'allow', networks: ['10.0.0.0/99'] }] }, 'rules'],
    [{ rules: Array.from({ length: 5 }, (_, rule) => ({ action: 'block', networks: Array.from({ length: 8 }, (_, at) => `2001:db8:${rule}:${at}:8000:8000:8000::/112`) })) }, 'networks'],
    [{ audiences: [] }, 'audiences'],
    [{ maxHeight: 0 }, 'maxHeight'],
    [{ streams: 256 }, 'streams'],
    [{ rulez: [] }, 'rulez'],
  ];
  for (const [body, field] of wrong) t.match(await post(body), { status: 400, body: { code: 'validation', errors: [{ field: new RegExp(field) }] } }, JSON.stringify(body).slice(0, 60));
});

t.test('a video has so many links at once and no more', async (t) => {
  const { server, owner, video, post, at } = await setUp(t);
  const row = await server.catalog.videos.get(video);
  const { body } = await post({});
  const kept = { id: '', videoId: video, channelId: null, accountId: row?.ownerId ?? '', label: '', createdAt: 1, expiresAt: server.clock.wall() + 1000, revokedAt: null };
  for (let count = 1; count < mostOfOne; count += 1) await server.catalog.grants.add({ ...kept, id: `filler${String(count).padStart(10, '0')}` }, 'text');
  t.match(await post({}), { status: 409, body: { code: 'too-many-grants' } });
  await server.ask(`${at}/${String(body['id'])}`, { method: 'DELETE', token: owner.token });
  t.equal((await post({})).status, 201);
});

t.test('an admin rotates the keys, and removes one that leaked with all that it signed', async (t) => {
  const { server, post, list } = await setUp(t);
  const { token } = await server.person('boss', 'admin');
  const keys = async () => (await server.ask('/api/v1/grant-keys', { token })).body['items'] as { id: number; retiredAt: string | null }[];
  const [first] = await keys();
  t.match(first, { retiredAt: null, goodUntil: null });
  const before = (await post({})).body as Link;
  t.match(await server.ask('/api/v1/grant-keys', { method: 'POST', token }), { status: 201, body: { retiredAt: null } });
  const after = (await post({ label: 'after' })).body as Link;
  t.same((await keys()).map(({ retiredAt }) => retiredAt === null), [true, false]);
  t.equal((await list()).length, 2);
  const remove = (id: number | undefined) => server.ask(`/api/v1/grant-keys/${id}`, { method: 'DELETE', token });
  t.match(await remove((await keys())[0]?.id), { status: 409, body: { code: 'key-in-use' } });
  t.equal((await remove(first?.id)).status, 204);
  t.same((await list()).map(({ id }) => id), [after.id]);
  t.not(before.id, after.id);
  for (const key of await keys()) t.notOk('secret' in key || 'sealed' in key);
});

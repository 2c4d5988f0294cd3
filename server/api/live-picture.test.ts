/** The picture of what is live, in lists of channels: an address under the rules of the media that it is of. */
import t from 'tap';
import { channelOf, liveOn } from '../catalog/testing.ts';
import type { Visibility } from '../catalog/schema.ts';
import { from } from '../auth/testing.ts';
import { testApi } from './testing.ts';

type Listed = { readonly name: string; readonly live: { readonly videoId: string; readonly picture: string | null } | null };

t.test('whoever sees a channel has the address of its picture, which opens that and nothing else', async (t) => {
  const pictures = new Map<string, { version: string }>();
  const server = await testApi(t, {}, { pictures: { of: (videoId) => pictures.get(videoId) ?? null } });
  server.events.start();
  const [owner, admin, other] = [await server.person('ann', 'creator'), await server.person('root', 'admin'), await server.person('eve', 'creator')];
  const goLive = async (name: string, visibility: Visibility): Promise<{ channel: string; video: string }> => {
    const { channel } = await server.catalog.channels.create(channelOf(owner.id, { name, title: name, visibility }));
    const { id } = await server.catalog.videos.createLive(liveOn(channel.id, owner.id, { visibility, startedAt: server.clock.wall() }));
    server.live.set(channel.id, { videoId: id, startedAt: server.clock.wall(), viewers: 0 });
    return { channel: channel.id, video: id };
  };
  const [open, unlisted, hidden] = [await goLive('open', 'public'), await goLive('unlisted', 'unlisted'), await goLive('hidden', 'private')];
  const list = async (token?: string): Promise<Map<string, string | null | undefined>> => {
    const { items } = (await server.ask('/api/v1/channels', { token })).body as unknown as { items: Listed[] };
    return new Map(items.map(({ name, live }) => [name, live?.picture]));
  };
  t.same(await list(), new Map([['open', null]]), 'none yet');
  for (const { video } of [open, unlisted, hidden]) pictures.set(video, { version: 'ab12' });
  const plain = `${server.base}/play/-/${open.video}/picture.jpg?v=ab12`;
  t.same(await list(), new Map([['open', plain]]));
  t.same(await list(other.token), new Map([['open', plain]]));
  t.match((await server.ask('/api/v1/channels/@unlisted')).body, { live: { picture: `${server.base}/play/-/${unlisted.video}/picture.jpg?v=ab12` } });

  for (const { token } of [owner, admin]) {
    const mine = await list(token);
    t.equal(mine.get('open'), plain, 'one address for everybody, where it may be');
    const [, grant = '', video] = /\/play\/([^/]+)\/([^/]+)\/picture\.jpg\?v=ab12$/.exec(mine.get('hidden') ?? '') ?? [];
    t.equal(video, hidden.video);
    t.match(await server.grants.verdict(grant, hidden.video, 'pictures', from), { ok: true, shared: false });
    t.match(await server.grants.verdict(grant, hidden.video, 'media', from), { ok: false });
    server.clock.advance(1_000);
    t.same(await list(token), mine, 'the same address as long as the picture is the same');
    pictures.set(hidden.video, { version: 'cd34' });
    t.equal((await list(token)).get('hidden'), mine.get('hidden')?.replace('ab12', 'cd34'));
    pictures.set(hidden.video, { version: 'ab12' });
  }
});

t.test('by a link it is the link that opens it, where it is for pictures', async (t) => {
  const server = await testApi(t, {}, { pictures: { of: () => ({ version: 'ab12' }) } });
  server.events.start();
  const owner = await server.person('ann', 'creator');
  const { channel } = await server.catalog.channels.create(channelOf(owner.id, { name: 'mill', visibility: 'private' }));
  const { id } = await server.catalog.videos.createLive(liveOn(channel.id, owner.id, { visibility: 'private', startedAt: server.clock.wall() }));
  server.live.set(channel.id, { videoId: id, startedAt: server.clock.wall(), viewers: 0 });
  const seenBy = async (audiences?: readonly string[]): Promise<{ grant: string; picture: unknown }> => {
    const made = await server.ask(`/api/v1/channels/${channel.id}/grants`, { method: 'POST', token: owner.token, body: { ...(audiences && { audiences }) } });
    const grant = String(made.body['page']).split('#grant=')[1] ?? '';
    const { live } = (await server.ask('/api/v1/channels/@mill', { headers: { 'millrace-grant': grant } })).body as unknown as Listed;
    return { grant, picture: live?.picture };
  };
  const usual = await seenBy();
  t.equal(usual.picture, `${server.base}/play/${usual.grant}/${id}/picture.jpg?v=ab12`);
  t.equal((await seenBy(['media'])).picture, null);
});

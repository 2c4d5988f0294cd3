import t from 'tap';
import { channelOf, liveOn, someUpload } from '../catalog/testing.ts';
import { testApi } from './testing.ts';

t.test('an admin says when rungs of an account’s videos are made', async (t) => {
  const server = await testApi(t);
  const ann = await server.person('ann', 'creator');
  const { token: admin } = await server.person('boss', 'admin');
  const patch = (rungs: unknown, token: string) => server.ask(`/api/v1/accounts/${ann.id}`, { method: 'PATCH', token, body: { rungs } });
  t.match((await server.ask('/api/v1/me', { token: ann.token })).body, { rungs: null });
  t.match(await patch('on-demand', ann.token), { status: 403, body: { code: 'not-allowed', detail: /Only an admin may change `rungs`/ } });
  for (const wrong of ['never', 1, true]) t.match(await patch(wrong, admin), { status: 400, body: { code: 'validation', detail: /"eager", "on-demand", or null/ } });
  t.match(await patch('on-demand', admin), { status: 200, body: { rungs: 'on-demand' } });
  t.equal((await server.catalog.accounts.get(ann.id))?.rungs, 'on-demand');
  t.match(await patch(null, admin), { status: 200, body: { rungs: null } });
});

t.test('whoever is told where a video plays has asked for it; who asks for a show has not', async (t) => {
  const asked: string[] = [];
  const server = await testApi(t, {}, { asked: (video) => asked.push(video) });
  const ann = await server.person('ann', 'creator');
  const id = await someUpload(server.catalog, { ownerId: ann.id });
  const play = () => server.ask(`/api/v1/videos/${id}/playback`, { method: 'POST' });
  t.equal((await play()).status, 409);
  t.same(asked, [], 'nothing of it plays yet');
  await server.catalog.videos.become(id, ['uploading'], { state: 'ready' });
  t.equal((await play()).status, 200);
  t.same(asked, [id]);
  const { channel } = await server.catalog.channels.create(channelOf(ann.id));
  const live = await server.catalog.videos.createLive(liveOn(channel.id, ann.id));
  t.equal((await server.ask(`/api/v1/videos/${live.id}/playback`, { method: 'POST' })).status, 200);
  t.same(asked, [id]);
});

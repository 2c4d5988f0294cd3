/** What a channel may have encoded beside it, by the API. */
import t from 'tap';
import { createCoreBudget } from '../../packager/encode/budget.ts';
import { liveOn } from '../catalog/testing.ts';
import { offerOf } from '../ladders/offer.ts';
import { testApi } from './testing.ts';

t.test('creators are told what there is and what it takes, admins also who holds the cores', async (t) => {
  const budget = createCoreBudget(2.25);
  const wishes = [{ height: 480, bitRate: 1_100_000, preset: 'veryfast', mostPictures: 30 }];
  const offered = [offerOf('source', [], 2, null), offerOf('light', wishes, 2, null)];
  const shows: { videoId: string; ladder: string; encoding: number[]; shed: number[]; leftOut: number[]; gone: boolean; restarts: number; sinceRestartMs: number; lagMs: number; busyCores: number | null }[] = [];
  const server = await testApi(t, {}, { ladders: { offered, cores: { total: 2, free: 1.666_7 }, budget, shows } });
  const owner = await server.person('ann', 'creator');
  const admin = await server.person('root', 'admin');
  const viewer = await server.person('eve', 'viewer');
  const made = await server.ask('/api/v1/channels', { method: 'POST', token: owner.token, body: { name: 'mill', title: 'Mine' } });
  const { id } = await server.catalog.videos.createLive(liveOn(String(made.body['id']), owner.id, { title: 'The show' }));
  shows.push({ videoId: id, ladder: 'light', encoding: [], shed: [480], leftOut: [], gone: false, restarts: 1, sinceRestartMs: 5, lagMs: 12, busyCores: 0.281_2 });
  budget.take({ rank: 'live', cores: 0.333_3, name: id, yield: () => undefined });

  const list = (token?: string) => server.ask('/api/v1/ladders', { token });
  t.same([(await list()).status, (await list(viewer.token)).status], [401, 403]);
  const seen = await list(owner.token);
  t.same(seen.body, { items: [{ name: 'source', rungs: [], cores: null, carried: null }, { name: 'light', rungs: wishes, cores: null, carried: null }], cores: { total: 2, free: 1.67 } }, 'not what others do');
  t.match((await list(admin.token)).body, {
    budget: { total: 2, free: 1.67, leases: [{ name: id, rank: 'live', cores: 0.33 }] },
    shows: [{ videoId: id, title: 'The show', ladder: 'light', encoding: [], shed: [480], leftOut: [], restarts: 1, lagMs: 12, channel: 'mill', busyCores: 0.28 }],
  });
});

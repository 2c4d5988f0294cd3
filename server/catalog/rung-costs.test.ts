import t, { type Test } from 'tap';
import { newId } from './ids.ts';
import { someAccount, someUpload, testCatalog } from './testing.ts';
import type { Catalog } from './catalog.ts';
import type { TrackRow } from './videos.ts';

const hour = 3_600_000;
const day = 24 * hour;

const track = (id: string, rate: number): TrackRow => ({
  ...{ id, kind: 'video', codec: 'h264', timescale: 90_000, bandwidth: rate, averageBandwidth: rate },
  ...{ partTarget: null, group: 'video', language: null, name: null, original: null },
});

/** A film with its lowest rung and two spare ones. */
const film = async (catalog: Catalog, ownerId: string): Promise<string> => {
  const id = await someUpload(catalog, { ownerId });
  await catalog.videos.become(id, ['uploading'], { state: 'ready', bytes: 1_000, tracks: [track('v0', 900)] });
  await catalog.videos.addTracks(id, { tracks: [track('v240', 100)], bytes: 10 });
  await catalog.videos.addTracks(id, { tracks: [track('v480', 300)], bytes: 30, spareBytes: 30 });
  await catalog.videos.addTracks(id, { tracks: [track('v720', 500)], bytes: 50, spareBytes: 50 });
  return id;
};

const tracksOf = async (catalog: Catalog, id: string): Promise<string[]> => (await catalog.videos.withTracks(id))?.tracks.map((row) => row.id) ?? [];
const jobOf = (videoId: string, kind: string, key = newId()) => ({ key, class: 'encode', kind, payload: {}, videoId });

const begin = async (t: Test) => {
  const { catalog, clock } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  return { catalog, clock, ownerId, id: await film(catalog, ownerId) };
};

t.test('the account says when rungs are made, or the configuration does', async (t) => {
  const { catalog, clock, ownerId, id } = await begin(t);
  const { rungCosts } = catalog;
  t.equal(await rungCosts.wanted(id, 'eager'), 'all');
  t.equal(await rungCosts.wanted(id, 'on-demand'), 'lowest', 'nobody has asked for it');
  await catalog.accounts.update(ownerId, { rungs: 'on-demand' });
  t.equal(await rungCosts.wanted(id, 'eager'), 'lowest');
  t.same(await rungCosts.asked([id, 'nothing'], 'eager'), [id]);
  t.equal(await rungCosts.wanted(id, 'eager'), 'all');
  t.equal((await catalog.videos.get(id))?.askedAt, clock.wall());
  await catalog.accounts.update(ownerId, { rungs: 'eager' });
  t.same(await rungCosts.asked([id], 'on-demand'), []);
  t.same(await rungCosts.asked([], 'on-demand'), []);
  await catalog.accounts.update(ownerId, { rungs: null });
  t.same(await rungCosts.asked([id], 'on-demand'), [id]);
});

t.test('what was asked for just now is not written again', async (t) => {
  const { catalog, clock, id } = await begin(t);
  const noted: (number | null | undefined)[] = [];
  for (let step = 0; step < 3; step += 1) {
    await catalog.rungCosts.asked([id], 'on-demand');
    noted.push((await catalog.videos.get(id))?.askedAt);
    clock.advance(hour / 2);
  }
  t.same(noted, [clock.wall() - 1.5 * hour, clock.wall() - 1.5 * hour, clock.wall() - 0.5 * hour]);
});

t.test('rungs that nobody asks for go in one step, and what is made anew has other names', async (t) => {
  const { catalog, clock, ownerId, id } = await begin(t);
  const { rungCosts } = catalog;
  const behind = { ...jobOf(id, 'storyboard', 'behind'), needs: ['join'] };
  await catalog.jobs.enqueueAll([jobOf(id, 'encode', 'chunk'), jobOf(id, 'storyboard', 'board'), jobOf(id, 'join', 'join'), behind, { ...jobOf(id, 'keep-pictures', 'keep'), needs: ['behind'] }]);
  const lease = await catalog.jobs.lease(['encode'], 'w', 1_000);
  await catalog.jobs.complete(lease?.token ?? { job: '', fence: 0 });
  await catalog.jobs.cancel((await catalog.jobs.byKey('join'))?.id ?? '');
  clock.advance(10 * day);
  await rungCosts.asked([id], 'on-demand');
  clock.advance(20 * day);
  t.same(await rungCosts.idle(clock.wall() - 30 * day, 'on-demand', 10), [], 'it was asked for 20 days ago');
  clock.advance(11 * day);
  const since = clock.wall() - 30 * day;
  t.same(await rungCosts.idle(since, 'eager', 10), [], 'eager: nothing goes');
  t.same(await rungCosts.idle(since, 'on-demand', 10), [id]);
  t.equal(await rungCosts.drop(id, since), true);
  t.same(await tracksOf(catalog, id), ['v0', 'v240']);
  t.match(await catalog.videos.get(id), { state: 'ready', bytes: 1_010, askedAt: null, rungsTurn: 1 });
  t.equal(await catalog.jobs.byKey('chunk'), null);
  t.ok(await catalog.jobs.byKey('board'), 'pictures stay as they are');
  for (const key of ['behind', 'keep']) t.equal(await catalog.jobs.byKey(key), null, 'what would wait for rungs that are gone is planned anew with them');
  t.equal(await rungCosts.wanted(id, 'on-demand'), 'lowest');
  const told = (await catalog.outbox.next(1000)).map(({ event }) => event).at(-1);
  t.match(told, { type: 'video.updated', videoId: id, visibility: 'public', changed: ['tracks'] });
  t.same(await rungCosts.idle(since, 'on-demand', 10), []);
  t.equal(await rungCosts.drop(id, since), false, 'there is nothing more to drop');

  const other = await film(catalog, ownerId);
  await catalog.videos.addTracks(other, { tracks: [track('w480', 300)], drop: ['v480'], bytes: 7 });
  clock.advance(31 * day);
  t.equal(await rungCosts.drop(other, clock.wall() - 30 * day), true);
  t.same(await tracksOf(catalog, other), ['v0', 'w480', 'v240'], 'what took the place of a rung is no spare one');
});

t.test('nothing is dropped that somebody asks for, or that is being made', async (t) => {
  const { catalog, clock, ownerId, id } = await begin(t);
  const { rungCosts } = catalog;
  clock.advance(31 * day);
  const since = clock.wall() - 30 * day;
  t.same(await rungCosts.idle(since, 'on-demand', 10), [id]);
  await rungCosts.asked([id], 'on-demand');
  t.equal(await rungCosts.drop(id, since), false, 'since it was looked for');
  const busy = await film(catalog, ownerId);
  await catalog.jobs.enqueueAll([jobOf(busy, 'join')]);
  clock.advance(31 * day);
  t.equal(await rungCosts.drop(busy, clock.wall() - 30 * day), false, 'a rung is on its way');
  t.same(await tracksOf(catalog, busy), ['v0', 'v720', 'v480', 'v240']);
  t.equal(await rungCosts.drop('nothing', clock.wall()), false);
});

import t from 'tap';
import { channelOf, liveOn, quiet, someAccount, testCatalog } from '../catalog/testing.ts';
import type { Role, Visibility } from '../catalog/schema.ts';
import type { VideoRow } from '../catalog/videos.ts';
import { EventDispatcher } from '../events/dispatcher.ts';
import { grantLastsMs, Grants, mostKept } from './grants.ts';

const setUp = async (t: Parameters<typeof testCatalog>[0]) => {
  const { catalog, clock } = await testCatalog(t);
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  t.teardown(() => events.stop());
  const grants = new Grants({ ...catalog, events, clock });
  events.start();
  const owner = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(owner));
  const recording = async (visibility: Visibility = 'private') => {
    const video = await catalog.videos.createLive(liveOn(channel.id, owner, { visibility }));
    await catalog.videos.endLive(video.id, { endedAt: 2, durationMs: 1, bytes: 1, state: 'ready' });
    return video;
  };
  const grantOf = (video: VideoRow, accountId: string, role: Role = 'creator'): string => grants.mint(video, { accountId, role })?.grant ?? 'none was made';
  return { catalog, clock, events, grants, owner, recording, grantOf };
};

const invalid = { ok: false, status: 403, code: 'grant-invalid' };
const expired = { ok: false, status: 403, code: 'grant-expired' };
const absent = { ok: false, status: 404, code: 'not-found' };

t.test('a grant is made for an owner and for admins, and for nobody else', async (t) => {
  const { grants, recording, owner, catalog, clock } = await setUp(t);
  const video = await recording();
  const made = grants.mint(video, { accountId: owner, role: 'creator' });
  t.match(await grants.verdict(made?.grant ?? '', video.id, 'media'), { ok: true, shared: false, expiresAt: made?.expiresAt, maxHeight: null, mayDownload: true });
  t.equal(made?.expiresAt, clock.wall() + grantLastsMs);
  const admin = await someAccount(catalog, 'admin');
  t.match(await grants.verdict(grants.mint(video, { accountId: admin, role: 'admin' })?.grant ?? '', video.id, 'media'), { ok: true });
  t.equal(grants.mint(video, { accountId: await someAccount(catalog), role: 'creator' }), null);
});

t.test('a grant of one video opens no other, and nothing but media', async (t) => {
  const { grants, recording, owner, grantOf } = await setUp(t);
  const [one, other] = [await recording(), await recording()];
  const grant = grantOf(one, owner);
  for (let time = 0; time < 2; time += 1) {
    t.match(await grants.verdict(grant, one.id, 'media'), { ok: true });
    t.same(await grants.verdict(grant, other.id, 'media'), invalid, 'also once it is known');
    for (const audience of ['pictures', 'keys', 'statistics'] as const) t.same(await grants.verdict(grant, one.id, audience), invalid);
  }
});

t.test('a grant opens until the moment at which it expires, however often it was used', async (t) => {
  const { grants, recording, owner, grantOf, clock, events } = await setUp(t);
  const video = await recording();
  await events.settled();
  const grant = grantOf(video, owner);
  clock.advance(grantLastsMs - 1);
  t.match(await grants.verdict(grant, video.id, 'media'), { ok: true });
  t.notOk(grants.verdict(grant, video.id, 'media') instanceof Promise, 'known by now');
  clock.advance(1);
  t.same(grants.verdict(grant, video.id, 'media'), expired);
  t.match(await grants.verdict(grantOf(video, owner), video.id, 'media'), { ok: true }, 'and the next one opens again');
  t.same(grants.verdict(`${grant.slice(0, -1)}${grant.endsWith('A') ? 'B' : 'A'}`, video.id, 'media'), invalid, 'what is forged has not expired');
});

t.test('whoever loses the video loses it with a grant in hand', async (t) => {
  const { grants, recording, owner, grantOf, catalog, events } = await setUp(t);
  const video = await recording();
  const grant = grantOf(video, owner);
  t.match(await grants.verdict(grant, video.id, 'media'), { ok: true });
  const heir = await someAccount(catalog);
  await catalog.db.updateTable('videos').set({ ownerId: heir }).where('id', '=', video.id).execute();
  await catalog.videos.update(video.id, { title: 'Inherited' });
  await events.settled();
  t.same(await grants.verdict(grant, video.id, 'media'), invalid);
  t.match(await grants.verdict(grantOf({ ...video, ownerId: heir }, heir), video.id, 'media'), { ok: true });
  await catalog.videos.remove(video.id);
  await events.settled();
  t.same(await grants.verdict(grant, video.id, 'media'), absent, 'what is gone is gone, also for its owner');
});

t.test('an admin who is none any more sees no more than others', async (t) => {
  const { grants, recording, grantOf, catalog, events } = await setUp(t);
  const video = await recording();
  const [admin] = [await someAccount(catalog, 'admin'), await someAccount(catalog, 'admin')];
  const grant = grantOf(video, admin, 'admin');
  t.match(await grants.verdict(grant, video.id, 'media'), { ok: true });
  await catalog.accounts.update(admin, { role: 'creator' });
  await events.settled();
  t.same(await grants.verdict(grant, video.id, 'media'), invalid);
});

t.test('a grant goes on working when the video is opened to everybody, and says whether it may be downloaded', async (t) => {
  const { grants, recording, owner, grantOf, catalog, events } = await setUp(t);
  const video = await recording();
  const grant = grantOf(video, owner);
  t.match(await grants.verdict(grant, video.id, 'media'), { ok: true, shared: false, mayDownload: true });
  for (const change of [{ visibility: 'public' }, { visibility: 'unlisted' }, { visibility: 'private', downloads: false }] as const) {
    await catalog.videos.update(video.id, change);
    await events.settled();
    t.match(await grants.verdict(grant, video.id, 'media'), { ok: true, shared: false, mayDownload: !('downloads' in change) });
  }
});

t.test('a verdict that was being read while the video changed is not kept', async (t) => {
  const { catalog, clock, events, recording, owner } = await setUp(t);
  const video = await recording();
  const reading = Promise.withResolvers<void>();
  let row: VideoRow = video;
  const videos = {
    get: async () => {
      const seen = row;
      await reading.promise;
      return seen;
    },
  };
  const grants = new Grants({ ...catalog, videos, events, clock });
  const grant = grants.mint(video, { accountId: owner, role: 'creator' })?.grant ?? '';
  const early = grants.verdict(grant, video.id, 'media');
  row = { ...video, ownerId: 'somebody-else' };
  await catalog.videos.update(video.id, { title: 'Changed' });
  await events.settled();
  reading.resolve();
  t.match(await early, { ok: true });
  t.same(await grants.verdict(grant, video.id, 'media'), invalid);
});

t.test('what is kept is bounded, and what is made up is not kept at all', async (t) => {
  const { catalog, clock, events, recording, owner } = await setUp(t);
  const video = await recording();
  const account = await catalog.accounts.get(owner);
  const grants = new Grants({ vault: catalog.vault, videos: { get: async () => video }, accounts: { get: async () => account }, events, clock });
  for (let count = 0; count < 100; count += 1) await grants.verdict(`${count}`.padStart(72, 'A'), video.id, 'media');
  t.equal(grants.kept, 0);
  for (let count = 0; count < mostKept + 50; count += 1) {
    clock.advance(1000);
    await grants.verdict(grants.mint(video, { accountId: owner, role: 'creator' })?.grant ?? '', video.id, 'media');
  }
  t.equal(grants.kept, mostKept);
});

import t from 'tap';
import { someAccount } from '../catalog/testing.ts';
import type { VideoRow } from '../catalog/videos.ts';
import { deviceMark } from './grant-use.ts';
import { grantLastsMs, Grants, mostKept, type GrantWish } from './grants.ts';
import { expired, from, no, sessions, setUp } from './testing.ts';

const absent = { ok: false, status: 404, code: 'not-found' };

t.test('a grant is made for an owner and for admins, and for nobody else', async (t) => {
  const { grants, recording, owner, catalog, clock } = await setUp(t);
  const video = await recording();
  const made = grants.mint(video, { accountId: owner, role: 'creator', sessionId: 'one' });
  t.match(await grants.verdict(made?.text ?? '', video.id, 'media', from), { ok: true, shared: false, expiresAt: made?.grant.expiresAt, maxHeight: null, mayDownload: true });
  t.equal(made?.grant.expiresAt, clock.wall() + grantLastsMs);
  const admin = await someAccount(catalog, 'admin');
  t.match(await grants.verdict(grants.mint(video, { accountId: admin, role: 'admin', sessionId: 'one' })?.text ?? '', video.id, 'media', from), { ok: true });
  t.equal(grants.mint(video, { accountId: await someAccount(catalog), role: 'creator', sessionId: 'one' }), null);
});

t.test('a grant for the cards of its owner opens pictures and nothing else, and is the same text for an hour', async (t) => {
  const { grants, recording, owner, catalog, clock, events } = await setUp(t);
  const video = await recording();
  await events.settled();
  const who = { accountId: owner, role: 'creator', sessionId: 'one' } as const;
  const text = grants.mintForPictures(video, who) ?? '';
  t.match(await grants.verdict(text, video.id, 'pictures', from), { ok: true, shared: false, maxHeight: null });
  for (const audience of ['media', 'keys', 'statistics'] as const) t.same(await grants.verdict(text, video.id, audience, from), no('grant-other-audience'));
  t.same(await grants.verdict(text, (await recording()).id, 'pictures', from), no('grant-other-video'));
  const { expiresAt = 0 } = grants.read(text) ?? {};
  const hour = 3_600_000;
  t.ok(expiresAt - clock.wall() > hour && expiresAt - clock.wall() <= 2 * hour);
  clock.advance(expiresAt - hour - clock.wall() - 1);
  t.equal(grants.mintForPictures(video, who), text);
  clock.advance(1);
  t.not(grants.mintForPictures(video, who), text);
  t.match(await grants.verdict(text, video.id, 'pictures', from), { ok: true }, 'which is good for as long again');
  clock.advance(hour);
  t.same(await grants.verdict(text, video.id, 'pictures', from), expired);
  t.equal(grants.mintForPictures(video, { ...who, accountId: await someAccount(catalog) }), null);
});

t.test('a grant of one video opens no other, and nothing but what playing takes', async (t) => {
  const { grants, recording, owner, grantOf } = await setUp(t);
  const [one, other] = [await recording(), await recording()];
  const grant = grantOf(one, owner);
  for (let time = 0; time < 2; time += 1) {
    t.match(await grants.verdict(grant, one.id, 'media', from), { ok: true });
    t.same(await grants.verdict(grant, other.id, 'media', from), no('grant-other-video'), 'also once it is known');
    t.same(await grants.verdict(grant, one.id, 'statistics', from), no('grant-other-audience'));
    for (const audience of ['pictures', 'keys'] as const) t.match(await grants.verdict(grant, one.id, audience, from), { ok: true });
  }
});

t.test('a grant opens until the moment at which it expires, however often it was used', async (t) => {
  const { grants, recording, owner, grantOf, clock, events } = await setUp(t);
  const video = await recording();
  await events.settled();
  const grant = grantOf(video, owner);
  clock.advance(grantLastsMs - 1);
  t.match(await grants.verdict(grant, video.id, 'media', from), { ok: true });
  t.notOk(grants.verdict(grant, video.id, 'media', from) instanceof Promise, 'known by now');
  clock.advance(1);
  t.same(grants.verdict(grant, video.id, 'media', from), expired);
  t.match(await grants.verdict(grantOf(video, owner), video.id, 'media', from), { ok: true }, 'and the next one opens again');
  t.same(grants.verdict(`${grant.slice(0, -1)}${grant.endsWith('A') ? 'B' : 'A'}`, video.id, 'media', from), no('grant-signature'), 'what is forged has not expired');
});

t.test('whoever loses the video loses it with a grant in hand', async (t) => {
  const { grants, recording, owner, grantOf, catalog, events } = await setUp(t);
  const video = await recording();
  const grant = grantOf(video, owner);
  t.match(await grants.verdict(grant, video.id, 'media', from), { ok: true });
  const heir = await someAccount(catalog);
  await catalog.db.updateTable('videos').set({ ownerId: heir }).where('id', '=', video.id).execute();
  await catalog.videos.update(video.id, { title: 'Inherited' });
  await events.settled();
  t.same(await grants.verdict(grant, video.id, 'media', from), no('grant-void'));
  t.match(await grants.verdict(grantOf({ ...video, ownerId: heir }, heir), video.id, 'media', from), { ok: true });
  await catalog.videos.remove(video.id);
  await events.settled();
  t.same(await grants.verdict(grant, video.id, 'media', from), absent, 'what is gone is gone, also for its owner');
});

t.test('an admin who is none any more sees no more than others', async (t) => {
  const { grants, recording, grantOf, catalog, events } = await setUp(t);
  const video = await recording();
  const [admin] = [await someAccount(catalog, 'admin'), await someAccount(catalog, 'admin')];
  const grant = grantOf(video, admin, 'admin');
  t.match(await grants.verdict(grant, video.id, 'media', from), { ok: true });
  await catalog.accounts.update(admin, { role: 'creator' });
  await events.settled();
  t.same(await grants.verdict(grant, video.id, 'media', from), no('grant-void'));
});

t.test('a grant goes on working when the video is opened to everybody, and says whether it may be downloaded', async (t) => {
  const { grants, recording, owner, grantOf, catalog, events } = await setUp(t);
  const video = await recording();
  const grant = grantOf(video, owner);
  t.match(await grants.verdict(grant, video.id, 'media', from), { ok: true, shared: false, mayDownload: true });
  for (const change of [{ visibility: 'public' }, { visibility: 'unlisted' }, { visibility: 'private', downloads: false }] as const) {
    await catalog.videos.update(video.id, change);
    await events.settled();
    t.match(await grants.verdict(grant, video.id, 'media', from), { ok: true, shared: false, mayDownload: !('downloads' in change) });
  }
});

t.test('a verdict that was being read while the video changed is not kept', async (t) => {
  const { catalog, clock, events, keys, viewings, recording, owner } = await setUp(t);
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
  const grants = new Grants({ ...catalog, sessions, keys, viewings, videos, events, clock });
  const grant = grants.mint(video, { accountId: owner, role: 'creator', sessionId: 'one' })?.text ?? '';
  const early = grants.verdict(grant, video.id, 'media', from);
  row = { ...video, ownerId: 'somebody-else' };
  await catalog.videos.update(video.id, { title: 'Changed' });
  await events.settled();
  reading.resolve();
  t.match(await early, { ok: true });
  t.same(await grants.verdict(grant, video.id, 'media', from), no('grant-void'));
});

t.test('what is kept is bounded, and what is made up is not kept at all', async (t) => {
  const { catalog, clock, events, keys, viewings, recording, owner } = await setUp(t);
  const video = await recording();
  const account = await catalog.accounts.get(owner);
  const grants = new Grants({ vault: catalog.vault, videos: { get: async () => video }, accounts: { get: async () => account }, grants: { add: async () => true, isRevoked: async () => false }, sessions, keys, viewings, events, clock });
  for (let count = 0; count < 100; count += 1) await grants.verdict(`${count}`.padStart(108, 'A'), video.id, 'media', from);
  t.equal(grants.kept, 0);
  for (let count = 0; count < mostKept + 50; count += 1) {
    clock.advance(1000);
    await grants.verdict(grants.mint(video, { accountId: owner, role: 'creator', sessionId: 'one' })?.text ?? '', video.id, 'media', from);
  }
  t.equal(grants.kept, mostKept);
});

t.test('a grant that is handed on opens where, when and to whom it says, each no with its own code', async (t) => {
  const { grants, recording, issue, clock } = await setUp(t);
  const video = await recording();
  const now = Math.floor(clock.wall() / 1000) * 1000;
  const at = (address: string) => ({ ...from, address });
  const asked = async (change: Partial<GrantWish>, asker = from) => {
    const { text } = await issue(video, change);
    const first = await grants.verdict(text, video.id, 'media', asker);
    t.same(await grants.verdict(text, video.id, 'media', asker), first, 'the same, when it is known');
    return first;
  };
  t.match(await asked({ maxHeight: 480, mayDownload: false }), { ok: true, shared: false, maxHeight: 480, mayDownload: false });
  t.same(await asked({ networks: ['198.51.100.0/24'] }), no('grant-other-network'));
  t.match(await asked({ networks: ['198.51.100.0/24', '192.0.2.0/24'] }), { ok: true });
  t.same(await asked({ networks: ['2001:db8::/32'] }, at('2001:db9::1')), no('grant-other-network'));
  t.same(await asked({ device: deviceMark('another player') }), no('grant-other-device'));
  t.match(await asked({ device: deviceMark(from.agent) }), { ok: true });
  t.same(await asked({ notBefore: now + 60_000 }), no('grant-not-yet'));
  t.same(await asked({ audiences: ['statistics'] }), no('grant-other-audience'));

  const rules = [{ action: 'block', networks: ['192.0.2.9'] }, { action: 'allow', networks: ['192.0.2.0/24'] }, { action: 'block', networks: [] }] as const;
  t.same(await asked({ rules }), no('grant-blocked'), 'the first rule that fits');
  t.match(await asked({ rules }, at('192.0.2.10')), { ok: true }, 'the second, and no other after it');
  t.same(await asked({ rules }, at('203.0.113.1')), no('grant-blocked'), 'the last, which fits everybody');
  t.match(await asked({ rules: rules.slice(0, 1) }, at('203.0.113.1')), { ok: true }, 'none fits: it opens');

  const { text } = await issue(video, { notBefore: now + 1000, expiresAt: now + 2000 });
  clock.advance(1000);
  t.match(await grants.verdict(text, video.id, 'media', from), { ok: true });
  clock.advance(1000);
  t.same(await grants.verdict(text, video.id, 'media', from), expired);
});

t.test('what cannot be a grant is not made', async (t) => {
  const { recording, issue, clock } = await setUp(t);
  const video = await recording();
  const now = clock.wall();
  for (const times of [{ expiresAt: now }, { expiresAt: now + 367 * 86_400_000 }, { expiresAt: now + 5000, notBefore: now + 5000 }]) t.equal((await issue(video, times)).text, 'wrong-times');
  t.equal((await issue(video, { networks: Array.from({ length: 60 }, (_, index) => `2001:db8:${index}::/48`) })).text, 'says-too-much');
});

t.test('a grant that is taken back opens nothing from then on, for whoever has it, and others go on', async (t) => {
  const { grants, recording, issue, catalog, events, keys, viewings, clock } = await setUp(t);
  const video = await recording();
  const [one, other] = [await issue(video), await issue(video)];
  for (const { text } of [one, other]) t.match(await grants.verdict(text, video.id, 'media', from), { ok: true });
  t.equal(await catalog.grants.revoke({ kind: 'video', id: video.id }, one.id), true);
  await events.settled();
  t.same(await grants.verdict(one.text, video.id, 'media', from), no('grant-revoked'));
  t.match(await grants.verdict(other.text, video.id, 'media', from), { ok: true });
  t.equal(await catalog.grants.revoke({ kind: 'video', id: video.id }, one.id), false, 'once');
  const afterRestart = new Grants({ ...catalog, keys, viewings, events, clock });
  t.same(await afterRestart.verdict(one.text, video.id, 'media', from), no('grant-revoked'), 'after a restart too');
  t.same((await catalog.grants.of({ kind: 'video', id: video.id })).map(({ text }) => text), [other.text]);
});

t.test('with the key that signed it a grant is gone, although it was known', async (t) => {
  const { grants, recording, issue, keys } = await setUp(t);
  const video = await recording();
  const { text } = await issue(video);
  t.match(await grants.verdict(text, video.id, 'media', from), { ok: true });
  const { id } = keys.signing;
  await keys.rotate();
  t.match(await grants.verdict(text, video.id, 'media', from), { ok: true });
  await keys.remove(id);
  t.same(await grants.verdict(text, video.id, 'media', from), no('grant-key-unknown'));
});

t.test('a page that is loaded again in the same session is the same viewer, another session is another', async (t) => {
  const { grants, recording, owner, clock } = await setUp(t);
  const video = await recording();
  const idOf = (sessionId: string) => grants.read(grants.mint(video, { accountId: owner, role: 'creator', sessionId })?.text ?? '')?.id;
  const first = idOf('one');
  clock.advance(5000);
  t.equal(idOf('one'), first);
  t.not(idOf('two'), first);
});

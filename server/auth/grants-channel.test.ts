/** Grants of a channel: they open what is live there and what follows, and nothing else. */
import t from 'tap';
import { channelOf, someAccount } from '../catalog/testing.ts';
import { newId } from '../catalog/ids.ts';
import { expired, from, no, setUp } from './testing.ts';

const hour = 3_600_000;
const media = { ...from, wantsMedia: true };

t.test('a link to a channel opens what is live there, then what follows, and their recordings; nothing from before it was made', async (t) => {
  const { grants, catalog, clock, channel, recording, show, issueFor, events } = await setUp(t);
  const before = await recording();
  const on = await show();
  const { text } = await issueFor({ kind: 'channel', id: channel.id });
  const verdict = (id: string) => grants.verdict(text, id, 'media', from);
  t.match(await verdict(on.id), { ok: true, shared: false });
  t.same(await verdict(before.id), no('grant-other-video'));
  t.notOk(verdict(on.id) instanceof Promise, 'known by now');
  clock.advance(hour);
  await catalog.videos.endLive(on.id, { endedAt: clock.wall(), durationMs: hour, bytes: 1, state: 'ready' });
  await events.settled();
  const next = await show();
  t.match(await verdict(next.id), { ok: true }, 'the show that follows');
  t.match(await verdict(on.id), { ok: true }, 'and who saw the end of one may see its beginning');
  t.same(await verdict(newId()), no('grant-other-video'), 'where there is no video it says no more than of others');
  t.same(await grants.verdict(text, on.id, 'statistics', from), no('grant-other-audience'));
});

t.test('it opens no other channel, no upload, and no page but that of its channel', async (t) => {
  const { grants, catalog, owner, channel, show, issue, issueFor } = await setUp(t);
  const { channel: other } = await catalog.channels.create(channelOf(owner, { visibility: 'private' }));
  const [here, there] = [await show(), await show(other.id)];
  const { text } = await issueFor({ kind: 'channel', id: channel.id });
  t.same(await grants.verdict(text, there.id, 'media', from), no('grant-other-video'));
  t.equal(grants.kept, 0, 'what it does not open is not remembered');
  await catalog.db.updateTable('videos').set({ source: 'upload', channelId: channel.id }).where('id', '=', there.id).execute();
  t.same(await grants.verdict(text, there.id, 'media', from), no('grant-other-video'));
  const row = { ...channel, visibility: 'private' as const };
  t.match(await grants.ofChannel(text, row, from), { until: Number });
  t.equal(await grants.ofChannel(text, other, from), 'grant-other-channel');
  t.equal(await grants.ofChannel(text, null, from), 'grant-other-channel', 'that there is none is not told');
  t.equal(await grants.ofChannel((await issue(here)).text, row, from), 'grant-other-channel');
  t.equal(await grants.ofChannel(`${text}A`, row, from), 'grant-malformed');
});

t.test('whose video it is comes before all else that is wrong with a link: who has one to his own channel learns nothing of others', async (t) => {
  const { grants, catalog, clock, owner, channel, show, issueFor } = await setUp(t);
  const { channel: other } = await catalog.channels.create(channelOf(owner, { visibility: 'private' }));
  const [here, there] = [await show(), await show(other.id)];
  const now = Math.floor(clock.wall() / 1000) * 1000;
  const wrong = [
    ['grant-other-audience', { audiences: ['statistics'] }],
    ['grant-not-yet', { notBefore: now + hour }],
    ['grant-expired', { expiresAt: now + 2000 }],
    ['grant-other-network', { networks: ['198.51.100.0/24'] }],
    ['grant-other-device', { device: 'another' }],
    ['grant-blocked', { rules: [{ action: 'block', networks: [] }] }],
    ['grant-revoked', {}],
  ] as const;
  const made = await Promise.all(wrong.map(async ([code, change]) => ({ code, ...(await issueFor({ kind: 'channel', id: channel.id }, change)) })));
  await catalog.grants.revoke({ kind: 'channel', id: channel.id }, made.at(-1)?.id ?? '');
  clock.advance(2000);
  for (let time = 0; time < 2; time += 1) {
    for (const { code, text } of made) {
      for (const id of [there.id, newId()]) t.same(await grants.verdict(text, id, 'media', from), no('grant-other-video'), `${code} elsewhere`);
      t.same(await grants.verdict(text, here.id, 'media', from), no(code), 'and on its own channel it says why');
    }
  }
});

t.test('a show that was begun in time is watched to its end, and the next one is not opened any more', async (t) => {
  const { grants, channel, show, issueFor, clock } = await setUp(t);
  const on = await show();
  const { text } = await issueFor({ kind: 'channel', id: channel.id }, { expiresAt: clock.wall() + hour });
  clock.advance(hour - 1000);
  t.match(await grants.verdict(text, on.id, 'media', media), { ok: true });
  clock.advance(30_000);
  t.match(await grants.verdict(text, on.id, 'media', media), { ok: true });
  const next = await show();
  t.same(await grants.verdict(text, next.id, 'media', media), expired);
  t.equal(await grants.ofChannel(text, channel, from), 'grant-expired');
});

t.test('what is taken back, and what was of a channel that is gone, ends for whoever watches', async (t) => {
  const { grants, catalog, channel, show, issueFor, events } = await setUp(t);
  const on = await show();
  const made = await Promise.all([0, 1].map(() => issueFor({ kind: 'channel', id: channel.id })));
  let brokenOff = 0;
  const watching = { ...media, onOver: () => undefined, breakOff: () => (brokenOff += 1) };
  for (const { text } of made) t.match(await grants.verdict(text, on.id, 'media', watching), { ok: true });
  const [one, two] = made.map(({ text }) => text);
  t.equal(await catalog.grants.revoke({ kind: 'video', id: channel.id }, made[0]?.id ?? ''), false, 'it is none of a video');
  t.equal(await catalog.grants.revoke({ kind: 'channel', id: channel.id }, made[0]?.id ?? ''), true);
  await events.settled();
  t.equal(brokenOff, 1);
  t.same(await grants.verdict(one ?? '', on.id, 'media', media), no('grant-revoked'));
  t.equal(await grants.ofChannel(one ?? '', channel, from), 'grant-revoked');
  t.match(await grants.verdict(two ?? '', on.id, 'media', media), { ok: true }, 'others go on');
  await catalog.channels.remove(channel.id);
  await events.settled();
  t.equal(brokenOff, 2);
  t.same(await grants.verdict(two ?? '', on.id, 'media', media), no('grant-other-video'));
});

t.test('whoever may not give the channel any more has given nothing', async (t) => {
  const { grants, catalog, channel, show, issueFor, events } = await setUp(t);
  const on = await show();
  const { text } = await issueFor({ kind: 'channel', id: channel.id });
  t.match(await grants.verdict(text, on.id, 'media', from), { ok: true });
  const heir = await someAccount(catalog);
  await catalog.db.updateTable('videos').set({ ownerId: heir }).where('id', '=', on.id).execute();
  await catalog.videos.update(on.id, { title: 'Inherited' });
  await events.settled();
  t.same(await grants.verdict(text, on.id, 'media', from), no('grant-void'));
  t.equal(await grants.ofChannel(text, { ...channel, visibility: 'private', ownerId: heir }, from), 'grant-void');
});

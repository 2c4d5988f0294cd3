import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { isTaken } from './errors.ts';
import { isChannelName } from './channels.ts';
import { isUsername } from './accounts.ts';
import { newId } from './ids.ts';
import { channelOf, liveOn, someAccount, someUpload, testCatalog } from './testing.ts';
import type { TrackRow } from './videos.ts';

const typesOf = async (catalog: Awaited<ReturnType<typeof testCatalog>>['catalog']) => (await catalog.outbox.next(1000)).map(({ event }) => event.type);

t.test('a stream key is found by itself, shown again to its owner, and gone once revoked', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel, key, streamKey } = await catalog.channels.create(channelOf(ownerId, { name: 'mine', title: 'Mine', latency: 'ultra' }));
  t.match(key, /^[0-9a-z]{32}$/);
  t.same(await catalog.streamKeys.resolve(key), {
    channelId: channel.id,
    streamKeyId: streamKey.id,
    channelName: 'mine',
    ownerId,
    latency: 'ultra',
    visibility: 'public',
    ladder: 'source',
    protection: 'none',
    title: 'Mine',
    dvrSeconds: null,
    captions: [],
    allowedNetworks: [],
  });
  const narrowed = await catalog.streamKeys.change(channel.id, streamKey.id, { allowedNetworks: ['10.0.0.0/8'] });
  t.match(narrowed, { id: streamKey.id, label: '', allowedNetworks: ['10.0.0.0/8'] });
  t.match(await catalog.streamKeys.resolve(key), { allowedNetworks: ['10.0.0.0/8'] });
  t.equal(await catalog.streamKeys.change('another', streamKey.id, { label: 'x' }), null);
  t.equal(await catalog.streamKeys.reveal(channel.id, streamKey.id), key);
  const other = await catalog.channels.create(channelOf(ownerId));
  t.equal(await catalog.streamKeys.reveal(other.channel.id, streamKey.id), null, 'not by way of another channel');
  t.equal(await catalog.streamKeys.revoke(other.channel.id, streamKey.id), false);
  t.equal(await catalog.streamKeys.revoke(channel.id, streamKey.id), true);
  t.equal(await catalog.streamKeys.resolve(key), null);
  t.equal(await catalog.streamKeys.reveal(channel.id, streamKey.id), null);
  t.equal(await catalog.streamKeys.revoke(channel.id, streamKey.id), false, 'once is enough');
  for (const wrong of ['', key.toUpperCase(), `${key} `, 'x'.repeat(100_000), '\0']) t.equal(await catalog.streamKeys.resolve(wrong), null);
});

t.test('no secret lies in the files of the catalog', async (t) => {
  const { catalog, folder } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { key } = await catalog.channels.create(channelOf(ownerId, { srtPassphrase: 'a-passphrase-of-mine' }));
  const { token } = await catalog.sessions.create(ownerId, { userAgent: '', address: '' });
  t.equal((await catalog.sessions.resolve(token))?.accountId, ownerId);
  for (const name of ['catalog.db', 'catalog.db-wal']) {
    const bytes = await readFile(join(folder, name), 'latin1');
    for (const secret of [key, token, 'a-passphrase-of-mine']) t.notOk(bytes.includes(secret), name);
  }
});

t.test('a channel has one name, and takes its keys with it', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel, key } = await catalog.channels.create(channelOf(ownerId, { name: 'once' }));
  const before = await typesOf(catalog);
  const error = await catalog.channels.create(channelOf(ownerId, { name: 'once' })).catch((reason: unknown) => reason);
  t.ok(isTaken(error, 'channels.name'));
  t.same(await typesOf(catalog), before, 'what failed told nobody');
  t.equal(await catalog.channels.remove(channel.id), true);
  t.equal(await catalog.streamKeys.resolve(key), null);
  t.equal(await catalog.channels.remove(channel.id), false);
  for (const bad of ['', 'Upper', 'a'.repeat(41), 'sp ace', '한글', 'a/b', '@a']) t.notOk(isChannelName(bad), bad);
});

t.test('a broadcast is live from its gate to its end, and survives a crash as unfinished', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(ownerId, { name: 'show' }));
  const id = newId();
  const live = liveOn(channel.id, ownerId, { id });
  const video = await catalog.videos.createLive(live);
  t.match(video, { id, state: 'live', run: live.run, policy: live.policy });
  t.match(await catalog.videos.liveOfChannel('show'), { videoId: id, channelId: channel.id, startedAt: 1_000, visibility: 'public' });
  t.match(await catalog.videos.unfinishedLive(), [{ video: { id }, tracks: live.tracks, channelName: 'show' }]);
  t.equal(await catalog.videos.remove(id), false, 'what is live is not removed');
  t.equal(await catalog.videos.endLive(id, { endedAt: 61_000, durationMs: 60_000, bytes: 5, state: 'ready', expiresAt: 100 }), true);
  t.equal(await catalog.videos.endLive(id, { endedAt: 1, durationMs: 1, bytes: 1, state: 'failed' }), false, 'it ends once');
  t.match(await catalog.videos.get(id), { state: 'ready', durationMs: 60_000, bytes: 5, errorCode: null });
  t.same(await catalog.videos.unfinishedLive(), []);
  t.equal(await catalog.videos.liveOfChannel('show'), null);
  t.same((await catalog.videos.expired(99)).length, 0);
  t.same((await catalog.videos.expired(100)).map((row) => row.id), [id]);
  t.same(await catalog.videos.allIds(), [id]);
  t.same((await typesOf(catalog)).slice(-2), ['video.live', 'video.ended']);
});

t.test('a recording outlives its channel', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(ownerId));
  const { id } = await catalog.videos.createLive(liveOn(channel.id, ownerId));
  await catalog.videos.endLive(id, { endedAt: 2, durationMs: 1, bytes: 1, state: 'ready' });
  await catalog.channels.remove(channel.id);
  t.match(await catalog.videos.get(id), { channelId: null, ownerId });
  await t.rejects(catalog.videos.createLive(liveOn(channel.id, ownerId)), { code: 'reference' }, 'and nothing new begins on what is gone');
});

t.test('what is live is hidden with its channel, recordings keep their own visibility', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(ownerId));
  const old = await catalog.videos.createLive(liveOn(channel.id, ownerId));
  await catalog.videos.endLive(old.id, { endedAt: 2, durationMs: 1, bytes: 1, state: 'ready' });
  const live = await catalog.videos.createLive(liveOn(channel.id, ownerId));
  await catalog.channels.update(channel.id, { visibility: 'private' });
  t.equal((await catalog.videos.get(live.id))?.visibility, 'private');
  t.equal((await catalog.videos.get(old.id))?.visibility, 'public');
  t.same((await typesOf(catalog)).slice(-2), ['channel.updated', 'video.updated']);
});

t.test('pages neither repeat nor skip a row when others come in between', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const made: string[] = [];
  const add = async () => made.push((await catalog.channels.create(channelOf(ownerId))).channel.id);
  for (let count = 0; count < 7; count += 1) {
    await add();
    if (count % 3 === 0) clock.advance(1);
  }
  const before = [...made];
  const seen: string[] = [];
  let after: { createdAt: number; id: string } | null = null;
  do {
    const page: Awaited<ReturnType<typeof catalog.channels.list>> = await catalog.channels.list({ limit: 2, after, seenBy: null });
    seen.push(...page.items.map(({ id }) => id));
    after = page.next;
    clock.advance(1);
    await add();
  } while (after);
  t.same([...seen].sort(), before.sort());
});

t.test('a title is searched for as it is written, whatever signs it has', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(ownerId));
  for (const title of ['100% real', '100 things', 'a_b', 'axb', "it's \\ odd", '대한민국']) await catalog.videos.createLive(liveOn(channel.id, ownerId, { title }));
  const find = async (query: string) => (await catalog.videos.list({ limit: 9, after: null, seenBy: null, query })).items.map(({ title }) => title);
  t.same(await find('100%'), ['100% real']);
  t.same(await find('A_B'), ['a_b']);
  t.same(await find("'s \\"), ["it's \\ odd"]);
  t.same(await find('민국'), ['대한민국']);
  t.same(await find("' or 1=1 --"), []);
});

t.test('the last admin cannot be demoted, not even by two who demote each other at once', async (t) => {
  const { catalog } = await testCatalog(t);
  const one = await someAccount(catalog, 'admin');
  t.equal(await catalog.accounts.update(one, { role: 'viewer' }), 'last-admin');
  const two = await someAccount(catalog, 'admin');
  const outcomes = await Promise.all([catalog.accounts.update(one, { role: 'viewer' }), catalog.accounts.update(two, { role: 'viewer' })]);
  t.same(outcomes.sort(), ['done', 'last-admin']);
  t.ok(await catalog.accounts.firstAdmin());
  t.equal(await catalog.accounts.update('nobody', { role: 'admin' }), 'missing');
});

t.test('usernames are one whatever their capitals and widths', async (t) => {
  const { catalog } = await testCatalog(t);
  await catalog.accounts.create({ username: 'Admin', role: 'viewer', passwordHash: 'x' });
  const error = await catalog.accounts.create({ username: 'ａDMIN', role: 'viewer', passwordHash: 'x' }).catch((reason: unknown) => reason);
  t.ok(isTaken(error, 'accounts.usernameKey'));
  t.equal((await catalog.accounts.byUsername('aDmIn'))?.username, 'Admin');
  for (const [name, good] of [['관리자', true], ['a b', false], ['', false], ['a\n', false], ['x'.repeat(41), false]] as const) t.equal(isUsername(name), good, name);
});

t.test('a session that is used lives on, one that is not ends, and none lives for ever', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const day = 86_400_000;
  const account = await someAccount(catalog);
  const origin = { userAgent: 'Firefox', address: '192.0.2.1' };
  const { token } = await catalog.sessions.create(account, origin);
  const idle = await catalog.sessions.create(account, origin);
  for (let use = 0; use < 8; use += 1) {
    clock.advance(20 * day);
    t.ok(await catalog.sessions.resolve(token), `day ${20 * (use + 1)}`);
  }
  t.equal(await catalog.sessions.resolve(idle.token), null);
  clock.advance(20 * day);
  t.equal(await catalog.sessions.resolve(token), null, 'half a year is enough');
  await catalog.sweep();
  t.same(await catalog.db.selectFrom('sessions').select('id').execute(), []);
});

t.test('a new password ends the other sessions', async (t) => {
  const { catalog } = await testCatalog(t);
  const account = await someAccount(catalog);
  const origin = { userAgent: '', address: '' };
  const mine = await catalog.sessions.create(account, origin);
  const stolen = await catalog.sessions.create(account, origin);
  await catalog.accounts.update(account, { passwordHash: 'new' }, mine.session.id);
  t.ok(await catalog.sessions.resolve(mine.token));
  t.equal(await catalog.sessions.resolve(stolen.token), null);
});

t.test('how a channel makes its shows goes with its keys, and what it says of downloads with its shows', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel, key } = await catalog.channels.create(channelOf(ownerId, { dvrSeconds: 1_800, captions: ['ko', 'en-GB'], downloads: false }));
  t.match(channel, { dvrSeconds: 1_800, captions: ['ko', 'en-GB'], downloads: false });
  t.match(await catalog.streamKeys.resolve(key), { dvrSeconds: 1_800, captions: ['ko', 'en-GB'] });
  const old = await catalog.videos.createLive(liveOn(channel.id, ownerId));
  t.match([old, await catalog.videos.get(old.id)], [{ downloads: false }, { downloads: false, cutInMs: null, cutOutMs: null }]);
  await catalog.videos.endLive(old.id, { endedAt: 2, durationMs: 1, bytes: 1, state: 'ready' });
  const live = await catalog.videos.createLive(liveOn(channel.id, ownerId));
  t.match(await catalog.channels.update(channel.id, { dvrSeconds: null, captions: [], downloads: true }), { dvrSeconds: null, captions: [], downloads: true });
  t.match(await catalog.streamKeys.resolve(key), { dvrSeconds: null, captions: [] });
  t.match(await catalog.videos.get(live.id), { downloads: true, visibility: 'public' }, 'a show on air follows');
  t.match(await catalog.videos.get(old.id), { downloads: false }, 'a recording is its own');
  const told = (await catalog.outbox.next(1000)).slice(-1).map(({ event }) => event);
  t.match(told, [{ type: 'video.updated', videoId: live.id, visibility: 'public', changed: ['downloads'] }]);
  t.match(await catalog.videos.update(old.id, { downloads: true, cutInMs: 500, cutOutMs: null }), { downloads: true, cutInMs: 500, cutOutMs: null });
});

t.test('tracks that are made behind a video are added side by side: two at once lose nothing', async (t) => {
  const { catalog } = await testCatalog(t);
  const id = await someUpload(catalog, { ownerId: await someAccount(catalog) });
  const track = (name: string, kind: 'video' | 'audio', rate: number): TrackRow => ({
    ...{ id: name, kind, codec: kind === 'video' ? 'h264' : 'aac', timescale: 90_000, bandwidth: rate, averageBandwidth: rate },
    ...{ partTarget: null, group: kind, language: null, name: null, original: null },
  });
  t.equal(await catalog.videos.addTracks(id, { tracks: [track('v9', 'video', 1)], bytes: 1 }), false, 'nothing of it plays yet');
  await catalog.videos.become(id, ['uploading'], { state: 'playable', bytes: 1000, tracks: [track('v0', 'video', 900), track('a0', 'audio', 100), track('a1', 'audio', 100)], error: { code: 'encode-failed', message: 'It was.' } });
  const done = await Promise.all([
    catalog.videos.addTracks(id, { tracks: [track('v240', 'video', 200)], bytes: 10 }),
    catalog.videos.addTracks(id, { tracks: [track('v480', 'video', 500)], bytes: 20 }),
    catalog.videos.addTracks(id, { tracks: [track('a2', 'audio', 64)], drop: ['a0'], bytes: 5 }),
  ]);
  t.same(done, [true, true, true]);
  const { video, tracks = [] } = (await catalog.videos.withTracks(id)) ?? {};
  t.match(video, { state: 'playable', bytes: 1035, errorCode: 'encode-failed' });
  t.same(tracks.map(({ id: name }) => name), ['v0', 'v480', 'v240', 'a2', 'a1'], 'in the place of the sound that it is in place of');
  await t.rejects(catalog.videos.addTracks(id, { tracks: [track('v480', 'video', 1)], bytes: 1 }), 'it is there already');
  t.equal(await catalog.videos.addTracks(id, { tracks: [track('v720', 'video', 950)], drop: ['v0'], bytes: -7 }), true);
  const last = await catalog.videos.withTracks(id);
  t.match(last?.video, { state: 'playable', bytes: 1028, errorCode: 'encode-failed' }, 'who adds them does not say that it is all');
  t.same(last?.tracks.map(({ id: name }) => name), ['v720', 'v480', 'v240', 'a2', 'a1']);
  const told = (await catalog.outbox.next(1000)).map(({ event }) => event).filter((event) => 'videoId' in event && event.videoId === id);
  t.same(told.at(-1), { type: 'video.updated', videoId: id, channelId: null, visibility: last?.video.visibility, changed: ['tracks'] });
});

t.test('what is to be planned stays noted until it has been planned as it is now', async (t) => {
  const { catalog } = await testCatalog(t);
  const { plannings, videos } = catalog;
  const [one, two] = [await someUpload(catalog), await someUpload(catalog)];
  t.equal(await plannings.turnOf(one), null);
  for (const id of [one, two, one, 'nothing']) await plannings.note(id);
  t.same((await plannings.all()).toSorted(), [one, two].toSorted());
  await plannings.planned(one, 1);
  t.equal(await plannings.turnOf(one), 2, 'it has been noted since');
  await plannings.planned(one, 2);
  t.same(await plannings.all(), [two]);
  await videos.remove(two);
  t.same(await plannings.all(), []);
});

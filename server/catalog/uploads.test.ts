import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { channelOf, liveOn, planOf, someAccount, testCatalog, uploadOf } from './testing.ts';

t.test('a video and its upload come together, with one event, and go together', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const made = await catalog.uploads.create(uploadOf(ownerId), planOf());
  if (made.kind !== 'made') return t.fail(made.kind);
  const { id } = made.video;
  t.match(await catalog.videos.get(id), { state: 'uploading', source: 'upload', originalBytes: 100, bytes: 0, filename: 'film.mp4', channelId: null });
  t.match(await catalog.uploads.get(id), { videoId: id, ownerId, size: 100, state: 'uploading', wholeAt: null, takenAt: null, url: null });
  t.same((await catalog.outbox.next(100)).map(({ event }) => event).slice(-1), [{ type: 'video.created', videoId: id, ownerId }]);
  t.equal(await catalog.videos.remove(id), true);
  t.equal(await catalog.uploads.get(id), null);
  t.equal(await catalog.uploads.whole(id), false);
  const nobody = await catalog.uploads.create(uploadOf('nobody0000000000'), planOf()).catch((error: unknown) => error);
  t.match(nobody, { kind: 'too-many' }, 'whose account is gone makes nothing');
});

t.test('an upload is open, then whole, then taken, and each only once', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const ids: string[] = [];
  for (const url of [null, null, 'https://files.example.org/film.mp4?signature=a-secret-signature']) {
    const made = await catalog.uploads.create(uploadOf(ownerId), planOf({ url }));
    if (made.kind === 'made') ids.push(made.video.id);
    clock.advance(1_000);
  }
  const [one = '', two = '', three = ''] = ids;
  const open = async () => (await catalog.uploads.open()).map(({ videoId }) => videoId);
  t.same(await open(), [one, two, three]);
  t.match(await catalog.uploads.get(three), { url: 'https://files.example.org/film.mp4?signature=a-secret-signature' });
  t.equal(await catalog.uploads.whole(one), true);
  const wholeAt = (await catalog.uploads.get(one))?.wholeAt;
  clock.advance(1_000);
  t.equal(await catalog.uploads.whole(one), true);
  t.equal((await catalog.uploads.get(one))?.wholeAt, wholeAt, 'said again, it stays as it was');
  t.same(await open(), [two, three]);
  t.same(await catalog.uploads.untaken(), [one]);
  await catalog.uploads.taken(one);
  t.same(await catalog.uploads.untaken(), []);
  await catalog.videos.become(two, ['uploading'], { state: 'failed', originalBytes: 0, error: { code: 'not-a-video', message: 'No.' } });
  t.same(await open(), [three], 'for what has failed, nobody waits');
  t.match(await catalog.uploads.get(two), { state: 'failed', errorCode: 'not-a-video', size: 0 });
  await catalog.uploads.whole(three);
  t.equal((await catalog.uploads.get(three))?.url, null, 'where it came from is forgotten');
  await catalog.uploads.waitUntil(one, clock.wall());
  await catalog.uploads.waitUntil(two, clock.wall());
  await catalog.uploads.waitUntil(three, clock.wall());
  await catalog.sweep();
  t.same([await catalog.uploads.get(one), await catalog.uploads.get(two)], [null, null], 'what is over needs no row for ever');
  t.ok(await catalog.uploads.get(three), 'what nobody has taken does');
  t.ok(await catalog.videos.get(one), 'and the video stays');
});

t.test('where an import comes from lies sealed in the files of the catalog', async (t) => {
  const { catalog, folder } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  await catalog.uploads.create(uploadOf(ownerId), planOf({ url: 'https://files.example.org/?signature=a-secret-signature' }));
  for (const name of ['catalog.db', 'catalog.db-wal']) t.notOk((await readFile(join(folder, name), 'latin1')).includes('a-secret-signature'), name);
});

t.test('the last room of an account is given once, however many ask for it at once', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const other = await someAccount(catalog);
  const plan = planOf({ usualQuota: 1_000 });
  const kinds = async (owner: string, size: number, count: number) =>
    (await Promise.all(Array.from({ length: count }, () => catalog.uploads.create(uploadOf(owner, { size }), plan)))).map(({ kind }) => kind).sort();
  t.same(await kinds(ownerId, 600, 8), ['made', ...Array.from({ length: 7 }, () => 'over-quota')]);
  t.same(await catalog.uploads.create(uploadOf(ownerId, { size: 401 }), plan), { kind: 'over-quota', used: 600, quota: 1_000 });
  t.match(await catalog.uploads.create(uploadOf(ownerId, { size: 400 }), plan), { kind: 'made' }, 'to the byte');
  t.same(await kinds(other, 1_000, 2), ['made', 'over-quota'], 'each has room of its own');
  t.same(await catalog.uploads.used([ownerId, other, 'nobody0000000000']), new Map([[ownerId, 1_000], [other, 1_000]]));
});

t.test('what an account keeps is what is stored or what is promised, whichever is more, recordings too', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(ownerId));
  const { id: show } = await catalog.videos.createLive(liveOn(channel.id, ownerId));
  await catalog.videos.endLive(show, { endedAt: 2, durationMs: 1, bytes: 300, state: 'ready' });
  const made = await catalog.uploads.create(uploadOf(ownerId, { size: 200 }), planOf());
  if (made.kind !== 'made') return t.fail(made.kind);
  t.same(await catalog.uploads.room(ownerId, 1_000), { used: 500, quota: 1_000 });
  await catalog.videos.become(made.video.id, ['uploading'], { state: 'ready', bytes: 203 });
  t.same(await catalog.uploads.room(ownerId, 0), { used: 503, quota: null });
  await catalog.accounts.update(ownerId, { quotaBytes: 600 });
  t.same(await catalog.uploads.room(ownerId, 0), { used: 503, quota: 600 }, 'its own number goes before the usual one');
  t.match(await catalog.uploads.create(uploadOf(ownerId, { size: 98 }), planOf()), { kind: 'over-quota', used: 503, quota: 600 });
  await catalog.accounts.update(ownerId, { quotaBytes: 0 });
  t.match(await catalog.uploads.create(uploadOf(ownerId, { size: 1e12 }), planOf({ usualQuota: 10 })), { kind: 'made' }, 'and 0 is no limit');
});

t.test('what becomes known of a size is judged as if it were promised anew', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const both = [await catalog.uploads.create(uploadOf(ownerId, { size: 0 }), planOf({ usualQuota: 100 })), await catalog.uploads.create(uploadOf(ownerId, { size: 0 }), planOf({ usualQuota: 100 }))];
  const [one = '', two = ''] = both.map((made) => (made.kind === 'made' ? made.video.id : ''));
  t.same(await Promise.all([catalog.uploads.promise(one, 60, 100), catalog.uploads.promise(two, 60, 100)]), [true, false]);
  t.equal(await catalog.uploads.promise(one, 100, 100), true, 'what it has already does not count against it');
  t.equal(await catalog.uploads.promise(one, 101, 100), false);
  t.equal((await catalog.videos.get(one))?.originalBytes, 100);
  t.equal(await catalog.uploads.promise('nothing000000000', 1, 100), false);
});

t.test('an account has so many uploads open and no more', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const made = await catalog.uploads.create(uploadOf(ownerId), planOf({ mostOpen: 2 }));
  const all = await Promise.all(Array.from({ length: 4 }, () => catalog.uploads.create(uploadOf(ownerId), planOf({ mostOpen: 2 }))));
  t.same(all.map(({ kind }) => kind).sort(), ['made', 'too-many', 'too-many', 'too-many']);
  if (made.kind === 'made') await catalog.uploads.whole(made.video.id);
  t.match(await catalog.uploads.create(uploadOf(ownerId), planOf({ mostOpen: 2 })), { kind: 'made' });
});

t.test('lists show strangers what can be played, and owners all of theirs', async (t) => {
  const { catalog } = await testCatalog(t);
  const ownerId = await someAccount(catalog);
  const states = ['uploading', 'processing', 'playable', 'ready', 'failed'] as const;
  for (const state of states) {
    const made = await catalog.uploads.create(uploadOf(ownerId, { visibility: 'public', title: state }), planOf());
    if (made.kind === 'made') await catalog.videos.become(made.video.id, ['uploading'], { state });
  }
  const list = async (seenBy: { accountId: string | null } | null) =>
    (await catalog.videos.list({ limit: 10, after: null, seenBy })).items.map(({ title }) => title).sort();
  t.same(await list({ accountId: null }), ['playable', 'ready']);
  t.same(await list({ accountId: 'somebodyelse0000' }), ['playable', 'ready']);
  t.same(await list({ accountId: ownerId }), states.toSorted());
  t.same(await list(null), states.toSorted());
});

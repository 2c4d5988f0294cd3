import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { EventDispatcher } from '../events/dispatcher.ts';
import { FakeDisk, first, noFiles, testUploads, uploadsOn } from './testing.ts';

const day = 86_400_000;

t.test('an address opens one file until it expires, and nothing else', async (t) => {
  const { uploads, clock, folder, made } = await testUploads(t);
  const { id, token } = await made({ size: 1_000 });
  t.same(await uploads.verdict(token), {
    kind: 'open',
    upload: { id, size: 1_000, partSize: 8 * 2 ** 20, expiresAt: clock.wall() + 7 * day, path: join(folder, 'videos', id, 'original') },
  });
  t.ok(existsSync(join(folder, 'videos', id)), 'and there is a place for it');
  for (const wrong of ['', id, token.slice(1), `${token}x`, `${token.slice(0, -1)}~`]) t.match(await uploads.verdict(wrong), { kind: 'refused', refusal: { status: 404, code: 'upload-unknown' } });
  clock.advance(7 * day - 1);
  t.match(await uploads.verdict(token), { kind: 'open' });
  uploads.landed(id, first(1));
  clock.advance(1);
  t.match(await uploads.verdict(token), { kind: 'refused', refusal: { status: 410, code: 'upload-expired' } }, 'however much came');
  const again = await uploads.address(id);
  t.match(again, { received: 1, size: 1_000, expiresAt: clock.wall() + 7 * day });
  t.match(await uploads.verdict(again?.token ?? ''), { kind: 'open' }, 'but its owner gets another');
});

t.test('what lands is heard of at once, and read through what has landed', async (t) => {
  const told: string[] = [];
  const { uploads, intake, made } = await testUploads(t, { changed: (video) => told.push(video) });
  const { id } = await made({ size: 1_000 });
  t.match(uploads.received(id), { received: 0, size: 1_000 });
  uploads.landed(id, first(400));
  const arriving = intake.arriving.get(id);
  t.match([arriving?.size, arriving?.has(0, 400), arriving?.has(399, 401)], [1_000, true, false]);
  t.match(uploads.received(id), { received: 400 });
  t.match(uploads.figures, { open: 1, received: 400 });
  t.same(told, [id]);
  uploads.landed('nobody0000000000', first(5));
  t.equal(uploads.figures.received, 400, 'what nobody promised is not counted');
});

t.test('what is whole is remembered first, and handed over off the request that said so, once', async (t) => {
  const { uploads, intake, catalog, folder, made } = await testUploads(t);
  const { id, token } = await made({ size: 1_000 });
  const notes = ['original.landed', 'original.import'].map((name) => join(folder, 'videos', id, name));
  for (const note of notes) await writeFile(note, 'x');
  let finish = (): void => undefined;
  intake.take = () => new Promise((resolve) => (finish = resolve));
  uploads.landed(id, first(1_000));
  await uploads.whole(id);
  t.ok((await catalog.uploads.get(id))?.wholeAt, 'it is in the catalog when the request is answered, whatever the intake does');
  t.match(await uploads.verdict(token), { kind: 'whole', id, size: 1_000 });
  t.equal(await uploads.address(id), null);
  t.equal(uploads.received(id), null);
  await uploads.whole(id);
  while (!intake.told.some(([what]) => what === 'whole')) await turn();
  t.same(notes.filter((note) => existsSync(note)), [], 'nothing says any more that it is arriving');
  t.same(intake.told.filter(([what]) => what === 'whole'), [['whole', id]], 'said twice, it is handed over once');
  t.equal((await catalog.uploads.get(id))?.takenAt, null);
  finish();
  while (!(await catalog.uploads.get(id))?.takenAt) await turn();
});

t.test('what could not be taken is tried again after a while', async (t) => {
  const { uploads, intake, catalog, clock, made } = await testUploads(t);
  const { id } = await made();
  let tries = 0;
  intake.take = async () => {
    tries += 1;
    if (tries < 3) throw new Error('not now');
  };
  await uploads.whole(id);
  while (tries < 1) await turn();
  // Files are looked at between two tries: that takes turns of its own, and no time of this clock.
  while (tries < 3) {
    await turn();
    clock.advance(100);
  }
  while (!(await catalog.uploads.get(id))?.takenAt) await turn();
  t.equal(tries, 3);
});

t.test('a restart finds what is open with what of it has landed, and what is whole and was not taken', async (t) => {
  const before = await testUploads(t);
  const { catalog, clock, events } = before;
  before.intake.take = () => Promise.reject(new Error('killed'));
  const empty = await before.made({ size: 1_000 });
  const half = await before.made({ size: 1_000 });
  const whole = await before.made({ size: 1_000 });
  await before.uploads.whole(whole.id);
  await before.uploads.stop();
  const { uploads, intake } = uploadsOn(catalog, clock, events, { files: { ...noFiles, landed: async (path) => (path.includes(half.id) ? first(500) : null) } });
  t.teardown(() => uploads.stop());
  await uploads.start();
  t.match(uploads.received(half.id), { received: 500, size: 1_000 });
  t.equal(uploads.figures.received, 0, 'which did not come now');
  t.match(await uploads.verdict(half.token), { kind: 'open' }, 'addresses outlive a restart');
  t.match(await uploads.verdict(empty.token), { kind: 'open' });
  t.match(await uploads.verdict(whole.token), { kind: 'whole', size: 1_000 });
  while (!intake.told.some(([what]) => what === 'whole')) await turn();
  t.same(intake.told, [['arrived', half.id], ['whole', whole.id]]);
});

t.test('what had come whole when the server was killed is finished by the next one, tried again where that fails, and never given up', async (t) => {
  const before = await testUploads(t);
  const { catalog, clock, events } = before;
  const { id } = await before.made({ size: 1_000 });
  await before.uploads.stop();
  let tries = 0;
  const finish = async (upload: { readonly id: string; readonly size: number }): Promise<void> => {
    tries += 1;
    t.match(upload, { id, size: 1_000 });
    if (tries < 3) throw new Error('EIO');
    await uploads.whole(upload.id);
  };
  const { uploads, intake } = uploadsOn(catalog, clock, events, { files: { ...noFiles, landed: async () => first(1_000), finish }, expireMs: 1_000 });
  t.teardown(() => uploads.stop());
  clock.advance(8 * day);
  await uploads.start();
  while (tries < 3) {
    await turn();
    clock.advance(100);
  }
  while (!(await catalog.uploads.get(id))?.takenAt) await turn();
  t.same(intake.told, [['arrived', id], ['whole', id]]);
  t.ok(await catalog.videos.get(id), 'though its time was over');
});

t.test('of all that had come whole when the server was killed, a few at a time are finished', async (t) => {
  const before = await testUploads(t);
  const { catalog, clock, events } = before;
  const count = 20;
  for (let made = 0; made < count; made += 1) await before.made({ size: 1_000 });
  await before.uploads.stop();
  let [under, most, done] = [0, 0, 0];
  const finish = async ({ id }: { readonly id: string }): Promise<void> => {
    most = Math.max(most, ++under);
    await turn();
    await uploads.whole(id);
    under -= 1;
    done += 1;
  };
  const { uploads } = uploadsOn(catalog, clock, events, { files: { ...noFiles, landed: async () => first(1_000), finish } });
  t.teardown(() => uploads.stop());
  await uploads.start();
  while (done < count) await turn();
  t.equal(most, 8);
});

t.test('an upload for which nothing comes goes, with its video; one that goes on stays', async (t) => {
  const released: string[] = [];
  const { uploads, catalog, clock, events, intake, made } = await testUploads(t, { files: { ...noFiles, release: async (id) => void released.push(id) } });
  await uploads.start();
  const began = clock.wall();
  const idle = await made();
  const busy = await made();
  const asked = await made();
  clock.advance(5 * day);
  uploads.landed(busy.id, first(1));
  await uploads.address(asked.id);
  clock.advance(2 * day);
  const minute = 60_000;
  for (let minutes = 0; minutes < 1_000 && (await catalog.videos.get(idle.id)); minutes += 10) clock.advance(10 * minute);
  await events.settled();
  t.same(intake.told.filter(([what]) => what === 'dropped'), [['dropped', idle.id]]);
  t.same(released, [idle.id]);
  t.match(await uploads.verdict(idle.token), { kind: 'refused', refusal: { status: 410 } });
  t.ok(await catalog.videos.get(busy.id), 'more came of it');
  t.ok(await catalog.videos.get(asked.id), 'somebody asked where to send it');
  t.equal((await catalog.uploads.get(busy.id))?.expiresAt, began + 12 * day, 'the catalog knows');
});

t.test('cancelled by its address, or removed by its owner, it is gone', async (t) => {
  const released: string[] = [];
  const { uploads, catalog, events, intake, made } = await testUploads(t, { files: { ...noFiles, release: async (id) => void released.push(id) } });
  const [one, two] = [await made(), await made()];
  await uploads.cancelled(one.id);
  t.match(await uploads.verdict(one.token), { kind: 'refused', refusal: { code: 'upload-gone' } });
  await catalog.videos.remove(two.id);
  await events.settled();
  t.match(await uploads.verdict(two.token), { kind: 'refused', refusal: { code: 'upload-gone' } });
  t.same(released, [one.id, two.id], 'nobody writes to their files any more');
  t.same(intake.told, [['dropped', one.id], ['dropped', two.id]]);
  await uploads.whole(one.id);
  t.equal(intake.told.length, 2, 'what is gone is not handed over');
  t.equal(uploads.figures.open, 0);
});

t.test('what cannot be used is said to whoever still sends it, and nothing of it is kept', async (t) => {
  const { uploads, catalog, events, folder, made, ownerId } = await testUploads(t);
  const { id, token } = await made({ size: 1_000 });
  const path = join(folder, 'videos', id, 'original');
  await mkdir(join(folder, 'videos', id), { recursive: true });
  await Promise.all([writeFile(path, 'x'), writeFile(`${path}.landed`, 'x')]);
  uploads.landed(id, first(400));
  await catalog.videos.become(id, ['uploading'], { state: 'failed', error: { code: 'encrypted', message: 'The pictures are encrypted.' } });
  await events.settled();
  t.same(await uploads.verdict(token), { kind: 'refused', refusal: { status: 422, code: 'encrypted', detail: 'The pictures are encrypted.' } });
  t.notOk(existsSync(path) || existsSync(`${path}.landed`));
  t.equal((await catalog.uploads.room(ownerId, 0)).used, 0);
  t.match(await catalog.videos.get(id), { state: 'failed', errorCode: 'encrypted' }, 'its owner can read why');
});

t.test('killed before its bytes were removed, what cannot be used takes no room after the next start either', async (t) => {
  const before = await testUploads(t);
  const { catalog, clock, folder, ownerId } = before;
  const { id, token } = await before.made({ size: 1_000 });
  const path = join(folder, 'videos', id, 'original');
  await Promise.all([writeFile(path, 'x'), writeFile(`${path}.landed`, 'x')]);
  await before.events.stop();
  await catalog.videos.become(id, ['uploading'], { state: 'failed', error: { code: 'encrypted', message: 'The pictures are encrypted.' } });
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: { error: () => undefined, warn: () => undefined } });
  const { uploads } = uploadsOn(catalog, clock, events);
  await uploads.start();
  events.start();
  t.teardown(async () => {
    await uploads.stop();
    await events.stop();
  });
  await events.settled();
  t.notOk(existsSync(path) || existsSync(`${path}.landed`));
  t.equal((await catalog.uploads.room(ownerId, 0)).used, 0);
  t.match(await uploads.verdict(token), { kind: 'refused', refusal: { code: 'encrypted' } });
  t.same(await catalog.outbox.next(10), [], 'and that is said once');
});

t.test('nothing is promised that would fill the disk with all that was promised before', async (t) => {
  const disk = new FakeDisk();
  disk.space = { free: 500, total: 1_000 };
  const { uploads, ownerId, made } = await testUploads(t, { disk });
  const create = (size: number) => uploads.create({ ownerId, title: 'T', description: '', visibility: 'private', downloads: true, ladder: 'source', source: 'upload', filename: 'f', size });
  const { id } = await made({ size: 300 });
  t.match(await create(101), { kind: 'disk-full' });
  t.match((await Promise.all([create(60), create(60)])).map(({ kind }) => kind).sort(), ['disk-full', 'made'], 'two at once neither');
  uploads.landed(id, first(300));
  disk.space = { free: 200, total: 1_000 };
  t.match(await create(41), { kind: 'disk-full' });
  t.match(await create(40), { kind: 'made' }, 'what has landed is not counted twice');
});

t.test('bytes are turned away before the disk is full, and taken again when there is room', async (t) => {
  const disk = new FakeDisk();
  const { uploads } = await testUploads(t, { disk });
  t.equal(uploads.room(1_000), null);
  disk.space = { free: 1e11 + 5, total: 1e12 };
  t.equal(uploads.room(5), null);
  t.match(uploads.room(6), { status: 507, code: 'disk-full' });
  disk.space = { free: 5e11, total: 1e12 };
  disk.level = 'refuse';
  t.match(uploads.room(1), { status: 507 });
  disk.level = 'warn';
  t.equal(uploads.room(1), null);
});

t.test('one whose files cannot be looked at keeps no other from going on', async (t) => {
  const before = await testUploads(t);
  const [bad, good] = [await before.made(), await before.made()];
  await before.uploads.stop();
  const files = {
    ...noFiles,
    landed: async (path: string) => {
      if (path.includes(bad.id)) throw new Error('EIO');
      return first(7);
    },
  };
  const { uploads } = uploadsOn(before.catalog, before.clock, before.events, { files });
  t.teardown(() => uploads.stop());
  await uploads.start();
  t.match([uploads.received(bad.id), uploads.received(good.id)], [{ received: 0 }, { received: 7 }]);
});

t.test('a stop waits for what is being taken, and takes nothing new', async (t) => {
  const { uploads, intake, made } = await testUploads(t);
  const [one, two] = [await made(), await made()];
  let finish = (): void => undefined;
  intake.take = () => new Promise((resolve) => (finish = resolve));
  await uploads.whole(one.id);
  while (!intake.told.some(([what]) => what === 'whole')) await turn();
  let stopped = false;
  const stopping = uploads.stop().then(() => (stopped = true));
  await uploads.whole(two.id);
  await turn();
  t.equal(stopped, false);
  finish();
  await stopping;
  t.same(intake.told.filter(([what]) => what === 'whole'), [['whole', one.id]]);
});

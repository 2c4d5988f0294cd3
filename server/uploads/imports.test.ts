import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Imports } from './imports.ts';
import { decent, digest, film, source, stage } from './test-source.ts';
import { FakeDisk, noFiles, uploadsOn } from './testing.ts';

t.test('a file is fetched whole, seen while it comes, and handed over', async (t) => {
  const { origin } = await source(t, decent);
  const { add, end, original, intake, ownerId, catalog, imports } = await stage(t);
  const id = await add(`${origin}/film.mp4`);
  t.match(await end(id), { originalBytes: film.length });
  t.equal(digest(await readFile(original(id))), digest(film));
  while (!intake.told.some(([what]) => what === 'whole')) await turn();
  t.notOk(existsSync(`${original(id)}.import`), 'it does not count as arriving any more');
  t.same([...new Set(intake.told.map(([what]) => what))], ['arrived', 'whole']);
  t.equal(intake.arriving.get(id)?.size, film.length);
  t.equal((await catalog.uploads.room(ownerId, 0)).used, film.length);
  t.equal(imports.progress(id), null);
  while (imports.figures.running > 0) await turn();
  t.match(imports.figures, { fetched: 1, failed: 0 });
});

t.test('a file without a size is counted as it comes, and begun anew when the line breaks', async (t) => {
  let answers = 0;
  const { origin } = await source(t, (_request, response) => {
    answers += 1;
    response.writeHead(200);
    if (answers === 1) response.write(film.subarray(0, 100_000), () => response.destroy());
    else response.end(film);
  });
  const { add, end, original, intake, catalog, ownerId } = await stage(t);
  const id = await add(origin);
  t.match(await end(id), { originalBytes: film.length });
  t.equal(digest(await readFile(original(id))), digest(film));
  while (!intake.told.some(([what]) => what === 'whole')) await turn();
  t.equal(intake.arriving.get(id)?.size, film.length, 'what it is can be looked at when its end is known');
  t.equal((await catalog.uploads.room(ownerId, 0)).used, film.length);
});

t.test('a file is cut at what the account may keep, known size or not', async (t) => {
  const { origin } = await source(t, (request, response, from) => (request.url === '/said' ? decent(request, response, from) : response.writeHead(200).end(film)));
  const { add, end, ownerId, catalog } = await stage(t, { uploads: { usualQuota: 2_000_000 } });
  for (const path of ['/said', '/unsaid']) t.match(await end(await add(origin + path)), { state: 'failed', errorCode: 'quota-exceeded', errorMessage: /your account may still keep/ }, path);
  await catalog.accounts.update(ownerId, { quotaBytes: film.length });
  const id = await add(`${origin}/unsaid`);
  t.match(await end(id), { state: 'uploading', originalBytes: film.length }, 'the last room, to the byte');
});

t.test('a disk without room takes none of it', async (t) => {
  const disk = new FakeDisk();
  const { origin } = await source(t, decent);
  const { add, end } = await stage(t, { uploads: { disk } });
  disk.space = { free: 102_000_000, total: 1_000_000_000 };
  t.match(await end(await add(origin)), { state: 'failed', errorCode: 'no-room', errorMessage: /server has no room/ });
});

t.test('a line that breaks before the first byte does not ask for the same room twice', async (t) => {
  const disk = new FakeDisk();
  disk.space = { free: 104_500_000, total: 1_000_000_000 };
  let answers = 0;
  const { origin } = await source(t, (request, response, from) => {
    answers += 1;
    if (answers > 1) return decent(request, response, from);
    response.writeHead(200, { 'content-length': film.length, etag: '"one"' }).flushHeaders();
    setTimeout(() => response.destroy(), 200);
  });
  const { add, end } = await stage(t, { uploads: { disk } });
  t.match(await end(await add(origin)), { state: 'uploading', originalBytes: film.length });
  t.equal(answers, 2);
});

t.test('what takes too long is given up', async (t) => {
  const { origin } = await source(t, (_request, response) => {
    response.writeHead(200, { 'content-length': film.length, etag: '"slow"' });
    const timer = setInterval(() => response.write(film.subarray(0, 1_000)), 20);
    response.on('close', () => clearInterval(timer));
  });
  const { add, end, cleared } = await stage(t, { imports: { timeMs: 400 } });
  const id = await add(origin);
  t.match(await end(id), { state: 'failed', errorCode: 'import-too-slow' });
  t.ok(await cleared(id));
});

t.test('so many are fetched at once, a quarter of them for one account, of whoever has the fewest first; the others wait', async (t) => {
  const held = new Map<string, ServerResponse>();
  const { origin, asked } = await source(t, ({ url = '' }, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('12345');
    held.set(url, response);
  });
  const { add, end, imports, catalog } = await stage(t, { imports: { mostAtOnce: 8 } });
  const accounts = await Promise.all(['bob', 'cat', 'dan', 'eve'].map(async (username) => (await catalog.accounts.create({ username, role: 'creator', passwordHash: 'x' })).id));
  const ids = new Map<string, string>();
  const order = async (path: string, owner?: string): Promise<unknown> => ids.set(path, await add(`${origin}/${path}`, owner));
  const goes = async (path: string): Promise<void> => {
    while (!held.has(`/${path}`)) await sleep(5);
  };
  const endOf = async (path: string): Promise<void> => {
    held.get(`/${path}`)?.end('67890');
    t.match(await end(ids.get(path) ?? ''), { state: 'uploading', originalBytes: 10 }, path);
  };

  // A slow source has what its account is given, and no more.
  for (const path of ['slow1', 'slow2', 'slow3', 'slow4']) await order(path);
  await goes('slow1');
  await goes('slow2');
  t.match(imports.figures, { running: 2, waiting: 2 });
  for (const [index, account] of accounts.entries()) for (const path of ['a', 'b']) await order(`${path}${index}`, account);
  for (const path of ['a0', 'b0', 'a1', 'b1', 'a2', 'b2']) await goes(path);
  t.match(imports.figures, { running: 8, waiting: 4 });
  t.equal(asked.length, 8);
  for (const path of ['slow2', 'slow3', 'a3']) while (imports.progress(ids.get(path) ?? '')?.done !== (path === 'slow2' ? 0.5 : 0)) await sleep(5);
  // Who has nothing under way goes before who has waited longer.
  await endOf('b2');
  await goes('a3');
  t.notOk(held.has('/slow3'));
  await endOf('slow1');
  // One of each is under way: who has waited longest.
  await goes('slow3');
  t.notOk(held.has('/b3'));
  for (const path of ['slow2', 'slow3', 'a0', 'b0', 'a1', 'b1', 'a2', 'a3']) await endOf(path);
  for (const path of ['slow4', 'b3']) {
    await goes(path);
    await endOf(path);
  }
});

t.test('where one is fetched at a time, an account may have that one', async (t) => {
  const { origin } = await source(t, decent);
  const { add, end } = await stage(t, { imports: { mostAtOnce: 1 } });
  const ids = [await add(origin), await add(origin)];
  for (const id of ids) t.match(await end(id), { originalBytes: film.length });
});

t.test('removed, it is not fetched any more, and leaves nothing', async (t) => {
  let closed = 0;
  const { origin } = await source(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 }).write(film.subarray(0, 500_000));
    response.on('close', () => (closed += 1));
  });
  const { add, imports, catalog, events, uploads } = await stage(t);
  const ids = [await add(origin), await add(origin), await add(origin)];
  while (imports.progress(ids[0] ?? '')?.done !== 0.5) await sleep(5);
  for (const id of ids) await catalog.videos.remove(id);
  await events.settled();
  t.match(imports.figures, { running: 0, waiting: 0, failed: 0 });
  t.equal(uploads.figures.open, 0);
  while (closed < 2) await sleep(5);
  t.pass('and the lines are closed');
});

t.test('a restart goes on where it was', async (t) => {
  let hold = true;
  const { origin, asked } = await source(t, (request, response, from) => {
    if (!hold) return decent(request, response, from);
    response.writeHead(200, { 'content-length': film.length, etag: '"one"' }).write(film.subarray(0, 1_000_000));
  });
  const disk = new FakeDisk();
  const before = await stage(t, { uploads: { disk } });
  const id = await before.add(`${origin}/film.mp4`);
  while ((before.imports.progress(id)?.done ?? 0) < 0.333) await sleep(5);
  await before.imports.stop();
  await before.uploads.stop();
  t.match(await before.catalog.videos.get(id), { state: 'uploading' }, 'a stop is no failure');
  hold = false;
  // Enough for the rest, not for all of it again.
  disk.space = { free: 102_500_000, total: 1_000_000_000 };
  const after: { imports?: Imports } = {};
  const { uploads } = uploadsOn(before.catalog, before.clock, before.events, { disk, fetch: (wanted) => after.imports?.add(wanted), files: noFiles });
  after.imports = new Imports({ ...before.options, desk: uploads });
  t.teardown(async () => {
    await after.imports?.stop();
    await uploads.stop();
  });
  await uploads.start();
  t.match(await before.end(id), { originalBytes: film.length });
  t.equal(digest(await readFile(before.original(id))), digest(film));
  t.same(asked, [undefined, 'bytes=1000000-']);
});

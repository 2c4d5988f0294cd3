import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../packager/clock.ts';
import { uploadOf } from '../catalog/testing.ts';
import { Imports, type ImportsOptions } from './imports.ts';
import { SourceGuard } from './source-guard.ts';
import { FakeDisk, testUploads, uploadsOn } from './testing.ts';
import type { UploadsOptions } from './uploads.ts';

type Test = Parameters<typeof testUploads>[0] & { same(found: unknown, wanted: unknown, message: string): unknown };
type Serve = (request: IncomingMessage, response: ServerResponse, from: number) => void;

const film = Buffer.alloc(3_000_000, 'some film ').fill(Buffer.from('end'), 2_999_997);
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Where files come from; `asked` holds the range of each request. */
const source = async (t: Test, serve: Serve) => {
  const asked: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(request.headers.range);
    response.on('error', () => undefined);
    serve(request, response, Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0));
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
};

type Change = { readonly imports?: Partial<ImportsOptions>; readonly uploads?: Partial<UploadsOptions>; readonly from?: readonly string[] };

const stage = async (t: Test, { imports: change = {}, uploads: more = {}, from = ['127.0.0.0/8'] }: Change = {}) => {
  const made: { imports?: Imports } = {};
  const base = await testUploads(t, { ...more, fetch: (wanted) => made.imports?.add(wanted), files: { landed: async () => null, release: async (id) => made.imports?.release(id) } });
  const { catalog, uploads, ownerId, folder } = base;
  const limits = { headMs: 2_000, slowMs: 300, slowBytes: 1_000, failures: 4, firstPauseMs: 5, ...change.limits };
  const said = (facts: object, message: string): unknown => t.same(facts, {}, message);
  const options: ImportsOptions = { desk: uploads, catalog, guard: new SourceGuard(from), clock: systemClock, log: { error: said, warn: said, info: () => undefined } as never, maxSize: 1e9, timeMs: 20_000, ...change, limits };
  const imports = new Imports(options);
  made.imports = imports;
  t.teardown(() => imports.stop());
  const add = async (url: string, owner = ownerId): Promise<string> => {
    const outcome = await uploads.create(uploadOf(owner, { size: 0, source: 'import' }), url);
    if (outcome.kind !== 'made') throw new Error(outcome.kind);
    return outcome.video.id;
  };
  /** Whole, or failed. */
  const end = async (id: string) => {
    for (;;) {
      const [video, upload] = [await catalog.videos.get(id), await catalog.uploads.get(id)];
      if (!video || video.state === 'failed' || upload?.wholeAt) return video;
      await sleep(5);
    }
  };
  const original = (id: string) => join(folder, 'videos', id, 'original');
  const cleared = async (id: string): Promise<boolean> => {
    await base.events.settled();
    return (await readdir(join(folder, 'videos', id)).catch(() => [])).length === 0;
  };
  return { ...base, imports, add, end, original, cleared, options };
};

/** As a decent server does it. */
const decent: Serve = (_request, response, from) => {
  const part = film.subarray(from);
  const range = from > 0 ? { 'content-range': `bytes ${from}-${film.length - 1}/${film.length}` } : {};
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, etag: '"one"', 'content-type': 'video/mp4', ...range });
  response.end(part);
};

/** Sends so much of it, and breaks. */
const breaksAfter = (bytes: number, head: (from: number) => object): Serve => (_request, response, from) => {
  response.writeHead(from > 0 ? 206 : 200, head(from) as Record<string, string>);
  // What has not been read when a line breaks is lost with it.
  response.write(film.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 30));
};

t.test('a file is fetched whole, seen while it comes, and handed over', async (t) => {
  const { origin } = await source(t, decent);
  const { add, end, original, intake, ownerId, catalog, imports } = await stage(t);
  const id = await add(`${origin}/film.mp4`);
  t.match(await end(id), { originalBytes: film.length });
  t.equal(digest(await readFile(original(id))), digest(film));
  while (!intake.told.some(([what]) => what === 'whole')) await turn();
  t.same([...new Set(intake.told.map(([what]) => what))], ['arrived', 'whole']);
  t.equal(intake.arriving.get(id)?.size, film.length);
  t.equal((await catalog.uploads.room(ownerId, 0)).used, film.length);
  t.notOk(existsSync(`${original(id)}.import`));
  t.equal(imports.progress(id), null);
  t.match(imports.figures, { fetched: 1, failed: 0, running: 0 });
});

t.test('a line that breaks again and again is taken up where it broke', async (t) => {
  const { origin, asked } = await source(t, breaksAfter(1_200_000, (from) => ({ etag: '"one"', 'content-length': film.length - from, ...(from > 0 && { 'content-range': `bytes ${from}-${film.length - 1}/${film.length}` }) })));
  const { add, end, original } = await stage(t);
  const id = await add(`${origin}/film.mp4`);
  t.match(await end(id), { state: 'uploading' });
  t.equal(digest(await readFile(original(id))), digest(film));
  t.same(asked, [undefined, 'bytes=1200000-', 'bytes=2400000-']);
});

t.test('a server that cannot go on in the middle is read from the beginning, and nothing is written twice', async (t) => {
  let answers = 0;
  const { origin } = await source(t, (_request, response) => {
    answers += 1;
    response.writeHead(200, { 'content-length': film.length, 'last-modified': 'Sat, 21 Nov 2026 10:00:00 GMT' });
    if (answers < 3) response.write(film.subarray(0, answers * 1_200_000), () => response.destroy());
    else response.end(film);
  });
  const { add, end, original, intake } = await stage(t);
  const id = await add(origin);
  await end(id);
  t.equal(digest(await readFile(original(id))), digest(film));
  t.ok(intake.arriving.get(id)?.has(0, film.length));
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

t.test('what cannot be fetched is a video that says why, and leaves no file', async (t) => {
  const { origin } = await source(t, (request, response, from) => {
    const path = request.url ?? '';
    const status = Number(/^\/status\/(\d+)/.exec(path)?.[1] ?? 0);
    if (status > 0) response.writeHead(status, { 'content-length': 0 }).end();
    else if (path === '/page') response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>film.mp4</p>');
    else if (path === '/gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    else if (path === '/empty') response.writeHead(200, { 'content-length': 0 }).end();
    else if (path === '/nothing') response.writeHead(200).end();
    else if (path === '/large') response.writeHead(200, { 'content-length': 2e9 }).write('x');
    else if (path === '/endless') {
      response.writeHead(200);
      const more = (): void => void response.write(film, (error) => (error ? undefined : more()));
      more();
    } else if (path === '/more') {
      // 100 bytes, then all the rest of something else.
      if (from === 0) breaksAfter(100, () => ({ 'content-length': 200, etag: '"m"' }))(request, response, 0);
      else response.writeHead(206, { 'content-range': `bytes 100-199/200`, 'content-length': 5_000 }).end(film.subarray(0, 5_000));
    } else if (path === '/elsewhere') {
      if (from === 0) breaksAfter(100, () => ({ 'content-length': 200, etag: '"m"' }))(request, response, 0);
      else response.writeHead(206, { 'content-range': `bytes 50-199/200`, 'content-length': 150 }).end(film.subarray(50, 200));
    } else if (path === '/changed') {
      breaksAfter(100, () => ({ 'content-length': 200, etag: `"${Math.random()}"` }))(request, response, 0);
    } else if (path === '/silent') {
      response.writeHead(200, { 'content-length': 1_000 }).write('x');
    } else if (path.startsWith('/loop')) response.writeHead(302, { location: `/loop${Math.random()}` }).end();
    else if (path === '/inside') response.writeHead(301, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    else if (path === '/scheme') response.writeHead(301, { location: 'file:///etc/passwd' }).end();
    else if (path === '/login') response.writeHead(307, { location: 'http://a:b@127.0.0.1/' }).end();
    else if (path === '/broken') response.writeHead(308, { location: 'http://[' }).end();
    else if (path === '/not-http') request.socket.end('220 smtp.example ESMTP\r\n');
    else request.socket.destroy();
  });
  const { add, end, original, cleared, imports, catalog, ownerId } = await stage(t, { imports: { maxSize: 50e6 } });
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['/status/404', 'import-failed', /says 404: there is nothing\./],
    ['/status/401', 'import-failed', /wants a login/],
    ['/status/204', 'import-failed', /says 204\./],
    ['/status/304', 'import-failed', /says 304/],
    ['/status/500', 'import-failed', /says 500/],
    ['/page', 'not-a-video', /leads to a page/],
    ['/gzip', 'import-failed', /compressed form/],
    ['/empty', 'not-a-video', /is empty/],
    ['/nothing', 'not-a-video', /is empty/],
    ['/large', 'no-room', /larger than 0\.05 GB/],
    ['/endless', 'no-room', /larger than 0\.05 GB/],
    ['/more', 'import-failed', /sends more than it said/],
    ['/elsewhere', 'import-failed', /another part of the file/],
    ['/changed', 'import-failed', /changed while it was being fetched/],
    ['/silent', 'import-failed', /next to nothing/],
    ['/loop', 'import-failed', /sends on more than 5 times/],
    ['/inside', 'import-failed', /169\.254\.169\.254 leads to no public address/],
    ['/scheme', 'import-failed', /http and https only/],
    ['/login', 'import-failed', /name or a password/],
    ['/broken', 'import-failed', /something that is none/],
    ['/not-http', 'import-failed', /does not speak the protocol/],
    ['/reset', 'import-failed', /connection broke/],
  ];
  const ids = await Promise.all(cases.map(([path]) => add(origin + path)));
  for (const [index, [path, code, said]] of cases.entries()) {
    const id = ids[index] ?? '';
    t.match(await end(id), { state: 'failed', errorCode: code, errorMessage: said }, path);
    t.ok(await cleared(id), `${path} leaves nothing`);
    t.notOk(existsSync(original(id)), path);
  }
  t.equal((await catalog.uploads.room(ownerId, 0)).used, 0, 'and takes no room');
  t.match(imports.figures, { failed: cases.length, running: 0, waiting: 0 });
});

t.test('an address that is not public is not connected to, whatever it is called', async (t) => {
  const { origin, asked } = await source(t, decent);
  const port = new URL(origin).port;
  const { add, end } = await stage(t, { from: [] });
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0']) t.match(await end(await add(`http://${host}:${port}/film.mp4`)), { state: 'failed', errorMessage: /leads to no public address/ }, host);
  // A name that leads inside as soon as it is looked up again.
  let looks = 0;
  const guard = new SourceGuard([], async () => [{ address: (looks += 1) === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 }]);
  const rebound = await stage(t, { imports: { guard } });
  t.match(await rebound.end(await rebound.add(`http://rebinding.example:${port}/`)), { state: 'failed', errorMessage: /leads to no public address/ });
  t.equal(looks, 1, 'it is looked up once, and judged as it was found');
  t.same(asked, [], 'nobody was asked anything');
});

t.test('a redirect is followed, and each step looked up by itself', async (t) => {
  const { origin } = await source(t, (request, response, from) => {
    if (request.url === '/film.mp4') decent(request, response, from);
    else response.writeHead(302, { location: request.url === '/one' ? '/two' : `${origin.replace('127.0.0.1', 'files.test')}/film.mp4` }).end('ignored');
  });
  const guard = new SourceGuard(['127.0.0.1', 'files.test'], async () => [{ address: '127.0.0.1', family: 4 }]);
  const { add, end, original } = await stage(t, { imports: { guard } });
  const id = await add(`${origin}/one`);
  await end(id);
  t.equal(digest(await readFile(original(id))), digest(film));
});

t.test('the environment’s proxies are not asked, and no secrets sent', async (t) => {
  const heads: IncomingMessage['headers'][] = [];
  const { origin } = await source(t, (request, response, from) => {
    heads.push(request.headers);
    decent(request, response, from);
  });
  for (const name of ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']) {
    const before = process.env[name];
    process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : 'http://127.0.0.1:9/';
    t.teardown(() => (before === undefined ? delete process.env[name] : (process.env[name] = before)));
  }
  const { add, end } = await stage(t);
  t.match(await end(await add(origin)), { state: 'uploading' });
  t.same(heads.map((head) => Object.keys(head).sort()), [['accept', 'accept-encoding', 'connection', 'host', 'user-agent']]);
  t.match(heads[0], { 'accept-encoding': 'identity', connection: 'close' });
});

t.test('a file is cut at what the account may keep, known size or not', async (t) => {
  const { origin } = await source(t, (request, response, from) => (request.url === '/said' ? decent(request, response, from) : response.writeHead(200).end(film)));
  const { add, end, ownerId, catalog } = await stage(t, { uploads: { usualQuota: 2_000_000 } });
  for (const path of ['/said', '/unsaid']) t.match(await end(await add(origin + path)), { state: 'failed', errorCode: 'no-room', errorMessage: /your account may still keep/ }, path);
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

t.test('what takes too long is given up', async (t) => {
  const { origin } = await source(t, (_request, response) => {
    response.writeHead(200, { 'content-length': film.length, etag: '"slow"' });
    const timer = setInterval(() => response.write(film.subarray(0, 1_000)), 20);
    response.on('close', () => clearInterval(timer));
  });
  const { add, end, cleared } = await stage(t, { imports: { timeMs: 400 } });
  const id = await add(origin);
  t.match(await end(id), { state: 'failed', errorCode: 'took-too-long' });
  t.ok(await cleared(id));
});

t.test('two are fetched at once, of whoever has none first; the others wait, and say so', async (t) => {
  const held: ServerResponse[] = [];
  const { origin, asked } = await source(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('12345');
    held.push(response);
  });
  const { add, end, imports, catalog } = await stage(t, { imports: { limits: { slowMs: 60_000 } } });
  const other = (await catalog.accounts.create({ username: 'bob', role: 'creator', passwordHash: 'x' })).id;
  const ids = [await add(`${origin}/1`), await add(`${origin}/2`), await add(`${origin}/3`), await add(`${origin}/4`, other)];
  while (held.length < 2) await sleep(5);
  await sleep(30);
  t.equal(asked.length, 2);
  t.match(imports.figures, { running: 2, waiting: 2 });
  t.match(ids.map((id) => imports.progress(id)), [{ step: 'import', done: 0.5 }, { step: 'import', done: 0.5 }, { step: 'import', done: 0 }, { step: 'import', done: 0 }]);
  held[0]?.end('67890');
  await end(ids[0] ?? '');
  while (held.length < 3) await sleep(5);
  while (imports.progress(ids[3] ?? '')?.done === 0) await sleep(5);
  t.match(imports.progress(ids[2] ?? ''), { done: 0 }, 'the other account’s goes before the third of the first');
  for (let index = 1; index < 4; index += 1) {
    while (held.length <= index) await sleep(5);
    held[index]?.end('67890');
  }
  for (const id of ids) t.match(await end(id), { state: 'uploading', originalBytes: 10 });
});

t.test('removed, it is not fetched any more, and leaves nothing', async (t) => {
  let closed = 0;
  const { origin } = await source(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 }).write(film.subarray(0, 500_000));
    response.on('close', () => (closed += 1));
  });
  const { add, imports, catalog, events, uploads } = await stage(t, { imports: { limits: { slowMs: 60_000 } } });
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
  const before = await stage(t, { imports: { limits: { slowMs: 60_000 } } });
  const id = await before.add(`${origin}/film.mp4`);
  while ((before.imports.progress(id)?.done ?? 0) < 0.333) await sleep(5);
  await before.imports.stop();
  await before.uploads.stop();
  t.match(await before.catalog.videos.get(id), { state: 'uploading' }, 'a stop is no failure');
  hold = false;
  const after: { imports?: Imports } = {};
  const { uploads } = uploadsOn(before.catalog, before.clock, before.events, { fetch: (wanted) => after.imports?.add(wanted), files: { landed: async () => null, release: async () => undefined } });
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

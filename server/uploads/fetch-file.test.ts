import { existsSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../packager/clock.ts';
import { fetchFile, fetchLimits } from './fetch-file.ts';
import { ImportFile } from './import-file.ts';
import { SourceGuard } from './source-guard.ts';
import { breaksAfter, decent, digest, film, source, stage } from './test-source.ts';

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
    ['/status/404', 'import-missing', /says 404: there is nothing\./],
    ['/status/401', 'import-forbidden', /wants a login/],
    ['/status/204', 'import-unreachable', /says 204\./],
    ['/status/304', 'import-unreachable', /says 304/],
    ['/status/500', 'import-unreachable', /says 500/],
    ['/page', 'import-page', /leads to a page/],
    ['/gzip', 'import-contradicts', /compressed form/],
    ['/empty', 'import-empty', /is empty/],
    ['/nothing', 'import-empty', /is empty/],
    ['/large', 'too-large', /larger than 0\.05 GB/],
    ['/endless', 'too-large', /larger than 0\.05 GB/],
    ['/more', 'import-contradicts', /sends more than it said/],
    ['/elsewhere', 'import-contradicts', /another part of the file/],
    ['/changed', 'import-contradicts', /changed while it was being fetched/],
    ['/loop', 'import-contradicts', /sends on more than 5 times/],
    ['/inside', 'import-refused', /169\.254\.169\.254 leads to no public address/],
    ['/scheme', 'import-refused', /http and https only/],
    ['/login', 'import-refused', /name or a password/],
    ['/broken', 'import-contradicts', /something that is none/],
    ['/not-http', 'import-unreachable', /does not speak the protocol/],
    ['/reset', 'import-unreachable', /connection broke/],
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

t.test('a server that sends next to nothing is not waited for', async (t) => {
  const { origin, asked } = await source(t, (_request, response) => void response.writeHead(200, { 'content-length': 1_000 }).write('x'));
  const { add, end } = await stage(t, { imports: { limits: { slowMs: 100, failures: 3 } } });
  t.match(await end(await add(origin)), { state: 'failed', errorCode: 'import-unreachable', errorMessage: /next to nothing/ });
  t.equal(asked.length, 3, 'though it is asked more than once');
});

t.test('an address that is not public is not connected to, whatever it is called', async (t) => {
  const { origin, asked } = await source(t, decent);
  const port = new URL(origin).port;
  const { add, end } = await stage(t, { from: [] });
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0']) t.match(await end(await add(`http://${host}:${port}/film.mp4`)), { state: 'failed', errorMessage: /leads to no public address/ }, host);
  // A name that leads inside as soon as it is looked up again.
  let looks = 0;
  const guard = new SourceGuard([], { resolve: async () => [{ address: (looks += 1) === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 }] });
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
  const guard = new SourceGuard(['127.0.0.1', 'files.test'], { resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
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

t.test('killed between its last byte and the note of it, it is not fetched again, whether it had a size or not', async (t) => {
  const { origin, asked } = await source(t, (request, response, from) => (request.url === '/said' ? decent(request, response, from) : response.writeHead(200).end(film)));
  for (const path of ['/said', '/unsaid']) {
    const place = join(t.testdir(), 'original');
    const fetch = async (): Promise<number> => {
      const file = await ImportFile.open(place);
      const nothing = async (): Promise<void> => undefined;
      await fetchFile({ url: new URL(origin + path), file, guard: new SourceGuard(['127.0.0.1']), clock: systemClock, signal: new AbortController().signal, limits: { ...fetchLimits, maxSize: 1e9 }, sized: nothing, grows: nothing, arrived: () => undefined });
      await file.finish();
      return file.bytes;
    };
    asked.length = 0;
    t.same([await fetch(), await fetch()], [film.length, film.length]);
    t.equal(asked.length, 1);
    t.equal(digest(await readFile(place)), digest(film));
    await truncate(place, 1_000_000);
    t.equal(await fetch(), film.length, 'a note of more than there is is not believed');
    await writeFile(`${place}.import`, '{"bytes": 5, "si');
    t.equal(await fetch(), film.length, 'nor a torn one');
    t.equal(digest(await readFile(place)), digest(film));
  }
});

/** A whole server that fetches files: from where it may, and not from where it may not. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { clip } from './support/clips.ts';
import { freePorts, startServer } from './support/server.ts';

const data = mkdtempSync(path.join(tmpdir(), 'millrace-imports-'));
const ports = await freePorts();
// One address of loopback may be fetched from, and no other.
const env = { MILLRACE_UPLOADS_IMPORT_FROM: '127.0.0.2', MILLRACE_UPLOADS_MAX_SIZE: '50MB' };
let server = await startServer({ data, ports, env });
let token = await server.login();
t.teardown(async () => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

const film = await readFile((await clip()).file);
const half = Math.floor(film.length / 2);
/** Paths that are waited with until somebody says so. */
const held: ServerResponse[] = [];
let asked: string[] = [];

const serve = (request: IncomingMessage, response: ServerResponse): void => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  asked.push(`${request.url ?? ''} ${from}`);
  const head = { etag: '"film"', 'content-length': film.length - from, ...(from > 0 && { 'content-range': `bytes ${from}-${film.length - 1}/${film.length}` }) };
  switch (request.url) {
    case '/film.mp4':
      return void response.writeHead(from > 0 ? 206 : 200, head).end(film.subarray(from));
    case '/moved':
      return void response.writeHead(302, { location: '/film.mp4' }).end();
    case '/inside':
      return void response.writeHead(302, { location: `http://127.0.0.1:${port}/film.mp4` }).end();
    case '/name':
      return void response.writeHead(302, { location: `http://localhost:${port}/film.mp4` }).end();
    case '/held':
      response.writeHead(from > 0 ? 206 : 200, head).write(film.subarray(from, from > 0 ? from + 10 : half));
      return void held.push(response);
    case '/text':
      return void response.writeHead(200, { 'content-type': 'video/mp4' }).end('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n');
    case '/large':
      return void response.writeHead(200, { 'content-length': 60e6 }).write('x');
    default:
      return void response.writeHead(404).end();
  }
};

const sockets = new Set<Socket>();
const near = createServer(serve).listen(0, '127.0.0.2');
await once(near, 'listening');
const { port } = near.address() as AddressInfo;
const origin = `http://127.0.0.2:${port}`;
/** The same on the address that is not to be fetched from. */
const forbidden = createServer(serve).listen(port, '127.0.0.1');
await once(forbidden, 'listening');
for (const one of [near, forbidden]) one.on('connection', (socket) => sockets.add(socket));
t.teardown(() => {
  for (const socket of sockets) socket.destroy();
  near.close();
  forbidden.close();
});

type Video = { readonly id: string; readonly state: string; readonly error: { readonly code: string; readonly message: string } | null; readonly progress: { readonly step: string; readonly done: number | null } | null };

const fetchIt = (url: string): Promise<Video> => server.must<Video>('POST', 'videos/import', { url, ladder: 'source' }, token);
const seen = (id: string): Promise<Video> => server.must<Video>('GET', `videos/${id}`, undefined, token);
const end = async (id: string, isEnd = ({ state }: Video): boolean => state === 'ready' || state === 'failed'): Promise<Video> => {
  for (const giveUpAt = performance.now() + 20_000; ; ) {
    const video = await seen(id);
    if (isEnd(video) || performance.now() > giveUpAt) return video;
    await sleep(50);
  }
};
const original = (id: string): string => path.join(data, 'videos', id, 'original');

t.test('a file is fetched from where it may be, and is a video like any other', async (t) => {
  for (const where of ['/film.mp4', '/moved']) {
    const { id } = await fetchIt(origin + where);
    t.match(await end(id), { state: 'ready', source: 'import', error: null, progress: null }, where);
    t.ok((await readFile(original(id))).equals(film));
    t.same(existsSync(`${original(id)}.import`), false);
    const { hls } = await server.must<{ hls: string }>('POST', `videos/${id}/playback`, {}, token);
    t.match(await (await fetch(hls)).text(), /^#EXTM3U[^]*#EXT-X-STREAM-INF/);
  }
});

t.test('what is inside is not asked, however it is called and whoever sends on to it', async (t) => {
  asked = [];
  for (const host of ['127.0.0.1', '[::1]', '2130706433', '169.254.169.254', '10.0.0.1']) {
    t.match(await server.api('POST', 'videos/import', { url: `http://${host}:${port}/film.mp4` }, token), { status: 422, body: { code: 'address-not-allowed' } }, host);
  }
  for (const url of [`http://localhost:${port}/film.mp4`, `${origin}/inside`, `${origin}/name`]) {
    t.match(await end((await fetchIt(url)).id), { state: 'failed', error: { code: 'import-refused', message: /leads to no public address/ } }, url);
  }
  t.same(asked.sort(), ['/inside 0', '/name 0']);
});

t.test('where an address sent on to is for its owner alone to know', async (t) => {
  const { id } = await server.must<Video>('POST', 'videos/import', { url: `${origin}/inside`, visibility: 'public', ladder: 'source' }, token);
  t.match((await end(id)).error, { code: 'import-refused', message: /127\.0\.0\.1/ });
  const stranger = await server.api('GET', `videos/${id}`);
  t.match(stranger.body, { error: { code: 'import-refused', message: 'The file could not be fetched.' } });
  const playing = await server.api('POST', `videos/${id}/playback`, {});
  t.match(playing, { status: 409, body: { code: 'not-playable' } });
  for (const { body } of [stranger, playing]) t.notMatch(JSON.stringify(body), /leads to/);
});

t.test('what is no film, too large or not there fails with its reason', async (t) => {
  const cases = [['/text', 'not-a-video'], ['/large', 'too-large'], ['/nothing', 'import-missing']] as const;
  for (const [where, code] of cases) {
    const { id } = await fetchIt(origin + where);
    t.match(await end(id), { state: 'failed', error: { code } }, where);
  }
});

t.test('stopped in the middle, it goes on where it was; removed, it ends', async (t) => {
  asked = [];
  const { id } = await fetchIt(`${origin}/held`);
  t.match(await end(id, ({ progress }) => (progress?.done ?? 0) > 0.4), { state: /uploading|playable/, progress: { step: 'import', done: 0.5 } });
  await server.stop();
  server = await startServer({ data, ports, env });
  token = await server.login();
  await end(id, () => asked.length === 2);
  t.same(asked, ['/held 0', `/held ${half}`]);
  const [, second] = held;
  const closed = second && once(second, 'close');
  await server.must('DELETE', `videos/${id}`, undefined, token);
  await closed;
  t.equal((await server.api('GET', `videos/${id}`, undefined, token)).status, 404);
});

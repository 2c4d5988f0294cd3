/** Files sent to a whole server, over lines that break and through deaths of the server, by tus and in parts. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Upload as TusUpload } from 'tus-js-client';
import { WebSocket } from 'ws';
import { clip } from './support/clips.ts';
import { cuttingLine } from './support/cutting-line.ts';
import { putPart, sendParts, type PartAddresses } from './support/part-sender.ts';
import { Random } from './support/random.ts';
import { freePorts, startServer, type MillraceServer } from './support/server.ts';
import { nothingBehind } from './support/upload.ts';

const data = mkdtempSync(path.join(tmpdir(), 'millrace-uploads-'));
const ports = await freePorts();
// Whatever is logged at all must hold no address.
const loud = { ...nothingBehind, MILLRACE_LOG_LEVEL: 'trace' };
let server = await startServer({ data, ports, env: loud });
let token = await server.login();
t.teardown(async () => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

/** The same folder and ports again: addresses stay good. */
const restart = async (env: Record<string, string> = {}, how: 'kill9' | 'stop' = 'kill9'): Promise<void> => {
  await server[how]();
  server = await startServer({ data, ports, env: { ...loud, ...env } });
  token = await server.login();
};

type Made = { readonly id: string; readonly upload: { readonly tus: string; readonly parts: PartAddresses & { readonly expiresAt: string } } };
type Video = { readonly state: string; readonly error: { readonly code: string } | null; readonly upload: { readonly received: number } | null; readonly progress: unknown };

const promise = (filename: string, size: number, more: object = {}): Promise<Made> => server.must<Made>('POST', 'videos', { filename, size, ...more }, token);
const original = (id: string): string => path.join(data, 'videos', id, 'original');
const seen = (id: string): Promise<Video> => server.must<Video>('GET', `videos/${id}`, undefined, token);

/** Until it is so, or a while has passed. */
const until = async <T>(look: () => Promise<T>, isSo: (value: T) => boolean, ms = 15_000): Promise<T> => {
  for (const giveUpAt = performance.now() + ms; ; ) {
    const value = await look();
    if (isSo(value) || performance.now() > giveUpAt) return value;
    await sleep(50);
  }
};

/** A film, and behind it a box of so much noise that no player looks into. */
const film = async (noise: number, seed: number): Promise<Buffer> => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(noise + 8);
  head.write('free', 4);
  return Buffer.concat([await readFile((await clip()).file), head, new Random(seed).bytes(noise)]);
};

const sendByTus = (uploadUrl: string, bytes: Buffer, onProgress: (sent: number) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const upload = new TusUpload(bytes, { uploadUrl, retryDelays: Array.from({ length: 600 }, () => 100), onSuccess: () => resolve(), onError: reject, onProgress });
    upload.start();
  });

t.test('cut ten times each, and the server killed three times: every byte is where it belongs, once', async (t) => {
  const files = { tus: await film(12e6, 1), parts: await film(12e6 + 12_345, 2) };
  const lines = { tus: await cuttingLine(ports.http, { times: 10, after: 500_000, seed: 3 }), parts: await cuttingLine(ports.http, { times: 10, after: 500_000, seed: 4 }) };
  t.teardown(() => Promise.all([lines.tus.close(), lines.parts.close()]));
  const made = { tus: await promise('tus.mp4', files.tus.length), parts: await promise('parts.mp4', files.parts.length, { visibility: 'public' }) };
  const through = (url: string, line: { readonly origin: string }): string => url.replace(server.origin, line.origin);
  const { url, status, finish } = made.parts.upload.parts;
  let sent = 0;
  let killed = 0;
  /** At a quarter, a half and three quarters of both. */
  const marks = [0.25, 0.5, 0.75].map((share) => share * (files.tus.length + files.parts.length));
  let dying: Promise<void> = Promise.resolve();
  const landed = (bytes: number): void => {
    sent += bytes;
    if (killed < marks.length && sent >= (marks[killed] ?? Infinity)) {
      killed += 1;
      dying = dying.then(() => restart());
    }
  };
  let before = 0;
  const [, outcome] = await Promise.all([
    sendByTus(through(made.tus.upload.tus, lines.tus), files.tus, (bytes) => {
      landed(Math.max(0, bytes - before));
      before = Math.max(before, bytes);
    }),
    sendParts({ url: through(url, lines.parts), status: through(status, lines.parts), finish: through(finish, lines.parts) }, files.parts, { partSize: 2 ** 18, landed }),
  ]);
  await dying;
  t.equal(killed, 3);
  t.equal(lines.tus.cuts, 10);
  t.equal(lines.parts.cuts, 10);
  t.match(outcome.finish, { whole: true, video: made.parts.id });
  for (const way of ['tus', 'parts'] as const) {
    const { id } = made[way];
    const video = await until(() => seen(id), ({ state }) => state === 'ready' || state === 'failed');
    t.match(video, { state: 'ready', error: null, upload: null }, way);
    t.ok((await readFile(original(id))).equals(files[way]), `${way}: byte for byte`);
    t.same(readdirSync(path.dirname(original(id))).filter((name) => name.startsWith('original')), ['original'], 'and nothing is left of how it came');
    t.match(await server.api('POST', `videos/${id}/upload`, undefined, token), { status: 409, body: { code: 'upload-over' } });
  }
  const again = await fetch(finish, { method: 'POST' });
  t.match([again.status, await again.json()], [200, { whole: true, video: made.parts.id }], 'said again, it is the same');
  await restart({}, 'stop');
  t.match(await seen(made.tus.id), { state: 'ready' });
  t.equal((await fetch(finish, { method: 'POST' })).status, 200, 'also after a restart');
});

t.test('another machine goes on with an address of its own, and what came stays', async (t) => {
  const bytes = await film(2e6, 5);
  const { id, upload } = await promise('one.mp4', bytes.length);
  const size = 2 ** 20;
  t.ok((await putPart(upload.parts, bytes, 1, size)).ok);
  t.match(await seen(id), { state: 'uploading', upload: { received: size } });
  // Of two others all parts come, and nobody says so; with the last one of them the server dies.
  const left = [await promise('left.mp4', bytes.length), await promise('leaving.mp4', bytes.length)];
  const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, part) => part);
  for (const { upload } of left) for (const part of parts) t.ok((await putPart(upload.parts, bytes, part, size)).ok);
  await restart();
  for (const { id } of left) {
    t.match(await until(() => seen(id), ({ state }) => state === 'ready'), { state: 'ready', upload: null }, 'it has become whole by itself');
    t.ok((await readFile(original(id))).equals(bytes));
  }
  t.match(await seen(id), { upload: { received: size } }, 'the server knows what it had');
  t.match(await server.must('GET', 'videos?mine=true&state=uploading', undefined, token), { items: [{ id, upload: { received: size, size: bytes.length } }] });
  const { upload: fresh } = await server.must<Made>('POST', `videos/${id}/upload`, undefined, token);
  t.match(fresh, { received: size });
  t.match(await server.must('PATCH', `videos/${id}`, { title: 'Another' }, token), { title: 'Another', state: 'uploading' });
  const { sent } = await sendParts(fresh.parts, bytes, { partSize: size });
  t.equal(sent, Math.ceil(bytes.length / size) - 1, 'what was there is not sent again');
  t.match(await until(() => seen(id), ({ state }) => state === 'ready'), { state: 'ready', title: 'Another' });
  t.ok((await readFile(original(id))).equals(bytes));
});

t.test('cancelled, by its sender or its owner, or given up: nothing is left', async (t) => {
  const bytes = await film(1e6, 6);
  const start = async (name: string): Promise<Made> => {
    const made = await promise(name, bytes.length);
    const body = new Uint8Array(bytes.subarray(0, 2 ** 18));
    t.equal((await fetch(made.upload.tus, { method: 'PATCH', body, headers: { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' } })).status, 204);
    t.equal(statSync(original(made.id)).size, bytes.length);
    return made;
  };
  const gone = async ({ id, upload }: Made): Promise<void> => {
    t.equal((await server.api('GET', `videos/${id}`, undefined, token)).status, 404);
    await until(async () => existsSync(path.dirname(original(id))), (there) => !there);
    t.notOk(existsSync(path.dirname(original(id))));
    t.equal((await fetch(upload.parts.status)).status, 410);
  };
  const bySender = await start('sender.mp4');
  t.equal((await fetch(bySender.upload.tus, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } })).status, 204);
  await gone(bySender);
  const byOwner = await start('owner.mp4');
  await server.must('DELETE', `videos/${byOwner.id}`, undefined, token);
  await gone(byOwner);
  await restart({ MILLRACE_UPLOADS_EXPIRE: '3s' });
  const idle = await start('idle.mp4');
  await until(() => server.api('GET', `videos/${idle.id}`, undefined, token), ({ status }) => status === 404);
  await gone(idle);
});

t.test('a full disk is said before it hurts, and when there is room again the upload goes on', async (t) => {
  await restart();
  const bytes = await film(1e6, 7);
  const { id, upload } = await promise('late.mp4', bytes.length);
  await restart({ MILLRACE_DISK_WARN: '0.0001', MILLRACE_DISK_REFUSE: '0.0001' });
  t.match(await server.api('POST', 'videos', { filename: 'new.mp4', size: 10 }, token), { status: 507, body: { code: 'disk-full' } });
  const put = await putPart(upload.parts, bytes, 0, 2 ** 18);
  t.match([put.status, await put.json()], [507, { code: 'disk-full' }]);
  await restart();
  await sendParts(upload.parts, bytes);
  t.match(await until(() => seen(id), ({ state }) => state === 'ready'), { state: 'ready' });
});

t.test('of many who ask for the last room at once, one gets it', async (t) => {
  const { used } = await server.must<{ used: number }>('GET', 'me', undefined, token);
  const { id } = await server.must<{ id: string }>('GET', 'me', undefined, token);
  t.match(await server.must('PATCH', `accounts/${id}`, { quota: used + 1_000_000 }, token), { limit: used + 1_000_000 });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => server.api('POST', 'videos', { filename: `${index}.mp4`, size: 600_000 }, token)));
  t.same(answers.map(({ status }) => status).sort(), [201, ...Array.from({ length: 9 }, () => 403)]);
  t.match(answers.find(({ status }) => status === 403)?.body, { code: 'quota-exceeded' });
  await server.must('PATCH', `accounts/${id}`, { quota: null }, token);
});

type Told = { readonly type: string; readonly data: { readonly state: string; readonly upload: { readonly received: number } | null; readonly duration: number | null } };

const listen = async (server: MillraceServer, topic: string, bearer: string): Promise<{ told: Told[]; close: () => void }> => {
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/api/v1/ws`, { headers: { authorization: `Bearer ${bearer}` } });
  await once(socket, 'open');
  const told: Told[] = [];
  socket.on('message', (message) => told.push(JSON.parse(String(message)) as Told));
  socket.send(JSON.stringify({ subscribe: topic }));
  await until(async () => told.length, (count) => count > 0);
  return { told, close: () => socket.close() };
};

t.test('whoever listens hears how far it is, until it can be played', async (t) => {
  const bytes = await film(2e6, 8);
  const { id, upload } = await promise('heard.mp4', bytes.length);
  const owner = await listen(server, `video:${id}`, token);
  t.teardown(() => owner.close());
  const { username, password } = { username: 'stranger', password: 'a long password' };
  await server.must('POST', 'accounts', { username, password, role: 'creator' }, token);
  const stranger = await listen(server, `video:${id}`, await server.login(username, password));
  t.teardown(() => stranger.close());
  t.match(stranger.told, [{ type: 'error', data: { code: 'not-found' } }]);
  t.match(owner.told[0], { type: 'snapshot', data: { state: 'uploading', upload: { received: 0, size: bytes.length } } });
  await sendParts(upload.parts, bytes, { partSize: 2 ** 18, parallel: 1 });
  await until(async () => owner.told.at(-1)?.data.state, (state) => state === 'ready');
  const received = owner.told.flatMap(({ data }) => (data.upload ? [data.upload.received] : []));
  t.same(received, received.toSorted((a, b) => a - b), 'what has come only grows');
  t.ok(received.length > 1);
  t.match(owner.told.at(-1)?.data, { state: 'ready', upload: null, error: null });
  t.ok(Math.abs((owner.told.at(-1)?.data.duration ?? 0) - 8) < 0.1);
});

t.test('the metrics count what came', async (t) => {
  const metrics = await (await fetch(`${server.origin}/metrics`)).text();
  t.ok(Number(/^millrace_uploads_received_bytes_total (\d+)$/m.exec(metrics)?.[1]) >= 2e6);
  t.equal(/^millrace_uploads_open (\d+)$/m.exec(metrics)?.[1], '1', 'that of the last room');
});

t.test('no address of an upload is in the log', async (t) => {
  t.notMatch(server.log, /\/upload\/[A-Za-z0-9_-]{20}/);
  t.notMatch(server.log, /"level":(50|60)/, 'and nothing went wrong');
});

/**
 * A whole server that is killed (SIGKILL) while it fetches a file, and between the last byte and the moment that the video
 * is ready: the next one ends what was begun, byte by byte, and nothing is there half or twice.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { clip } from './support/clips.ts';
import { encoded } from './support/encoded.ts';
import { jobFolders, noPrograms } from './support/left-behind.ts';
import { Random } from './support/random.ts';
import { freePorts, startServer } from './support/server.ts';
import { createUpload, finish, partsOf, sendParts, type Created } from './support/upload.ts';

const data = mkdtempSync(path.join(tmpdir(), 'millrace-killed-'));
const ports = await freePorts();
const env = { MILLRACE_UPLOADS_IMPORT_FROM: '127.0.0.2' };
let server = await startServer({ data, ports, env });
let token = await server.login();
t.teardown(async () => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});
const killed = async (): Promise<void> => {
  await server.kill9();
  server = await startServer({ data, ports, env });
  token = await server.login();
};

const MiB = 2 ** 20;
/** What has been fetched is brought to the platter and written down every so often. */
const noted = 64 * MiB;
const movie = await readFile((await clip()).file);
/** A film, and behind it a box of noise that no player looks into. */
const film = (noise: number, seed: number): Buffer => {
  const head = Buffer.alloc(8, 'free'.padStart(8));
  head.writeUInt32BE(noise + 8);
  const some = new Random(seed).bytes(MiB);
  // No two pieces are the same: what lies in the wrong place is seen.
  const pieces = Array.from({ length: Math.ceil(noise / MiB) }, (_, index) => Buffer.concat([Buffer.from(`piece ${index}`.padEnd(16)), some.subarray(16)]));
  return Buffer.concat([movie, head, Buffer.concat(pieces).subarray(0, noise)]);
};

type Source = {
  readonly bytes: Buffer;
  /** How far the n-th answer goes before it stands still. */
  readonly until: readonly number[];
  readonly ranges: boolean;
  readonly named: boolean;
};
const large = film(80 * MiB, 1);
const sources: { readonly [path: string]: Source } = {
  '/ranges.mp4': { bytes: large, until: [70 * MiB, 75 * MiB], ranges: true, named: true },
  '/no-ranges.mp4': { bytes: large, until: [70 * MiB, 10 * MiB], ranges: false, named: true },
  '/no-size.mp4': { bytes: film(2 * MiB, 2), until: [MiB, MiB / 2], ranges: false, named: false },
  '/young.mp4': { bytes: film(2 * MiB, 3), until: [MiB, 1000], ranges: true, named: true },
};
/** Where each answer began, by path. */
const asked = new Map<string, number[]>(Object.keys(sources).map((name) => [name, []]));
const sockets = new Set<Socket>();
const stands = new Map<string, number>();

const part = (response: ServerResponse, bytes: Buffer, isAll: boolean): void => {
  response.on('error', () => undefined);
  if (isAll) response.end(bytes);
  else response.write(bytes);
};
const origin = createServer((request, response) => {
  const name = request.url ?? '';
  const source = sources[name];
  if (!source) return void response.writeHead(404).end();
  const { bytes, until, ranges, named } = source;
  const wanted = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const from = ranges ? wanted : 0;
  const answers = asked.get(name) ?? [];
  const to = Math.max(from, until[answers.length] ?? bytes.length);
  answers.push(wanted);
  stands.set(name, to);
  const facts = named ? { etag: '"one"', 'content-length': bytes.length - from } : {};
  response.writeHead(from > 0 ? 206 : 200, { ...facts, ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }) });
  part(response, bytes.subarray(from, to), to === bytes.length);
}).listen(0, '127.0.0.2');
origin.on('connection', (socket) => sockets.add(socket));
await once(origin, 'listening');
t.teardown(() => {
  for (const socket of sockets) socket.destroy();
  origin.close();
});
const address = `http://127.0.0.2:${(origin.address() as AddressInfo).port}`;

type Video = { readonly id: string; readonly state: string; readonly source: string; readonly error: unknown; readonly progress: { readonly step: string } | null; readonly upload: { readonly received: number } | null };
const seen = (id: string): Promise<Video> => server.must<Video>('GET', `videos/${id}`, undefined, token);
const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  for (const giveUpAt = performance.now() + 30_000; !(await holds()); await sleep(50)) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: never`);
  }
};
const ready = async (id: string): Promise<void> =>
  until(`${id} is ready`, async () => {
    const { state, error } = await seen(id);
    if (state === 'failed') throw new Error(`${id}: ${JSON.stringify(error)}`);
    return state === 'ready';
  });
const mine = async (): Promise<string[]> => (await server.must<{ items: Video[] }>('GET', 'videos?limit=100&mine=true', undefined, token)).items.map(({ id }) => id).sort();
const isWhole = async (t: Test, id: string, bytes: Buffer): Promise<void> => {
  t.ok((await readFile(path.join(data, 'videos', id, 'original'))).equals(bytes), `${id} is what was sent, byte by byte`);
  t.same(await readdir(path.join(data, 'videos', id)), ['original'], 'and nothing lies beside it');
};

/** Two at a time, killed twice each. */
for (const pair of [['/ranges.mp4', '/no-ranges.mp4'], ['/no-size.mp4', '/young.mp4']]) {
  t.test(`killed in the middle of a fetch, it is fetched to its end: ${pair.join(', ')}`, async (t) => {
    const before = await mine();
    const wanted = new Map<string, string>();
    const order = (name: string): Promise<Video> => server.api('POST', 'videos/import', { url: address + name, ladder: 'source' }, token, { 'idempotency-key': `once${name}` }).then(({ status, body }) => {
        if (status !== 202 && status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
        return body as Video;
      });
    for (const name of pair) wanted.set(name, (await order(name)).id);
    const all = [...before, ...wanted.values()].sort();
    for (let kill = 1; kill <= 2; kill += 1) {
      for (const [name, id] of wanted) {
        await until(`${name} stands still`, async () => {
          const here = await seen(id);
          // What is fetched again from its beginning is not more than there was for a while.
          return asked.get(name)?.length === kill && (here.upload?.received ?? 0) >= Math.min(stands.get(name) ?? 0, kill === 1 ? Infinity : 0);
        });
        t.match((await seen(id)).state, /^(uploading|playable)$/, `${name} is not taken for whole`);
      }
      await killed();
      t.same(await mine(), all, 'no video is there twice, and none is missing');
      for (const [name, id] of wanted) t.equal((await order(name)).id, id, 'asked again, it is the same one');
    }
    for (const [name, id] of wanted) {
      await ready(id);
      t.match(await seen(id), { source: 'import', error: null, progress: null, upload: null });
      await isWhole(t, id, sources[name]?.bytes ?? Buffer.alloc(0));
    }
    t.same(await mine(), all);
    for (const name of pair) {
      const [first, ...later] = asked.get(name) ?? [];
      t.equal(first, 0);
      t.equal(later.length, 2);
      const isNoted = (from: number): boolean => from >= noted && from < noted + MiB;
      if (sources[name]?.bytes === large) t.ok(later.every(isNoted), `${name} goes on where it was written down: ${later.join(' ')}`);
      else t.same(later, [0, 0], `${name} begins anew`);
    }
  });
}

t.test('killed when the last bytes are there, all of them are ready in the end', async (t) => {
  const count = 8;
  const files = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const [file, bytes] = [path.join(data, `sent-${index}.mp4`), film(50_000 + index, 10 + index)];
      await writeFile(file, bytes);
      return { file, bytes };
    }),
  );
  const uploads: { readonly created: Created; readonly file: string; readonly bytes: Buffer }[] = [];
  for (const { file, bytes } of files) uploads.push({ created: await createUpload(server, token, file), file, bytes });
  const before = await mine();
  const send = ({ created, file, bytes }: (typeof uploads)[number]): Promise<void> => sendParts(created, file, partsOf(bytes.length, created.upload.parts.size));
  const sending = uploads.map((upload) => send(upload).then(() => finish(upload.created)));
  // The first has been told that it is whole; others are anywhere between their bytes and that.
  await Promise.any(sending);
  await Promise.all([killed(), Promise.allSettled(sending)]);
  t.same(await mine(), before);
  for (const upload of uploads) {
    const { id } = upload.created;
    if ((await finish(upload.created)) !== 200) {
      await send(upload);
      t.equal(await finish(upload.created), 200);
    }
    await ready(id);
    await isWhole(t, id, upload.bytes);
  }
  t.same(await mine(), before, 'none is there twice');
});

t.test('killed while it is worked on, it is worked on again', async (t) => {
  const file = await encoded('mkv', ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=2', '-c:v', 'mpeg4', '-q:v', '5']);
  const created = await createUpload(server, token, file);
  await sendParts(created, file, [0]);
  t.equal(await finish(created), 200);
  await until('it is whole', async () => (await seen(created.id)).state !== 'uploading');
  await killed();
  t.ok(await noPrograms(path.join(data, 'jobs')), 'no program works on');
  await ready(created.id);
  t.ok((await readFile(path.join(data, 'videos', created.id, 'original'))).equals(await readFile(file)));
  await until('the work is cleared away', async () => (await jobFolders(data)).length === 0);
});

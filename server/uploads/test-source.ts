/** Servers that files are fetched from, decent ones and others, and imports that fetch from them, for tests. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../packager/clock.ts';
import { uploadOf } from '../catalog/testing.ts';
import { Imports, type ImportsOptions } from './imports.ts';
import { SourceGuard } from './source-guard.ts';
import { noFiles, testUploads } from './testing.ts';
import type { UploadsOptions } from './uploads.ts';

type Test = Parameters<typeof testUploads>[0] & { same(found: unknown, wanted: unknown, message: string): unknown };
type Serve = (request: IncomingMessage, response: ServerResponse, from: number) => void;

export const film = Buffer.alloc(3_000_000, 'some film ').fill(Buffer.from('end'), 2_999_997);
export const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Where files come from; `asked` holds the range of each request. */
export const source = async (t: Test, serve: Serve) => {
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

export const stage = async (t: Test, { imports: change = {}, uploads: more = {}, from = ['127.0.0.0/8'] }: Change = {}) => {
  const made: { imports?: Imports } = {};
  const base = await testUploads(t, { ...more, fetch: (wanted) => made.imports?.add(wanted), files: { ...noFiles, release: async (id) => made.imports?.release(id) } });
  const { catalog, uploads, ownerId, folder } = base;
  const limits = { headMs: 10_000, slowMs: 10_000, slowBytes: 1_000, failures: 4, firstPauseMs: 5, ...change.limits };
  const said = (facts: object, message: string): unknown => t.same(facts, {}, message);
  const options: ImportsOptions = { desk: uploads, catalog, guard: new SourceGuard(from), clock: systemClock, log: { error: said, warn: said, info: () => undefined } as never, maxSize: 1e9, mostAtOnce: 8, timeMs: 20_000, ...change, limits };
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
export const decent: Serve = (_request, response, from) => {
  const part = film.subarray(from);
  const range = from > 0 ? { 'content-range': `bytes ${from}-${film.length - 1}/${film.length}` } : {};
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, etag: '"one"', 'content-type': 'video/mp4', ...range });
  response.end(part);
};

/** Sends so much of it, and breaks. */
export const breaksAfter = (bytes: number, head: (from: number) => object): Serve => (_request, response, from) => {
  response.writeHead(from > 0 ? 206 : 200, head(from) as Record<string, string>);
  // What has not been read when a line breaks is lost with it.
  response.write(film.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 200));
};

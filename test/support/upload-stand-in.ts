/**
 * A server that takes uploads as the contract says, strictly, and fails as it is told to: drops connections, stalls,
 * refuses, dies and comes back. What it holds survives its death, but for what had not been answered.
 *
 *     const server = await uploadStandIn();  t.teardown(() => server.close());
 *     server.fault = (request) => (request.kind === 'part' && request.count === 3 ? 'drop' : null);
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const unit = 262_144;
const partSize = 8 * 1024 * 1024;

export type StandInVideo = {
  readonly id: string;
  readonly filename: string;
  readonly size: number;
  readonly fingerprint: string | null;
  title: string;
  description: string;
  visibility: string;
  downloads: boolean;
  state: string;
  token: string;
  readonly bytes: Buffer;
  /** By unit. */
  readonly landed: Uint8Array;
  mode: 'parts' | 'tus' | null;
  whole: boolean;
};

export type StandInRequest = {
  readonly kind: 'part' | 'status' | 'finish' | 'create' | 'sign' | 'list' | 'get' | 'patch' | 'delete';
  readonly video: StandInVideo | null;
  /** Of a part: where it begins, and by which size it is counted. */
  readonly from: number;
  readonly size: number;
  /** Requests of this kind before it. */
  readonly count: number;
};

export type Fault =
  /** In the middle of the body where there is one. */
  | 'drop'
  /** It is done, and the answer is lost. */
  | 'drop-answer'
  /** Nothing moves any more. */
  | 'stall'
  /** It is done, and takes so long. */
  | { readonly delayMs: number }
  | { readonly status: number; readonly code?: string; readonly headers?: Record<string, string> };

export type UploadStandIn = {
  readonly origin: string;
  readonly videos: Map<string, StandInVideo>;
  /** Every request that it heard, in order. */
  readonly heard: StandInRequest[];
  /** What no client may do. */
  readonly violations: string[];
  /** Bodies that were being read at the same time, at most. */
  readonly mostAtOnce: number;
  /** Requests on which nothing moves. */
  readonly stalled: number;
  fault: (request: StandInRequest) => Fault | null;
  /** Called when a part is answered well. */
  onLanded: (video: StandInVideo, request: StandInRequest) => void;
  landedBytes(video: StandInVideo): number;
  /** All connections break, and nobody listens until `restart`. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
};

type Reply = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

const problem = (status: number, code: string, more: object = {}): Reply => ({
  status,
  body: { type: 'about:blank', title: code, status, code, detail: `It is ${code}.`, ...more },
  headers: { 'content-type': 'application/problem+json' },
});

const referenceCrc = (data: Buffer): number => {
  let crc = -1;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
};

/** RFC 9530, as clients here write it: one member, and CRC-32C alone. */
const digestFits = (field: string | undefined, data: Buffer): boolean => {
  const expected = Buffer.alloc(4);
  expected.writeUInt32BE(referenceCrc(data));
  return field === `crc32c=:${expected.toString('base64')}:`;
};

export const uploadStandIn = async (): Promise<UploadStandIn> => {
  const videos = new Map<string, StandInVideo>();
  const keys = new Map<string, { body: string; reply: Reply }>();
  const heard: StandInRequest[] = [];
  const violations: string[] = [];
  const sockets = new Set<Socket>();
  let origin = '';
  let ids = 0;
  let reading = 0;
  let mostAtOnce = 0;
  let stalled = 0;

  const violation = (what: string): Reply => {
    violations.push(what);
    return problem(400, 'validation');
  };
  const unitsOf = (from: number, to: number): [number, number] => [Math.floor(from / unit), Math.ceil(to / unit)];
  const ranges = (video: StandInVideo, state: number): [number, number][] => {
    const found: [number, number][] = [];
    for (const [index, landed] of video.landed.entries()) {
      if (landed !== state) continue;
      const [from, to] = [index * unit, Math.min(video.size, (index + 1) * unit)];
      const last = found.at(-1);
      if (last?.[1] === from) last[1] = to;
      else found.push([from, to]);
    }
    return found;
  };
  const landedBytes = (video: StandInVideo): number => ranges(video, 1).reduce((sum, [from, to]) => sum + to - from, 0);
  const upload = (video: StandInVideo): object => {
    const at = `${origin}/upload/${video.token}`;
    const expiresAt = new Date(Date.now() + 1e9).toISOString();
    const parts = { url: `${at}/parts/{n}`, size: partSize, status: `${at}/status`, finish: `${at}/finish`, expiresAt };
    return { received: landedBytes(video), size: video.size, expiresAt, fingerprint: video.fingerprint, tus: at, parts };
  };
  const view = (video: StandInVideo): Record<string, unknown> => {
    const { id, title, description, visibility, downloads, state, filename, size, fingerprint, whole } = video;
    const missing = whole ? null : { received: landedBytes(video), size, expiresAt: new Date().toISOString(), fingerprint };
    return { ...{ id, title, description, visibility, downloads, state, filename, originalBytes: size }, source: 'upload', error: null, progress: null, upload: missing };
  };

  const create = (text: string, key: string | undefined): Reply => {
    if (key === undefined) return violation('a video without an Idempotency-Key');
    const before = keys.get(key);
    if (before) return before.body === text ? before.reply : violation('another body under the same key');
    const { filename, size, fingerprint = null, title = filename.replace(/\.[^.]+$/, ''), description = '', visibility = 'private', downloads = true } = JSON.parse(text) as Pick<StandInVideo, 'filename' | 'size'> & Partial<StandInVideo>;
    if (size < 1 || (fingerprint !== null && !/^[\x21-\x7e]{1,64}$/.test(fingerprint))) return violation(`create ${text}`);
    const id = `video${String(ids++).padStart(4, '0')}`;
    const bytes = Buffer.alloc(size);
    const landed = new Uint8Array(Math.ceil(size / unit));
    const video: StandInVideo = { id, filename, size, fingerprint, title, description, visibility, downloads, bytes, landed, state: 'uploading', token: `token-${id}`, mode: null, whole: false };
    videos.set(id, video);
    const reply = { status: 201, body: { ...view(video), upload: upload(video) } };
    keys.set(key, { body: text, reply });
    return reply;
  };
  const part = (video: StandInVideo, { from, size }: StandInRequest, body: Buffer, digest: string | undefined): Reply => {
    if (video.whole) return { status: 204 };
    if (video.mode === 'tus') return problem(409, 'other-way');
    if (size < unit || size > 64 * 1024 * 1024 || !Number.isInteger(Math.log2(size))) return violation(`a part of ${size}`);
    if (from >= video.size) return violation(`a part at ${from} of ${video.size}`);
    const to = Math.min(video.size, from + size);
    if (body.length !== to - from) return violation(`${body.length} bytes for ${from}-${to}`);
    if (!digestFits(digest, body)) return problem(422, 'digest-mismatch');
    video.mode = 'parts';
    body.copy(video.bytes, from);
    video.landed.fill(1, ...unitsOf(from, to));
    return { status: 204 };
  };
  const finish = (video: StandInVideo): Reply => {
    const missing = ranges(video, 0);
    if (missing.length > 0) return problem(409, 'parts-missing', { missing });
    video.whole = true;
    video.state = 'ready';
    return { status: 200, body: { whole: true, video: video.id } };
  };
  const status = (video: StandInVideo): Reply => {
    const { size, mode, whole } = video;
    const expiresAt = new Date().toISOString();
    return { status: 200, body: { size, unit, partSize, received: landedBytes(video), mode, landed: ranges(video, 1), whole, expiresAt } };
  };
  const list = (query: URLSearchParams): Reply => {
    const limit = 2; // so that paging is needed
    const all = [...videos.values()].filter(({ state }) => state === query.get('state')).reverse();
    const begin = Number(query.get('cursor') ?? 0);
    const cursor = begin + limit < all.length ? String(begin + limit) : null;
    return { status: 200, body: { items: all.slice(begin, begin + limit).map(view), cursor } };
  };

  const kindOf = (method: string, path: string): StandInRequest['kind'] | null => {
    if (/^\/upload\/[^/]+\/parts\/\d+$/.test(path) && method === 'PUT') return 'part';
    if (/^\/upload\/[^/]+\/status$/.test(path) && method === 'GET') return 'status';
    if (/^\/upload\/[^/]+\/finish$/.test(path) && method === 'POST') return 'finish';
    if (path === '/api/v1/videos') return method === 'POST' ? 'create' : 'list';
    if (path.endsWith('/upload') && method === 'POST') return 'sign';
    return ({ GET: 'get', PATCH: 'patch', DELETE: 'delete' } as const)[method] ?? null;
  };
  const bodyOf = async (message: IncomingMessage, most: number): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of message as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= most) break;
    }
    return Buffer.concat(chunks);
  };
  const answer = (kind: StandInRequest['kind'], request: StandInRequest, message: IncomingMessage, body: Buffer, url: URL): Reply => {
    const { video } = request;
    if (kind === 'create') return create(body.toString(), message.headers['idempotency-key'] as string | undefined);
    if (kind === 'list') return list(url.searchParams);
    if (!video) return problem(404, url.pathname.startsWith('/upload/') ? 'upload-unknown' : 'not-found');
    switch (kind) {
      case 'part':
        return part(video, request, body, message.headers['content-digest'] as string | undefined);
      case 'status':
        return status(video);
      case 'finish':
        return finish(video);
      case 'sign':
        return video.whole || video.state === 'failed' ? problem(409, 'upload-over') : { status: 200, body: { upload: upload(video) } };
      case 'patch':
        Object.assign(video, JSON.parse(body.toString()));
        return { status: 200, body: view(video) };
      case 'delete':
        videos.delete(video.id);
        return { status: 204 };
      case 'get':
        return { status: 200, body: view(video) };
    }
  };
  const reply = (response: ServerResponse, { status, body, headers = {} }: Reply): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body === undefined ? undefined : JSON.stringify(body));
  };
  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket } = message; // it lets go of it when it is read or given up
    const url = new URL(message.url ?? '/', origin);
    const kind = kindOf(message.method ?? '', url.pathname);
    if (!kind) return reply(response, violation(`${message.method} ${url.pathname}`));
    const named = url.pathname.split('/').find((step) => step.startsWith('video') && step !== 'videos') ?? '';
    const video = [...videos.values()].find(({ id, token }) => id === named || url.pathname.startsWith(`/upload/${token}/`)) ?? null;
    const size = Number(url.searchParams.get('size') ?? partSize);
    const from = kind === 'part' ? Number(url.pathname.split('/').at(-1)) * size : 0;
    const request = { kind, video, from, size, count: heard.filter((other) => other.kind === kind).length };
    heard.push(request);
    const fault = standIn.fault(request);
    if (fault === 'stall') {
      stalled += 1;
      message.on('close', () => (stalled -= 1));
      return void message.pause();
    }
    if (typeof fault === 'object' && fault && 'status' in fault) {
      // As proxies do: the answer comes while the body does.
      message.resume();
      return reply(response, { status: fault.status, headers: fault.headers ?? {}, ...(fault.code ? { body: { code: fault.code } } : {}) });
    }
    reading += 1;
    mostAtOnce = Math.max(mostAtOnce, reading);
    const expected = Number(message.headers['content-length'] ?? 0);
    const body = await bodyOf(message, fault === 'drop' ? expected / 2 : Infinity).catch(() => null);
    if (body && typeof fault === 'object' && fault) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    reading -= 1;
    if (!body) return;
    if (fault === 'drop') return void socket.destroy();
    const said = answer(kind, request, message, body, url);
    if (fault === 'drop-answer') return void socket.destroy();
    reply(response, said);
    if (kind === 'part' && said.status < 300 && video) standIn.onLanded(video, request);
  };

  const listen = async (port: number): Promise<Server> => {
    const server = createServer((message, response) => void handle(message, response).catch(() => message.destroy()));
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => server.on('error', reject).listen(port, '127.0.0.1', resolve));
    return server;
  };
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.resetAndDestroy();
    });
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  const standIn: UploadStandIn = {
    origin,
    videos,
    heard,
    violations,
    get mostAtOnce() {
      return mostAtOnce;
    },
    get stalled() {
      return stalled;
    },
    fault: () => null,
    onLanded: () => undefined,
    landedBytes,
    kill: stop,
    async restart() {
      server = await listen(port);
    },
    close: stop,
  };
  return standIn;
};

/** For tests: the upload edge behind a real HTTP server on loopback, and a client that does as it is told. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../packager/clock.ts';
import { readBootId, type UploadDisk } from './files.ts';
import { createUploadEdge, type UploadEdge } from './handler.ts';
import type { UploadLimits } from './limits.ts';
import { Originals } from './originals.ts';
import { FakeDesk, tokenOf } from './test-desk.ts';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string; readonly json: Record<string, unknown> };
export type Ask = { readonly headers?: Record<string, string>; readonly body?: Buffer | string };

type Test = { teardown(end: () => unknown): void };
type Options = { readonly limits?: Partial<UploadLimits>; readonly clock?: Clock; readonly disk?: UploadDisk };

export class UploadStage {
  readonly desk = new FakeDesk();
  readonly faults: unknown[] = [];
  readonly originals: Originals;
  readonly edge: UploadEdge;
  readonly folder: string;
  readonly #clock: Clock;
  readonly #server = createServer({ requestTimeout: 0 }, (request, response) => {
    if (!this.edge.handle(request, response)) response.writeHead(418).end();
  });
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 });

  private constructor(folder: string, bootId: string | null, { limits = {}, clock = systemClock, disk }: Options) {
    const failed = (error: unknown): void => void this.faults.push(error);
    this.folder = folder;
    this.#clock = clock;
    this.originals = new Originals({
      ...{ clock, bootId, limits, landed: (id, landed) => this.desk.landed(id, landed), failed: (_id, error) => failed(error) },
      ...(disk && { disk }),
    });
    this.edge = createUploadEdge({ desk: this.desk, originals: this.originals, clock, limits, failed });
    this.#server.on('checkContinue', (request, response) => void this.edge.handle(request, response, () => response.writeContinue()));
  }

  static async start(t: Test, options: Options = {}): Promise<UploadStage> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-upload-'));
    const stage = new UploadStage(folder, await readBootId(), options);
    stage.#server.listen(0, '127.0.0.1');
    await once(stage.#server, 'listening');
    t.teardown(async () => {
      await stage.stop();
      await rm(folder, { recursive: true, force: true });
    });
    return stage;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await this.edge.stop();
    await this.originals.stop();
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** An upload; its address and its file. */
  async upload(id: string, size: number, partSize = 1 << 20): Promise<{ at: string; path: string; url: string }> {
    const folder = join(this.folder, id);
    await mkdir(folder, { recursive: true });
    const path = join(folder, 'original');
    this.desk.uploads.set(id, { id, size, partSize, expiresAt: this.#clock.wall() + 3_600_000, path });
    const at = `/upload/${tokenOf(id)}`;
    return { at, path, url: `http://127.0.0.1:${this.port}${at}` };
  }

  ask(method: string, path: string, { headers = {}, body }: Ask = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ host: '127.0.0.1', port: this.port, path, method, headers: { ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }), ...headers }, agent: this.#agent }, (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          const json = /json/.test(incoming.headers['content-type'] ?? '') && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  head(at: string): Promise<Answer> {
    return this.ask('HEAD', at, { headers: tus });
  }

  patch(at: string, offset: number, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('PATCH', at, { body, headers: { ...patchOf(offset), ...headers } });
  }

  put(at: string, part: number, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('PUT', `${at}/parts/${part}`, { body, headers: { 'content-digest': sha256Field(body), ...headers } });
  }

  status(at: string): Promise<Answer> {
    return this.ask('GET', `${at}/status`);
  }

  finish(at: string): Promise<Answer> {
    return this.ask('POST', `${at}/finish`);
  }

  /** A request of which only the head is sent; the body is the caller's, and so is the end. */
  async begin(method: string, path: string, headers: Record<string, string>): Promise<RawRequest> {
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`${[`${method} ${path} HTTP/1.1`, 'Host: x', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`);
    return new RawRequest(socket);
  }

  /** So many bytes of bodies have come, in all. */
  async received(bytes: number): Promise<void> {
    while (this.edge.stats().received < bytes) await new Promise((turn) => setTimeout(turn, 2));
  }

  /** Nothing is under way for anybody, also not behind answers. */
  async quiet(): Promise<void> {
    while (this.edge.stats().requests > 0) await new Promise((turn) => setTimeout(turn, 2));
  }

  /** So many bodies are being read, or wait to be. */
  async bodies(count: number): Promise<void> {
    while (this.edge.stats().bodies !== count) await new Promise((turn) => setTimeout(turn, 2));
  }
}

export class RawRequest {
  readonly socket: Socket;
  heard = '';
  readonly closed: Promise<unknown>;
  #changed: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => {
      this.heard += data.toString('latin1');
      this.#changed();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((closed) => socket.once('close', closed)).then(() => this.#changed());
  }

  send(bytes: Buffer | string): Promise<void> {
    return new Promise((done) => this.socket.write(bytes, () => done()));
  }

  /** The status of the final answer; 0: the connection was closed without one. */
  async status(): Promise<number> {
    for (;;) {
      const status = /^(?:HTTP\/1\.1 100 [^\r]*\r\n\r\n)*HTTP\/1\.1 ([2-5]\d\d) [\s\S]*?\r\n\r\n/.exec(this.heard)?.[1];
      if (status !== undefined) return Number(status);
      if (this.socket.destroyed) return 0;
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }
}

export const tus = { 'tus-resumable': '1.0.0' };
export const patchOf = (offset: number | string): Record<string, string> => ({ ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' });
export const sha256Field = (body: Buffer): string => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

/** For tests: delivery behind a real HTTP server on a loopback port, and a client that keeps everything it got. */
import { createServer, request, Agent, type ClientRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeClock } from '../../packager/clock.ts';
import type { PretendOptions } from '../../packager/hls/pretend-stream.ts';
import { FakeGatekeeper, fakeKeys, FakePresentation, FakePresentations, reachedHere } from './fake-presentation.ts';
import { createDelivery, type Delivery, type DeliveryOptions } from './handler.ts';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer; readonly text: string };
type Ask = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string };

/** An answer that is still coming. */
export class Following {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly #outgoing: ClientRequest;
  body: Buffer = Buffer.alloc(0);
  state: 'open' | 'end' | 'fault' = 'open';
  #changed: () => void = () => undefined;

  constructor(status: number, headers: IncomingHttpHeaders, outgoing: ClientRequest) {
    this.status = status;
    this.headers = headers;
    this.#outgoing = outgoing;
  }

  took(piece: Buffer): void {
    this.body = Buffer.concat([this.body, piece]);
    this.#changed();
  }

  over(how: 'end' | 'fault'): void {
    if (this.state === 'open') this.state = how;
    this.#changed();
  }

  leave(): void {
    this.#outgoing.destroy();
  }

  /** So many bytes are there. */
  async has(bytes: number): Promise<Buffer> {
    while (this.body.length < bytes && this.state === 'open') await new Promise<void>((resolve) => (this.#changed = resolve));
    return this.body;
  }

  async ended(): Promise<'end' | 'fault'> {
    while (this.state === 'open') await new Promise<void>((resolve) => (this.#changed = resolve));
    return this.state;
  }
}

export class TestServer {
  readonly clock = new FakeClock();
  readonly presentations = new FakePresentations();
  readonly gatekeeper = new FakeGatekeeper();
  readonly errors: unknown[] = [];
  readonly delivery: Delivery;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2000 });

  private constructor(options: Partial<DeliveryOptions>) {
    const { clock, presentations, gatekeeper, errors } = this;
    this.delivery = createDelivery({ presentations, gatekeeper, keys: fakeKeys, reachedAt: reachedHere, clock, cacheBytes: 64 << 20, onError: (error) => errors.push(error), ...options });
    this.#server = createServer((incoming, outgoing) => {
      if (!this.delivery.handle(incoming, outgoing)) outgoing.writeHead(418).end('not delivery');
    });
  }

  static async start(options: Partial<DeliveryOptions> = {}): Promise<TestServer> {
    const server = new TestServer(options);
    await new Promise<void>((ready) => server.#server.listen(0, '127.0.0.1', ready));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A live presentation of eight segments and two parts. */
  live(options: PretendOptions = {}): FakePresentation {
    return this.presentations.add(new FakePresentation(options)).do((stream) => stream.segments(8).part().part());
  }

  ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: this.port, path, method, headers, agent: this.#agent }, (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const body = Buffer.concat(pieces);
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body, text: body.toString() });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** Resolves with the head of the answer; its body is seen as it comes. */
  follow(path: string, { method = 'GET', headers = {} }: Ask = {}): Promise<Following> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: this.port, path, method, headers, agent: this.#agent }, (incoming) => {
        const following = new Following(incoming.statusCode ?? 0, incoming.headers, outgoing);
        incoming.on('data', (piece: Buffer) => following.took(piece));
        incoming.on('end', () => following.over('end'));
        incoming.on('error', () => following.over('fault'));
        resolve(following);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  /** Resolves when so many requests are waiting. */
  async waiting(count: number): Promise<void> {
    while (this.delivery.stats().waiters !== count) await new Promise((turn) => setImmediate(turn));
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

export const play = '/play/-/video-00000001';
export const run = 'k3v9x0a2b7';

/** For tests: delivery behind a real HTTP server on a loopback port, and a client that keeps everything it got. */
import { createServer, request, Agent, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeClock } from '../../packager/clock.ts';
import type { PretendOptions } from '../../packager/hls/pretend-stream.ts';
import { FakeGatekeeper, FakePresentation, FakePresentations } from './fake-presentation.ts';
import { createDelivery, type Delivery, type DeliveryOptions } from './handler.ts';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer; readonly text: string };
type Ask = { readonly method?: string; readonly headers?: Record<string, string> };

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
    this.delivery = createDelivery({ presentations, gatekeeper, clock, cacheBytes: 64 << 20, onError: (error) => errors.push(error), ...options });
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

  ask(path: string, { method = 'GET', headers = {} }: Ask = {}): Promise<Answer> {
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

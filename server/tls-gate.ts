/**
 * What stands in front of a TLS listener: who has not finished the handshake is bounded in time and in number. When
 * there are too many, the one that has taken longest goes, never the one that has just come: an encoder or a browser
 * is through in two round trips, and whoever only holds connections open is always among the oldest.
 */
import type { Socket } from 'node:net';
import type { SecureVersion, Server, TLSSocket } from 'node:tls';
import type { Clock } from '../packager/clock.ts';
import type { CertificateStore } from './certificates.ts';
import type { ServerLog } from './log.ts';

const longestHandshakeMs = 10_000;
const mostHandshakes = 2_048;
const lineEveryMs = 10_000;
const minVersion: SecureVersion = 'TLSv1.2';

/** Each connection is in one of them. */
export type TlsCounters = { readonly handshaking: number; readonly done: number; readonly failed: number; readonly dropped: number };

/** What a listener is made with. HTTP/2 is not spoken, so nothing has to be negotiated. */
export const tlsOptions = ({ current: { cert, key } }: CertificateStore, handshakeMs = longestHandshakeMs) => ({ cert, key, minVersion, handshakeTimeout: handshakeMs });

type Options = { readonly certificates: CertificateStore; readonly clock: Clock; readonly log: Pick<ServerLog, 'info'>; readonly name: string; readonly most?: number };

/** The one thing that a connection and the TLS on top of it both know. */
const placeOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

export class TlsGate {
  readonly #o: Options;
  /** The oldest first. */
  readonly #open = new Map<string, Socket>();
  readonly #forget: () => void;
  #done = 0;
  #failed = 0;
  #dropped = 0;
  /** Of these, those whose handshake has not failed yet. */
  #falling = 0;
  #lineAt = -Infinity;

  constructor(server: Server, options: Options) {
    this.#o = options;
    // Connections that are there keep what they have agreed on.
    this.#forget = options.certificates.onChange(({ cert, key }) => server.setSecureContext({ cert, key, minVersion }));
    server.on('connection', (socket: Socket) => this.#enter(socket));
    server.on('secureConnection', (socket: TLSSocket) => {
      this.#done += 1;
      this.#open.delete(placeOf(socket));
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      // Whoever is dropped fails a moment later, and has been counted.
      if (this.#falling > 0 && error.code === 'ECONNRESET') this.#falling -= 1;
      else this.#failed += 1;
      const place = placeOf(socket);
      const address = socket.remoteAddress;
      // Node says that a handshake takes too long, and leaves the connection open.
      socket.destroy();
      // What is under TLS tells of its end only a moment later.
      this.#open.delete(place);
      this.#tell(error, address);
    });
  }

  get counters(): TlsCounters {
    return { handshaking: this.#open.size, done: this.#done, failed: this.#failed, dropped: this.#dropped };
  }

  /** Whoever is still shaking hands would hold a server that closes. */
  close(): void {
    this.#forget();
    for (const socket of this.#open.values()) socket.destroy();
  }

  #enter(socket: Socket): void {
    const place = placeOf(socket);
    this.#open.set(place, socket);
    socket.once('close', () => {
      if (this.#open.get(place) === socket) this.#open.delete(place);
    });
    if (this.#open.size <= (this.#o.most ?? mostHandshakes)) return;
    const [oldest] = this.#open;
    if (!oldest) return;
    this.#open.delete(oldest[0]);
    this.#dropped += 1;
    this.#falling += 1;
    oldest[1].destroy();
  }

  /** At most one line in ten seconds: scanners knock all day. Who only knocks and goes is none. */
  #tell({ code }: NodeJS.ErrnoException, address: string | undefined): void {
    const { clock, log, name } = this.#o;
    if (code === 'ECONNRESET' || clock.now() - this.#lineAt < lineEveryMs) return;
    this.#lineAt = clock.now();
    log.info({ listener: name, address, code, failed: this.#failed }, 'A TLS handshake failed.');
  }
}

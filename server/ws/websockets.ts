/** The one WebSocket endpoint: who may connect, who hears what, and the end of connections that are no longer any. */
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Gauge, type Registry } from 'prom-client';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock } from '../../packager/clock.ts';
import { clientKey } from '../auth/address.ts';
import type { Auth, Who } from '../auth/auth.ts';
import type { Role } from '../catalog/schema.ts';
import type { Asker } from '../delivery/presentation.ts';
import { bearerToken, sessionCookie } from '../auth/cookies.ts';
import { judgeOrigin } from '../auth/same-origin.ts';
import { Connection } from './connection.ts';
import { closeCodes, usualLimits, type WebSocketLimits } from './limits.ts';
import { Topics } from './topics.ts';

export type WebSocketOptions = {
  readonly auth: Pick<Auth, 'who'>;
  readonly clock: Clock;
  readonly log: { warn(facts: object, message: string): void };
  readonly publicUrl: string | null;
  /** The client's address; composition knows the trusted proxies. The socket's, unless given. */
  readonly addressOf?: (request: IncomingMessage) => string;
  readonly limits?: Partial<WebSocketLimits>;
  readonly registry?: Registry;
};

/** As players are told apart below /play/. */
const longestAgent = 400;
export const webSocketPath = '/api/v1/ws';

/** Does not wait for the client to close as well: one that never does would hold the connection for ever. */
const refuse = (socket: Duplex, status: number): void => {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
};

const header = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

export class WebSockets {
  readonly topics = new Topics();
  readonly #options: WebSocketOptions;
  readonly #limits: WebSocketLimits;
  readonly #server: WebSocketServer;
  readonly #connections = new Map<Connection, string>();
  readonly #perAddress = new Map<string, number>();
  readonly #audiences = new Map<string, Set<Connection>>();
  #cancelPing: () => void = () => undefined;
  #closed = false;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#limits = { ...usualLimits, ...options.limits };
    // Compression costs a window of memory for each connection, and these messages are small.
    this.#server = new WebSocketServer({ noServer: true, maxPayload: this.#limits.messageBytes, perMessageDeflate: false, clientTracking: false });
    this.#schedulePing();
    if (options.registry) this.#count(options.registry);
  }
  get connections(): number {
    return this.#connections.size;
  }

  /** Takes all upgrades of a server: those to another path are refused. */
  attach(server: Pick<Server, 'on'>): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // From here on the socket is ours alone: a client that resets it would otherwise end the process.
      socket.on('error', () => socket.destroy());
      if (!this.#handleUpgrade(request, socket, head)) refuse(socket, 404);
    });
  }
  /** False: not our path; the socket is untouched. */
  #handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (request.url?.split('?')[0] !== webSocketPath) return false;
    this.#admit(request, socket, head).catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'A WebSocket could not be opened.');
      refuse(socket, 500);
    });
    return true;
  }
  /** To everybody who is subscribed to this topic, by its true name. */
  publish(topic: string, type: string, data: unknown): void {
    for (const connection of this.#audiences.get(topic) ?? []) connection.tell(topic, type, data);
  }
  /** True names of this kind that somebody is subscribed to. */
  heard(kind: string): string[] {
    const prefix = `${kind}:`;
    return [...this.#audiences.keys()].filter((topic) => topic.startsWith(prefix)).map((topic) => topic.slice(prefix.length));
  }
  isHeard(topic: string): boolean {
    return this.#audiences.has(topic);
  }
  /** Asks again, for everybody subscribed, whether he may be. */
  async recheck(topic: string): Promise<void> {
    await Promise.all([...(this.#audiences.get(topic) ?? [])].map((connection) => connection.recheck(topic)));
  }
  /** The session does not hold any more (null: none of the account's): its connections end. */
  endSessions(accountId: string, sessionId: string | null): void {
    for (const connection of this.#connections.keys()) {
      const { who } = connection;
      if (who?.accountId === accountId && (sessionId === null || who.sessionId === sessionId)) connection.close(closeCodes.policy, 'logged out');
    }
  }
  /** The account has this role from now on: connections that were let in with another one end. */
  endOtherRoles(accountId: string, role: Role): void {
    for (const connection of this.#connections.keys()) {
      const { who } = connection;
      if (who?.accountId === accountId && who.role !== role) connection.close(closeCodes.policy, 'another role');
    }
  }
  close(): void {
    this.#closed = true;
    this.#cancelPing();
    for (const connection of this.#connections.keys()) connection.close(closeCodes.goingAway, 'the server stops');
    this.#server.close();
  }

  async #admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const from = { address: this.#options.addressOf?.(request) ?? request.socket.remoteAddress ?? '', agent: (request.headers['user-agent'] ?? '').slice(0, longestAgent) };
    const address = clientKey(from.address);
    if (this.#closed || this.#connections.size >= this.#limits.connections) return refuse(socket, 503);
    if ((this.#perAddress.get(address) ?? 0) >= this.#limits.perAddress) return refuse(socket, 429);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    const gone = (): void => this.#forgetAddress(address);
    socket.once('close', gone);
    const bearer = bearerToken(request.headers.authorization);
    const who = await this.#who(request, bearer);
    if (bearer !== null && !who) return refuse(socket, 401);
    if (socket.destroyed || this.#closed) return void socket.destroy();
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket, who, from));
  }
  /** Another site's page may listen to what is public, but not with its visitor's cookie. */
  async #who(request: IncomingMessage, bearer: string | null): Promise<Who | null> {
    if (bearer !== null) return this.#options.auth.who(bearer);
    const cookie = sessionCookie(request.headers.cookie);
    if (cookie === null) return null;
    const facts = { origin: request.headers.origin, secFetchSite: header(request.headers['sec-fetch-site']), host: request.headers.host ?? '' };
    return judgeOrigin({ ...facts, publicUrl: this.#options.publicUrl }) === 'same' ? this.#options.auth.who(cookie) : null;
  }
  #open(socket: WebSocket, who: Who | null, from: Asker): void {
    const { clock, log } = this.#options;
    const audience = { join: this.#join, leave: this.#leave };
    const onFault = (error: unknown): void => log.warn({ err: error }, 'A WebSocket topic failed.');
    const connection = new Connection({ socket, who, from, topics: this.topics, audience, limits: this.#limits, clock, onFault });
    this.#connections.set(connection, clientKey(from.address));
    socket.on('error', () => socket.terminate()); // Too large, not UTF-8, not the protocol: its own fault, its own end.
    socket.once('close', () => {
      this.#connections.delete(connection);
      connection.ended();
    });
  }
  readonly #join = (topic: string, connection: Connection): void => {
    const audience = this.#audiences.get(topic);
    if (audience) audience.add(connection);
    else this.#audiences.set(topic, new Set([connection]));
  };
  readonly #leave = (topic: string, connection: Connection): void => {
    const audience = this.#audiences.get(topic);
    audience?.delete(connection);
    if (audience?.size === 0) this.#audiences.delete(topic);
  };
  #forgetAddress(address: string): void {
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
  #schedulePing(): void {
    this.#cancelPing = this.#options.clock.after(this.#limits.pingMs, () => {
      for (const connection of this.#connections.keys()) connection.ping();
      this.#schedulePing();
    });
  }
  #count(registry: Registry): void {
    const count = (): number => this.#connections.size;
    const gauge: Gauge = new Gauge({
      name: 'millrace_websockets',
      help: 'Open WebSocket connections.',
      registers: [registry],
      collect: (): void => gauge.set(count()),
    });
  }
}

export const createWebSockets = (options: WebSocketOptions): WebSockets => new WebSockets(options);

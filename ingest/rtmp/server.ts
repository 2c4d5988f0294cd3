/** The listener: accepts connections, bounds strangers, and knows who is there. */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { Clock } from '../../packager/clock.ts';
import type { PublishDesk } from '../../packager/media/publish.ts';
import { defaultLimits } from './limits.ts';
import type { RtmpLimits } from './limits.ts';
import { RtmpSession } from './session.ts';
import type { RtmpLog, SessionFacts } from './session-context.ts';

export type { RtmpLimits } from './limits.ts';
export type { RtmpLog, SessionFacts } from './session-context.ts';

export type RtmpOptions = {
  readonly desk: PublishDesk;
  readonly clock: Clock;
  readonly log: RtmpLog;
  readonly limits?: Partial<RtmpLimits>;
};

/** Since the start; they only grow. */
export type RtmpCounters = { readonly accepted: number; readonly turnedAway: number; readonly bytesIn: number };

export interface RtmpServer {
  listen(at: { readonly host: string; readonly port: number }): Promise<{ port: number }>;
  /** A connection from elsewhere: a TLS socket makes it RTMPS. */
  take(socket: Socket, from: { readonly protocol: 'rtmp' | 'rtmps'; readonly address: string }): void;
  /** No new connections; those that are there go on. */
  stopAccepting(): void;
  /** Stops accepting, sends away whoever is still there, and resolves when the last one has gone. */
  close(): Promise<void>;
  readonly sessions: number;
  readonly counters: RtmpCounters;
  facts(): SessionFacts[];
}

const keepAliveMs = 10_000;
/** Of connections that are turned away, at most one line in this time. */
const turnedAwayLineMs = 10_000;

export const createRtmpServer = (options: RtmpOptions): RtmpServer => {
  const { desk, clock, log } = options;
  const limits: RtmpLimits = { ...defaultLimits, ...options.limits };
  const sessions = new Map<number, RtmpSession>();
  const strangers = new Strangers(limits);
  const listener = createServer();
  let lastId = 0;
  let turnedAway = 0;
  let turnedAwayLineAt = -Infinity;
  let bytesOfClosed = 0;
  let closing = false;
  let lastOneGone: () => void = () => {};

  const turnAway = (socket: Socket, address: string, why: string): void => {
    turnedAway += 1;
    socket.on('error', () => {}); // Nobody is left whom it could concern.
    socket.destroy();
    if (clock.now() - turnedAwayLineAt < turnedAwayLineMs) return;
    turnedAwayLineAt = clock.now();
    log({ event: 'rtmp.turned-away', level: 'warn', address, why, turnedAway });
  };

  const take: RtmpServer['take'] = (socket, { protocol, address }) => {
    if (closing) {
      turnAway(socket, address, 'shutting down');
      return;
    }
    const pushedOut = strangers.enter(address, socket);
    if (pushedOut) turnAway(pushedOut.socket, pushedOut.address, 'too many connections that have not published: the oldest gave way');
    socket.setNoDelay(true);
    // A sender whose network is gone says nothing; the kernel finds out.
    socket.setKeepAlive(true, keepAliveMs);
    lastId += 1;
    const id = lastId;
    let stranger = true;
    const known = (): void => {
      if (stranger) strangers.leave(address, socket);
      stranger = false;
    };
    const onClosed = (): void => {
      known();
      bytesOfClosed += sessions.get(id)?.facts.bytesIn ?? 0;
      sessions.delete(id);
      if (sessions.size === 0) lastOneGone();
    };
    sessions.set(
      id,
      new RtmpSession(socket, { id, protocol, address, desk, clock, log, limits, onPublishing: known, onClosed }),
    );
  };

  listener.on('connection', (socket) => {
    // Undefined when the peer has already gone.
    const address = socket.remoteAddress ?? 'unknown';
    take(socket, { protocol: 'rtmp', address: address.replace(/^::ffff:(?=\d+\.)/i, '') });
  });
  // EMFILE and its like: the connection is lost, the listener is not.
  const listenerFailed = (error: Error): void => log({ event: 'rtmp.listener', level: 'error', why: error.message });

  const stopAccepting = (): void => {
    closing = true;
    if (listener.listening) listener.close();
  };

  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        listener.once('error', reject);
        listener.listen({ host, port, backlog: 1024 }, () => {
          listener.off('error', reject);
          listener.on('error', listenerFailed);
          const bound = listener.address();
          resolve({ port: typeof bound === 'object' && bound ? bound.port : port });
        });
      }),
    take,
    stopAccepting,
    async close() {
      stopAccepting();
      const gone = new Promise<void>((resolve) => {
        lastOneGone = resolve;
      });
      for (const session of sessions.values()) session.evict('shutting-down');
      if (sessions.size > 0) await gone;
    },
    get sessions() {
      return sessions.size;
    },
    get counters() {
      let bytesIn = bytesOfClosed;
      for (const session of sessions.values()) bytesIn += session.facts.bytesIn;
      return { accepted: lastId, turnedAway, bytesIn };
    },
    facts: () => [...sessions.values()].map((session) => session.facts),
  };
};

/**
 * Connections that nobody has vouched for yet, in all and by address. When there are too many, the oldest gives way, not
 * the newest: whoever means it has published within a moment, and whoever holds a thousand of them open pushes out his own.
 */
class Strangers {
  readonly #limits: RtmpLimits;
  /** Both in the order in which they came. */
  readonly #all = new Map<Socket, string>();
  readonly #byAddress = new Map<string, Set<Socket>>();

  constructor(limits: RtmpLimits) {
    this.#limits = limits;
  }

  /** The one that has to give way, if any. */
  enter(address: string, socket: Socket): { readonly socket: Socket; readonly address: string } | null {
    const here = this.#byAddress.get(address) ?? new Set<Socket>();
    this.#byAddress.set(address, here.add(socket));
    this.#all.set(socket, address);
    const crowd = here.size > this.#limits.strangersPerAddress ? here : this.#all.size > this.#limits.strangers ? this.#all : null;
    const oldest = crowd?.keys().next().value;
    if (!oldest) return null;
    const from = this.#all.get(oldest) ?? address;
    this.leave(from, oldest);
    return { socket: oldest, address: from };
  }

  leave(address: string, socket: Socket): void {
    if (!this.#all.delete(socket)) return;
    const here = this.#byAddress.get(address);
    here?.delete(socket);
    if (here?.size === 0) this.#byAddress.delete(address);
  }
}

/**
 * Where the web comes in: HTTP, and beside it HTTPS when it is wanted. Both hand every request to the same handler,
 * and neither knows what is behind it. HTTP/1.1 on both.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Clock } from '../../packager/clock.ts';
import type { CertificateStore } from '../certificates.ts';
import type { Config } from '../config/settings.ts';
import { listenAt } from '../listening.ts';
import type { ServerLog } from '../log.ts';
import { TlsGate, tlsOptions } from '../tls-gate.ts';
import { webSocketPath, type WebSockets } from '../ws/websockets.ts';
import { answerBrokenRequests } from './broken-requests.ts';
import { ConnectionCount } from './connections.ts';
import { goesToHttps, sendToHttps } from './redirect.ts';
import { serverLimits } from './server-limits.ts';

/** `invite`: says that the body is wanted, to whoever asked first. */
export type WebHandler = (request: IncomingMessage, response: ServerResponse, invite?: () => void) => void;

export type Front = {
  readonly httpPort: number;
  readonly httpsPort: number | null;
  readonly gate: TlsGate | null;
  /** No new connections; answers that are under way are waited for, for so long. */
  close(): Promise<void>;
};

type Options = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: ServerLog;
  /** Null: there is no HTTPS. */
  readonly certificates: CertificateStore | null;
  readonly sockets: WebSockets;
  readonly handle: WebHandler;
};

/** SIGTERM to exit: 10 s at most, of which this is for connections that do not close by themselves. */
const graceMs = 7_000;

/** Programs that would like HTTP/2 (`Upgrade: h2c`: Java's client, curl --http2) get HTTP/1.1, not a 404. */
const isWebSocket = (request: IncomingMessage): boolean => request.url?.split('?', 1)[0] === webSocketPath;

export const openFront = async ({ config, clock, log, certificates, sockets, handle }: Options): Promise<Front> => {
  const connections = new ConnectionCount(config['http.connectionsPerAddress']);
  const serve = (server: Server, handle: WebHandler): void => {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => handle(request, response));
    // Whoever asks first whether a body is wanted hears it from whom it is for.
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => handle(request, response, () => response.writeContinue()));
    server.on('connection', (socket) => connections.take(socket));
    answerBrokenRequests(server);
    sockets.attach(server);
  };

  // HTTPS first: plain requests that are sent there must be told the port.
  let secure: { readonly server: Server; readonly port: number; readonly gate: TlsGate } | null = null;
  const { 'https.host': secureHost, 'https.port': securePort } = config;
  if (certificates && securePort !== null) {
    const server = createSecureServer({ ...serverLimits, ...tlsOptions(certificates), shouldUpgradeCallback: isWebSocket });
    const gate = new TlsGate(server, { certificates, clock, log, name: 'https' });
    serve(server, handle);
    try {
      secure = { server, gate, port: await listenAt(server, { host: secureHost, port: securePort, variable: 'MILLRACE_HTTPS_PORT' }, log) };
    } catch (error) {
      gate.close();
      throw error;
    }
  }

  const redirectTo = config['https.redirect'] && secure ? { publicUrl: config['server.publicUrl'], port: secure.port } : null;
  const leaves = (request: IncomingMessage): boolean => redirectTo !== null && goesToHttps(request);
  const plain = createServer({ ...serverLimits, shouldUpgradeCallback: (request) => isWebSocket(request) && !leaves(request) });
  serve(plain, (request, response, invite) => {
    if (redirectTo && leaves(request)) sendToHttps(request, response, redirectTo);
    else handle(request, response, invite);
  });
  const close = async (): Promise<void> => {
    secure?.gate.close();
    await Promise.all([plain, ...(secure ? [secure.server] : [])].map((server) => closeServer(server, clock)));
  };
  try {
    const httpPort = await listenAt(plain, { host: config['http.host'], port: config['http.port'], variable: 'MILLRACE_HTTP_PORT' }, log);
    return { httpPort, httpsPort: secure?.port ?? null, gate: secure?.gate ?? null, close };
  } catch (error) {
    secure?.gate.close();
    if (secure) await closeServer(secure.server, clock);
    throw error;
  }
};

const closeServer = (server: Server, clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    const cut = clock.after(graceMs, () => server.closeAllConnections());
    server.close(() => {
      cut();
      resolve();
    });
    server.closeIdleConnections();
  });

/** RTMP over TLS: the handshake is done here, and what is inside is the RTMP edge's. */
import { createServer, type TLSSocket } from 'node:tls';
import type { RtmpServer } from '../ingest/rtmp/server.ts';
import type { Clock } from '../packager/clock.ts';
import type { CertificateStore } from './certificates.ts';
import { listenAt } from './listening.ts';
import type { ServerLog } from './log.ts';
import { TlsGate, tlsOptions } from './tls-gate.ts';

export type RtmpsListener = { readonly port: number; readonly gate: TlsGate; close(): void };

type Options = {
  readonly rtmp: Pick<RtmpServer, 'take'>;
  readonly certificates: CertificateStore;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: ServerLog;
};

export const openRtmps = async ({ rtmp, certificates, host, port, clock, log }: Options): Promise<RtmpsListener> => {
  const server = createServer(tlsOptions(certificates), (socket: TLSSocket) => {
    // Undefined when the peer has already gone.
    const address = socket.remoteAddress ?? 'unknown';
    rtmp.take(socket, { protocol: 'rtmps', address: address.replace(/^::ffff:(?=\d+\.)/i, '') });
  });
  const gate = new TlsGate(server, { certificates, clock, log, name: 'rtmps' });
  const close = (): void => {
    server.close();
    gate.close();
  };
  try {
    return { port: await listenAt(server, { host, port, variable: 'MILLRACE_RTMPS_PORT' }, log), gate, close };
  } catch (error) {
    // The gate listens to the certificates.
    close();
    throw error;
  }
};

/**
 * What cannot be read as a request never becomes one, so no handler answers it: it gets its problem document here,
 * and the connection ends.
 */
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { problemType } from '../api/kit/problem.ts';

type Refusal = { readonly status: number; readonly code: string; readonly detail: string };

export const tooSlow: Refusal = { status: 408, code: 'too-slow', detail: 'The request did not arrive in time.' };
const malformed: Refusal = { status: 400, code: 'malformed-request', detail: 'This is not a request that HTTP/1.1 knows.' };
const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'headers-too-large', detail: 'The address and the headers together are larger than 16 KiB.' },
  ERR_HTTP_REQUEST_TIMEOUT: tooSlow,
};

/** The last thing that is said on it. */
export const refuseConnection = (socket: Duplex, { status, code, detail }: Refusal): void => {
  const title = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ type: 'about:blank', title, status, code, detail });
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};

export const answerBrokenRequests = (server: Server): void => {
  server.on('clientError', (error: NodeJS.ErrnoException & { bytesParsed?: number }, socket: Duplex) => {
    // A peer that has gone hears nothing, and neither may an answer that is under way be torn by another.
    // Neither does one whose TLS failed: there is nothing to say it over.
    const insecure = /^(ERR_SSL|ERR_TLS|EPROTO)/.test(error.code ?? '');
    const busy: unknown = Reflect.get(socket, '_httpMessage');
    if (!socket.writable || insecure || error.code === 'ECONNRESET' || (busy !== null && busy !== undefined)) socket.destroy();
    else refuseConnection(socket, refusals[error.code ?? ''] ?? malformed);
  });
};

/**
 * How long a body may take. Node's own limit (`requestTimeout`) counts from the first byte of any request, and would cut a
 * part of an upload on a bad line, whose body takes minutes and is looked after by the upload edge. All other bodies are
 * small: whoever needs longer for one holds a connection, and is ended.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../packager/clock.ts';
import { refuseConnection, tooSlow } from './broken-requests.ts';

const longestMs = 60_000;

export const limitBody = (request: IncomingMessage, response: ServerResponse, clock: Clock): void => {
  const { headers, socket } = request;
  // Nearly every request has none, and costs no timer.
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return;
  const cancel = clock.after(longestMs, () => {
    if (request.complete || socket.destroyed) return;
    if (response.headersSent) socket.destroy();
    else refuseConnection(socket, tooSlow);
  });
  request.once('close', cancel);
};

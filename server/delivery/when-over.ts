/**
 * When an answer is over, however it ends, and whether its peer was there until then. The end of the response alone is not
 * enough: it may be past by the time that somebody wants to know of it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WhenOver } from './presentation.ts';

/** Writes that end with the connection are errors as well (ECANCELED). */
const wasReset = ({ errored }: Socket): boolean => errored !== null && 'code' in errored && (errored.code === 'ECONNRESET' || errored.code === 'EPIPE');

export const whenOver = ({ socket }: IncomingMessage, response: ServerResponse, run: WhenOver): void => {
  let taken = response.writableFinished;
  // A peer that closes or resets its connection says so; one that was given up said nothing.
  const wasThere = (): boolean => taken || socket.readableEnded || wasReset(socket);
  if (response.destroyed || socket.destroyed) return run(wasThere());
  response.once('finish', () => {
    // What was still to be written when a connection was destroyed may finish as if it had been.
    taken = !socket.destroyed;
  });
  // Answers that wait for another one on their connection are closed with it.
  response.once('close', () => run(wasThere()));
};

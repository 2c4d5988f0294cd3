/**
 * The rest of a body that nobody wants any more. The connection is closed with the answer, and a client that is still
 * sending when it goes sees a broken pipe instead of the answer (RFC 9112, 9.6). So the rest is read, and forgotten, as
 * far as it is worth.
 */
import type { IncomingMessage } from 'node:http';

const mostBytes = 32 * 1024 * 1024;
const longestMs = 15_000;

/** Resolves when all of it has come, when enough has, when it takes too long, or when nobody sends any more. */
export const restOfBody = async (request: IncomingMessage): Promise<void> => {
  if (request.readableEnded || request.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > mostBytes) resolve();
  };
  const timer = setTimeout(resolve, longestMs);
  request.on('data', onData).once('end', resolve).once('close', resolve);
  await promise;
  clearTimeout(timer);
  request.off('data', onData).off('end', resolve).off('close', resolve);
};

/**
 * What an upload costs ahead of all that makes it one: bare sinks for `bench/upload.ts`, each a process of its own that says its
 * port and takes PUTs at /{n}. `counted`: node:http, and every piece is dropped. `written`: gathered and written to their places in a
 * file as uploads are, with no digest, no claim and no sync.
 *
 *     node bench/support/upload-floor.ts counted|written <file> <bytes of a part>
 */
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatchMemory } from '../../ingest/upload/batch-memory.ts';
import { Body, letGo } from '../../ingest/upload/body.ts';
import { uploadLimits } from '../../ingest/upload/limits.ts';
import { systemClock } from '../../packager/clock.ts';

const [what, path = '', size = '0'] = process.argv.slice(2);
const partSize = Number(size);
const file = await open(path, 'w');
const memory = new BatchMemory(uploadLimits.heldBytes);

const counted = (request: IncomingMessage): Promise<unknown> =>
  new Promise((end) => {
    request.on('data', letGo);
    request.once('end', end);
  });

const written = (request: IncomingMessage): Promise<unknown> => {
  let at = Number(request.url?.slice(1)) * partSize;
  const body = new Body(request, {
    ...{ clock: systemClock, memory, silenceMs: uploadLimits.silenceMs, most: () => partSize, lingerMs: () => null, came: () => undefined },
    take: async ({ bytes }, length) => {
      await file.write(bytes, 0, length, at);
      at += length;
    },
  });
  body.start();
  return body.done;
};

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  void (what === 'counted' ? counted(request) : written(request)).then(() => response.writeHead(204).end());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

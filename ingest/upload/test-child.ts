/**
 * For tests: an upload server in a process of its own, to be killed. One upload; whether it is whole is a file in its
 * folder, as for the rest of the server a row.
 *
 *     node test-child.ts <folder> <port> <size> <part size>
 */
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { systemClock } from '../../packager/clock.ts';
import { readBootId } from './files.ts';
import { createUploadEdge } from './handler.ts';
import { Originals } from './originals.ts';
import { FakeDesk } from './test-desk.ts';

const [folder = '', port, size, partSize] = process.argv.slice(2);
const mark = join(folder, 'whole');
const desk = new FakeDesk();
desk.uploads.set('killed', { id: 'killed', size: Number(size), partSize: Number(partSize), expiresAt: Date.now() + 3_600_000, path: join(folder, 'original') });
if (existsSync(mark)) desk.wholes.add('killed');
desk.settle = async () => writeFileSync(mark, '');

const failed = (error: unknown): void => {
  throw error;
};
const originals = new Originals({ clock: systemClock, bootId: await readBootId(), landed: (id, landed) => desk.landed(id, landed), failed });
const edge = createUploadEdge({ desk, originals, clock: systemClock, failed });
createServer({ requestTimeout: 0 }, (request, response) => {
  if (!edge.handle(request, response)) response.writeHead(404).end();
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createUploadEdge } from '../../ingest/upload/handler.ts';
import { Originals } from '../../ingest/upload/originals.ts';
import { FakeDesk, tokenOf } from '../../ingest/upload/test-desk.ts';
import { FakeClock } from '../../packager/clock.ts';
import { limitBody } from './body-time.ts';
import { serverLimits } from './server-limits.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-body-'));
const clock = new FakeClock(Date.now());
const desk = new FakeDesk();
const originals = new Originals({ clock, bootId: null, landed: () => undefined, failed: () => undefined });
const edge = createUploadEdge({ desk, originals, clock, failed: () => undefined });
// A limit of Node's would be a twentieth of a second here.
const limits = { ...serverLimits, requestTimeout: Math.min(50, serverLimits.requestTimeout), connectionsCheckingInterval: 10, headersTimeout: 50 };
const server = createServer(limits, (request, response) => {
  if (edge.handle(request, response)) return;
  limitBody(request, response, clock);
  request.on('error', () => undefined);
  request.on('end', () => response.end('taken')).resume();
}).listen(0, '127.0.0.1');
await once(server, 'listening');
t.teardown(async () => {
  server.closeAllConnections();
  server.close();
  await originals.stop();
  await rm(folder, { recursive: true, force: true });
});

const begin = async (head: string): Promise<{ socket: Socket; heard: () => string; closed: Promise<unknown> }> => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let heard = '';
  socket.on('data', (data) => (heard += String(data)));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(`${head}\r\nHost: x\r\n\r\n`);
  return { socket, heard: () => heard, closed };
};

t.test('a slow honest upload lives as long as it takes, and a slow body of anything else is cut after a minute', async (t) => {
  desk.uploads.set('slow', { id: 'slow', size: 20, partSize: 1 << 20, expiresAt: clock.wall() + 86_400_000, path: join(folder, 'original') });
  const upload = await begin(`PATCH /upload/${tokenOf('slow')} HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 20`);
  const small = await begin('POST /api/v1/sessions HTTP/1.1\r\nContent-Length: 20');
  const chunked = await begin('POST /api/v1/sessions HTTP/1.1\r\nTransfer-Encoding: chunked');
  while (edge.stats().bodies === 0) await sleep(5);
  for (let count = 1; count < 20; count += 1) {
    upload.socket.write('x');
    small.socket.write('x');
    while (edge.stats().received < count) await sleep(1);
    clock.advance(50_000);
    await sleep(5);
  }
  for (const { heard, closed } of [small, chunked]) {
    await closed;
    t.match(heard(), /^HTTP\/1\.1 408 [\s\S]*"code":"too-slow"/);
  }
  t.equal(upload.heard(), '');
  upload.socket.write('x');
  while (!upload.heard().includes('\r\n\r\n')) await sleep(5);
  t.match(upload.heard(), /^HTTP\/1\.1 204 /);
  upload.socket.destroy();
});

t.test('a body that comes in time is not touched afterwards, and neither is a request without one', async (t) => {
  const { socket, heard, closed } = await begin('POST / HTTP/1.1\r\nContent-Length: 4');
  socket.write('body');
  while (!heard().includes('taken')) await sleep(5);
  clock.advance(120_000);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await closed;
  t.equal(heard().match(/HTTP\/1\.1 200/g)?.length, 2);
});

t.test('a head that does not come is cut as before', async (t) => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost');
  await once(socket.resume(), 'close');
  t.pass();
});

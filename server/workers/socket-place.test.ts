import { statSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { listenAlone, socketPlace } from './socket-place.ts';

t.test('a data folder that lies too deep for a socket is met all the same', { skip: process.platform !== 'linux' }, async (t) => {
  const top = await mkdtemp(join(tmpdir(), 'millrace-deep-'));
  t.teardown(() => rm(top, { recursive: true, force: true }));
  const data = join(top, 'a folder with quite a name'.repeat(4), 'and another one'.repeat(6));
  await mkdir(data, { recursive: true });
  const [mine, theirs] = [socketPlace(data), socketPlace(data)];
  t.ok(Buffer.byteLength(mine.address) < 104, mine.address);
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(mine.address, resolve));
  const socket = createConnection(theirs.address);
  const said = await new Promise<string>((resolve, reject) => {
    socket.on('data', (bytes) => resolve(String(bytes)));
    socket.on('error', reject);
  });
  t.equal(said, 'hello');
  await new Promise<void>((resolve) => server.close(() => resolve()));
  mine.close();
  theirs.close();
  t.equal(socketPlace('/data').address, '/data/worker.sock');
});

t.test('the socket is for nobody else from its first moment, whatever files are made for usually', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'millrace-alone-'));
  const usual = process.umask(0);
  t.teardown(async () => {
    process.umask(usual);
    await rm(data, { recursive: true, force: true });
  });
  const { address } = socketPlace(data);
  const server = createServer();
  const listening = listenAlone(server, address);
  t.equal(statSync(address).mode & 0o077, 0);
  t.equal(process.umask(), 0, 'other files are made as before');
  await listening;
  const second = createServer();
  await t.rejects(listenAlone(second, address), { code: 'EADDRINUSE' });
  t.equal(process.umask(), 0);
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

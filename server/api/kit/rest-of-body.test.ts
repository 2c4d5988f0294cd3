/** A body that is too large: whoever sends it reads why, however long it was on its way. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { testApi } from '../testing.ts';

t.test('the answer reaches clients that read nothing before they have sent everything', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const send = async (method: string, path: string, head: string, body: readonly (string | Buffer)[]): Promise<string> => {
    const socket = connect(Number(new URL(server.base).port), '127.0.0.1');
    const answered: Buffer[] = [];
    // Writes go on after the answer is there, as those of a simple client would.
    socket.write(`${method} /api/v1${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n${head}\r\n\r\n`);
    for (const piece of body) if (!socket.write(piece)) await once(socket, 'drain');
    socket.on('data', (chunk: Buffer) => answered.push(chunk));
    await once(socket, 'end');
    socket.destroy();
    return Buffer.concat(answered).toString();
  };
  const piece = Buffer.alloc(64 * 1024, 0x78);
  const pieces = Array.from({ length: 96 }, () => piece);
  const told = await send('POST', '/channels', `content-length: ${96 * piece.length}`, pieces);
  t.match(told, /^HTTP\/1\.1 413 [^]*connection: close[^]*larger than 64 KiB/i);
  const chunks = [...pieces.flatMap((one) => [`${one.length.toString(16)}\r\n`, one, '\r\n']), '0\r\n\r\n'];
  t.match(await send('POST', '/channels', 'transfer-encoding: chunked', chunks), /^HTTP\/1\.1 413 /);
  t.match(await send('PUT', '/videos/abcdefgh12345678/captions/ko', `content-length: ${96 * piece.length}`, pieces), /^HTTP\/1\.1 413 [^]*larger than 4100 KiB/, 'each address says what it takes itself');
});

t.test('whoever sends no end of it is not listened to for ever', async (t) => {
  const server = await testApi(t);
  const { token } = await server.person('ann', 'creator');
  const socket = connect(Number(new URL(server.base).port), '127.0.0.1');
  socket.on('error', () => undefined); // the point: the server has closed it
  socket.write(`POST /api/v1/channels HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 9000000000\r\n\r\n`);
  const piece = Buffer.alloc(256 * 1024, 0x78);
  const closed = Promise.withResolvers<void>();
  socket.on('close', () => closed.resolve());
  let sent = 0;
  const sendOn = (error?: Error | null): void => {
    if (error || sent === 512) return;
    sent += 1;
    socket.write(piece, sendOn);
  };
  sendOn();
  await closed.promise;
  t.ok(sent < 512, `${sent} pieces of ${piece.length} bytes`);
});

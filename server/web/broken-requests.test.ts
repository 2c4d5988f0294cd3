import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import t from 'tap';
import { answerBrokenRequests } from './broken-requests.ts';

const server = createServer({ headersTimeout: 50, connectionsCheckingInterval: 20 }, (_request, response) => void response.end('fine')).listen(0, '127.0.0.1');
answerBrokenRequests(server);
await once(server, 'listening');
t.teardown(() => server.close());

const ask = async (bytes: string): Promise<string> => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let heard = '';
  socket.on('data', (data) => (heard += String(data)));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return heard;
};

t.test('what is no request, is too large or too slow gets a problem document and the end of the connection', async (t) => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['FOO / HTTP/1.1\r\n\r\n', 400, 'malformed-request'],
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'malformed-request'],
    [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
    ['GET / HTTP/1.1\r\nHost', 408, 'too-slow'],
  ];
  for (const [bytes, status, code] of cases) {
    const heard = await ask(bytes);
    t.match(heard, `HTTP/1.1 ${status} `);
    t.match(heard, 'application/problem+json');
    t.match(JSON.parse(heard.split('\r\n\r\n')[1] ?? ''), { status, code });
  }
  t.match(await ask('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /fine$/);
});

/** Servers that do as they like: each is a finding, within bounds of memory and time, and the checker lives. */
import t, { type Test } from 'tap';
import { createServer as createTcpServer } from 'node:net';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { openNet, systemTime } from './net.ts';
import { watchStream } from './watch.ts';

const serve = async (t: Test, handle: RequestListener): Promise<string> => {
  const server = createServer(handle);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
};

const ask = async (url: string, { timeoutMs = 2000, limit = 1 << 20 } = {}) => {
  const net = openNet(systemTime);
  try {
    return await net.fetch(url, { timeoutMs, limit });
  } finally {
    net.close();
  }
};

t.test('an answer is kept as it came: length, coding, headers', async (t) => {
  const body = gzipSync('#EXTM3U\n');
  const url = await serve(t, (_, response) => response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body));
  const answer = await ask(url);
  t.equal(answer.body.toString(), '#EXTM3U\n');
  t.equal(answer.wire, body.length);
  t.notOk(answer.chunked);
  t.equal(answer.trouble, null);
});

t.test('a body that grows without end is cut off', async (t) => {
  const url = await serve(t, (_, response) => {
    const more = (): void => void (response.destroyed || response.write(Buffer.alloc(65_536), () => setImmediate(more)));
    more();
  });
  t.match((await ask(url)).trouble, { rule: 'http/too-large' });
});

t.test('what unpacks to a thousand times its size is cut off', async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  const url = await serve(t, (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
  t.match((await ask(url)).trouble, { rule: 'http/encoding' });
  const other = await serve(t, (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'));
  t.match((await ask(other)).trouble, { rule: 'http/encoding' });
  const odd = await serve(t, (_, response) => response.writeHead(200, { 'content-encoding': 'zip' }).end('x'));
  t.match((await ask(odd)).trouble, { rule: 'http/encoding', says: /not asked for/ });
});

t.test('silence, a reset, nobody, and a circle of redirections are findings', async (t) => {
  const silent = await serve(t, () => undefined);
  t.match((await ask(silent, { timeoutMs: 100 })).trouble, { rule: 'http/unreachable', says: /within/ });
  const reset = await serve(t, (request) => request.socket.destroy());
  t.match((await ask(reset)).trouble, { rule: 'http/unreachable' });
  const half = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('half');
    setTimeout(() => response.destroy(), 20);
  });
  t.match((await ask(half)).trouble, { rule: 'http/unreachable' });
  const round = await serve(t, (_, response) => response.writeHead(302, { location: '/again' }).end());
  t.match((await ask(round)).trouble, { says: /redirections/ });
  t.match((await ask('http://127.0.0.1:1/')).trouble, { rule: 'http/unreachable' });
  t.match((await ask('file:///etc/passwd')).trouble, { rule: 'http/unreachable', says: /not an address/ });
  const elsewhere = await serve(t, (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end());
  t.match((await ask(elsewhere)).trouble, { says: /not an address/ });
});

t.test('a server that speaks something else altogether', async (t) => {
  const server = createTcpServer((socket) => socket.end('220 smtp.example.com ESMTP\r\n'));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  t.teardown(() => server.close());
  t.match((await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).trouble, { rule: 'http/unreachable' });
});

t.test('a watch of what is no stream ends with findings', async (t) => {
  const html = await serve(t, (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>hello</html>'));
  for (const name of ['master.m3u8', 'manifest.mpd']) {
    const net = openNet(systemTime);
    const report = await watchStream([html + name], { fetch: net.fetch, time: systemTime, seconds: 2 });
    net.close();
    t.ok(report.count('error') > 0, name);
    t.ok([...report.byRule.keys()].some((rule) => rule === 'hls/syntax' || rule === 'dash/xml'), [...report.byRule.keys()].join());
  }
});

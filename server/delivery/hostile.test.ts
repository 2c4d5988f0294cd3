/** What strangers send and do: it costs them an answer or their connection, and nobody else anything. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { play, run, TestServer } from './test-server.ts';

const raw = (port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (piece) => (text += piece));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });

t.test('hostile paths are 400 or 404 as problem documents, and nothing else', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.live();
  const paths = [
    '/play/', '/play/-', `${play}/../../etc/passwd`, `${play}/v0/../../../etc/passwd`, `${play}/%2e%2e/%2e%2e/etc/passwd`, `${play}/v0/%00`,
    `${play}/v0/..%2f..%2fetc%2fpasswd`, `${play}/v0/${run}-3.m4s%00.mp4`, `${play}/v0/${run}-99999999999999999999.m4s`, `${play}/v0/${run}--1.m4s`,
    `${play}/v0/${run}-03.m4s`, `${play}//v0/index.m3u8`, `${play}/v0/index.m3u8/`, `${play}/v0/INDEX.m3u8`, '/play/-/__proto__/master.m3u8',
    '/play/-/constructor/v0/index.m3u8', `/play/-/${'v'.repeat(8000)}/master.m3u8`, `/play/${'g'.repeat(8000)}/video-00000001/master.m3u8`,
    `/play/-/video-00000001/${'/'.repeat(4000)}`, `/play/-/@../master.m3u8`, '/play/-/@__proto__/master.m3u8', `${play}/toString/index.m3u8`,
    `${play}/v0/index.m3u8#_HLS_msn=1`, `${play}/v0/index.m3u8%3f_HLS_msn=1`, `/play/-\\video-00000001\\master.m3u8`, '/play/*', '/play/?x=/../..',
    `${play}/ts/../v0/index.m3u8`, `${play}/ts/v0/../../../etc/passwd`, `${play}/ts/v0/${run}-1.ts%00`, `${play}/mp4/../../etc/passwd`, `${play}/mp4/${run}-..-...mp4`,
    `${play}/mp4/${run}-v0-a0.mp4/`, `${play}/mp4/${run}-__proto__.mp4`, `${play}/cut-0-end/../../../etc/passwd`, `${play}/cut-0-1e9/master.m3u8`,
    `${play}/cut-0-${'9'.repeat(400)}/master.m3u8`, `${play}/cut--5-end/v0/index.m3u8`, `${play}/cut-0-end/v0/${run}-1.m4s`, `${play}/v0/${run}-k1-0.m4s`,
    `${play}/v0/${run}-k01.m4s`, `${play}/v0/${run}-1-0.vtt`, `${play}/manifest.mpd/../../..`, '/play/time/..', '/play/-/@show/mp4/x.mp4', `${play}/ts/__proto__/index.m3u8`,
  ];
  for (const path of paths) {
    const answer = await raw(server.port, path);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    t.match(head, /^HTTP\/1\.1 40[04] /, path.slice(0, 70));
    t.match(head, /access-control-allow-origin: \*/i);
    t.ok(JSON.parse(body).code, 'with a code');
  }
  t.same(server.errors, []);
});

t.test('hostile queries of a playlist are answered or refused at once', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.live();
  const queries = ['_HLS_msn=NaN', '_HLS_msn=1e999', '_HLS_msn[]=1', `_HLS_msn=${'9'.repeat(5000)}`, '&'.repeat(5000), '_HLS_msn=%00', '=_HLS_msn=', '_HLS_part=1&_HLS_part', '?', '_HLS_skip=' + 'x'.repeat(4000)];
  for (const query of queries) {
    const { status } = await server.ask(`${play}/v0/index.m3u8?${query}`);
    t.ok(status === 200 || status === 400, `${query.slice(0, 30)} ${status}`);
  }
  t.equal(server.delivery.stats().waiters, 0);
  t.same(server.errors, []);
});

/** Asks and does not read the answer. */
const idle = async (server: TestServer, path: string): Promise<Socket> => {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
};
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((turn) => setImmediate(turn));
};

t.test('hostile queries of manifests and downloads are answered or refused at once', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  server.live();
  const starts = ['-', '.', '--1', '1.', '1e1', '0x1', '%31', ' 1', '1;2', '9'.repeat(9000), 'null', '1&start=2', '١'];
  for (const start of starts) t.equal((await server.ask(`${play}/master.m3u8?start=${encodeURI(start)}`)).status, 400, start.slice(0, 20));
  const queries = ['from=live&from=live', 'from=%00', 'from', '&&&&', `from=${'x'.repeat(9000)}`, 'from=live%0d%0aX: y', 'start=1'];
  for (const query of queries) t.equal((await server.ask(`${play}/manifest.mpd?${encodeURI(query)}`)).status, 200, query.slice(0, 20));
  for (const name of ['%', '%00', '%0d%0aX:%20y', '..%2f..', `${'%F0%9F%98%80'.repeat(900)}`]) {
    const { status, headers } = await server.ask(`${play}/mp4/${run}-v0-a0.mp4?name=${name}`);
    t.ok(status === 409 && headers['x'] === undefined, 'still live, whatever it is to be called');
  }
  t.equal(server.delivery.stats().waiters, 0);
  t.same(server.errors, []);
});

t.test('a peer that does not read is sent away after 20 s, and one that does gets all of a big file', async (t) => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const video = server.live({ partBytes: 2 << 20 });
  const path = `${play}/v0/${run}-3.m4s`;
  const socket = await idle(server, path);
  await until(() => server.delivery.stats().slowPeers.sending === 1);
  const { status, body } = await server.ask(path);
  t.equal(status, 200);
  t.ok(body.equals(video.bytes('v0', 12, 18)), 'twelve megabytes in slices');
  server.clock.advance(19_000);
  t.equal(server.delivery.stats().slowPeers.dropped, 0);
  server.clock.advance(2000);
  t.equal(server.delivery.stats().slowPeers.dropped, 1);
  socket.resume();
  await once(socket, 'close');
  t.match(server.delivery.stats().slowPeers, { sending: 0, heldBytes: 0 });
});

t.test('slow peers together hold no more than the configuration allows', async (t) => {
  const size = 6 * (2 << 20);
  const server = await TestServer.start({ heldBytes: 2 * size, cacheBytes: 1 << 20 });
  t.teardown(() => server.stop());
  server.live({ partBytes: 2 << 20 });
  const sockets: Socket[] = [];
  for (const msn of [1, 2, 3, 4, 5]) {
    sockets.push(await idle(server, `${play}/v0/${run}-${msn}.m4s`));
    await until(() => server.delivery.stats().slowPeers.dropped + server.delivery.stats().slowPeers.sending === msn);
    t.ok(server.delivery.stats().slowPeers.heldBytes <= 2 * size);
  }
  t.equal(server.delivery.stats().slowPeers.dropped, 3, 'those that were at it longest');
  for (const socket of sockets) socket.destroy();
});

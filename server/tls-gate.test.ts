import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecurely, createServer } from 'node:tls';
import t from 'tap';
import { FakeClock } from '../packager/clock.ts';
import { FileCertificates } from './certificates.ts';
import { TlsGate, tlsOptions } from './tls-gate.ts';

const folder = mkdtempSync(join(tmpdir(), 'tls-gate-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const files = { certificate: join(folder, 'a.crt'), key: join(folder, 'a.key') };
const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=gate'];
execFileSync('openssl', [...how, '-keyout', files.key, '-out', files.certificate], { stdio: 'ignore' });
const lines: string[] = [];
const log = { info: (_: unknown, words: string) => void lines.push(words), warn: () => undefined, error: () => undefined } as never;
const clock = new FakeClock();
const certificates = await FileCertificates.open({ files, lookEveryMs: 60_000, clock, log });
t.teardown(() => certificates.close());

const open = async (most: number, handshakeMs?: number) => {
  const server = createServer(tlsOptions(certificates, handshakeMs), (socket) => socket.on('error', () => undefined).end('welcome'));
  const gate = new TlsGate(server, { certificates, clock, log, name: 'test', most });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, gate, port };
};

t.test('who holds handshakes open makes room for who finishes his', async (t) => {
  const { server, gate, port } = await open(50);
  const idle: Socket[] = [];
  let cut = 0;
  for (let n = 0; n < 300; n += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined).on('close', () => (cut += 1));
    await once(socket, 'connect');
    // A beginning of a handshake, and no more of it.
    socket.write(Buffer.from([0x16, 3, 1, 2]));
    idle.push(socket);
  }
  const good = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
  const [welcome] = (await once(good, 'data')) as [Buffer];
  t.equal(welcome.toString(), 'welcome');
  t.ok(gate.counters.handshaking <= 50);
  t.equal(gate.counters.done, 1);
  t.ok(gate.counters.dropped >= 250);
  good.destroy();
  // What is left goes with the listener, which would wait for it.
  const closed = once(server, 'close');
  server.close();
  gate.close();
  await closed;
  await Promise.all(idle.map((socket) => socket.closed || once(socket, 'close')));
  t.equal(cut, 300);
  const { done, failed, dropped } = gate.counters;
  t.equal(done + failed + dropped, 301, 'each is counted once');
  t.ok(failed <= 50);
});

t.test('what is no TLS is closed, and written down once in ten seconds', async (t) => {
  const { server, gate, port } = await open(50);
  t.teardown(() => server.close());
  lines.length = 0;
  for (const words of ['GET / HTTP/1.1\r\n\r\n', '\u0003rtmp without TLS']) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(words);
    await once(socket, 'close');
  }
  t.equal(gate.counters.failed, 2);
  t.same(lines, ['A TLS handshake failed.']);
  clock.advance(10_000);
});

t.test('a handshake that is not finished in time ends the connection', async (t) => {
  const { server, gate, port } = await open(50, 100);
  t.teardown(() => server.close());
  const silent = connect(port, '127.0.0.1').on('error', () => undefined).resume();
  const halfway = connect(port, '127.0.0.1').on('error', () => undefined).resume();
  halfway.write(Buffer.from([0x16, 3, 1, 2]));
  await Promise.all([once(silent, 'close'), once(halfway, 'close')]);
  t.match(gate.counters, { handshaking: 0, done: 0, failed: 2 });
});

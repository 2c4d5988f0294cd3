/** HTTPS and RTMPS of a whole server, with real senders and players, and a certificate that is renewed under them. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { WebSocket } from 'ws';
import { makeCertificate, SecureClient, shownName } from './support/certificate.ts';
import { firstMediaPlaylist, nextPart } from './support/blocking-reload.ts';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { mustFfmpeg, probe, push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { plays } from './support/web-app.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const first = makeCertificate(folder, 'first');
const second = makeCertificate(folder, 'second');
const files = { certificate: join(folder, 'live.crt'), key: join(folder, 'live.key') };
copyFileSync(first.certificate, files.certificate);
copyFileSync(first.key, files.key);
const client = new SecureClient([first, second]);
t.teardown(() => client.close());

const env = { MILLRACE_HTTPS_PORT: '0', MILLRACE_RTMPS_PORT: '0', MILLRACE_TLS_CERTIFICATE: files.certificate, MILLRACE_TLS_KEY: files.key, MILLRACE_TLS_LOOK_EVERY: '1s' };
/** The system chose them. */
const portsOf = (log: string): { https: number; rtmps: number } => {
  const line = log.split('\n').find((text) => text.includes('"The server is ready."'));
  const { https, rtmps } = JSON.parse(line ?? '{}') as { https: number; rtmps: number };
  return { https, rtmps };
};
const source = await clip({ width: 320, height: 180, kbps: 300 });
const server = await startServer({ env });
t.teardown(() => server.stop());
const { https, rtmps } = portsOf(server.log);
const origin = `https://localhost:${https}`;
const token = await server.login();
const rtmpsUrl = ({ streamKey }: Channel): string => `rtmps://127.0.0.1:${rtmps}/live/${streamKey}`;
const linesOf = (event: string): string[] => server.log.split('\n').filter((line) => line.includes(event));

t.test('ffmpeg pushes over RTMPS; every frame is in the recording, over HTTPS too', async (t) => {
  const channel = await server.createChannel(token, { name: 'recorded' });
  await mustFfmpeg(['-v', 'error', '-i', source.file, '-c', 'copy', '-f', 'flv', rtmpsUrl(channel)]);
  const { items } = await until(
    () => server.must<{ items: { id: string; state: string }[] }>('GET', 'videos?mine=true', undefined, token),
    ({ items }) => items[0]?.state === 'ready',
    20_000,
  );
  const { packets = [] } = await probe(`${origin}/play/-/${items[0]?.id}/master.m3u8`, '-show_packets', '-select_streams', 'v');
  t.equal(packets.length, source.frames);
  t.match(linesOf('rtmp.publishing').at(-1), '"protocol":"rtmps"');
});

t.test('addresses, cookies and the state of the server are those of HTTPS', async (t) => {
  const credentials = { username: 'admin', password: 'correct horse battery staple' };
  const secure = await client.ask(`${origin}/api/v1/sessions`, { method: 'POST', body: credentials });
  t.match(String(secure.headers['set-cookie']), /; Secure/);
  const plain = await server.api('POST', 'sessions', credentials);
  t.notMatch(plain.headers.get('set-cookie'), /Secure/);
  const made = await client.ask(`${origin}/api/v1/channels`, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: { name: 'secure', title: 'Secure' } });
  t.match(JSON.parse(made.text), {
    page: `${origin}/@secure`,
    ingest: { rtmps: { server: `rtmps://localhost:${rtmps}/live`, key: /^\S+$/ }, rtmp: { server: `rtmp://localhost:${server.ports.rtmp}/live` } },
  });
  t.match((await server.api('GET', '/readyz')).body, { ready: true, tls: { names: ['localhost', '127.0.0.1'], renewal: 'ok' } });
  t.match((await server.api('GET', '/metrics')).body, /millrace_tls_handshakes_total\{end="done"\} [1-9]/);
  t.match(server.log, `Web    https://localhost:${https}`);
  t.match(server.log, `RTMPS  rtmps://localhost:${rtmps}/live`);
});

t.test('a renewed certificate is taken while a show goes on, a broken one is not', async (t) => {
  const channel = await server.createChannel(token, { name: 'renewed' });
  const sender = push(source.file, rtmpsUrl(channel));
  t.teardown(() => sender.stop());
  await server.live(channel);
  const master = await client.ask(`${origin}/play/-/@renewed/master.m3u8`);
  const media = firstMediaPlaylist(master.text, `${origin}/play/-/@renewed/master.m3u8`);
  const reload = async (): Promise<void> => {
    const { msn, part } = nextPart((await client.ask(media)).text);
    const answer = await client.ask(`${media}?_HLS_msn=${msn}&_HLS_part=${part}`);
    t.equal(answer.status, 200);
    const next = nextPart(answer.text);
    t.ok(next.msn > msn || next.part > part, 'the answer has the part that was waited for');
  };
  await reload();
  const page = new WebSocket(`wss://localhost:${https}/api/v1/ws`, { ca: [...client.ca] });
  const heard: string[] = [];
  page.on('message', (data) => heard.push(String(data)));
  await new Promise((resolve) => page.once('open', resolve));
  page.send(JSON.stringify({ subscribe: 'channel:@renewed' }));
  await until(async () => heard, (all) => all.some((text) => text.includes('"live"')));

  copyFileSync(second.certificate, files.certificate);
  await until(async () => linesOf('cannot be used'), (lines) => lines.length > 0, 20_000);
  t.equal(await shownName(https), 'first', 'half of a renewal');
  copyFileSync(second.key, files.key);
  t.equal(await until(() => shownName(https), (name) => name === 'second', 20_000), 'second');
  t.equal(await shownName(rtmps), 'second');
  writeFileSync(files.certificate, 'no certificate at all');
  await until(async () => (await server.api('GET', '/readyz')).body, (body) => (body as { tls: { renewal: string } }).tls.renewal === 'refused', 20_000);
  t.match((await server.api('GET', '/metrics')).body, /millrace_tls_certificate_refused 1/);
  t.equal(await shownName(https), 'second');

  await reload();
  t.equal(page.readyState, page.OPEN, 'who is connected stays');
  t.equal(linesOf('rtmp.closed').length, 1, 'the publisher of the first test alone has gone');
  page.terminate();
});

t.test('Chromium plays over HTTPS what goes on over RTMPS', async (t) => {
  const channel = await server.createChannel(token, { name: 'seen' });
  const sender = push(source.file, rtmpsUrl(channel));
  t.teardown(() => sender.stop());
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const { page, complaints } = await openPage(browser, { ignoreHTTPSErrors: true });
  await server.live(channel);
  await page.goto(`${origin}/@seen`);
  await plays(page);
  t.same(complaints, []);
});

t.test('plain HTTP is sent to HTTPS where that is wanted, but for the state of the server', async (t) => {
  copyFileSync(second.certificate, files.certificate);
  copyFileSync(second.key, files.key);
  const other = await startServer({ env: { ...env, MILLRACE_HTTPS_REDIRECT: 'true' } });
  t.teardown(() => other.stop());
  const { https } = portsOf(other.log);
  const sent = await fetch(`${other.origin}/watch/x?t=1`, { redirect: 'manual' });
  t.equal(sent.status, 308);
  t.equal(sent.headers.get('location'), `https://127.0.0.1:${https}/watch/x?t=1`);
  t.equal((await fetch(`${other.origin}/api/v1/sessions`, { method: 'POST', body: '{}', redirect: 'manual' })).status, 308);
  t.equal((await fetch(`${other.origin}/readyz`)).status, 200);
  const refused = await new Promise((resolve) => new WebSocket(`ws://127.0.0.1:${other.ports.http}/api/v1/ws`).once('unexpected-response', (_, { statusCode }) => resolve(statusCode)).on('error', () => {}));
  t.equal(refused, 308);
  t.equal((await client.ask(`https://localhost:${https}/healthz`)).status, 200);
});

t.test('a wrong certificate at the start is refused with words', async (t) => {
  writeFileSync(files.key, 'no key');
  const failure: unknown = await startServer({ env }).catch((error: unknown) => error);
  t.match(String(failure), /tls\.key: .*live\.key holds no private key in PEM/);
});

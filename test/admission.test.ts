/** Who may publish, on a whole server: wrong keys, networks, the operator's hook, with real senders and in the web app. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { ffmpeg, push } from './support/ffmpeg.ts';
import { playlist, until } from './support/playlists.ts';
import { adminPassword, startServer, type Channel } from './support/server.ts';
import { signIn } from './support/web-app.ts';

type Told = { readonly event: string; readonly id: string; readonly [field: string]: unknown };
type Attempt = { readonly reason: string; readonly channel: { readonly name: string } | null; readonly [field: string]: unknown };

const secret = 'the secret of the hook';
/** What the hook was told, once its signature was right; and what it answers. */
const told: Told[] = [];
const refusals = new Map<string, string>();
/** Channels about which it never answers, and who is called when the server gives such a question up. */
const thinking = new Map<string, () => void>();
const receiver = createServer(async (request, response) => {
  const body = await text(request);
  const [, at = '', mac = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['millrace-signature'])) ?? [];
  if (createHmac('sha256', secret).update(`${at}.${body}`).digest('hex') !== mac) return void response.writeHead(500).end();
  const one = JSON.parse(body) as Told & { channel: { name: string } };
  told.push(one);
  const givenUp = one.event === 'publish' ? thinking.get(one.channel.name) : undefined;
  if (givenUp) return void response.on('close', givenUp);
  const reason = one.event === 'publish' ? refusals.get(one.channel.name) : undefined;
  response.end(reason === undefined ? '' : JSON.stringify({ allow: false, reason }));
});
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');
t.teardown(() => {
  receiver.closeAllConnections();
  receiver.close();
});

const source = await clip({ width: 320, height: 180, kbps: 300 });
const { port } = receiver.address() as AddressInfo;
// A sender that a busy machine holds up for a moment is none that has fallen silent.
const server = await startServer({ env: { MILLRACE_LIVE_TAKEOVER_SILENCE: '60s', MILLRACE_HOOKS_PUBLISH_URL: `http://127.0.0.1:${port}/publish`, MILLRACE_HOOKS_PUBLISH_SECRET: secret, MILLRACE_HOOKS_PUBLISH_TIMEOUT: '8s' } });
t.teardown(() => server.stop());
const token = await server.login();
const attempts = async (where: string): Promise<readonly Attempt[]> => (await server.must<{ items: Attempt[] }>('GET', where, undefined, token)).items;
const send = (url: string, format = 'flv') => ffmpeg(['-v', 'error', '-re', '-i', source.file, '-c', 'copy', '-f', format, url], { timeoutMs: 30_000 });
const restrict = async (channel: Channel, allowedNetworks: readonly string[]): Promise<void> => {
  const { items } = await server.must<{ items: { id: string }[] }>('GET', `channels/${channel.id}/stream-keys`, undefined, token);
  await server.must('PATCH', `channels/${channel.id}/stream-keys/${items[0]?.id}`, { allowedNetworks }, token);
};

t.test('ffmpeg is told what is wrong with its key, and gives up', async (t) => {
  const wrong = await send(`rtmp://127.0.0.1:${server.ports.rtmp}/live/wrongwrongwrongwrong`);
  t.not(wrong.code, 0);
  t.match(wrong.stderr, 'This stream key is not known here.');
  t.match(await attempts('attempts'), [{ reason: 'unknown-key', protocol: 'rtmp', address: '127.0.0.1', software: /Lavf/, count: 1, channel: null }]);
  t.equal(told.length, 0, 'the hook is not asked about keys that nobody has');
});

t.test('a key works from where its owner says, and elsewhere is a wrong one', async (t) => {
  const channel = await server.createChannel(token, { name: 'home' });
  await restrict(channel, ['203.0.113.0/24', '2001:db8::/32']);
  const elsewhere = await send(server.rtmpUrl(channel));
  t.not(elsewhere.code, 0);
  t.match(elsewhere.stderr, 'This stream key is not known here.');
  const srt = await send(server.srtUrl(channel), 'mpegts');
  t.not(srt.code, 0);
  t.match(await attempts(`channels/${channel.id}/attempts`), [{ reason: 'forbidden-network' }, { reason: 'forbidden-network' }]);
  t.notMatch(JSON.stringify(await attempts('attempts')), channel.streamKey);
  await restrict(channel, ['127.0.0.0/8']);
  const sender = push(source.file, server.rtmpUrl(channel));
  await server.live(channel);
  await sender.stop();
  const bad = await server.api('POST', `channels/${channel.id}/stream-keys`, { allowedNetworks: ['10.0.0.0/33'] }, token);
  t.match(bad, { status: 400, body: { code: 'validation', errors: [{ field: 'allowedNetworks' }] } });
});

t.test('the hook lets in, is asked again about who comes back, and hears of every end', async (t) => {
  const channel = await server.createChannel(token, { name: 'asked' });
  const mine = (): Told[] => told.filter(({ channel: about }) => (about as { name: string }).name === 'asked');
  const first = push(source.file, server.rtmpUrl(channel));
  await server.live(channel);
  const { live } = await server.must<{ live: { videoId: string } }>('GET', `channels/${channel.id}`);
  await first.kill();
  await until(async () => mine(), (all) => all.length === 2, 20_000);
  const second = push(source.file, server.srtUrl(channel), { format: 'mpegts' });
  await until(async () => mine(), (all) => all.length === 3, 20_000);
  // The question has been read; the show is to be ended once it has been answered, and the sender is in.
  type Ingest = { readonly session: { readonly protocol: string } | null };
  await until(() => server.must<Ingest>('GET', `channels/${channel.id}/ingest`, undefined, token), ({ session }) => session?.protocol === 'srt', 20_000);
  await server.must('POST', `channels/${channel.id}/end`, undefined, token);
  await second.finished;
  await until(async () => mine(), (all) => all.length === 4, 20_000);
  t.match(mine(), [
    { event: 'publish', protocol: 'rtmp', address: '127.0.0.1', videoId: null },
    { event: 'publish_done', reason: 'lost', videoId: live.videoId },
    { event: 'publish', protocol: 'srt', videoId: live.videoId },
    { event: 'publish_done', reason: 'ended-by-owner', videoId: live.videoId },
  ]);
  t.ok(Number(mine()[1]?.['bytes']) > 0);
  t.same([mine()[1]?.id, mine()[3]?.id], [mine()[0]?.id, mine()[2]?.id]);
  t.notMatch(JSON.stringify(told) + server.log, channel.streamKey);
});

t.test('who hangs up while the hook thinks is let go of at once, and the hook as well', async (t) => {
  const channel = await server.createChannel(token, { name: 'impatient' });
  const asked = (): Told[] => told.filter(({ channel: about }) => (about as { name: string }).name === 'impatient');
  const givenUp = new Promise<void>((resolve) => thinking.set('impatient', resolve));
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await until(async () => asked(), (all) => all.length === 1, 20_000);
  await sender.kill();
  await givenUp;
  const metrics = async (): Promise<string> => (await fetch(`${server.origin}/metrics`)).text();
  await until(metrics, (text) => /^millrace_rtmp_sessions 0$/m.test(text));
  t.match(await metrics(), /^millrace_publish_hook_total\{end="failed"\} 0$/m, 'its time was not over');
  t.same(await attempts(`channels/${channel.id}/attempts`), []);
  t.same(asked().map(({ event }) => event), ['publish'], 'nothing is told of an end');
});

t.test('of two encoders with one key, the second one stays: the first is told why, and so is the streamer', async (t) => {
  const channel = await server.createChannel(token, { name: 'twice' });
  const url = server.rtmpUrl(channel);
  const first = push(source.file, url);
  t.teardown(() => first.kill());
  await server.live(channel);
  const { live } = await server.must<{ live: { videoId: string } }>('GET', `channels/${channel.id}`);
  const second = push(source.file, url);
  t.teardown(() => second.kill());
  t.match(await first.finished, { code: /[1-9]/, stderr: /another encoder took over with the same stream key/ });
  type Ingest = { readonly findings: readonly { readonly code: string; readonly severity: string; readonly params: object }[]; readonly session: object | null };
  const ingest = (): Promise<Ingest> => server.must<Ingest>('GET', `channels/${channel.id}/ingest`, undefined, token);
  // It is back as often as it is started again, as OBS is by itself.
  for (let time = 0; time < 2; time += 1) t.match(await send(url), { code: /[1-9]/, stderr: /Another encoder is live with this stream key/ });
  t.match(await attempts(`channels/${channel.id}/attempts`), [{ reason: 'two-encoders', protocol: 'rtmp', count: 2 }]);
  const { findings, session } = await ingest();
  t.match(findings.find(({ code }) => code === 'twoEncoders'), { severity: 'warning', params: { times: 2 } });
  t.not(session, null);
  t.equal(second.child.exitCode, null, 'the second one has not heard of it');
  await second.stop();
  const whole = await until(() => playlist(server, live.videoId, 'v0'), ({ ended }) => ended);
  t.equal(whole.segments.filter(({ discontinuity }) => discontinuity).length, 1, 'one change, and no turns');
});

t.test('what the hook refuses is told to the sender in its words, and shown in the web app', async (t) => {
  const channel = await server.createChannel(token, { name: 'unpaid' });
  refusals.set('unpaid', 'The account is not paid.');
  const refused = await send(server.rtmpUrl(channel));
  t.not(refused.code, 0);
  t.match(refused.stderr, 'The account is not paid.');
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const { page, complaints } = await openPage(browser);
  await signIn(page, server.origin, adminPassword);
  await page.goto(`${server.origin}/admin`);
  const row = page.getByRole('row').filter({ hasText: 'The account is not paid.' });
  await row.waitFor();
  t.match(await row.innerText(), /@unpaid/);
  t.match(await page.getByRole('row').filter({ hasText: 'Unknown stream key' }).first().innerText(), /127\.0\.0\.1/);

  await page.goto(`${server.origin}/studio/channels/${channel.id}`);
  await page.getByRole('heading', { name: 'Refused senders' }).waitFor();
  await page.getByText('This key works from anywhere.').waitFor();
  await page.getByRole('button', { name: 'Restrict' }).click();
  const field = page.getByLabel('Addresses and networks');
  await field.fill('my house');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('One of these is neither an address nor a network.').waitFor();
  await field.fill('203.0.113.7\n2001:db8::/32');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('This key works only from 203.0.113.7, 2001:db8::/32.').waitFor();
  t.match(await send(server.rtmpUrl(channel)), { stderr: /not known here/ });
  t.same(complaints.filter((complaint) => !complaint.includes('400')), []);
});

/** A show over SRT, from ffmpeg and srt-live-transmit to the recording, through a whole server. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { enhancedClip, enhancedFrames } from './support/enhanced-push.ts';
import { decodeStamps, mustFfmpeg } from './support/ffmpeg.ts';
import { clip } from './support/clips.ts';
import { playlist, until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { sendSrt } from './support/srt-frames.ts';

const source = await clip({ bframes: 2, width: 320, height: 180, kbps: 300 });
const server = await startServer({ env: { MILLRACE_LIVE_RECONNECT_WINDOW: '20s' } });
t.teardown(() => server.stop());
const token = await server.login();
type Seen = Channel & { readonly live: { readonly videoId: string } | null };

const liveVideo = async (channel: Channel): Promise<string> => {
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  if (!live) throw new Error('not live');
  return live.videoId;
};
const logged = (words: string): Promise<string> => until(async () => server.log, (log) => log.includes(words));
const url = (video: string): string => `${server.origin}/play/-/${video}/master.m3u8`;

t.test('ffmpeg publishes; killed and back, it goes on; at its end the show is a recording', async (t) => {
  const channel = await server.createChannel(token, { name: 'srt' });
  t.match(channel.ingest.srt, { url: `srt://127.0.0.1:${server.ports.srt}?streamid=${channel.streamKey}` });
  const first = sendSrt(source.file, server.srtUrl(channel));
  t.teardown(() => first.kill('SIGKILL'));
  await server.live(channel);
  const video = await liveVideo(channel);
  await until(() => playlist(server, video, 'v0'), ({ segments }) => segments.length >= 2);
  first.kill('SIGKILL');
  await first.done;
  const second = sendSrt(source.file, `srt://127.0.0.1:${server.ports.srt}?streamid=#!::r=live/show,m=publish,s=${channel.streamKey}`);
  t.teardown(() => second.kill('SIGKILL'));
  const joined = await until(() => playlist(server, video, 'v0'), ({ text }) => text.includes('EXT-X-DISCONTINUITY\n'));
  t.equal(joined.mediaSequence, 1);
  type Health = { session: object; video: object; srt: { packets: number } | null; broadcast: object };
  const health = await until(() => server.must<Health>('GET', `channels/${channel.id}/ingest`, undefined, token), ({ srt }) => srt !== null && srt.packets > 0);
  t.match(health, { session: { protocol: 'srt', software: /^libsrt/ }, video: { codec: 'h264', width: 320 }, srt: { undecryptable: 0, encrypted: false }, broadcast: { sessions: 2, reconnects: 1 } });
  await until(() => playlist(server, video, 'v0'), ({ segments }) => segments.length >= joined.segments.length + 2);
  second.kill('SIGINT');
  await second.done;
  const hungUp = performance.now();
  const whole = await until(() => playlist(server, video, 'v0'), ({ ended }) => ended);
  t.ok(performance.now() - hungUp < 5_000, 'an announced end is an ENDLIST before silence would be taken for a loss');
  t.equal(whole.segments.filter(({ discontinuity }) => discontinuity).length, 1);
  t.equal((await mustFfmpeg(['-v', 'error', '-i', url(video), '-f', 'null', '-'])).stderr, '');
  const { stamps } = await decodeStamps(url(video), { width: 320, height: 180 });
  const steps = stamps.slice(1).map((stamp, index) => ((stamp ?? 0) - (stamps[index] ?? 0) + source.frames) % source.frames);
  t.notOk(stamps.includes(null));
  // Cut off behind a picture that is decoded early, the last ones that are shown have a hole.
  const uneven = steps.flatMap((step, index) => (step === 1 ? [] : [index]));
  const seam = uneven.find((index) => stamps[index + 1] === 0) ?? Number.NaN;
  t.same(uneven.filter((index) => Math.abs(index - seam) > 4 && index < steps.length - 4), [], 'every picture once, in order, but where the sender was cut off');
  const { ingest } = await server.must<{ ingest: { sessions: { end: string; srt: { packets: number } }[] } }>('GET', `videos/${video}/ingest`, undefined, token);
  // Whoever is back before the silence is long enough takes the place of what it was.
  t.match(ingest.sessions, [{ end: /^(lost|evicted)$/ }, { end: 'announced' }], 'how it came in is kept with it');
  t.ok(ingest.sessions.every(({ srt }) => srt.packets > 0));
  const metrics = await (await fetch(`${server.origin}/metrics`)).text();
  t.match(metrics, /millrace_srt_accepted_total 2\n/);
  t.match(metrics, /millrace_srt_packets_total\{packet="received"\} [1-9]/);
});

t.test('with a passphrase, AES-128 and AES-256, and stamps that wrap on the way', async (t) => {
  const shows = [16, 32].map(async (pbkeylen) => {
    const channel = await server.createChannel(token, { name: `secret-${pbkeylen}`, srtPassphrase: 'correct horse/battery' });
    const sender = sendSrt(source.file, `${server.srtUrl(channel)}&pbkeylen=${pbkeylen}`, 6, 2 ** 33 / 90_000 - 3);
    t.teardown(() => sender.kill('SIGKILL'));
    await server.live(channel);
    const video = await liveVideo(channel);
    t.equal((await sender.done).code, 0);
    const { segments } = await until(() => playlist(server, video, 'v0'), ({ ended }) => ended);
    t.notOk(segments.some(({ discontinuity }) => discontinuity));
    t.equal((await mustFfmpeg(['-v', 'error', '-i', url(video), '-f', 'null', '-'])).stderr, '');
  });
  await Promise.all(shows);
});

t.test('HEVC and Opus, every picture in its place', async (t) => {
  const file = await enhancedClip('hevc', 'opus');
  const channel = await server.createChannel(token, { name: 'hevc' });
  const sender = sendSrt(file, server.srtUrl(channel), 6);
  t.teardown(() => sender.kill('SIGKILL'));
  await server.live(channel);
  const video = await liveVideo(channel);
  t.match(await (await fetch(url(video))).text(), /CODECS="hvc1\.1\.6\.L\d+\.90,Opus"/);
  t.equal((await sender.done).code, 0);
  const { segments } = await until(() => playlist(server, video, 'v0'), ({ ended }) => ended);
  t.notOk(segments.some(({ discontinuity }) => discontinuity));
  const { stamps, errors } = await decodeStamps(url(video), { width: enhancedFrames.width, height: enhancedFrames.height });
  // Cut off behind a picture that is decoded early, the last ones that are shown have a hole.
  t.same({ stamps: stamps.slice(0, -4), errors }, { stamps: Array.from(stamps.slice(0, -4), (_, index) => index), errors: '' });
  t.ok(stamps.length > 170, `${stamps.length} of 180 pictures`);
});

t.test('who is not let in is told why', async (t) => {
  const channel = await server.createChannel(token, { name: 'careful', srtPassphrase: 'correct horse battery' });
  const address = `srt://127.0.0.1:${server.ports.srt}?streamid=`;
  const cases = [
    [`${address}${channel.streamKey}&passphrase=wrong-horse-battery`, /Incorrect passphrase/, 'the passphrase is wrong'],
    [`${address}${channel.streamKey}`, /Password required or unexpected/, 'this channel has a passphrase'],
    [`${address}nobody-has-this`, /1401|unauthorized|REJECT|rejected/i, 'This stream key is not known here'],
    [`${address}#!::m=request,r=live`, /1405|REJECT|rejected/i, 'm=publish'],
  ] as const;
  for (const [to, words, line] of cases) {
    const { code, stderr } = await sendSrt(source.file, to, 2).done;
    t.equal(code === 0, false);
    t.match(stderr, words);
    await logged(line);
  }
  t.equal((await server.must<Seen>('GET', `channels/${channel.id}`)).live, null);
  t.notMatch(server.log, channel.streamKey, 'no key is in the log');
});

const lacks = (program: string, packages: string): string | false => (spawnSync(program, ['--version']).error ? `${program} is not installed (${packages})` : false);

t.test('srt-live-transmit', { skip: lacks('srt-live-transmit', 'package srt-tools') }, async (t) => {
  const channel = await server.createChannel(token, { name: 'relayed', srtPassphrase: 'correct-horse-battery' });
  const maker = spawn(process.env.FFMPEG_PATH || 'ffmpeg', ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', source.file, '-c', 'copy', '-f', 'mpegts', 'pipe:1']);
  const sender = spawn('srt-live-transmit', ['-q', 'file://con', `${server.srtUrl(channel)}&mode=caller&pbkeylen=24`], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.teardown(() => [maker, sender].map((child) => child.kill('SIGKILL')));
  sender.stdin.on('error', () => undefined); // it is gone before its source
  maker.stdout.pipe(sender.stdin);
  await server.live(channel);
  const video = await liveVideo(channel);
  await until(() => playlist(server, video, 'v0'), ({ segments }) => segments.length >= 2);
  sender.kill('SIGKILL');
  t.ok((await server.api('POST', `channels/${channel.id}/end`, undefined, token)).status < 300);
  await until(() => playlist(server, video, 'v0'), ({ ended }) => ended);
  t.equal((await mustFfmpeg(['-v', 'error', '-i', url(video), '-f', 'null', '-'])).stderr, '');
});

const gstreamer = 'gst-inspect-1.0';
const noSink = lacks(gstreamer, 'GStreamer') || (spawnSync(gstreamer, ['srtsink']).status === 0 ? false : 'this GStreamer has no srtsink');
t.test('GStreamer’s srtsink', { skip: noSink }, async (t) => {
  const channel = await server.createChannel(token, { name: 'gst', srtPassphrase: 'correct-horse-battery' });
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-gst-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'clip.ts');
  await mustFfmpeg(['-i', source.file, '-c', 'copy', '-f', 'mpegts', file]);
  const sink = ['srtsink', `uri=srt://127.0.0.1:${server.ports.srt}?mode=caller`, `streamid=${channel.streamKey}`, 'passphrase=correct-horse-battery', 'pbkeylen=32'];
  const sender = spawn('gst-launch-1.0', ['-q', 'filesrc', `location=${file}`, '!', 'tsparse', 'set-timestamps=true', 'alignment=7', '!', ...sink], { stdio: 'ignore' });
  t.teardown(() => sender.kill('SIGKILL'));
  await server.live(channel);
  const video = await liveVideo(channel);
  await until(() => playlist(server, video, 'v0'), ({ ended }) => ended, 15_000);
  t.equal((await mustFfmpeg(['-v', 'error', '-i', url(video), '-f', 'null', '-'])).stderr, '');
});

/** The life of a show, seen from outside: over RTMP, HTTP and the API of a whole server. */
import { connect } from 'node:net';
import t from 'tap';
import { readFragments } from '../packager/cmaf/reader.ts';
import { ffmpeg, mustFfmpeg, probe } from './support/ffmpeg.ts';
import { media, playlist, until } from './support/playlists.ts';
import { startServer, type Channel, type MillraceServer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

const clip = await flvClip({ bframes: 2, width: 320, height: 180, kbps: 300 });
const pictures = clip.units.filter(({ kind }) => kind === 'video').length;

type Live = { readonly videoId: string; readonly startedAt: string; readonly viewers: number };
type Seen = Channel & { readonly live: Live | null };

/** A busy machine needs some of it to come back in. */
const windowSeconds = 6;
const server = await startServer({ env: { MILLRACE_LIVE_RECONNECT_WINDOW: `${windowSeconds}s` } });
t.teardown(() => server.stop());
const token = await server.login();
let channels = 0;
const newChannel = (settings: object = {}): Promise<Channel> => {
  channels += 1;
  return server.createChannel(token, { name: `show-${channels}`, ...settings });
};
const liveVideo = async (channel: Channel, on: MillraceServer = server): Promise<string> => {
  const { live } = await until(() => on.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  if (!live) throw new Error('not live');
  return live.videoId;
};
const stateOf = async (video: string): Promise<string> => (await server.must<{ state: string }>('GET', `videos/${video}`)).state;

t.test('every frame that was sent is in the recording once, and decodes without an error', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const video = await liveVideo(channel);
  await sender.end();
  await until(() => stateOf(video), (state) => state === 'ready');
  const url = `${server.origin}/play/-/${video}/master.m3u8`;
  const decoded = await mustFfmpeg(['-v', 'error', '-i', url, '-f', 'null', '-']);
  t.equal(decoded.stderr, '');
  const { packets = [] } = await probe(url, '-show_packets', '-select_streams', 'v');
  t.equal(packets.length, pictures);
  const pts = packets.map((packet) => packet.pts).sort((a, b) => a - b);
  const gaps = pts.slice(1).map((at, index) => at - (pts[index] ?? 0));
  t.ok(gaps.every((gap) => Math.abs(gap - 3000) <= 90), 'no gap and no double in PTS');
});

t.test('no PTS is missing or doubled in the bytes that are served', async (t) => {
  // Judged without ffmpeg: it moves every PTS once more whenever a later fragment has a larger negative composition
  // offset than those before it, as the third one of this clip has.
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, await flvClip({ bframes: 2 }));
  await sender.send();
  const video = await liveVideo(channel);
  await sender.end();
  const { segments } = await until(() => playlist(server, video, 'v0'), ({ ended }) => ended);
  const pts: number[] = [];
  for (const { uri } of segments) {
    for (const { baseDecodeTime, samples } of readFragments(await media(server, video, 'v0', uri))) {
      let dts = baseDecodeTime;
      for (const { cts, duration } of samples) {
        pts.push(dts + cts);
        dts += duration;
      }
    }
  }
  t.equal(pts.length, 240);
  pts.sort((a, b) => a - b);
  t.equal(pts[0], 0);
  t.ok(pts.every((at, frame) => Math.abs(at - frame * 3000) <= 90));
});

t.test('an announced end is an ENDLIST and waits for no window, also for whoever waits', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const video = await liveVideo(channel);
  await until(() => playlist(server, video, 'v0'), ({ hint }) => hint?.endsWith('-4-5.m4s') ?? false);
  const waiting = playlist(server, video, 'v0', '?_HLS_msn=5');
  const ended = performance.now();
  await sender.end();
  t.ok((await waiting).ended);
  t.ok(performance.now() - ended < windowSeconds * 1_000);
  await until(() => server.must<Seen>('GET', `channels/${channel.id}`), ({ live }) => live === null);
  t.equal((await server.api('GET', `/play/-/@${channel.name}/master.m3u8`)).status, 404);
});

t.test('a publisher that returns within the window continues the same playlist, behind one discontinuity', async (t) => {
  const channel = await newChannel();
  const first = await ShowSender.connect(server, channel, clip);
  await first.send({ until: 5_000 });
  const video = await liveVideo(channel);
  first.vanish();
  const held = await until(() => playlist(server, video, 'v0'), ({ segments }) => segments.some(({ uri }) => /^[a-z0-9]+-3\.m4s$/.test(uri)));
  t.notOk(held.ended);
  const waiting = playlist(server, video, 'v0', '?_HLS_msn=4&_HLS_part=0');
  const second = await ShowSender.connect(server, channel, clip);
  await second.send({ shift: 77_000 });
  const after = await waiting;
  t.equal(after.mediaSequence, held.mediaSequence);
  t.match(after.text, /#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="[a-z0-9]+-i1\.mp4"/);
  t.equal(await liveVideo(channel), video);
  await second.end();
  const whole = await until(() => playlist(server, video, 'v0'), ({ ended }) => ended);
  t.equal(whole.segments.filter(({ discontinuity }) => discontinuity).length, 1);
  const sound = await playlist(server, video, 'a0');
  t.equal(sound.segments.length, whole.segments.length);
  t.equal((await ffmpeg(['-v', 'error', '-i', `${server.origin}/play/-/${video}/master.m3u8`, '-f', 'null', '-'])).code, 0);
});

t.test('a publisher that does not return ends the show when the window closes', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send({ until: 4_500 });
  const video = await liveVideo(channel);
  sender.vanish();
  await until(() => stateOf(video), (state) => state === 'ready', 30_000);
  t.ok((await playlist(server, video, 'v0')).ended);
});

t.test('the same address takes over at once; another one only from a silent publisher', async (t) => {
  const channel = await newChannel();
  const first = await ShowSender.connect(server, channel, clip);
  await first.send({ until: 4_500 });
  const video = await liveVideo(channel);
  const elsewhere = connect({ port: server.ports.rtmp, host: '127.0.0.1', localAddress: '127.0.0.2' });
  await t.rejects(ShowSender.connect(server, channel, clip, elsewhere), { message: /BadName/ });
  const again = await ShowSender.connect(server, channel, clip);
  await first.client.closed;
  await again.send();
  t.equal(await liveVideo(channel), video);
  await again.end();
});

t.test('an unknown key is refused with words, and never told that it may publish', async (t) => {
  const wrong = { ...(await newChannel()), ingest: { rtmp: { server: '', key: 'nobody-has-this-key' } } };
  await t.rejects(ShowSender.connect(server, wrong, clip), { name: 'PublishRefused', message: /stream key/ });
});

t.test('"End" in the studio ends the show and sends the publisher away', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const video = await liveVideo(channel);
  t.ok((await server.api('POST', `channels/${channel.id}/end`, undefined, token)).status < 300);
  await sender.client.closed;
  t.equal(await stateOf(video), 'ready');
});

t.test('a revoked key sends its publisher away; a deleted video takes its files with it', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const video = await liveVideo(channel);
  const { items } = await server.must<{ items: { id: string }[] }>('GET', `channels/${channel.id}/stream-keys`, undefined, token);
  await server.must('DELETE', `channels/${channel.id}/stream-keys/${items[0]?.id}`, undefined, token);
  await sender.client.closed;
  await until(() => stateOf(video), (state) => state === 'ready');
  await server.must('DELETE', `videos/${video}`, undefined, token);
  const gone = await until(async () => (await fetch(`${server.origin}/play/-/${video}/master.m3u8`)).status, (status) => status !== 200);
  t.equal(gone, 404);
});

t.test('private shows are not found without a grant', async (t) => {
  const channel = await newChannel({ visibility: 'private' });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`, undefined, token), (seen) => seen.live !== null);
  t.equal((await fetch(`${server.origin}/play/-/${live?.videoId}/master.m3u8`)).status, 404);
  t.equal((await fetch(`${server.origin}/play/-/@${channel.name}/master.m3u8`)).status, 404);
  await sender.end();
});

t.test('no secret is in what the server printed', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.end();
  t.notMatch(server.log, channel.streamKey);
  t.notMatch(server.log, token);
});

t.test('a restart in the middle of a show goes on with it; a kill loses nothing that was announced', async (t) => {
  // On a busy machine a write takes its time, and what is announced from memory is not promised to survive.
  const env = { MILLRACE_RECORDING_PATIENCE: '30s' };
  const first = await startServer({ env });
  t.teardown(() => first.stop());
  const owner = await first.login();
  const channel = await first.createChannel(owner, { name: 'restart' });
  const sender = await ShowSender.connect(first, channel, clip);
  await sender.send();
  const video = await liveVideo(channel, first);
  const before = await until(() => playlist(first, video, 'v0'), ({ parts }) => parts.length > 3);
  const parts = await Promise.all(before.parts.map(async (name) => [name, await media(first, video, 'v0', name)] as const));
  await first.kill9();

  const second = await startServer({ data: first.data, ports: first.ports, env });
  t.teardown(() => second.stop());
  for (const [name, bytes] of parts) t.ok((await media(second, video, 'v0', name)).equals(bytes), `${name} is as it was`);
  t.notOk((await playlist(second, video, 'v0')).ended, 'the window is open');
  const returned = await ShowSender.connect(second, channel, clip);
  await returned.send();
  t.equal(await liveVideo(channel, second), video);
  const stopped = performance.now();
  t.same(await second.stop(), { code: 0, signal: null });
  t.ok(performance.now() - stopped < 10_000);

  const third = await startServer({ data: first.data, ports: first.ports, env });
  t.teardown(() => third.stop());
  const last = await ShowSender.connect(third, channel, clip);
  await last.send();
  await last.end();
  const whole = await until(() => playlist(third, video, 'v0'), ({ ended }) => ended);
  t.equal(whole.segments.filter(({ discontinuity }) => discontinuity).length, 2);
  t.equal((await mustFfmpeg(['-v', 'fatal', '-i', `${third.origin}/play/-/${video}/master.m3u8`, '-f', 'null', '-'])).stderr, '');
});

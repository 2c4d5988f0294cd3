/**
 * AES-128 as ffmpeg, VLC and GStreamer take it off: from key to key and over the border of epochs, recorded and live; and not
 * without the key.
 */
import t from 'tap';
import { clip } from './support/clips.ts';
import { decodeStamps, push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';
import { checkStream, faultsOf } from './support/stream-checker.ts';
import { gstreamerStamps, noGstreamer, noVlc, vlcStamps } from './support/stamped-players.ts';

t.setTimeout(110_000);
const picture = { bframes: 2, width: 320, height: 180, kbps: 300 };
const source = await clip(picture);
const { width, height, frames } = source;
const size = { width, height };
const server = await startServer({ env: { MILLRACE_PROTECTION_SEGMENTS_PER_KEY: '2' } });
t.teardown(() => server.stop());
const token = await server.login();
const once = Array.from({ length: frames }, (_, frame) => frame);

const channel = await server.createChannel(token, { name: 'aes', protection: 'aes-128' });
const units = await flvClip(picture);
const first = await ShowSender.connect(server, channel, units);
await first.send();
const { live } = await until(
  () => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`),
  (seen) => seen.live !== null,
);
const video = live?.videoId ?? '';
first.vanish();
const second = await ShowSender.connect(server, channel, units);
await second.send({ shift: 1_000_000 });
await second.end();
await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
const recording = `${server.origin}/play/-/${video}`;
const views = { 'HLS in fMP4': 'master.m3u8', 'HLS in MPEG-TS': 'ts/master.m3u8' } as const;

t.test('what is protected says so, and has no DASH and no downloads', async (t) => {
  const playback = await server.must<{ dash: unknown; ts: unknown; downloads: unknown[] }>('POST', `videos/${video}/playback`, {});
  t.match(playback, { dash: null, ts: /ts\/master\.m3u8$/, downloads: [] });
  t.match(await server.must('GET', `videos/${video}`), { protection: 'aes-128' });
  const { status } = await fetch(`${recording}/manifest.mpd`);
  t.equal(status, 404);
});

t.test('ffmpeg decodes every picture once, over the border of epochs and from key to key', async (t) => {
  for (const [name, file] of Object.entries(views)) {
    const { stamps, errors } = await decodeStamps(`${recording}/${file}`, size);
    t.same(stamps, [...once, ...once], name);
    t.equal(errors, '', `${name}: not a word`);
  }
});

// In fragmented MP4 1.22 takes the init segment for encrypted too, though it stands in front of the first KEY.
t.test('GStreamer decodes every picture once, in MPEG-TS', { skip: noGstreamer }, async (t) => {
  const { stamps, said } = await gstreamerStamps(`${recording}/${views['HLS in MPEG-TS']}`, size);
  t.same(stamps, [...once, ...once], said);
});

t.test('VLC plays it', { skip: noVlc }, async (t) => {
  for (const [name, file] of Object.entries(views)) {
    const { stamps, said } = await vlcStamps(`${recording}/${file}`, { ...size, pictures: 60, timeoutMs: 30_000 });
    t.ok(stamps.filter((stamp) => stamp !== null).length >= 50, `${name}: ${stamps.length} pictures; ${said}`);
  }
});

t.test('ffmpeg follows a show in progress', async (t) => {
  const onAir = await server.createChannel(token, { name: 'on-air', protection: 'aes-128' });
  const sender = push(source.file, server.rtmpUrl(onAir));
  t.teardown(() => sender.kill());
  await server.live(onAir);
  await Promise.all(
    Object.values(views).map(async (file) => {
      const { stamps } = await decodeStamps(server.liveUrl(onAir, file), size, { after: ['-frames:v', '150'], timeoutMs: 40_000 });
      t.equal(stamps.length, 150, `${file}: two keys`);
      t.ok(stamps.every((stamp, index) => stamp !== null && (index === 0 || stamp === ((stamps[index - 1] ?? 0) + 1) % frames)), `${file}: each once, in order`);
    }),
  );
});

t.test('the rules checker finds nothing in it', async (t) => {
  for (const file of Object.values(views)) t.same(faultsOf(await checkStream([`${recording}/${file}`], 20).done), [], file);
});

t.test('what lies in caches is of no use without the key', async (t) => {
  const list = `${recording}/v0/whole.m3u8`;
  const text = (await (await fetch(list)).text()).replace(/^#EXT-X-KEY.*\n/gm, '').replace(/^(?!#)(.+)$/gm, `${recording}/v0/$1`).replace(/URI="/g, `URI="${recording}/v0/`);
  const { stamps } = await decodeStamps(`data:application/vnd.apple.mpegurl;base64,${Buffer.from(text).toString('base64')}`, size, { before: ['-protocol_whitelist', 'data,http,tcp,crypto', '-f', 'hls'], timeoutMs: 20_000 });
  t.same(stamps, []);
});

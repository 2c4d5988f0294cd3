/** What time and tracks do in a show, seen from outside: stamps that turn over, a picture that goes and comes, other parameters. */
import t from 'tap';
import { decodeStamps, probe } from './support/ffmpeg.ts';
import { clip } from './support/clips.ts';
import { playlist, until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

const options = { bframes: 2, width: 320, height: 180, kbps: 300 };
const source = await clip(options);
const units = await flvClip(options);
const server = await startServer({ env: { MILLRACE_LIVE_RECONNECT_WINDOW: '4s' } });
t.teardown(() => server.stop());
const token = await server.login();
let channels = 0;
const newChannel = (): Promise<Channel> => server.createChannel(token, { name: `time-${(channels += 1)}` });
type Seen = Channel & { readonly live: { readonly videoId: string } | null };
const liveVideo = async (channel: Channel): Promise<string> => {
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  if (!live) throw new Error('not live');
  return live.videoId;
};
const recording = async (video: string): Promise<string> => {
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  return `${server.origin}/play/-/${video}/master.m3u8`;
};

t.test('stamps cross 2^32, and 2^31 where a sender has no more bits, without a discontinuity', async (t) => {
  for (const bits of [32, 31]) {
    const channel = await newChannel();
    const sender = await ShowSender.connect(server, channel, units);
    await sender.send({ shift: 2 ** bits - 5_000, bits });
    const video = await liveVideo(channel);
    await sender.end();
    const url = await recording(video);
    const { text } = await playlist(server, video, 'v0');
    t.notMatch(text, 'EXT-X-DISCONTINUITY\n', `${bits} bits`);
    const { stamps, errors } = await decodeStamps(url, source);
    t.equal(errors, '');
    t.same(stamps, Array.from({ length: source.frames }, (_, frame) => frame), `${bits} bits: every picture once`);
  }
});

t.test('while the picture is away the sound plays on, over the last key picture, and decodes without an error', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, units);
  for (let round = 0; round < 3; round += 1) await sender.send({ shift: round * 8_000, ...(round === 1 && { only: 'audio' }) });
  const video = await liveVideo(channel);
  await sender.end();
  const url = await recording(video);
  t.equal((await playlist(server, video, 'v0')).segments.filter(({ discontinuity }) => discontinuity).length, 0);
  const { stamps, errors } = await decodeStamps(url, source);
  t.equal(errors, '');
  const all = Array.from({ length: source.frames }, (_, frame) => frame);
  t.same(stamps.slice(0, source.frames), all);
  t.same(stamps.slice(-source.frames), all, 'from its first key picture on everything is there again');
  t.same([...new Set(stamps.slice(source.frames, -source.frames))], [180], 'and between them the last key picture');
  const { packets = [] } = await probe(url, '-show_packets', '-select_streams', 'a');
  t.ok(packets.length >= 3 * source.audioFrames - 2, `${packets.length} frames of sound`);
});

t.test('another size of picture in mid-stream goes on behind one discontinuity, in the same video', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, units);
  await sender.send();
  const other = { ...options, width: 480, height: 270 };
  await sender.change(await flvClip(other), { shift: 8_000 });
  const video = await liveVideo(channel);
  await sender.end();
  await recording(video);
  const { segments, text } = await playlist(server, video, 'v0');
  t.equal(segments.filter(({ discontinuity }) => discontinuity).length, 1);
  t.match(text, /#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="[a-z0-9]+-i1\.mp4"/);
  // In MPEG-TS the parameter sets are in the pictures: of fragments, ffmpeg reads the first EXT-X-MAP only.
  const { stamps, errors } = await decodeStamps(`${server.origin}/play/-/${video}/ts/master.m3u8`, source);
  t.equal(errors, '');
  const all = Array.from({ length: source.frames }, (_, frame) => frame);
  t.same(stamps, [...all, ...all]);
});

t.test('sound alone is a show that is listed and decodes', async (t) => {
  const channel = await newChannel();
  const sender = await ShowSender.connect(server, channel, { ...units, avcConfig: null });
  await sender.send({ only: 'audio' });
  const video = await liveVideo(channel);
  await sender.end();
  const url = await recording(video);
  const { streams = [], packets = [] } = await probe(url, '-show_streams', '-show_packets');
  t.same(streams.map(({ codec_type }) => codec_type), ['audio']);
  t.equal(packets.length, source.audioFrames);
});

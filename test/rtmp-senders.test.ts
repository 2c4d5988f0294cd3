/** Senders that people have, over RTMP, from their first picture to the recording: ffmpeg is in many other tests. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { clip } from './support/clips.ts';
import { decodeStamps, mustFfmpeg, probe, push } from './support/ffmpeg.ts';
import { playlist, until } from './support/playlists.ts';
import { freePorts, startServer, type Channel } from './support/server.ts';

const source = await clip({ bframes: 2, width: 320, height: 180, kbps: 300 });
const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();
type Seen = Channel & { readonly live: { readonly videoId: string } | null };

const liveVideo = async (channel: Channel): Promise<string> => {
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null, 40_000);
  if (!live) throw new Error('not live');
  return live.videoId;
};
const ended = (video: string): ReturnType<typeof playlist> => until(() => playlist(server, video, 'v0'), (seen) => seen.ended, 20_000);
const lacks = (program: string, args: string[], what: string): string | false => {
  const run = spawnSync(program, args);
  return run.error || run.status !== 0 ? `${what} is not installed` : false;
};
/** The last that a program said, for when it did not do what it should. */
const heard = (child: ChildProcess): (() => string) => {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-8_192)));
  return () => said;
};

t.test('GStreamer’s rtmp2sink: every picture once, and its end ends the show', { skip: lacks('gst-inspect-1.0', ['rtmp2sink'], 'rtmp2sink of GStreamer') }, async (t) => {
  t.comment(spawnSync('gst-launch-1.0', ['--version']).stdout.toString().split('\n')[0]);
  const channel = await server.createChannel(token, { name: 'gst' });
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-gst-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'clip.mp4');
  await mustFfmpeg(['-i', source.file, '-c', 'copy', file]);
  const pipeline = [
    ...['flvmux', 'name=mux', 'streamable=true', '!', 'rtmp2sink', `location=${server.rtmpUrl(channel)}`],
    ...['filesrc', `location=${file}`, '!', 'qtdemux', 'name=demux'],
    ...['demux.video_0', '!', 'queue', '!', 'h264parse', '!', 'mux.', 'demux.audio_0', '!', 'queue', '!', 'aacparse', '!', 'mux.'],
  ];
  const sender = spawn('gst-launch-1.0', ['-q', ...pipeline]);
  t.teardown(() => sender.kill('SIGKILL'));
  const said = heard(sender);
  const left = once(sender, 'close');
  const video = await liveVideo(channel);
  await left;
  const list = await ended(video);
  t.notOk(list.segments.some(({ discontinuity }) => discontinuity), said());
  const { stamps, errors } = await decodeStamps(`${server.origin}/play/-/${video}/master.m3u8`, source);
  t.equal(errors, '');
  t.same(stamps, Array.from({ length: source.frames }, (_, frame) => frame));
  const { packets = [] } = await probe(`${server.origin}/play/-/${video}/master.m3u8`, '-show_packets', '-select_streams', 'a');
  t.ok(Math.abs(packets.length - source.audioFrames) <= 1, `${packets.length} of ${source.audioFrames} frames of sound`);
});

t.test('node-media-server, which relays what ffmpeg sends to it', async (t) => {
  const channel = await server.createChannel(token, { name: 'relayed' });
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-relay-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { rtmp: port } = await freePorts();
  const peer = spawn(process.execPath, [path.join(import.meta.dirname, 'support/relaying-peer.mjs'), String(port), server.rtmpUrl(channel), folder], { cwd: folder });
  t.teardown(() => peer.kill('SIGKILL'));
  const said = heard(peer);
  await until(async () => said(), (words) => /Rtmp Server listening/i.test(words), 15_000);
  const sender = push(source.file, `rtmp://127.0.0.1:${port}/live/show`);
  t.teardown(() => sender.kill());
  const video = await liveVideo(channel);
  await until(() => playlist(server, video, 'v0'), ({ segments }) => segments.length >= 2, 20_000);
  await sender.stop();
  t.ok((await server.api('POST', `channels/${channel.id}/end`, undefined, token)).status < 300);
  const list = await ended(video);
  t.notOk(list.segments.some(({ discontinuity }) => discontinuity));
  const { stamps, errors } = await decodeStamps(`${server.origin}/play/-/${video}/master.m3u8`, source);
  t.equal(errors, '');
  t.same(stamps.slice(0, -4).filter((stamp, index) => index > 0 && stamp !== ((stamps[index - 1] ?? 0) + 1) % source.frames), [], 'every picture once, in order');
});

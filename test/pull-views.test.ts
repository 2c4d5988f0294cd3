/** Every view out of a whole server, pulled by ffmpeg as a player would: nothing is missing, nothing comes twice. */
import { existsSync } from 'node:fs';
import { get as request, type IncomingMessage } from 'node:http';
import path from 'node:path';
import t from 'tap';
import { clip } from './support/clips.ts';
import { ffmpeg, mustFfmpeg, probe, push } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

const source = { bframes: 2, width: 320, height: 180, kbps: 300 } as const;
const sent = await flvClip(source);
const pictures = sent.units.filter(({ kind }) => kind === 'video').length;
// Shows come all at once, and must be whole: a disk that others keep busy would make declared holes of what it is late for.
const server = await startServer({ env: { MILLRACE_RECORDING_PATIENCE: '30s' } });
t.teardown(() => server.stop());
const token = await server.login();

type Playback = { readonly hls: string; readonly dash: string; readonly ts: string; readonly downloads: readonly { readonly url: string; readonly height: number | null }[] };
const playback = (video: string, ask: object = {}): Promise<Playback> => server.must<Playback>('POST', `videos/${video}/playback`, ask);
const liveVideo = async (channel: Channel): Promise<string> => {
  type Seen = { readonly live: { readonly videoId: string } | null };
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  return live?.videoId ?? '';
};

/** A recording of the clip, so many times one after the other. */
const record = async (name: string, times = 1, of = sent): Promise<string> => {
  const channel = await server.createChannel(token, { name });
  const sender = await ShowSender.connect(server, channel, of);
  for (let time = 0; time < times; time++) await sender.send({ shift: time * 8000 });
  const video = await liveVideo(channel);
  await sender.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  return video;
};

const counted = async (url: string, stream: 'v' | 'a'): Promise<number> => (await probe(url, '-show_packets', '-select_streams', stream)).packets?.length ?? 0;

t.test('a recording has the same pictures and the same sound in every view', async (t) => {
  const video = await record('pulled');
  const { hls, dash, ts, downloads } = await playback(video);
  t.same(downloads.map(({ height }) => height), [180]);
  const sound = await counted(hls, 'a');
  for (const [name, url] of [['DASH', dash], ['MPEG-TS', ts], ['MP4', downloads[0]?.url ?? '']] as const) {
    t.equal(await counted(url, 'v'), pictures, `${name}: every picture`);
    t.equal(await counted(url, 'a'), sound, `${name}: all of the sound`);
    t.equal((await mustFfmpeg(['-v', 'error', '-i', url, '-f', 'null', '-'])).stderr, '', `${name}: decodes`);
  }
  const file = downloads[0]?.url ?? '';
  const { stdout } = await mustFfmpeg(['-ss', '5', '-i', file, '-map', '0:v', '-f', 'framemd5', '-']);
  t.equal(stdout.toString().split('\n').filter((line) => line.startsWith('0,')).length, pictures - 150, 'sought by ranges');
  const cut = await playback(video, { in: 2, out: 6 });
  t.equal(await counted(cut.hls, 'v'), 120, 'two segments');
  t.equal(await counted(cut.dash, 'v'), 120);
  t.equal(await counted(cut.ts, 'v'), 120);
  const keys = await probe(`${server.origin}/play/-/${video}/v0/iframes.m3u8`, '-show_packets');
  t.ok(keys.packets?.length === 4 && keys.packets.every(({ flags }) => flags.startsWith('K')), 'a key picture a segment');
});

t.test('a show in progress plays in DASH and in MPEG-TS, and its open segment comes part by part', async (t) => {
  const channel = await server.createChannel(token, { name: 'running' });
  const { file } = await clip(source);
  const sender = push(file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await server.live(channel);
  const video = await liveVideo(channel);
  const newest = async (): Promise<string> => {
    const text = await (await fetch(`${server.origin}/play/-/${video}/v0/index.m3u8`)).text();
    return /PRELOAD-HINT:TYPE=PART,URI="([a-z0-9]+-\d+)-0\.m4s"/.exec(text)?.[1] ?? '';
  };
  const url = `${server.origin}/play/-/${video}/v0/${await until(newest, (name) => name !== '')}.m4s`;
  const began = performance.now();
  const response = await fetch(url);
  t.equal(response.status, 200);
  t.equal(response.headers.get('content-length'), null);
  const pieces: { at: number; bytes: Uint8Array }[] = [];
  for await (const bytes of response.body ?? []) pieces.push({ at: performance.now() - began, bytes });
  const times = pieces.map(({ at }) => at);
  t.ok(pieces.length >= 4, `${pieces.length} pieces`);
  t.ok((times.at(-1) ?? 0) - (times[0] ?? 0) > 1000, 'as they are made');
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
  t.ok(Buffer.concat(pieces.map(({ bytes }) => bytes)).equals(whole), 'and together they are the segment');

  for (const manifest of [server.liveUrl(channel, 'manifest.mpd'), server.liveUrl(channel, 'ts/master.m3u8')]) {
    const { code, stderr } = await ffmpeg(['-i', manifest, '-t', '3', '-map', '0:v', '-f', 'null', '-']);
    t.same({ code, stderr }, { code: 0, stderr: '' }, manifest);
  }
  const clock = await fetch(`${server.origin}/play/time`);
  t.ok(Math.abs(Date.parse(await clock.text()) - Date.now()) < 2000);
  await sender.stop();
});

t.test('whoever watches when a recording is deleted hears that it is gone, and its files are', async (t) => {
  const heavy = await flvClip({ bframes: 0, width: 640, height: 360, kbps: 8000, busy: true });
  const video = await record('deleted', 6, heavy);
  const { hls, dash, ts, downloads } = await playback(video);
  const below = `${server.origin}/play/-/${video}`;
  const text = await (await fetch(`${below}/v0/whole.m3u8`)).text();
  const segment = text.split('\n').find((line) => line.endsWith('.m4s')) ?? '';
  const addresses = [hls, dash, ts, `${below}/v0/whole.m3u8`, `${below}/v0/${segment}`, `${below}/ts/v0/${segment.replace('m4s', 'ts')}`, downloads[0]?.url ?? ''];
  for (const address of [...addresses, ...addresses]) {
    const response = await fetch(address, { headers: { range: 'bytes=0-99' } });
    await response.arrayBuffer();
    t.ok(response.ok, address);
  }
  const download = await new Promise<IncomingMessage>((resolve, reject) => request(downloads[0]?.url ?? '', resolve).on('error', reject));
  t.equal(download.statusCode, 200);
  t.ok(Number(download.headers['content-length']) > 20_000_000, `${download.headers['content-length']} bytes`);
  let taken = 0;
  download.on('data', (piece: Buffer) => (taken += piece.length)).pause();

  t.equal((await server.api('DELETE', `videos/${video}`, undefined, token)).status, 204);
  for (const address of addresses) await until(async () => (await fetch(address)).status, (status) => status === 404);
  await until(async () => existsSync(path.join(server.data, 'videos', video)), (there) => !there);
  const end = new Promise<string>((resolve) => download.on('end', () => resolve('end')).on('error', () => resolve('fault')));
  download.resume();
  t.equal(await end, 'fault', 'a download that is under way ends visibly');
  t.ok(taken < Number(download.headers['content-length']));
  t.ok(server.isRunning);
  t.notMatch(server.log, /"level":50/, 'nobody was called for it');
});

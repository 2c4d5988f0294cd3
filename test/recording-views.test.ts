/** A recording shown in part, and taken home: trimmed by its owner, cut by whoever asks, downloaded. Judged by ffmpeg. */
import t from 'tap';
import { mustFfmpeg, probe } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer, type Answer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

type Playback = { readonly hls: string; readonly dash: string; readonly ts: string; readonly downloads: readonly { readonly url: string; readonly height: number | null }[] };
type Video = { readonly state: string; readonly duration: number; readonly trim?: { readonly in: number | null; readonly out: number | null } | null };

const clip = await flvClip({ bframes: 0, width: 160, height: 90, kbps: 100 });
const rounds = 3;
const roundSeconds = 8;
const whole = rounds * roundSeconds;
/** One GOP of the clip; a segment is as long, and listed whole. */
const segmentSeconds = 2;

const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();

const recorded = async (settings: { name: string; downloads?: boolean }): Promise<string> => {
  const channel = await server.createChannel(token, settings);
  const sender = await ShowSender.connect(server, channel, clip);
  for (let round = 0; round < rounds; round += 1) await sender.send({ shift: round * roundSeconds * 1000 });
  const { live } = await until(() => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  const video = live?.videoId ?? '';
  await sender.end();
  await until(() => server.must<Video>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  return video;
};
const change = (video: string, body: object): Promise<Answer> => server.api('PATCH', `videos/${video}`, body, token);
const play = (video: string, body: object = {}): Promise<Playback> => server.must<Playback>('POST', `videos/${video}/playback`, body);
const get = async (url: string): Promise<{ status: number; text: string }> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  return { status: response.status, text: await response.text() };
};

/** Seconds of picture behind an address, as ffmpeg counts them. */
const pictureSeconds = async (url: string): Promise<number> => {
  const { stderr, stdout } = await mustFfmpeg(['-v', 'error', '-i', url, '-map', '0:v:0', '-f', 'framemd5', 'pipe:1']);
  if (stderr !== '') throw new Error(`${url}: ${stderr}`);
  return stdout.toString().split('\n').filter((line) => /^\d/.test(line)).length / 30;
};
const listOf = (hls: string, track = 'v0'): string => hls.replace(/master\.m3u8.*$/, `${track}/whole.m3u8`);
const listed = async (hls: string): Promise<string[]> => [...(await get(listOf(hls))).text.matchAll(/^[a-z0-9]+-\d+\.m4s$/gm)].map(([name]) => name);
/** What a change by the owner makes of the addresses comes with the event of the change. */
const listing = (hls: string, count: number): Promise<string[]> => until(() => listed(hls), (names) => names.length === count);

t.test('a trim holds for everybody and for every kind of address, and is taken back without a trace', async (t) => {
  const video = await recorded({ name: 'trimmed' });
  const { hls, dash, ts, downloads } = await play(video);
  const before = await listed(hls);
  t.equal(before.length, whole / segmentSeconds);
  const media = (name: string): string => hls.replace('master.m3u8', `v0/${name}`);
  for (const name of before) t.equal((await get(media(name))).status, 200, 'in memory from here on');

  const { duration } = await server.must<Video>('GET', `videos/${video}`);
  t.match(await change(video, { trim: { in: 7, out: 13 } }), { status: 200, body: { duration, trim: { in: 7, out: 13 } } });
  t.match(await server.must<Video>('GET', `videos/${video}`), { duration: 6 });
  // 7 s lies in the segment from 6 to 8 s, 13 s in the one from 12 to 14 s.
  const shown = before.slice(3, 7);
  t.same(await listing(hls, shown.length), shown);
  for (const name of before) t.equal((await get(media(name))).status, shown.includes(name) ? 200 : 404, name);
  t.match((await get(media(before[0] ?? ''))).text, /"code":"trimmed"/);
  for (const url of [hls, dash, ts, downloads[0]?.url ?? '']) {
    const seconds = await pictureSeconds(url);
    t.ok(seconds >= 6 && seconds <= shown.length * segmentSeconds, `${url}: ${seconds} s`);
  }

  t.match(await change(video, { trim: null }), { status: 200, body: { trim: null } });
  t.same(await listing(hls, before.length), before);
  t.equal(await pictureSeconds((await play(video)).downloads[0]?.url ?? ''), whole);
});

t.test('a cut is for whoever asks for it, goes no further than the trim, and names the same files', async (t) => {
  const video = await recorded({ name: 'cut' });
  const all = await listed((await play(video)).hls);
  const { hls, dash, ts } = await play(video, { in: 4, out: 10 });
  t.match(hls, /\/cut-4000-10000\/master\.m3u8$/);
  for (const url of [hls, dash, ts]) t.equal(await pictureSeconds(url), 6, url);
  const names = [...(await get(listOf(hls))).text.matchAll(/^(?:\.\.\/)*(?:v0\/)?([a-z0-9]+-\d+\.m4s)$/gm)].map(([, name]) => name);
  t.same(names, all.slice(2, 5), 'one object has one name');
  t.equal(await pictureSeconds((await play(video, { in: 20 })).hls), whole - 20);
  t.equal(await pictureSeconds((await play(video, { out: 4 })).hls), 4);
  await change(video, { trim: { in: 8 } });
  await listing((await play(video)).hls, all.length - 4);
  t.equal(await pictureSeconds((await play(video, { in: 4, out: 12 })).hls), 4, 'no further than the trim');
  const nothing = await server.api('POST', `videos/${video}/playback`, { out: 8 });
  t.match(nothing, { status: 400, body: { code: 'validation' } });
});

t.test('a cut of a show that is on is over where it was told to end', async (t) => {
  const channel = await server.createChannel(token, { name: 'cut-live' });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  await sender.send({ shift: roundSeconds * 1000, until: 4_000 });
  await server.live(channel);
  const { hls, dash, ts } = await server.must<Playback>('POST', `channels/${channel.id}/playback`, { in: 2, out: 6 });
  await until(() => get(hls.replace('master', 'v0/index')), ({ text }) => text.includes('#EXT-X-ENDLIST'));
  for (const url of [hls, ts]) t.equal(await pictureSeconds(url), 4, url);
  t.match((await get(dash)).text, /type="static"/);
  await sender.end();
});

t.test('a recording is downloaded where that is allowed: under its name, with its sound, in pieces', async (t) => {
  const video = await recorded({ name: 'taken' });
  await change(video, { title: '쇼 "1/2"' });
  const [file, ...more] = (await play(video)).downloads;
  t.same(more, []);
  t.equal(file?.height, 90);
  const url = file?.url ?? '';
  const response = await fetch(url, { headers: { range: 'bytes=0-1023' } });
  t.equal(response.status, 206);
  t.match(response.headers.get('content-disposition'), /^attachment; filename=".*"; filename\*=UTF-8''%EC%87%BC/);
  t.equal((await response.arrayBuffer()).byteLength, 1024);
  const { streams = [] } = await probe(url, '-show_streams');
  t.same(streams.map(({ codec_type }) => codec_type).sort(), ['audio', 'video']);
  t.equal(await pictureSeconds(url), whole);

  await change(video, { downloads: false });
  const refused = await until(() => get(url), ({ status }) => status !== 200);
  t.equal(refused.status, 403);
  t.match(refused.text, /"code":"download-not-allowed"/);
  t.same((await play(video)).downloads, []);
  t.equal(await pictureSeconds((await play(video)).hls), whole, 'it still plays');
});

t.test('what a channel does not allow to be downloaded is not there to be downloaded', async (t) => {
  const video = await recorded({ name: 'kept', downloads: false });
  const { hls, downloads } = await play(video);
  t.same(downloads, []);
  const [run] = (await listed(hls))[0]?.split('-') ?? [];
  t.equal((await get(hls.replace('master.m3u8', `mp4/${run}-v0-a0.mp4`))).status, 403);
});

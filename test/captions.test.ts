/** Captions and timed metadata of a whole server, from the wire and the API to what players are given. */
import { Parser } from 'm3u8-parser';
import t from 'tap';
import { encodeAmf0 } from '../ingest/rtmp/amf0.ts';
import { parseWebVtt } from '../packager/text/webvtt.ts';
import { ffmpeg } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

const clip = await flvClip({ width: 320, height: 180, kbps: 300 });
const server = await startServer({ env: { MILLRACE_LIVE_RECONNECT_WINDOW: '4s' } });
t.teardown(() => server.stop());
const token = await server.login();

type Live = { readonly videoId: string };
const liveVideo = async (channel: Channel): Promise<string> => {
  const { live } = await until(() => server.must<{ live: Live | null }>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  return live?.videoId ?? '';
};
const text = async (address: string): Promise<string> => (await fetch(new URL(address, `${server.origin}/play/-/`))).text();
const recorded = async (settings: object = {}, during: (sender: ShowSender, video: string, channel: Channel) => Promise<void> = async () => undefined): Promise<string> => {
  const channel = await server.createChannel(token, { name: `captions-${Math.random().toString(36).slice(2, 8)}`, ...settings });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  const video = await liveVideo(channel);
  await during(sender, video, channel);
  await sender.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  return video;
};
const subtitles = (master: string): string[] => [...master.matchAll(/TYPE=SUBTITLES.*NAME="([^"]*)".*LANGUAGE="([^"]*)".*URI="([^"]*)"/g)].map(([, name, language, uri]) => `${name} ${language} ${uri}`);

/** Everything that a playlist of captions leads to. */
const cuesOf = async (video: string, master: string, language: string): Promise<{ start: number; text: string }[]> => {
  const uri = subtitles(master).find((line) => line.includes(` ${language} `))?.split(' ').at(-1) ?? '';
  const playlist = await text(`${video}/${uri}`);
  const files = playlist.split('\n').filter((line) => line.endsWith('.vtt'));
  const cues = await Promise.all(files.map(async (file) => parseWebVtt(await text(`${video}/${uri.replace(/[^/]*$/, file)}`)).cues));
  const seen = new Map(cues.flat().map((cue) => [`${cue.startMicros} ${cue.text}`, { start: cue.startMicros / 1e6, text: cue.text }]));
  return [...seen.values()];
};

t.test('a file becomes a track of the recording at once, another one takes its place, and it goes again', async (t) => {
  const video = await recorded();
  const put = (body: object, language = 'ko', as = token) => server.api('PUT', `videos/${video}/captions/${language}`, body, as);
  t.same(subtitles(await text(`${video}/master.m3u8`)), []);
  const vtt = 'WEBVTT\n\n00:01.000 --> 00:02.000\none\n\n00:01.500 --> 00:06.500\ntwo\nlines\n\nbroken\n\n00:07.000 --> 00:09.000\nthree';
  const answer = await put({ vtt });
  t.match(answer, { status: 200, body: { language: 'ko', name: '한국어', cues: 3, passedOver: [{ line: 10 }] } });
  const first = await text(`${video}/master.m3u8`);
  t.match(first, /SUBTITLES="captions"/);
  t.same(await cuesOf(video, first, 'ko'), [{ start: 1, text: 'one' }, { start: 1.5, text: 'two\nlines' }, { start: 7, text: 'three' }]);
  t.match(await put({ vtt: 'WEBVTT\n\n00:01.000 --> 00:02.000\nother', name: 'Untertitel' }, 'de'), { status: 200, body: { name: 'Untertitel' } });
  t.match(await put({ vtt: 'WEBVTT\n\n00:03.000 --> 00:04.000\nnew' }), { status: 200 });
  const second = await text(`${video}/master.m3u8`);
  t.same(await cuesOf(video, second, 'ko'), [{ start: 3, text: 'new' }]);
  t.notOk(subtitles(first).some((line) => subtitles(second).includes(line)), 'the new file has no name that the old one had');
  t.same(await server.must('GET', `videos/${video}/captions`), { items: [{ language: 'de', name: 'Untertitel' }, { language: 'ko', name: '한국어' }] });
  t.match(await text(`${video}/manifest.mpd`), /contentType="text" mimeType="application\/mp4" lang="ko"[^]*codecs="wvtt"/);
  const [german = ''] = subtitles(second);
  const { stdout } = await ffmpeg(['-v', 'error', '-i', `${server.origin}/play/-/${video}/${german.split(' ').at(-1)}`, '-f', 'webvtt', 'pipe:1']);
  t.match(stdout.toString(), /WEBVTT\s+00:01\.000 --> 00:02\.000\s+other/, 'ffmpeg reads the playlist and its segments');
  t.equal((await server.api('DELETE', `videos/${video}/captions/ko`, undefined, token)).status, 204);
  t.equal((await server.api('DELETE', `videos/${video}/captions/ko`, undefined, token)).status, 404);
  t.equal(subtitles(await text(`${video}/master.m3u8`)).length, 1);
});

t.test('what is no captions is refused with the line where it goes wrong', async (t) => {
  const video = await recorded();
  const put = (vtt: string) => server.api('PUT', `videos/${video}/captions/en`, { vtt }, token);
  t.match(await put('1\n00:00:01,000 --> 00:00:02,000\nSubRip'), { status: 400, body: { errors: [{ field: 'vtt', detail: /^line 1: .*WEBVTT/ }] } });
  t.match(await put('WEBVTT\n\n00:01 --> 00:02\nx'), { status: 400, body: { errors: [{ detail: /^line 3: / }] } });
  t.match(await server.api('PUT', `videos/${video}/captions/x1`, { vtt: '' }, token), { status: 404 });
  t.match((await put(`WEBVTT\n\n${'x'.repeat(2_200_000)}`)).status, 400);
  t.match((await put('x'.repeat(6_000_000))).status, 413);
  t.same(await server.must('GET', `videos/${video}/captions`), { items: [] });
});

t.test('what is said while live is in the captions of the show, and of its recording; timed text is a date range and in the media', async (t) => {
  const amf = (timestamp: number, said: string) => ({ chunkStream: 4, message: { type: 18, streamId: 1, timestamp, payload: encodeAmf0('onTextData', { text: said }) } });
  const video = await recorded({ captions: ['ko', 'en-GB'] }, async (sender, live, channel) => {
    const say = (body: object) => server.api('POST', `channels/${channel.id}/captions`, body, token);
    t.equal(subtitles(await text(`${live}/master.m3u8`)).length, 2);
    t.equal((await say({ language: 'ko', text: '안녕하세요', duration: 3 })).status, 202);
    t.match(await say({ language: 'fr', text: 'non' }), { status: 400, body: { code: 'validation' } });
    t.match(await server.api('PUT', `videos/${live}/captions/ko`, { vtt: 'WEBVTT\n\n00:01.000 --> 00:02.000\none' }, token), { status: 409, body: { code: 'video-is-live' } });
    const flood = await Promise.all(Array.from({ length: 30 }, () => say({ language: 'en-GB', text: 'x' })));
    t.ok(flood.some(({ status, headers }) => status === 429 && headers.has('retry-after')), 'nobody reads that fast');
    sender.client.message(amf(8_500, 'goal'));
    await sender.send({ shift: 8_000 });
    t.match(await say({ language: 'ko', text: '' }), { status: 400 });
  });
  const master = await text(`${video}/master.m3u8`);
  t.match(await cuesOf(video, master, 'ko'), [{ text: '안녕하세요' }]);
  t.match((await cuesOf(video, master, 'en-GB'))[0], { text: 'x' }, 'and the other language has its own');
  const parser = new Parser();
  parser.push(await text(`${video}/v0/whole.m3u8`));
  parser.end();
  const { dateRanges, dateTimeObject } = parser.manifest as unknown as { dateRanges: { class: string; startDate: Date }[]; dateTimeObject: Date };
  t.match(dateRanges, [{ class: 'org.id3' }]);
  const after = ((dateRanges[0]?.startDate.getTime() ?? 0) - dateTimeObject.getTime()) / 1000;
  t.ok(Math.abs(after - 8.5) < 0.1, `${after} s into the show`);
});

t.test('a channel that announces none has none, and nothing is said where nothing is on', async (t) => {
  const channel = await server.createChannel(token, { name: 'silent' });
  t.match(await server.api('POST', `channels/${channel.id}/captions`, { language: 'ko', text: 'x' }, token), { status: 409, body: { code: 'not-live' } });
  const video = await recorded();
  t.notMatch(await text(`${video}/master.m3u8`), /SUBTITLES/);
});

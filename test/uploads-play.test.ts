/** Uploads that need no work, in every way in which recordings are played: judged by ffmpeg, which reads the original too. */
import { mkdirSync, rmSync } from 'node:fs';
import t from 'tap';
import { downloadsOf } from '../packager/progressive/downloads.ts';
import { parseWebVtt } from '../packager/text/webvtt.ts';
import { encoded, scratch } from './support/encoded.ts';
import { mustFfmpeg, probe } from './support/ffmpeg.ts';
import { until } from './support/playlists.ts';
import { checkStream, faultsOf } from './support/stream-checker.ts';
import { UploadStage } from './support/upload-stage.ts';

mkdirSync(scratch, { recursive: true });
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

const tone = (frequency: number, seconds: number): string[] => ['-f', 'lavfi', '-i', `sine=${frequency}:duration=${seconds}:sample_rate=48000`];
const pictures = (seconds: number, rate = '30000/1001'): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${rate}:duration=${seconds}`];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '45', '-bf', '2', '-x264-params', 'open-gop=0:scenecut=0'];

/** 10 s at 29.97 with B-frames, and sound in two languages. */
const film = await encoded('mp4', [
  ...[...pictures(10), ...tone(440, 10), ...tone(880, 10), '-map', '0', '-map', '1', '-map', '2', ...x264, '-c:a', 'aac', '-b:a', '64k'],
  ...['-metadata:s:a:0', 'language=kor', '-metadata:s:a:0', 'handler_name=한국어', '-metadata:s:a:1', 'language=eng', '-disposition:a:1', '0'],
]);

const stage = await UploadStage.open(t);
const id = await stage.ready(film);

type Frames = { readonly md5: readonly string[]; readonly complaints: string };

/** What a decoder makes of the pictures (or a sound) behind an address. */
const framesOf = async (url: string, map = '0:v:0'): Promise<Frames> => {
  const { stdout, stderr } = await mustFfmpeg(['-i', url, '-map', map, '-fps_mode', 'passthrough', '-f', 'framemd5', 'pipe:1']);
  return { md5: [...stdout.toString().matchAll(/^\d.*,\s*([0-9a-f]{32})$/gm)].map(([, md5 = '']) => md5), complaints: stderr };
};
const wanted = await framesOf(film);

t.test('the catalog knows what it is, and the manifests say it', async (t) => {
  const found = await stage.catalog.videos.withTracks(id);
  t.match(found?.video, { state: 'ready', durationMs: 10_010, bytes: found?.video.originalBytes, policy: { growing: true, targetDuration: 5, latency: 'standard', rhythm: { frameRate: 29.97 } } });
  t.match(found?.tracks, [
    { id: 'v0', kind: 'video', codec: 'h264', timescale: 30_000, original: 1, language: null },
    { id: 'a0', kind: 'audio', language: 'ko', name: '한국어', original: 2 },
    { id: 'a1', kind: 'audio', language: 'en', original: 3 },
  ]);
  const { text } = await stage.text(id, 'master.m3u8');
  t.match(text, /TYPE=AUDIO,GROUP-ID="audio",NAME="한국어",LANGUAGE="ko",DEFAULT=YES/);
  t.match(text, /LANGUAGE="en",DEFAULT=NO/);
  t.match(text, /RESOLUTION=160x90,.*FRAME-RATE=29\.970,AUDIO="audio"/);
  t.match(text, /^v0\/whole\.m3u8$/m);
  t.notMatch(text, /EXT-X-START/);
  const list = (await stage.text(id, 'v0/whole.m3u8')).text;
  t.same([...list.matchAll(/EXTINF:([\d.]+)/g)].map(([, seconds]) => seconds), ['3.003000', '3.003000', '4.004000']);
  t.match(list, /ENDLIST/);
  t.same(stage.errors, []);
});

for (const [name, below] of [['HLS', 'master.m3u8'], ['DASH', 'manifest.mpd'], ['MPEG-TS', 'ts/master.m3u8'], ['a cut that is none', 'cut-0-end/master.m3u8']] as const) {
  t.test(`${name}: every picture of the original, once, and both decode clean`, async (t) => {
    const shown = await framesOf(stage.url(id, below));
    t.equal(shown.complaints, '');
    t.same(shown.md5, wanted.md5);
    const heard = await framesOf(stage.url(id, below), '0:a:0');
    t.equal(heard.complaints, '');
    t.ok(heard.md5.length >= 468 && heard.md5.length <= 470, `${heard.md5.length} frames of sound`);
  });
}

t.test('the rules checker finds nothing', async (t) => {
  const report = await checkStream(['master.m3u8', 'manifest.mpd', 'ts/master.m3u8'].map((below) => stage.url(id, below)), 30).done;
  t.same(faultsOf(report), []);
  t.ok(report.counts.segments >= 3 * 5, JSON.stringify(report.counts));
});

t.test('a cut lists the segments that it touches, from wherever they are on the grid', async (t) => {
  t.equal((await framesOf(stage.url(id, 'cut-3500-5000/master.m3u8'))).md5.length, 90);
  t.equal((await framesOf(stage.url(id, 'cut-3500-5000/manifest.mpd'))).md5.length, 90);
});

t.test('key pictures: one a segment, each a picture of its own', async (t) => {
  const { text } = await stage.text(id, 'v0/iframes.m3u8');
  const names = [...text.matchAll(/^[a-z0-9]+-k\d+\.m4s$/gm)].map(([name]) => name);
  t.equal(names.length, 3);
  const { md5, complaints } = await framesOf(stage.url(id, 'v0/iframes.m3u8'));
  t.equal(complaints, '');
  t.same(md5, [0, 90, 180].map((frame) => wanted.md5[frame]));
});

t.test('it is downloaded as one MP4, whole and in pieces', async (t) => {
  const found = await stage.live.presentations.find(id);
  const [file] = found ? downloadsOf(found.snapshot()) : [];
  const url = stage.url(id, file?.path ?? '');
  const { md5, complaints } = await framesOf(url);
  t.equal(complaints, '');
  t.same(md5, wanted.md5);
  t.match(await probe(url, '-show_entries', 'stream=codec_type,start_time:format=start_time'), { format: { start_time: '0.000000' } });
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
  const part = await fetch(url, { headers: { range: `bytes=${whole.length - 1000}-` } });
  t.equal(part.status, 206);
  t.same(Buffer.from(await part.arrayBuffer()), whole.subarray(-1000));
});

t.test('captions keep to its grid, and to its time', async (t) => {
  const vtt = parseWebVtt('WEBVTT\n\n00:02.500 --> 00:03.500\nover the line\n\n00:09.000 --> 00:09.900\nat the end\n');
  t.equal(await stage.live.captions.put(id, 'ko', null, vtt), 'put');
  const { text } = await until(() => stage.text(id, 'master.m3u8'), (answer) => answer.text.includes('SUBTITLES'));
  const uri = /TYPE=SUBTITLES.*URI="([^"]+)"/.exec(text)?.[1] ?? '';
  const list = (await stage.text(id, uri)).text;
  t.same([...list.matchAll(/EXTINF:([\d.]+)/g)].map(([, seconds]) => seconds), ['3.003000', '3.003000', '4.004000']);
  const shown = (await mustFfmpeg(['-i', stage.url(id, uri), '-f', 'webvtt', 'pipe:1'])).stdout.toString();
  t.match(shown, /00:02\.500 --> 00:03\.500\nover the line/);
  t.match(shown, /00:09\.000 --> 00:09\.900\nat the end/);
  t.same((await framesOf(stage.url(id))).md5.length, wanted.md5.length, 'the pictures are what they were');
});

t.test('a trim holds for every address, and is taken back', async (t) => {
  const before = [...(await stage.text(id, 'v0/whole.m3u8')).text.matchAll(/^.*\.m4s$/gm)].map(([name]) => name);
  t.equal((await stage.text(id, `v0/${before[0]}`)).status, 200);
  await stage.catalog.videos.update(id, { cutInMs: 3_500, cutOutMs: 5_000 });
  await until(() => stage.text(id, 'v0/whole.m3u8'), ({ text }) => [...text.matchAll(/m4s/g)].length === 1);
  t.match(await stage.text(id, `v0/${before[0]}`), { status: 404, text: /"trimmed"/ });
  t.equal((await framesOf(stage.url(id, 'ts/master.m3u8'))).md5.length, 90);
  await stage.catalog.videos.update(id, { cutInMs: null, cutOutMs: null });
  await until(() => stage.text(id, 'v0/whole.m3u8'), ({ text }) => [...text.matchAll(/m4s/g)].length === 3);
});

t.test('sound alone, pictures alone, and a picture that is turned', async (t) => {
  const heard = await stage.ready(await encoded('m4a', [...tone(440, 10), '-c:a', 'aac']));
  t.match((await stage.text(heard, 'master.m3u8')).text, /STREAM-INF:[^\n]*CODECS="mp4a\.40\.2"\na0\/whole\.m3u8/);
  t.same([...(await stage.text(heard, 'a0/whole.m3u8')).text.matchAll(/EXTINF:(\d)/g)].map(([, seconds]) => seconds), ['3', '3', '2'], 'four seconds of whole frames each');
  for (const below of ['master.m3u8', 'manifest.mpd', 'ts/master.m3u8']) t.ok((await framesOf(stage.url(heard, below), '0:a')).md5.length >= 468, below);

  const silent = await encoded('mp4', [...pictures(6), ...x264]);
  const turned = await encoded('mov', ['-i', silent, '-c', 'copy', '-metadata:s:v', 'rotate=90']);
  const [seen, upright] = [await stage.ready(silent), await stage.ready(turned)];
  t.match((await stage.text(seen, 'master.m3u8')).text, /RESOLUTION=160x90/);
  t.match((await stage.text(upright, 'master.m3u8')).text, /RESOLUTION=90x160/);
  for (const below of ['master.m3u8', 'manifest.mpd']) t.same((await framesOf(stage.url(upright, below))).md5, (await framesOf(turned)).md5, `turned by the decoder, ${below}`);
  const found = await stage.live.presentations.find(upright);
  const [file] = found ? downloadsOf(found.snapshot()) : [];
  t.same((await framesOf(stage.url(upright, file?.path ?? ''))).md5, (await framesOf(turned)).md5, 'and in a download');
  t.same(stage.errors, []);
});

t.test('the same names are the same bytes after a restart', async (t) => {
  const list = (await stage.text(id, 'v0/whole.m3u8')).text;
  const names = [...list.matchAll(/^.*\.m4s$|[^"]+\.mp4/gm)].map(([name]) => name);
  const bytes = async (on: UploadStage): Promise<Buffer[]> =>
    Promise.all(names.map(async (name) => Buffer.from(await (await fetch(on.url(id, `v0/${name}`))).arrayBuffer())));
  const before = await bytes(stage);
  await stage.stop();
  const again = await UploadStage.open(t, stage.folder);
  t.equal((await again.text(id, 'v0/whole.m3u8')).text, list);
  t.same(await bytes(again), before);
  t.same(again.errors, []);
  t.same(stage.errors, []);
});

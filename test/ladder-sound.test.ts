/**
 * Opus from ffmpeg over SRT through a whole server, whatever the channel's ladder: AAC is there beside it, in step to the
 * sample, also behind the death of what makes it. It plays in Chromium, in DASH, and in MPEG-TS, which knows no Opus.
 */
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { encoded } from './support/encoded.ts';
import { ffmpeg, probe } from './support/ffmpeg.ts';
import { killSoundEncoders } from './support/ladder-programs.ts';
import { offsetBetween } from './support/opus-packets.ts';
import { firstPicture, report, servePlayerPages } from './support/player-page.ts';
import { playlist, until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { sendSrt } from './support/srt-frames.ts';
import { watchFor } from './support/watching.ts';

t.setTimeout(110_000);
const rate = 48_000;
const { file: pictures } = await clip({ bframes: 2, width: 320, height: 180, kbps: 300 });
/** Noise: at every place it sounds like nothing else. */
const noise = ['-f', 'lavfi', '-i', `anoisesrc=color=brown:seed=7:sample_rate=${rate}:duration=8:amplitude=0.5`];
const source = await encoded('mp4', ['-i', pictures, ...noise, '-map', '0:v', '-map', '1:a', '-c:v', 'copy', '-ac', '2', '-c:a', 'libopus', '-b:a', '96k', '-t', '8']);

t.test('AAC beside Opus is in step with it, whoever makes it, and whoever knows no Opus gets it', async (t) => {
  const [server, browser, pages] = await Promise.all([startServer(), launchChromium(), servePlayerPages()]);
  t.teardown(async () => {
    await Promise.all([browser.close(), pages.close()]);
    await server.stop();
  });
  const token = await server.login();
  const channel = await server.createChannel(token, { name: 'opus' });
  const sender = sendSrt(source, server.srtUrl(channel));
  t.teardown(() => sender.kill('SIGKILL'));
  const master = await server.live(channel);
  const { live } = await server.must<Channel & { live: { videoId: string } | null }>('GET', `channels/${channel.id}`);
  const video = live?.videoId ?? '';
  const base = `${server.origin}/play/-/${video}`;

  const { page, complaints } = await openPage(browser);
  await page.goto(pages.url(master, { player: 'hls', config: {} }));
  await firstPicture(page, 40_000);
  await watchFor(page, 1.5);
  const { errors } = await report(page);
  t.same({ fatal: errors.filter(({ fatal }) => fatal), complaints }, { fatal: [], complaints: [] });
  t.ok(Number(await page.evaluate('watch.video.webkitAudioDecodedByteCount')) > 0, 'sound is decoded');

  const restarts = async (): Promise<number> => Number(/millrace_second_sound_restarts_total (\d+)/.exec(await (await fetch(`${server.origin}/metrics`)).text())?.[1]);
  const listed = (track: string): Promise<number> => playlist(server, video, track).then(({ segments }) => segments.length);
  await until(() => listed('a1'), (count) => count >= 2);
  t.equal(await killSoundEncoders(server.child.pid), 1, 'the channel has no ladder, and an encoder of its sound all the same');
  await until(restarts, (count) => count >= 1);
  const before = await listed('a1');
  await until(() => listed('a1'), (count) => count >= before + 2);
  await page.close();
  sender.kill('SIGINT');
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');

  const heard = async (track: string): Promise<Float32Array> => {
    const { stdout, stderr } = await ffmpeg(['-i', `${base}/${track}/whole.m3u8`, '-ac', '1', '-ar', String(rate), '-f', 'f32le', 'pipe:1']);
    t.equal(stderr, '', track);
    return new Float32Array(stdout.buffer, stdout.byteOffset, stdout.length >> 2);
  };
  const [opus, aac] = [await heard('a0'), await heard('a1')];
  t.ok(Math.abs(opus.length - aac.length) < rate / 10, `${opus.length} and ${aac.length} samples`);
  const places = Array.from({ length: Math.floor(opus.length / (rate / 2)) - 1 }, (_, index) => offsetBetween(opus, aac, 4_800 + index * (rate / 2)));
  const alike = places.filter((place) => place.alike > 0.9);
  t.same(alike.filter(({ offset }) => Math.abs(offset) > rate / 1000), [], 'less than a millisecond apart, before and behind the death');
  // A machine that takes its time to begin another one, or to end, leaves silence.
  const sounds = (some: typeof places): boolean => some.some((place) => place.alike > 0.9);
  t.ok(sounds(places.slice(0, 4)) && sounds(places.slice(-6)) && alike.length > 6, `${alike.length} of ${places.length} places sound alike`);

  const text = await (await fetch(`${base}/master.m3u8`)).text();
  t.match(text, /GROUP-ID="audio-aac",NAME="a0",.*URI="a1\/[^]*GROUP-ID="audio",NAME="a0",.*URI="a0\//);
  t.match(text, /CODECS="avc1\.\w+,mp4a\.40\.2".*AUDIO="audio-aac"[^]*CODECS="avc1\.\w+,Opus".*AUDIO="audio"/);
  const dash = await (await fetch(`${base}/manifest.mpd`)).text();
  t.same(dash.match(/codecs="(Opus|mp4a\.40\.2)"/g), ['codecs="Opus"', 'codecs="mp4a.40.2"']);
  const carried = await probe(`${base}/ts/master.m3u8`, '-show_streams');
  t.ok(carried.streams?.some(({ codec_name }) => codec_name === 'aac'));
  t.match(await ffmpeg(['-i', `${base}/ts/master.m3u8`, '-f', 'null', '-']), { code: 0, stderr: '' });
  const { downloads } = await server.must<{ downloads: { url: string }[] }>('POST', `videos/${video}/playback`, {});
  const saved = await probe(downloads[0]?.url ?? '', '-show_streams');
  t.same(saved.streams?.map(({ codec_name }) => codec_name).toSorted(), ['aac', 'h264']);
});

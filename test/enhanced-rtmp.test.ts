/**
 * HEVC, AV1, VP9 and Opus from FFmpeg 8.1 over Enhanced RTMP through a whole server: every picture decoded by ffmpeg out of
 * HLS, DASH and the download, and AV1, VP9 and Opus played in Chromium. HEVC, which that Chromium does not decode, is judged
 * by ffmpeg alone.
 */
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { enhancedClip, enhancedFrames, pushEnhanced, type EnhancedPicture, type EnhancedSound } from './support/enhanced-push.ts';
import { decodeStamps, probe } from './support/ffmpeg.ts';
import { firstPicture, report, seek, servePlayerPages, type PlayerName } from './support/player-page.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { shaka } from './support/viewings.ts';

t.setTimeout(115_000);
const { frames, width, height } = enhancedFrames;
const everyPicture = Array.from({ length: frames }, (_, index) => index);

type Show = { readonly picture: EnhancedPicture; readonly sound: EnhancedSound; readonly codecs: RegExp; readonly heard: number };
// 8 s of sound: AAC in frames of 1024 samples at 48 kHz, Opus in packets of 960.
const shows: readonly Show[] = [
  { picture: 'hevc', sound: 'aac', codecs: /CODECS="hvc1\.1\.6\.L\d+\.90,mp4a\.40\.2"/, heard: 375 },
  { picture: 'av1', sound: 'opus', codecs: /CODECS="av01\.0\.\d\dM\.08,Opus"/, heard: 400 },
  { picture: 'vp9', sound: 'opus', codecs: /CODECS="vp09\.00\.\d\d\.08,Opus"/, heard: 400 },
];

const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();
const text = async (url: string): Promise<string> => (await fetch(url)).text();

/** The recording of a clip that was pushed. */
const recorded = async ({ picture, sound }: Show): Promise<string> => {
  const file = await enhancedClip(picture, sound);
  const channel = await server.createChannel(token, { name: picture });
  const sender = pushEnhanced(file, `${channel.ingest.rtmp.server}/${channel.ingest.rtmp.key}`, 3);
  t.teardown(() => sender.kill('SIGKILL'));
  const { items } = await until(
    () => server.must<{ items: { id: string; channelId: string | null }[] }>('GET', 'videos', undefined, token),
    (found) => found.items.some(({ channelId }) => channelId === channel.id),
  );
  const id = items.find(({ channelId }) => channelId === channel.id)?.id ?? '';
  const { sent, errors } = await sender.done;
  if (!sent || errors !== '') throw new Error(`the sender of ${picture} complains: ${errors}`);
  await until(() => server.must<{ state: string }>('GET', `videos/${id}`), ({ state }) => state === 'ready');
  return id;
};

const videos = await Promise.all(shows.map(async (show) => ({ ...show, id: await recorded(show) })));
const play = (id: string): string => `${server.origin}/play/-/${id}`;

for (const { picture, sound, codecs, heard, id } of videos) {
  t.test(`${picture} and ${sound}: every picture and every frame of sound, in HLS, in DASH and in the download`, async (t) => {
    const master = await text(`${play(id)}/master.m3u8`);
    t.match(master, codecs);
    t.match(master, /RESOLUTION=320x180,FRAME-RATE=30\.000/);
    t.notMatch(master, /SUPPLEMENTAL-CODECS/);
    const { downloads, ts } = await server.must<{ downloads: { url: string }[]; ts: string | null }>('POST', `videos/${id}/playback`, {});
    for (const url of [`${play(id)}/master.m3u8`, `${play(id)}/manifest.mpd`, downloads[0]?.url ?? '']) {
      const { stamps, errors } = await decodeStamps(url, { width, height });
      t.same({ stamps, errors }, { stamps: everyPicture, errors: '' }, url);
    }
    const { streams } = await probe(`${play(id)}/master.m3u8`, '-select_streams', 'a', '-count_packets', '-show_streams');
    const packets = Number(streams?.[0]?.['nb_read_packets']);
    // The last frames may lie behind the last picture, and the first before the first one.
    t.ok(packets > heard - 5 && packets <= heard + 2, `${packets} frames of sound`);
    const keys = await text(`${play(id)}/v0/iframes.m3u8`);
    const map = keys.match(/EXT-X-MAP:URI="([^"]+)"/)?.[1] ?? '';
    const key = keys.match(/^[^#].*$/m)?.[0] ?? '';
    const both = await Promise.all([map, key].map(async (name) => Buffer.from(await (await fetch(`${play(id)}/v0/${name}`)).arrayBuffer())));
    t.ok(both.every(({ length }) => length > 100), 'a key picture of its own');

    t.equal(ts, null, 'nobody is sent to a transport stream');
    for (const file of ['master.m3u8', 'v0/index.m3u8', 'v0/whole.m3u8']) {
      const refused = await fetch(`${play(id)}/ts/${file}`);
      t.same({ status: refused.status, code: ((await refused.json()) as { code: string }).code }, { status: 404, code: 'ts-not-carried' }, file);
    }
  });
}

t.test('AV1, VP9 and Opus play in Chromium, from the beginning and after a seek', async (t) => {
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const pages = await servePlayerPages();
  t.teardown(() => pages.close());
  const players: readonly { readonly player: PlayerName; readonly file: string; readonly config: object }[] = [
    { player: 'hls', file: 'master.m3u8', config: {} },
    { player: 'shaka', file: 'master.m3u8', config: shaka },
    { player: 'shaka', file: 'manifest.mpd', config: shaka },
  ];
  for (const { picture, id } of videos.filter(({ picture }) => picture !== 'hevc')) {
    await Promise.all(
      players.map(async ({ player, file, config }) => {
        const name = `${picture}, ${player}, ${file}`;
        const { page, context, complaints } = await openPage(browser);
        await page.goto(pages.url(`${play(id)}/${file}`, { player, config }));
        await firstPicture(page, 40_000);
        await seek(page, 4.1);
        await page.waitForFunction('watch.video.currentTime > 6 && !watch.video.seeking', undefined, { timeout: 30_000, polling: 100 });
        const { pictures, errors } = await report(page);
        // A busy browser may paint a picture later than the one that it tells of: most of them have to be right.
        const away = pictures.flatMap(({ stamp, mediaTime }) => (mediaTime > 4.2 && stamp !== null ? [Math.abs(stamp - mediaTime * 30)] : [])).sort((a, b) => a - b);
        t.ok((away[away.length >> 1] ?? Infinity) < 3, `${name}: what is shown belongs where it is shown (${away.length} pictures; the last ones are ${away.slice(-3).join(', ')} away)`);
        t.ok(Number(await page.evaluate('watch.video.webkitAudioDecodedByteCount')) > 0, `${name}: sound is decoded`);
        t.same(errors.filter(({ fatal }) => fatal), [], `${name}: no errors`);
        t.same(complaints, [], `${name}: no complaints`);
        await context.close();
      }),
    );
  }
});

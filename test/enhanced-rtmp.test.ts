/**
 * HEVC, AV1, VP9 and Opus from FFmpeg 8.1 over Enhanced RTMP through a whole server. While they are live: AV1, VP9 and Opus
 * played in Chromium out of LL-HLS and DASH, every picture pulled by ffmpeg, the rules checker beside it. Afterwards: every
 * picture in DASH and the download, and playback from the beginning. HEVC, which that Chromium does not decode, is judged by
 * ffmpeg and the checker alone.
 */
import t, { type Test } from 'tap';
import type { Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { enhancedClip, enhancedFrames, pushEnhanced, type EnhancedPicture, type EnhancedSound } from './support/enhanced-push.ts';
import { decodeStamps, probe } from './support/ffmpeg.ts';
import { commandsNamed } from './support/overheard.ts';
import { firstPicture, report, seek, servePlayerPages, type PlayerName, type ShownPicture } from './support/player-page.ts';
import { until } from './support/playlists.ts';
import { relayTo } from './support/relay.ts';
import { startServer } from './support/server.ts';
import { checkStream, faultsOf } from './support/stream-checker.ts';
import { dash, shaka } from './support/viewings.ts';
import { watchFor } from './support/watching.ts';

t.setTimeout(115_000);
const { frames, fps, width, height } = enhancedFrames;

type Viewer = { readonly player: PlayerName; readonly file: string; readonly config: object };
type Show = {
  readonly picture: EnhancedPicture;
  readonly sound: EnhancedSound;
  readonly codecs: RegExp;
  /** Frames of sound a second. */
  readonly heard: number;
  readonly fourCc: string;
  /** Who watches it live. */
  readonly viewers: readonly Viewer[];
};
const hls: Viewer = { player: 'hls', file: 'master.m3u8', config: {} };
const shows: readonly Show[] = [
  { picture: 'hevc', sound: 'aac', codecs: /CODECS="hvc1\.1\.6\.L\d+\.90,mp4a\.40\.2"/, heard: 48_000 / 1024, fourCc: 'hvc1', viewers: [] },
  { picture: 'av1', sound: 'opus', codecs: /CODECS="av01\.0\.\d\dM\.08,Opus"/, heard: 50, fourCc: 'av01', viewers: [hls, { player: 'shaka', file: 'manifest.mpd', config: shaka }] },
  { picture: 'vp9', sound: 'opus', codecs: /CODECS="vp09\.00\.\d\d\.08,Opus"/, heard: 50, fourCc: 'vp09', viewers: [hls, { player: 'dash', file: 'manifest.mpd', config: dash }] },
];

const [server, browser, pages] = await Promise.all([startServer(), launchChromium(), servePlayerPages()]);
t.teardown(async () => {
  await Promise.all([browser.close(), pages.close()]);
  await server.stop();
});
const token = await server.login();
const text = async (url: string): Promise<string> => (await fetch(url)).text();

/** Of what is shown: how many pictures it is away from where it belongs, the farthest last. The clip begins anew every 8 s. */
const away = (pictures: readonly ShownPicture[]): number[] =>
  pictures
    .flatMap(({ stamp, mediaTime }) => (stamp === null ? [] : [Math.abs(((stamp - mediaTime * fps + 1.5 * frames) % frames) - frames / 2)]))
    .sort((a, b) => a - b);

/** What a page has seen when its viewer has had enough. */
type Watched = { readonly name: string; readonly pictures: readonly ShownPicture[]; readonly fatal: readonly unknown[]; readonly soundBytes: number; readonly complaints: readonly string[]; readonly parts?: unknown };

const seenBy = async (page: Page, name: string, complaints: readonly string[]): Promise<Watched> => {
  const { pictures, errors } = await report(page);
  return { name, pictures, fatal: errors.filter(({ fatal }) => fatal), soundBytes: Number(await page.evaluate('watch.video.webkitAudioDecodedByteCount')), complaints };
};

const isPlayed = (t: Test, { name, pictures, fatal, soundBytes, complaints }: Watched): void => {
  // A busy browser may paint a picture later than the one that it tells of: most of them have to be right.
  const apart = away(pictures);
  t.ok((apart[apart.length >> 1] ?? Infinity) < 3, `${name}: what is shown belongs where it is shown (${apart.length} pictures; the last ones are ${apart.slice(-3).join(', ')} away)`);
  t.ok(soundBytes > 0, `${name}: sound is decoded`);
  t.same(fatal, [], `${name}: no errors`);
  t.same(complaints, [], `${name}: no complaints`);
};

/** Watches until some seconds have been played. */
const watchLive = async (url: string, { player, file, config }: Viewer): Promise<Watched> => {
  const { page, context, complaints } = await openPage(browser);
  await page.goto(pages.url(url, { player, config }));
  await firstPicture(page, 40_000);
  await watchFor(page, 2.5);
  const parts = player === 'hls' ? await page.evaluate('(({ live, partList }) => live && partList.length > 0)(watch.player.latestLevelDetails)') : true;
  const seen = await seenBy(page, `${player}, ${file}`, complaints);
  await context.close();
  return { ...seen, parts };
};

const play = (id: string): string => `${server.origin}/play/-/${id}`;

/** A show that has begun, pulled and checked from its beginning on. */
const begin = async (show: Show) => {
  const { picture, sound } = show;
  const file = await enhancedClip(picture, sound);
  const channel = await server.createChannel(token, { name: picture, dvr: 60 });
  const relay = await relayTo(server.ports.rtmp);
  t.teardown(() => relay.close());
  const sender = pushEnhanced(picture, file, `rtmp://127.0.0.1:${relay.port}/live/${channel.ingest.rtmp.key}`);
  t.teardown(sender.kill);
  const master = await server.live(channel, 30_000);
  const manifest = server.liveUrl(channel, 'manifest.mpd');
  // A manifest has to say how long segments are, which is known when there is one.
  await until(async () => (await fetch(manifest)).status, (status) => status === 200);
  const checker = checkStream([master, manifest], 90);
  const pulled = decodeStamps(master, { width, height }, { before: ['-live_start_index', '0'] });
  const { live } = await server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`);
  return { ...show, channel, relay, sender, checker, pulled, id: live?.videoId ?? '' };
};
const begun = await Promise.all(shows.map(begin));
// All of them go on until everybody has seen enough of each.
const watched = await Promise.all(begun.map(({ viewers, channel }) => Promise.all(viewers.map((viewer) => watchLive(server.liveUrl(channel, viewer.file), viewer)))));
const videos = await Promise.all(
  begun.map(async ({ sender, id, pulled, checker, ...show }, index) => {
    const sent = await sender.stop();
    await until(() => server.must<{ state: string }>('GET', `videos/${id}`), ({ state }) => state === 'ready');
    return { ...show, id, sent, watched: watched[index] ?? [], pulled: await pulled, checked: await checker.done };
  }),
);

for (const { picture, sound, codecs, heard, id, sent, pulled, checked, relay, watched, fourCc } of videos) {
  const everyPicture = Array.from({ length: sent.video }, (_, index) => index % frames);

  t.test(`${picture} and ${sound}, live: it plays in Chromium where that knows it, every picture comes to whoever pulls it, and no rule is broken`, async (t) => {
    for (const seen of watched) {
      isPlayed(t, seen);
      t.equal(seen.parts, true, `${seen.name}: live, by parts`);
    }
    t.same({ errors: pulled.errors, stamps: pulled.stamps }, { errors: '', stamps: everyPicture });
    t.ok(sent.video >= 60 && sent.errors === '', `${sent.video} pictures, ${sent.errors}`);
    t.same(faultsOf(checked), []);
    const { counts } = checked;
    t.ok(counts.parts > 0 && counts.manifests > 1 && counts.segments > 2 && counts.probes > 0, JSON.stringify(counts));
  });

  t.test(`FFmpeg says that it has ${fourCc}, and is told in the words of Enhanced RTMP 1 what it may send`, async (t) => {
    const [asked] = commandsNamed('connect', relay.said.sender);
    const [answered] = commandsNamed('_result', relay.said.server);
    t.match(asked, [1, { fourCcList: [fourCc] }]);
    t.notOk(JSON.stringify(asked).includes('capsEx'), 'and knows nothing of a later version');
    t.match(answered, [1, { fmsVer: String, fourCcList: ['avc1', 'hvc1', 'av01', 'vp09', 'mp4a', 'Opus'] }, { code: 'NetConnection.Connect.Success' }]);
    t.notOk(JSON.stringify(answered).includes('capsEx'));
  });

  t.test(`${picture} and ${sound}: every picture and every frame of sound, in HLS, in DASH and in the download`, async (t) => {
    const master = await text(`${play(id)}/master.m3u8`);
    t.match(master, codecs);
    t.match(master, /RESOLUTION=320x180,FRAME-RATE=30\.000/);
    t.notMatch(master, /SUPPLEMENTAL-CODECS/);
    const { downloads, ts } = await server.must<{ downloads: { url: string }[]; ts: string | null }>('POST', `videos/${id}/playback`, {});
    for (const url of [`${play(id)}/manifest.mpd`, downloads[0]?.url ?? '']) {
      const { stamps, errors } = await decodeStamps(url, { width, height });
      t.same({ stamps, errors }, { stamps: everyPicture, errors: '' }, url);
    }
    const { streams } = await probe(`${play(id)}/master.m3u8`, '-count_packets', '-show_streams');
    // Beside Opus there is AAC as well.
    const counted = (type: string): number => Number(streams?.find(({ codec_type, codec_name }) => codec_type === type && (type === 'video' || codec_name === sound))?.['nb_read_packets']);
    t.equal(counted('video'), sent.video);
    // The last frames may lie behind the last picture, and the first before the first one.
    const most = (sent.video / fps) * heard;
    t.ok(counted('audio') > most - 5 && counted('audio') <= most + 2, `${counted('audio')} frames of sound for ${most}`);
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

t.test('recordings of AV1, VP9 and Opus play in Chromium, from the beginning and after a seek', async (t) => {
  await Promise.all(
    videos
      .filter(({ picture }) => picture !== 'hevc')
      .flatMap(({ picture, id }) => ['master.m3u8', 'manifest.mpd'].map((file) => ({ picture, id, file })))
      .map(async ({ picture, id, file }) => {
        const { page, context, complaints } = await openPage(browser);
        await page.goto(pages.url(`${play(id)}/${file}`, { player: 'shaka', config: shaka }));
        await firstPicture(page, 40_000);
        await seek(page, 2.1);
        await page.waitForFunction('watch.video.currentTime > 3.5 && !watch.video.seeking', undefined, { timeout: 30_000, polling: 100 });
        isPlayed(t, await seenBy(page, `${picture}, ${file}`, complaints));
        await context.close();
      }),
  );
});

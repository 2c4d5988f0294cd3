/** Captions, timed metadata and closed captions in the players that people have, in a real Chromium. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { encodeAmf0 } from '../ingest/rtmp/amf0.ts';
import { launchChromium, openPage } from './support/chromium.ts';
import { firstPicture, report, seek, servePlayerPages, type PlayerName } from './support/player-page.ts';
import { until } from './support/playlists.ts';
import { captionSei, rollUp } from './support/line21.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

t.setTimeout(120_000);
const clip = await flvClip();
const clipMs = 8_000;
const server = await startServer();
t.teardown(() => server.stop());
const pages = await servePlayerPages();
t.teardown(() => pages.close());
const browser = await launchChromium();
t.teardown(() => browser.close());
const token = await server.login();

const players: readonly (readonly [PlayerName, string])[] = [['hls', 'master.m3u8'], ['shaka', 'master.m3u8'], ['shaka', 'manifest.mpd'], ['dash', 'manifest.mpd']];
type Shown = { readonly startTime: number; readonly endTime: number; readonly text: string };
/** What each player hands to the page of timed metadata, as text. */
const heard: Record<PlayerName, string> = {
  hls: "globalThis.heard = []; watch.player.on('hlsFragParsingMetadata', (_, { samples }) => samples.forEach(({ data }) => heard.push(new TextDecoder().decode(data)))); 0",
  shaka: "globalThis.heard = []; for (const name of ['metadata', 'emsg']) watch.player.addEventListener(name, (event) => heard.push(name + JSON.stringify(event.payload ?? new TextDecoder().decode(event.detail.messageData)))); 0",
  dash: "globalThis.heard = []; watch.player.on('https://aomedia.org/emsg/ID3', ({ event }) => heard.push(new TextDecoder().decode(event.messageData))); 0",
  none: '0',
};

const choose = async (page: Page, language: string): Promise<void> => {
  await until(() => page.evaluate<{ language: string }[]>('watch.texts()'), (texts) => texts.some((one) => one.language === language));
  await page.evaluate(`watch.chooseText(${JSON.stringify(language)})`);
};
const cues = (page: Page): Promise<Shown[]> => page.evaluate('watch.cues().filter(({ text }) => text !== "")');

const videoOf = async (channel: Channel): Promise<string> => {
  const { live } = await until(() => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  return live?.videoId ?? '';
};

t.test('captions of a recording stand where they were written, in every player, after seeking too', async (t) => {
  const channel = await server.createChannel(token, { name: 'recorded' });
  const sender = await ShowSender.connect(server, channel, clip);
  for (const shift of [0, clipMs, 2 * clipMs]) await sender.send({ shift });
  const video = await videoOf(channel);
  await sender.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  const written = [[1, 2.5, 'one'], [3, 9.5, 'over borders'], [17, 18, 'late']] as const;
  const time = (seconds: number): string => `00:${seconds.toFixed(3).padStart(6, '0')}`;
  const vtt = ['WEBVTT', ...written.map(([from, to, said]) => `${time(from)} --> ${time(to)}\n${said}`)].join('\n\n');
  await server.must('PUT', `videos/${video}/captions/ko`, { vtt }, token);
  await Promise.all(
    players.map(async ([player, manifest]) => {
      const { page } = await openPage(browser);
      await page.goto(pages.url(`${server.origin}/play/-/${video}/${manifest}`, { player }));
      await firstPicture(page);
      await choose(page, 'ko');
      const near = await until(() => cues(page), (all) => all.some(({ text }) => text === 'one') && all.some(({ text }) => text === 'over borders'), 20_000);
      await seek(page, 16);
      const far = await until(() => cues(page), (all) => all.some(({ text }) => text === 'late'), 20_000);
      for (const { startTime, text } of [...far, ...near]) {
        const [from = NaN] = written.find(([, , said]) => said === text) ?? [];
        // Players that read the fragments get a cue that goes over a border in pieces.
        const pieces = player === 'hls' || manifest === 'master.m3u8' ? [from] : [from, 2, 4, 6, 8];
        t.ok(pieces.some((at) => Math.abs(startTime - at) < 0.1), `${player} ${manifest}: ${text} at ${startTime}`);
      }
      t.same((await report(page)).errors.filter(({ fatal }) => fatal), [], `${player} ${manifest}`);
      await page.close();
    }),
  );
});

t.test('captions inside the pictures are a track of text in hls.js', async (t) => {
  const channel = await server.createChannel(token, { name: 'line21' });
  const said = rollUp('NOTHING IS LOST');
  let frame = -1;
  const captioned = {
    ...clip,
    units: clip.units.map((unit) => {
      if (unit.kind !== 'video') return unit;
      frame += 1;
      const [first, second] = said[frame % 60] ?? [0x80, 0x80];
      return { ...unit, data: Buffer.concat([captionSei([[0, first, second]]), unit.data]) };
    }),
  };
  const sender = await ShowSender.connect(server, channel, captioned);
  await sender.send();
  await sender.send({ shift: clipMs });
  const video = await videoOf(channel);
  await sender.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  const { page } = await openPage(browser);
  await page.goto(pages.url(`${server.origin}/play/-/${video}/master.m3u8`, { player: 'hls' }));
  await firstPicture(page);
  await page.evaluate('[...watch.video.textTracks].forEach((track) => { if (track.kind === "captions") track.mode = "showing"; })');
  const shown = await until(() => cues(page), (all) => all.some(({ text }) => text.includes('NOTHING IS LOST')), 20_000);
  t.ok(shown.length > 0);
  t.match(await page.evaluate('[...watch.video.textTracks].filter(({ kind }) => kind === "captions").map(({ label }) => label)'), ['CC1']);
  await page.close();
});

t.test('what is said while live is read at its moment, and timed text reaches the page, in every player', async (t) => {
  const channel = await server.createChannel(token, { name: 'now', captions: ['ko'] });
  const sender = await ShowSender.connect(server, channel, clip);
  const began = performance.now();
  let sentMs = 0;
  let over = false;
  t.teardown(() => {
    over = true;
  });
  const sending = (async () => {
    // Two seconds ahead of the clock, so that the gate opens at once.
    for (let at = 0; !over; at += 100) {
      const round = Math.floor(at / clipMs) * clipMs;
      await sender.send({ from: at - round, until: at - round + 100, shift: round });
      sentMs = at + 100;
      if (at % 1000 === 0) sender.client.message({ chunkStream: 4, message: { type: 18, streamId: 1, timestamp: at, payload: encodeAmf0('onTextData', { text: `at ${at}` }) } });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + at - 2000 - performance.now())));
    }
  })();
  const video = await videoOf(channel);
  const watching = await Promise.all(
    players.map(async ([player, manifest]) => {
      const { page } = await openPage(browser);
      // Shaka 5.2 forgets for parts of HLS in which discontinuity they lie, and then shows no WebVTT beside them.
      const config = player === 'shaka' ? { streaming: { lowLatencyMode: manifest.endsWith('.mpd') } } : {};
      await page.goto(pages.url(`${server.origin}/play/-/${video}/${manifest}`, { player, config }));
      await firstPicture(page);
      await page.evaluate(heard[player]);
      await choose(page, 'ko');
      return { page, name: `${player} ${manifest}` };
    }),
  );
  const saidAt = sentMs;
  await server.must('POST', `channels/${channel.id}/captions`, { language: 'ko', text: '지금', duration: 5 }, token);
  await Promise.all(
    watching.map(async ({ page, name }) => {
      const [cue] = await until(() => cues(page), (all) => all.some(({ text }) => text === '지금'), 20_000).then((all) => all.filter(({ text }) => text === '지금'));
      if (!cue) return t.fail(name);
      // The picture that is shown when the caption begins is the one that was being sent when it was said.
      const { pictures } = await until(() => report(page), (seen) => seen.pictures.some(({ mediaTime }) => mediaTime > cue.startTime), 20_000);
      const nearest = pictures.reduce((best, one) => (Math.abs(one.mediaTime - cue.startTime) < Math.abs(best.mediaTime - cue.startTime) ? one : best));
      const wanted = (saidAt % clipMs) / 1000;
      const shown = (nearest.stamp ?? 0) / 30;
      const apart = Math.min(Math.abs(shown - wanted), clipMs / 1000 - Math.abs(shown - wanted));
      t.ok(Math.abs(nearest.mediaTime - cue.startTime) < 0.5 && apart < 0.7, `${name}: said at ${wanted} s of the clip, read at ${shown} s`);
      // Shaka reads the date ranges of HLS and hands on the tag in them, as hexadecimal; the others read the media.
      const [text, bytes] = ['onTextData', Buffer.from('onTextData').toString('hex').toUpperCase()];
      t.ok(await until(() => page.evaluate<string>('JSON.stringify(globalThis.heard ?? [])'), (list) => list.includes(text) || list.includes(bytes), 20_000), `${name}: timed text`);
    }),
  );
  over = true;
  await sending;
  sender.vanish();
  for (const { page } of watching) await page.close();
});

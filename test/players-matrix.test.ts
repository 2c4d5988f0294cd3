/**
 * hls.js, Shaka and dash.js in a real Chromium against a whole server: a recording of two epochs with seeks, and a show
 * in progress with a rewind to its beginning, the return to live, an outage, and its end while it is watched.
 */
import t from 'tap';
import type { Page } from 'playwright-core';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { interruptions, offsetOf } from './support/continuity.ts';
import { push } from './support/ffmpeg.ts';
import { firstPicture, forget, goLive, report, seek, seekable, servePlayerPages, type PlayerName, type ShownPicture, type WatchReport } from './support/player-page.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';
import { dash, shaka } from './support/viewings.ts';
import { watchFor } from './support/watching.ts';

t.setTimeout(115_000);
const picture = { bframes: 2, width: 320, height: 180, kbps: 300 };
const source = await clip(picture);
const { frames, fps } = source;
const grid = { frames, fps };
const units = await flvClip(picture);
const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());

type Contestant = { readonly name: string; readonly player: PlayerName; readonly file: string; readonly config?: object };
const contestants: readonly Contestant[] = [
  { name: 'hls.js', player: 'hls', file: 'master.m3u8' },
  { name: 'hls.js, MPEG-TS', player: 'hls', file: 'ts/master.m3u8' },
  { name: 'Shaka, HLS', player: 'shaka', file: 'master.m3u8', config: shaka },
  { name: 'Shaka, DASH', player: 'shaka', file: 'manifest.mpd', config: shaka },
  { name: 'dash.js', player: 'dash', file: 'manifest.mpd', config: dash },
];

/** hls.js steps once over the few milliseconds by which sound begins earlier than picture, and says so. */
const faults = ({ errors }: WatchReport): object[] => errors.filter(({ details }) => !/^buffer(?:SeekOverHole|NudgeOnStall)$/.test(details ?? ''));

const watch = async ({ player, config = {} }: Contestant, url: string): Promise<{ page: Page; complaints: string[]; close: () => Promise<void> }> => {
  const { page, context, complaints } = await openPage(browser);
  await page.goto(pages.url(url, { player, config }));
  await firstPicture(page, 40_000);
  return { page, complaints, close: () => context.close() };
};
const reaches = (page: Page, condition: string): Promise<unknown> => page.waitForFunction(condition, undefined, { timeout: 30_000, polling: 100 });
const ended = (page: Page): Promise<unknown> => reaches(page, 'watch.video.ended');
/**
 * hls.js 1.7 that plays by parts asks for none any more once the playlist has ended: a last part that comes together with
 * ENDLIST is never fetched, and the element waits for it, less than two parts from the end, and does not say `ended`.
 */
const nearlyEnded = (page: Page): Promise<unknown> => reaches(page, 'watch.video.ended || watch.video.duration - watch.video.currentTime < 0.7');

/** Where hls.js lays the first decode time of a transport stream at 0, all pictures are late by the reorder delay. */
/** Of what was shown last. */
const offsetNow = (pictures: readonly ShownPicture[]): number | null => {
  const last = pictures.findLast(({ stamp }) => stamp !== null);
  return last ? offsetOf(last, grid) : null;
};
const nearlyZero = (offset: number | null): boolean => offset !== null && Math.min(offset, frames - offset) <= 3;

t.test('a recording of two epochs: from its beginning, at four places, over the border and to its end', async (t) => {
  const channel = await server.createChannel(token, { name: 'recorded' });
  const first = await ShowSender.connect(server, channel, units);
  await first.send();
  const { live } = await until(
    () => server.must<{ live: { videoId: string } | null }>('GET', `channels/${channel.id}`),
    (seen) => seen.live !== null,
  );
  const video = live?.videoId ?? '';
  first.vanish();
  const second = await ShowSender.connect(server, channel, units);
  await second.send({ shift: 1_000_000 });
  await second.end();
  await until(() => server.must<{ state: string }>('GET', `videos/${video}`), ({ state }) => state === 'ready');
  await Promise.all(
    contestants.map(async (contestant) => {
      const { name, file } = contestant;
      const { page, complaints, close } = await watch(contestant, `${server.origin}/play/-/${video}/${file}`);
      await watchFor(page, 1);
      t.ok((await report(page)).currentTime < 4, `${name}: from the beginning`);
      for (const place of [5.2, 12.3, 7, 1.5]) {
        await seek(page, place);
        await page.waitForFunction('!watch.video.seeking', undefined, { timeout: 30_000, polling: 50 });
        await watchFor(page, 0.2);
        await forget(page);
        // dash.js, sent into another Period, lets the sound begin before the picture.
        await firstPicture(page);
        await watchFor(page, place === 7 ? 2 : 0.6);
        const { pictures } = await report(page);
        // Both epochs are the same 240 pictures: what belongs at a time is known on both sides of the border.
        t.same(interruptions(pictures, grid), [], `${name}: at ${place} s`);
        t.ok(nearlyZero(offsetNow(pictures)), `${name}: what belongs at ${place} s is ${offsetNow(pictures)} pictures away`);
      }
      await seek(page, 14.5);
      await ended(page);
      t.same(faults(await report(page)), [], `${name}: no errors`);
      t.same(complaints, [], `${name}: no complaints`);
      await close();
    }),
  );
});

t.test('Chromium plays the file for downloads by ranges, and seeks in it', async (t) => {
  const { items } = await server.must<{ items: { id: string }[] }>('GET', 'videos', undefined, token);
  const { downloads } = await server.must<{ downloads: { url: string }[] }>('POST', `videos/${items[0]?.id}/playback`, {});
  const { page, complaints } = await openPage(browser);
  await page.goto(pages.url(downloads[0]?.url ?? '', { player: 'none' }));
  await firstPicture(page);
  await seek(page, 13);
  await watchFor(page, 0.3);
  await forget(page);
  await watchFor(page, 1);
  const { pictures, errors } = await report(page);
  t.same(interruptions(pictures, grid), []);
  t.ok(pictures.every((one) => nearlyZero(offsetOf(one, grid))));
  t.same(errors, []);
  t.same(complaints, []);
});

t.test('a show in progress: back to its beginning, live again, over an outage, and to its end', async (t) => {
  const channel = await server.createChannel(token, { name: 'on-air' });
  let sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await server.live(channel);
  const watching = await Promise.all(contestants.map(async (contestant) => ({ ...contestant, ...(await watch(contestant, server.liveUrl(channel, contestant.file))) })));
  await Promise.all(
    watching.map(async ({ name, page }) => {
      const range = await until(() => seekable(page), (found) => found !== null && found.end - found.start > 10, 40_000);
      const start = range?.start ?? 0;
      await watchFor(page, 1);
      const liveOffset = offsetNow((await report(page)).pictures);
      // Between two manifests the window of a DASH player moves on by up to a second and a half, and Shaka leaps by five
      // where it is asked for what lies before.
      await seek(page, start + 2);
      await page.waitForFunction('!watch.video.seeking', undefined, { timeout: 30_000, polling: 50 });
      await watchFor(page, 0.3);
      await forget(page);
      await watchFor(page, 1);
      const back = await report(page);
      t.ok(back.currentTime < start + 5.5, `${name}: at ${back.currentTime} s, the show begins at ${start}`);
      t.same(interruptions(back.pictures, grid, { rate: 1.2 }), [], `${name}: plays there`);
      const offset = offsetNow(back.pictures);
      t.ok(offset !== null && liveOffset !== null && nearlyZero((offset - liveOffset + frames) % frames), `${name}: what belongs there, ${offset} as ${liveOffset}`);
      await goLive(page);
      await page.waitForFunction(`watch.video.currentTime > ${start + 6}`, undefined, { timeout: 30_000, polling: 50 });
      await watchFor(page, 2);
      const { latencies } = await report(page);
      const latency = latencies.at(-1)?.seconds ?? 99;
      t.comment(`${name}: ${latency.toFixed(2)} s behind again`);
      t.ok(latency < 12, `${name}: ${latency} s behind again`);
    }),
  );
  await sender.kill();
  await new Promise((resolve) => setTimeout(resolve, 2000)); // the outage itself
  const before = await Promise.all(watching.map(({ page }) => report(page)));
  sender = push(source.file, server.rtmpUrl(channel));
  await Promise.all(
    watching.map(({ page }, index) =>
      page.waitForFunction(`watch.video.currentTime > ${(before[index]?.currentTime ?? 0) + 5}`, undefined, { timeout: 40_000, polling: 100 }),
    ),
  );
  await sender.stop();
  await Promise.all(
    watching.map(async ({ name, page }) => {
      const end = await (name === 'hls.js' ? nearlyEnded : ended)(page).then(() => '', (error: Error) => error.message);
      const { pictures, stalls, latencies, ...seen } = await report(page);
      t.equal(end, '', `${name}: to the end${end === '' ? '' : JSON.stringify(seen)}`);
      t.same(seen.errors.filter(({ fatal }) => fatal), [], `${name}: no fatal error`);
    }),
  );
});

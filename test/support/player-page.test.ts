import t from 'tap';
import { clip } from './clips.ts';
import { launchChromium, openPage } from './chromium.ts';
import { push } from './ffmpeg.ts';
import { choose, dateOfPicture, disorder, firstPicture, goLive, pause, play, qualities, report, seek, seekable, servePlayerPages } from './player-page.ts';
import { until } from './playlists.ts';
import { startServer } from './server.ts';
import { watchFor } from './watching.ts';

t.test('a browser reads the stamp of what it shows', async (t) => {
  const made = await clip();
  const pages = await servePlayerPages({ '/clip.mp4': made.file });
  t.teardown(() => pages.close());
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const { page, complaints } = await openPage(browser);
  await page.goto(pages.url('/clip.mp4', { player: 'none' }));
  await page.waitForFunction('watch.video.ended', undefined, { timeout: 30_000 });
  const seen = await report(page);
  t.same(seen.errors, []);
  t.same(complaints, []);
  t.same(disorder(seen.pictures, made.frames), []);
  const stamps = new Set(seen.pictures.map((picture) => picture.stamp));
  t.ok(stamps.size > made.frames * 0.7, `saw ${stamps.size} of ${made.frames} frames`);
  for (const picture of seen.pictures) {
    if (picture.stamp !== Math.round(picture.mediaTime * made.fps)) t.fail(`${picture.stamp} at ${picture.mediaTime} s`);
  }
});

t.test('what a person does works the same in each player', async (t) => {
  const made = await clip();
  const server = await startServer();
  t.teardown(() => server.stop());
  const channel = await server.createChannel(await server.login(), { name: 'hands' });
  const sender = push(made.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  const pages = await servePlayerPages();
  t.teardown(() => pages.close());
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const master = await server.live(channel);
  const players = [
    { player: 'hls', config: {} },
    { player: 'shaka', config: { streaming: { lowLatencyMode: true } } },
  ] as const;
  await Promise.all(
    players.map(async ({ player, config }) => {
      const { page } = await openPage(browser);
      await page.goto(pages.url(master, { player, config }));
      await firstPicture(page);
      const window = await until(() => seekable(page), (found) => found !== null && found.end - found.start > 6);
      const range = window ?? { start: 0, end: 0 };
      t.same((await qualities(page)).map(({ height }) => height), [360], `${player}: qualities`);
      await choose(page, 0);
      await seek(page, range.start + 1);
      await watchFor(page, 0.5);
      const { currentTime } = await report(page);
      t.ok(currentTime > range.start && currentTime < range.start + 5, `${player}: back in ${currentTime} of ${range.start} … ${range.end}`);
      const shown = (await dateOfPicture(page)) ?? 0;
      t.ok(Date.now() - shown > 1500 && Date.now() - shown < 60_000, `${player}: what is shown is ${Date.now() - shown} ms old`);
      await pause(page);
      t.ok((await report(page)).paused, `${player}: pauses`);
      await choose(page, null);
      await play(page);
      await goLive(page);
      await until(() => report(page), (seen) => seen.currentTime > range.end - 3 && !seen.paused);
      await watchFor(page, 1);
      const { errors, latencies } = await report(page);
      t.same(errors.filter(({ fatal }) => fatal), [], `${player}: no errors`);
      t.ok((latencies.at(-1)?.seconds ?? 99) < 8, `${player}: ${latencies.at(-1)?.seconds} s behind`);
    }),
  );
});

t.test('disorder is seen', async (t) => {
  const shown = (stamps: (number | null)[]) =>
    stamps.map((stamp, at) => ({ stamp, shownAt: at, submittedAt: at, mediaTime: at / 30, presented: at }));
  t.same(disorder(shown([0, 1, 3, 238, 239, 0, 1]), 240).length, 1, 'a jump of more than half a clip is a step back');
  t.same(disorder(shown([230, 239, 0, 1]), 240), [], 'a loop is in order');
  t.same(disorder(shown([5, 4, 5]), 240).length, 1);
  t.same(disorder(shown([5, null, 6]), 240).length, 1);
});

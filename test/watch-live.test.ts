/** What ffmpeg pushes plays in a real Chromium: with hls.js as it comes, and on the pages of the web app. */
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { push } from './support/ffmpeg.ts';
import { disorder, firstPicture, report, servePlayerPages } from './support/player-page.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { settleIn, watchFor } from './support/watching.ts';
import { plays } from './support/web-app.ts';

const source = await clip({ bframes: 2 });
const server = await startServer();
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());
const token = await server.login();

t.test('hls.js as it comes plays a pushed show at low latency, in order, without a stall or an error', async (t) => {
  const channel = await server.createChannel(token, { name: 'clean' });
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  const { page, complaints } = await openPage(browser);
  await page.goto(pages.url(await server.live(channel)));
  await firstPicture(page);
  t.same(await settleIn(page), []);
  await watchFor(page, 12);
  const seen = await report(page);
  t.same(seen.errors, []);
  t.same(seen.stalls, []);
  t.same(disorder(seen.pictures, source.frames), []);
  t.ok(seen.currentTime > 12, `played to ${seen.currentTime}`);
  const latency = seen.latencies.at(-1)?.seconds ?? 99;
  t.ok(latency < 4, `${latency} s behind`);
  t.same(complaints, []);
});

t.test('the page of a channel says what is happening, and plays by itself when there is something to play', async (t) => {
  const channel = await server.createChannel(token, { name: 'page', title: 'A page' });
  const { page, complaints } = await openPage(browser, { locale: 'en-US' });
  await page.goto(`${server.origin}/@page`);
  await page.getByText(/not live/i).first().waitFor();
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  const video = page.locator('video');
  await video.waitFor({ timeout: 30_000 });
  // A function, not a text: the page's own policy forbids evaluating texts, and it is in force here.
  await until(() => video.evaluate(({ currentTime }: { currentTime: number }) => currentTime), (at) => at > 1, 30_000);
  t.equal(await video.count(), 1);
  await page.getByText(/^live$/i).first().waitFor();
  await sender.stop();
  await page.getByText(/ended/i).first().waitFor({ timeout: 20_000 });
  t.same(complaints, []);
});

t.test('a picture whose bytes were spoiled on the way stops a viewer for a moment, and not for good', async (t) => {
  const channel = await server.createChannel(token, { name: 'spoiled' });
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  await server.live(channel);
  const { page, context } = await openPage(browser, { locale: 'en-US' });
  t.teardown(() => context.close());
  await page.goto(`${server.origin}/@spoiled`);
  await plays(page, 1);
  const spoiled = Promise.withResolvers<void>();
  // Browsers pause what they cannot decode, and nobody presses play again.
  await page.route(/\/v0\/[a-z0-9]+-\d+-\d+\.m4s$/, async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    body.fill(0xff, body.indexOf('mdat') + 4);
    await route.fulfill({ response, body });
    spoiled.resolve();
  }, { times: 1 });
  await spoiled.promise;
  await plays(page, 3);
});

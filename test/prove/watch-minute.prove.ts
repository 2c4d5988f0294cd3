/** A pushed show plays for a minute in a real Chromium without more than a hiccup, an error or a discontinuity. */
import t from 'tap';
import { launchChromium, openPage } from '../support/chromium.ts';
import { clip } from '../support/clips.ts';
import { push } from '../support/ffmpeg.ts';
import { disorder, firstPicture, report, servePlayerPages } from '../support/player-page.ts';
import { playlist } from '../support/playlists.ts';
import { startServer, type Channel } from '../support/server.ts';
import { settleIn, watchFor } from '../support/watching.ts';

const seconds = 60;
/** Of all of them together. Where a part is late time and again it is more. */
const hiccupsMs = 1500;

t.test(`hls.js in low-latency mode plays ${seconds} s without more than a hiccup, an error or a discontinuity`, async (t) => {
  const source = await clip({ bframes: 2, width: 1280, height: 720, kbps: 2500 });
  const server = await startServer();
  t.teardown(() => server.stop());
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const pages = await servePlayerPages();
  t.teardown(() => pages.close());
  const channel = await server.createChannel(await server.login(), { name: 'minute' });
  const sender = push(source.file, server.rtmpUrl(channel));
  t.teardown(() => sender.kill());
  const { page, complaints } = await openPage(browser);
  await page.goto(pages.url(await server.live(channel)));
  await firstPicture(page);
  t.same(await settleIn(page), []);
  await watchFor(page, seconds);
  const seen = await report(page);
  // A machine that others use may hold the sender or the browser up for a moment, and hls.js says so.
  const stood = seen.stalls.reduce((sum, { ms }) => sum + ms, 0);
  t.comment(`stood still ${seen.stalls.length} times, ${Math.round(stood)} ms`);
  t.ok(stood < hiccupsMs, `stood still for ${Math.round(stood)} ms`);
  t.same(seen.errors.filter(({ fatal, details }) => fatal || !/^buffer(?:StalledError|NudgeOnStall)$/.test(details ?? '')), []);
  t.same(disorder(seen.pictures, source.frames), []);
  t.same(complaints, []);
  const { live } = await server.must<Channel & { live: { videoId: string } }>('GET', `channels/${channel.id}`);
  for (const track of ['v0', 'a0']) {
    const { segments } = await playlist(server, live.videoId, track);
    t.ok(segments.length >= 25);
    t.notOk(segments.some(({ discontinuity }) => discontinuity));
  }
});

/**
 * A camera that stops while its sound goes on, as its viewers see it in Chromium: hls.js, dash.js and our own player wait for a
 * moment, then hear on over the last key picture, and see what moves when it moves again. None of them finds anything wrong with a picture
 * that comes again and again.
 */
import t from 'tap';
import { launchChromium } from './support/chromium.ts';
import { ffmpeg } from './support/ffmpeg.ts';
import { openViewing, type Viewing } from './support/glass.ts';
import { LiveSender } from './support/live-sender.ts';
import { firstPicture, report, servePlayerPages } from './support/player-page.ts';
import { startServer } from './support/server.ts';
import { flvClip } from './support/show-sender.ts';
import { dash } from './support/viewings.ts';
import { watchFor } from './support/watching.ts';

/** Frames between key pictures, and of the clip. */
const gop = 60;
const viewings: readonly Viewing[] = [
  { name: 'hls.js', player: 'hls' },
  { name: 'our player', player: 'app' },
  { name: 'dash.js', player: 'dash', manifest: 'manifest.mpd', config: dash },
];

const [clip, server, browser, pages] = await Promise.all([flvClip({ bframes: 2, width: 320, height: 180, kbps: 300 }), startServer(), launchChromium(), servePlayerPages()]);
t.teardown(async () => {
  await Promise.all([browser.close(), pages.close()]);
  await server.stop();
});

t.test('a picture that stops is still there while the sound goes on, and moves again afterwards', async (t) => {
  const token = await server.login();
  const channel = await server.createChannel(token, { name: 'frozen' });
  const sender = await LiveSender.connect(server, channel, clip);
  await server.live(channel);
  const views = await Promise.all(
    viewings.map(async (viewing) => {
      const { page, complaints } = await openViewing(browser, pages, server, channel, viewing);
      await firstPicture(page, 40_000);
      return { ...viewing, page, complaints };
    }),
  );
  sender.silence('video');
  await Promise.all(
    views.map(async ({ page }) => {
      // One picture after the other with the number of a key picture: those that stand in.
      await page.waitForFunction(`(([a, b, c]) => c && a.stamp === b.stamp && b.stamp === c.stamp && c.stamp % ${gop} === 0)(watch.report().pictures.slice(-3))`, undefined, { timeout: 30_000, polling: 100 });
      await watchFor(page, 2);
    }),
  );
  const still = await Promise.all(views.map(async ({ page }) => (await report(page)).pictures.at(-1)));
  const heard = await Promise.all(views.map(({ page }) => page.evaluate<number>('watch.video.webkitAudioDecodedByteCount')));
  sender.resume();
  for (const [index, { name, page, complaints }] of views.entries()) {
    const last = still[index];
    t.equal((last?.stamp ?? Number.NaN) % gop, 0, `${name}: the picture stays, and it is a key picture`);
    await page.waitForFunction(`watch.report().pictures.slice(-20).filter(({ stamp }) => stamp !== null && stamp % ${gop} !== 0).length > 15`, undefined, { timeout: 30_000, polling: 100 });
    const { errors } = await report(page);
    const soundBytes = await page.evaluate<number>('watch.video.webkitAudioDecodedByteCount');
    t.ok(soundBytes > (heard[index] ?? 0) && (heard[index] ?? 0) > 0, `${name}: sound is decoded`);
    // hls.js tells of the moment in which it has waited; what it could not decode would be another one.
    t.same(errors.filter(({ fatal, details }) => fatal || /append|codec|decode|parsing/i.test(details ?? '')), [], `${name}: no picture that could not be decoded`);
    t.same(complaints, [], `${name}: no complaints`);
  }
  await sender.end();
  const { items } = await server.must<{ items: { id: string }[] }>('GET', 'videos', undefined, token);
  for (const file of ['master.m3u8', 'ts/master.m3u8']) {
    // Pictures that stood in and those that came again may stand closer than the usual rate: times are counted finely.
    const { code, stderr } = await ffmpeg(['-err_detect', 'explode', '-xerror', '-i', `${server.origin}/play/-/${items[0]?.id}/${file}`, '-enc_time_base', '1:90000', '-f', 'null', '-']);
    t.same({ code, stderr }, { code: 0, stderr: '' }, `${file}: a decoder that forgives nothing`);
  }
});

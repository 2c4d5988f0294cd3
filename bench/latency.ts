/**
 * True glass-to-glass latency, and how long a part takes from its last byte to the playlist that names it.
 *
 *     node bench/latency.ts [seconds, 60]
 *
 * 1. Pictures stamped with the wall clock go through libx264 (ultrafast, zerolatency) and RTMP into a server of its
 *    own, and come out in Chromium through hls.js as it is configured by default. Every picture shown is read back
 *    by a canvas: its age is the latency, sender, encoder and display included.
 * 2. A sender of 10 pictures a second without sound goes through a relay that knows when the last byte went on; a
 *    player that asks for the next part all the time is answered some moments after it. There are 100 ms between
 *    two pictures, so the byte that completed the part cannot be taken for another.
 */
import { launchChromium, openPage } from '../test/support/chromium.ts';
import { fetchText, firstMediaPlaylist, nextPart } from '../test/support/blocking-reload.ts';
import { percentile, table } from '../test/support/figures.ts';
import { firstPicture, forget, report, servePlayerPages } from '../test/support/player-page.ts';
import { ageOf, publishClock } from '../test/support/publisher.ts';
import { relayTo } from '../test/support/relay.ts';
import { startServer, type Channel, type MillraceServer } from '../test/support/server.ts';

const seconds = Number(process.argv[2] ?? 60);
const settleMs = 10_000;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const glassToGlass = async (server: MillraceServer, channel: Channel): Promise<void> => {
  const publisher = publishClock(server.rtmpUrl(channel));
  const pages = await servePlayerPages();
  const browser = await launchChromium();
  try {
    const { page, complaints } = await openPage(browser);
    await page.goto(pages.url(await server.live(channel)));
    await firstPicture(page);
    await wait(settleMs);
    const before = await report(page);
    await forget(page);
    await wait(seconds * 1000);
    const seen = await report(page);
    const ages = seen.pictures.flatMap(({ stamp, shownAt }) => (stamp === null ? [] : [ageOf(stamp, shownAt)]));
    const own = seen.latencies.map((latency) => latency.seconds * 1000);
    const ms = (value: number) => `${value.toFixed(0)} ms`;
    console.log(`glass to glass, hls.js as it comes, ${seconds} s, parts of 1/3 s`);
    console.log(
      table([
        ['', 'p50', 'p95', 'worst'],
        ['latency', ms(percentile(ages, 0.5)), ms(percentile(ages, 0.95)), ms(Math.max(...ages))],
        ['what hls.js believes', ms(percentile(own, 0.5)), ms(percentile(own, 0.95)), ms(Math.max(...own))],
      ]),
    );
    console.log(`target of hls.js: ${seen.targetLatency?.toFixed(2) ?? '-'} s; first picture played ${before.firstPlayingMs?.toFixed(0)} ms after the page began`);
    console.log(
      `pictures read: ${ages.length} of ${seen.pictures.length} shown, stalls: ${seen.stalls.length}, ` +
        `errors: ${seen.errors.length}, dropped: ${seen.droppedFrames - before.droppedFrames}, ` +
        `late at the sender itself: ${publisher.late()}`,
    );
    for (const stall of seen.stalls) console.log(`  stall of ${stall.ms.toFixed(0)} ms`);
    for (const error of [...before.errors, ...seen.errors]) console.log(`  ${error.type}: ${error.details} ${error.fatal ? '(fatal)' : ''}`);
    for (const complaint of complaints) console.log(`  ${complaint}`);
  } finally {
    await browser.close();
    await pages.close();
    const errors = await publisher.stop();
    if (errors !== '') console.log(`the sender said: ${errors}`);
  }
};

const partToPlaylist = async (server: MillraceServer, channel: Channel): Promise<void> => {
  const relay = await relayTo(server.ports.rtmp);
  const url = new URL(server.rtmpUrl(channel));
  url.port = String(relay.port);
  const publisher = publishClock(url.href, { fps: 10, gop: 20, width: 320, height: 180, kbps: 300, audio: false });
  try {
    const master = await server.live(channel);
    const media = firstMediaPlaylist((await fetchText(master)).text, master);
    let { text } = await fetchText(media);
    const waits: number[] = [];
    const endAt = performance.now() + seconds * 1000;
    while (performance.now() < endAt) {
      const { msn, part } = nextPart(text);
      const answer = await fetchText(`${media}?_HLS_msn=${msn}&_HLS_part=${part}`);
      if (answer.status !== 200) throw new Error(`the playlist was answered with ${answer.status}`);
      const after = nextPart(answer.text);
      // The first answer may have been ready before the question.
      if (after.msn !== msn || after.part !== part) waits.push(answer.answeredAt - relay.lastByteAt());
      text = answer.text;
    }
    const ms = (value: number) => `${value.toFixed(1)} ms`;
    console.log(`\nfrom the last byte of a part to the answered playlist, ${waits.length} parts`);
    console.log(
      table([
        ['p50', 'p95', 'p99', 'worst'],
        [ms(percentile(waits, 0.5)), ms(percentile(waits, 0.95)), ms(percentile(waits, 0.99)), ms(Math.max(...waits))],
      ]),
    );
  } finally {
    const errors = await publisher.stop();
    await relay.close();
    if (errors !== '') console.log(`the sender said: ${errors}`);
  }
};

const server = await startServer();
try {
  const token = await server.login();
  await glassToGlass(server, await server.createChannel(token, { name: 'glass', latency: 'low' }));
  await partToPlaylist(server, await server.createChannel(token, { name: 'parts', latency: 'low' }));
} finally {
  await server.stop();
}

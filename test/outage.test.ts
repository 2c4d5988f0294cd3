/** The publisher is away for five seconds: whoever watches goes on by himself. The long form is prove/outage.prove.ts. */
import t from 'tap';
import { launchChromium } from './support/chromium.ts';
import { clip } from './support/clips.ts';
import { outage } from './support/outage.ts';
import { servePlayerPages } from './support/player-page.ts';
import { startServer } from './support/server.ts';
import { lowLatencyViewings } from './support/viewings.ts';

t.test('hls.js, Shaka and dash.js go on after an outage of 5 s, also who joined in it', async (t) => {
  const source = await clip({ width: 320, height: 180, kbps: 300, bframes: 2 });
  const server = await startServer();
  t.teardown(() => server.stop());
  const pages = await servePlayerPages();
  t.teardown(() => pages.close());
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const channel = await server.createChannel(await server.login(), { name: 'outage' });
  const viewings = lowLatencyViewings.filter(({ name }) => /as it comes|Shaka LL-DASH|dash\.js/.test(name));
  const seen = await outage({ browser, pages, server, channel, source, viewings, beforeSeconds: 5, outageSeconds: 5, settleSeconds: 0, evenSeconds: 3 });
  t.equal(seen.length, 9);
  for (const { name, joined, resumedAfterMs, settling, sameElement } of seen) {
    t.ok(resumedAfterMs < 25_000, `${name}, who joined ${joined}, goes on after ${Math.round(resumedAfterMs)} ms`);
    t.ok(sameElement, `${name}: in the same page`);
    t.same(settling.errors.filter(({ fatal }) => fatal), [], `${name}: nothing was fatal`);
  }
});

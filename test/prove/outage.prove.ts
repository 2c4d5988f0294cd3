/**
 * The publisher dies without a word and comes back inside the reconnect window: hls.js, Shaka (through HLS and DASH),
 * dash.js and our own player go on by themselves, and so do those who joined while nobody was sending.
 */
import t from 'tap';
import { launchChromium } from '../support/chromium.ts';
import { clip } from '../support/clips.ts';
import { outage } from '../support/outage.ts';
import { servePlayerPages } from '../support/player-page.ts';
import { startServer } from '../support/server.ts';
import { lowLatencyViewings, type LowLatencyViewing } from '../support/viewings.ts';

const source = await clip({ width: 320, height: 180, kbps: 300, bframes: 2 });
const named = (pattern: RegExp): LowLatencyViewing[] => lowLatencyViewings.filter(({ name, latency }) => latency === 'low' && pattern.test(name));

// Two at a time: five players three times over are more than two cores decode. The other players' 5 s are in outage.test.ts.
const runs: readonly (readonly [number, readonly LowLatencyViewing[]])[] = [
  [5, named(/our player|Shaka LL-HLS/)],
  [40, named(/as it comes|our player/)],
  [40, named(/Shaka/)],
  [40, named(/dash\.js/)],
];

for (const [outageSeconds, some] of runs) {
  t.test(`${outageSeconds} s without a publisher: ${some.map(({ name }) => name).join(', ')}`, { timeout: 240_000 }, async (t) => {
    const server = await startServer();
    t.teardown(() => server.stop());
    const pages = await servePlayerPages();
    t.teardown(() => pages.close());
    const browser = await launchChromium();
    t.teardown(() => browser.close());
    const channel = await server.createChannel(await server.login(), { name: 'outage' });
    const seen = await outage({ browser, pages, server, channel, source, viewings: some, beforeSeconds: 10, outageSeconds, settleSeconds: 8, evenSeconds: 10 });
    t.equal(seen.length, 3 * some.length);
    for (const { name, joined, resumedAfterMs, settling, even, sameElement } of seen) {
      const who = `${name}, who joined ${joined}`;
      // Before a hole in its timeline a DASH player may wait for as long as the hole is.
      const within = name.includes('DASH') && joined !== 'after' ? outageSeconds * 1000 + 15_000 : 15_000;
      t.ok(resumedAfterMs < within, `${who} goes on after ${Math.round(resumedAfterMs)} ms`);
      t.ok(sameElement, `${who}: by itself, in the same page`);
      // Shaka calls every refused request of a live show critical, and tries again.
      const given = [...settling.errors, ...even.errors].filter(({ fatal, code }) => fatal && code !== 1001);
      t.same(given, [], `${who}: nothing was fatal`);
      // Six videos at once on a busy machine hiccup; standing still again is what must not be.
      const stood = even.stalls.reduce((sum, { ms }) => sum + ms, 0);
      t.ok(stood < 5000, `${who}: stands for ${Math.round(stood)} of 10 s then`);
      t.notOk(even.ended, `${who}: not at its end`);
    }
  });
}

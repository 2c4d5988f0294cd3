/**
 * Glass to glass in every player, for the better part of a minute each. The figures themselves are bench/latency.ts's, on a machine that
 * does nothing else; these bounds are what must hold on any.
 */
import t from 'tap';
import { launchChromium } from '../support/chromium.ts';
import { lookThrough, openViewing } from '../support/glass.ts';
import { servePlayerPages } from '../support/player-page.ts';
import { publishClock } from '../support/publisher.ts';
import { startServer } from '../support/server.ts';
import { lowLatencyViewings } from '../support/viewings.ts';

/** Seconds more than on a quiet machine. */
const slack = 1;
/** A sender that is held up makes stalls of its own, and so does a browser that gets no turn: ms of them all. */
const unevenSender = 30;
const mostStalls = 2000;

const server = await startServer();
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());
const token = await server.login();

for (const [index, viewing] of lowLatencyViewings.entries()) {
  t.test(`${viewing.name}: low and even`, { timeout: 150_000 }, async (t) => {
    const channel = await server.createChannel(token, { name: `glass-${index}`, latency: viewing.latency });
    const publisher = publishClock(server.rtmpUrl(channel));
    t.teardown(() => publisher.stop());
    await server.live(channel);
    const { page, context } = await openViewing(browser, pages, server, channel, viewing);
    t.teardown(() => context.close());
    const seen = await lookThrough(page, { settleSeconds: 20, seconds: 45 });
    const [p50, p95] = [seen.p50 / 1000, seen.p95 / 1000];
    const stood = seen.stalls.reduce((sum, { ms }) => sum + ms, 0);
    t.comment(`p50 ${p50.toFixed(2)} s, p95 ${p95.toFixed(2)} s, ${seen.stalls.length} stalls, ${seen.rates.length} changes of speed, ${publisher.late()} pictures late at the sender`);
    t.ok(seen.ages.length > 0.9 * seen.shown && seen.shown > 300, `${seen.ages.length} of ${seen.shown} pictures read`);
    t.ok(p50 < viewing.goal + slack, `half of the pictures are younger than ${viewing.goal + slack} s: ${p50}`);
    if (publisher.late() < unevenSender) {
      t.ok(p95 - p50 <= 0.4, `and the others not much older: ${p95}`);
      t.ok(stood < mostStalls, `stood for ${Math.round(stood)} ms`);
    }
    if (viewing.player === 'app') t.ok(seen.rates.length <= 8, `${seen.rates.length} changes of speed`);
    t.same(seen.errors.filter(({ fatal }) => fatal), []);
  });
}

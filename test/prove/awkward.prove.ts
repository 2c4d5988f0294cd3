/** All awkward files in a whole server: held against their originals, and played and sought in hls.js, Shaka and dash.js. */
import t from 'tap';
import { awkward } from '../support/awkward.ts';
import { compare, sendAwkward } from '../support/awkward-play.ts';
import { launchChromium, openPage } from '../support/chromium.ts';
import { forget, report, seek, servePlayerPages, type PlayerName } from '../support/player-page.ts';
import { startServer } from '../support/server.ts';

const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();
const pages = await servePlayerPages();
t.teardown(() => pages.close());
const browser = await launchChromium();
t.teardown(() => browser.close());
const target = 4.5;

for (const one of await awkward()) {
  t.test(one.name, async (t) => {
    const played = await sendAwkward(server, token, one);
    await compare(t, one, played);
    for (const player of ['hls', 'shaka', 'dash'] as const satisfies readonly PlayerName[]) {
      const { page } = await openPage(browser);
      await page.goto(pages.url(player === 'dash' ? played.dash : played.hls, { player }));
      const runs = (from: number) => page.waitForFunction(`watch.report().currentTime > ${from}`, undefined, { timeout: 20_000, polling: 100 });
      await runs(1);
      await seek(page, target);
      await forget(page);
      await runs(target + 1);
      const { errors, pictures } = await report(page);
      t.same(errors.filter(({ fatal }) => fatal), [], `${player}: nothing fatal`);
      if (one.pictures) t.ok(pictures.some(({ mediaTime }) => mediaTime >= target - 0.05), `${player}: pictures behind the seek`);
      await page.close();
    }
  });
}

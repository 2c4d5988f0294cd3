/** Forced switches between rungs of a recording, the long form: hls.js twenty times, up and down, and the others as they can be told to. Of a live show: ladder-players. */
import t from 'tap';
import { launchChromium } from '../support/chromium.ts';
import { recordedLadder, switchRungs, type Switcher } from '../support/ladder-players.ts';
import { servePlayerPages } from '../support/player-page.ts';

t.setTimeout(600_000);
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());

const switchers: readonly Switcher[] = [
  { name: 'hls.js', player: 'hls', file: 'master.m3u8', keepBuffer: true, switches: 20 },
  { name: 'Shaka, HLS, at once', player: 'shaka', file: 'master.m3u8', keepBuffer: false, switches: 10 },
  { name: 'Shaka, HLS', player: 'shaka', file: 'master.m3u8', keepBuffer: true, switches: 5 },
  { name: 'Shaka, DASH, at once', player: 'shaka', file: 'manifest.mpd', keepBuffer: false, switches: 10 },
  { name: 'Shaka, DASH', player: 'shaka', file: 'manifest.mpd', keepBuffer: true, switches: 5 },
  { name: 'dash.js', player: 'dash', file: 'manifest.mpd', keepBuffer: true, switches: 10 },
];

/** One player after the other, so that a stall is nobody's fault but ours. */
t.test('a recording', async (t) => {
  const stage = await recordedLadder(120);
  t.teardown(() => stage.close());
  for (const switcher of switchers) {
    await t.test(switcher.name, async (t) => {
      const seen = await switchRungs(browser, pages, stage, switcher);
      t.comment(`${seen.heights.join(' ')}, ${seen.pictures} pictures in ${seen.seconds.toFixed(1)} s`);
      t.equal(seen.heights.length, switcher.switches);
      t.same(seen.faults, []);
      t.same(seen.errors, []);
      t.same(seen.stalls, []);
      t.same(seen.complaints, []);
    });
  }
  t.same(stage.ladder.faults, []);
  t.same(stage.server.errors, []);
});

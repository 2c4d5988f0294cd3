/** Forced switches between rungs, the long form: hls.js twenty times, up and down, and the others as they can be told to. */
import t, { type Test } from 'tap';
import { launchChromium } from '../support/chromium.ts';
import { liveLadder, recordedLadder, switchRungs, type Stage, type Switcher } from '../support/ladder-players.ts';
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

/** One player after the other, so that a stall is nobody's fault but ours. `forgiven`: how many times the picture may stand still for a moment. */
const oneByOne = async (t: Test, stage: Stage, switchers: readonly Switcher[], forgiven = 0): Promise<void> => {
  t.teardown(() => stage.close());
  for (const switcher of switchers) {
    await t.test(switcher.name, async (t) => {
      const seen = await switchRungs(browser, pages, stage, switcher);
      t.comment(`${seen.heights.join(' ')}, ${seen.pictures} pictures in ${seen.seconds.toFixed(1)} s`);
      t.equal(seen.heights.length, switcher.switches);
      const stood = seen.faults.filter((fault) => /^no picture for [01]\.\d+ s/.test(fault));
      t.ok(stood.length <= forgiven, stood.join('; '));
      t.same(seen.faults.filter((fault) => !stood.includes(fault)), []);
      t.same(seen.errors, []);
      t.same(seen.stalls, []);
      t.same(seen.complaints, []);
    });
  }
  t.same(stage.ladder.faults, []);
  t.same(stage.server.errors, []);
};

t.test('a recording', async (t) => oneByOne(t, await recordedLadder(120), switchers));

/**
 * At the live edge what Shaka has in its buffer is less than a segment. It begins another rung at the key picture behind
 * the one that is playing, and Chromium, whose pictures are taken away under its decoder, stands still until the next:
 * 1.8 s, HLS and DASH alike. Switched at once it seeks, and does not.
 */
const live = switchers.filter(({ player, keepBuffer }) => player !== 'shaka' || !keepBuffer);

/** hls.js once showed nothing for two parts at one of its twenty switches, without a stall: where its next part had not come when it switched. */
const forgiven = 1;

t.test('a show in progress', async (t) => oneByOne(t, await liveLadder(), live, forgiven));

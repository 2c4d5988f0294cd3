/** Forced switches between rungs, the long form: hls.js twenty times, up and down, and the others as they can be told to. */
import t, { type Test } from 'tap';
import { launchChromium } from '../support/chromium.ts';
import { liveLadder, recordedLadder, segmentSeconds, switchRungs, type Stage, type Switcher } from '../support/ladder-players.ts';
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

/** A machine that is busy may hold a picture up for so long. */
const hiccupMs = 500;

/** How many times the picture may stand still for a moment, and may go on at a later segment. */
type Forgiven = { readonly stood?: number; readonly skipped?: number };

/** One player after the other, so that a stall is nobody's fault but ours. */
const oneByOne = async (t: Test, stage: Stage, switchers: readonly Switcher[], forgive: (switcher: Switcher) => Forgiven = () => ({})): Promise<void> => {
  t.teardown(() => stage.close());
  for (const switcher of switchers) {
    await t.test(switcher.name, async (t) => {
      const { stood = 0, skipped = 0 } = forgive(switcher);
      const seen = await switchRungs(browser, pages, stage, switcher);
      t.comment(`${seen.heights.join(' ')}, ${seen.pictures} pictures in ${seen.seconds.toFixed(1)} s`);
      t.equal(seen.heights.length, switcher.switches);
      const skips = skipped > 0 ? seen.faults.filter(isSkip) : [];
      const still = seen.faults.filter((fault) => /^no picture for [01]\.\d+ s/.test(fault) && !skips.includes(fault));
      if (still.length + skips.length > 0) t.comment([...still, ...skips].join('; '));
      t.ok(still.length <= stood, still.join('; '));
      t.ok(skips.length <= skipped, skips.join('; '));
      t.same(seen.faults.filter((fault) => !still.includes(fault) && !skips.includes(fault)), []);
      t.same(seen.errors, []);
      // Whether the browser waits at a hole before the player has gone over it is a matter of a moment.
      const stalls = seen.stalls.filter((ms) => ms > hiccupMs);
      t.ok(stalls.length <= skipped && stalls.every((ms) => ms < segmentSeconds * 1000), `stalls: ${stalls.map((ms) => ms.toFixed(0)).join(', ')}`);
      t.same(seen.complaints, []);
    });
  }
  t.same(stage.ladder.faults, []);
  t.same(stage.server.errors, []);
};

/** Over no more than the rest of a segment, to the first pictures of the next one; at once, or when some time has passed. */
const isSkip = (fault: string): boolean => {
  const [, size, at] = /^(?:a leap of|no picture for) ([\d.]+) s(?: in [\d.]+ s)? at ([\d.]+) s$/.exec(fault) ?? [];
  return Number(size) < segmentSeconds + 0.2 && Number(at) % segmentSeconds < 0.2;
};

t.test('a recording', async (t) => oneByOne(t, await recordedLadder(120), switchers));

/**
 * At the live edge what Shaka has in its buffer is less than a segment. It begins another rung at the key picture behind
 * the one that is playing, and Chromium, whose pictures are taken away under its decoder, stands still until the next:
 * 1.8 s, HLS and DASH alike. Switched at once it seeks, and does not.
 */
const live = switchers.filter(({ player, keepBuffer }) => player !== 'shaka' || !keepBuffer);

const forgiven = ({ player, file, switches }: Switcher): Forgiven => {
  // hls.js once showed nothing for two parts at one of its twenty switches, without a stall: where its next part had not
  // come when it switched. How often that is, the machine says.
  if (player === 'hls') return { stood: switches / 5 };
  // DASH at low latency Shaka 5.2 reads twice: in chunks, which it appends one by one, and whole, which tells it that the
  // segment is done. On a busy machine the second is ahead, and what is next is appended before the last chunks, which MSE
  // then throws away as pictures that went back without a key picture. So after a switch the end of a segment can be
  // missing (one switch in a hundred here), and Shaka goes over the hole.
  if (player === 'shaka' && file === 'manifest.mpd') return { skipped: switches / 2 };
  return {};
};

t.test('a show in progress', async (t) => oneByOne(t, await liveLadder(), live, forgiven));

/**
 * Forced switches between rungs of a recording in hls.js, Shaka and dash.js: every picture carries its number, and whatever
 * rung it comes from, it is the one that belongs at its place. The long form is prove/players-ladder.prove.ts; of a live
 * show, ladder-players.test.ts.
 */
import t from 'tap';
import { launchChromium } from './support/chromium.ts';
import { interruptions } from './support/continuity.ts';
import { recordedLadder, switchRungs, type Switcher } from './support/ladder-players.ts';
import { servePlayerPages } from './support/player-page.ts';

t.setTimeout(110_000);
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());

/** A machine that is busy with other tests may hold a picture up for so long. */
const hiccupMs = 500;

const switchers: readonly Switcher[] = [
  { name: 'hls.js', player: 'hls', file: 'master.m3u8', keepBuffer: true, switches: 6 },
  { name: 'Shaka, HLS', player: 'shaka', file: 'master.m3u8', keepBuffer: false, switches: 5 },
  { name: 'Shaka, DASH', player: 'shaka', file: 'manifest.mpd', keepBuffer: false, switches: 5 },
  { name: 'dash.js', player: 'dash', file: 'manifest.mpd', keepBuffer: true, switches: 5 },
];

t.test('a recording plays on without a gap or a repetition while its rungs are switched', async (t) => {
  const stage = await recordedLadder(60);
  t.teardown(() => stage.close());
  await Promise.all(
    switchers.map(async (switcher) => {
      const { name, switches } = switcher;
      const seen = await switchRungs(browser, pages, stage, switcher);
      t.comment(`${name}: ${seen.heights.join(' ')}, ${seen.pictures} pictures in ${seen.seconds.toFixed(1)} s, stalls ${JSON.stringify(seen.stalls)}`);
      t.equal(seen.heights.length, switches, `${name}: ${switches} switches`);
      t.same(seen.faults, [], `${name}: every picture at its place`);
      t.same(seen.errors, [], `${name}: no errors`);
      t.same(seen.stalls.filter((ms) => ms > hiccupMs), [], `${name}: no stalls`);
      t.same(seen.complaints, [], `${name}: no complaints`);
    }),
  );
  t.same(stage.ladder.faults, []);
  t.same(stage.server.errors, []);
});

t.test('an interruption is seen', async (t) => {
  const grid = { frames: 240, fps: 30 };
  const shown = (times: readonly (readonly [stamp: number | null, frame: number, at?: number, expected?: number])[]) =>
    times.map(([stamp, frame, at = frame, expected = at], index) => ({ stamp, mediaTime: frame / 30, shownAt: (expected * 1000) / 30, submittedAt: (at * 1000) / 30, presented: index }));
  t.same(interruptions(shown([[238, 0], [239, 1], [0, 2], [3, 5]]), grid), [], 'a loop, and pictures that were not looked at');
  t.same(interruptions(shown([[1, 1], [2, 2], [4, 3], [5, 4]]), grid), [], 'a rounded time');
  t.same(interruptions(shown([[1, 1], [2, 2, 2, 13], [3, 3, 3, 3]]), grid), [], 'a display that was expected too late');
  t.equal(interruptions(shown([[1, 1], [2, 2], [5, 3], [6, 4]]), grid).length, 1, 'a gap');
  t.equal(interruptions(shown([[1, 1], [2, 2], [2, 4], [3, 5]]), grid).length, 1, 'a repetition');
  t.equal(interruptions(shown([[1, 1], [2, 2], [1, 1], [2, 2]]), grid).length, 1, 'a step back');
  t.equal(interruptions(shown([[1, 1], [2, 2], [32, 32, 3], [33, 33, 4]]), grid).length, 1, 'a leap');
  t.equal(interruptions(shown([[1, 1], [2, 2], [32, 32, 3, 32], [33, 33, 4, 33]]), grid).length, 1, 'a leap, whatever the browser expected');
  t.equal(interruptions(shown([[1, 1], [2, 2], [32, 32], [33, 33]]), grid).length, 1, 'a picture that stands still');
  t.equal(interruptions(shown([[1, 1], [null, 2], [3, 3]]), grid).length, 1, 'a picture that cannot be read');
});

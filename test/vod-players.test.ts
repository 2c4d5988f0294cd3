/** An upload whose rungs were made here, switched in hls.js: every picture is the one that belongs at its place. The long form, with the other players, and without a stall: prove/vod-players.prove.ts. */
import t from 'tap';
import { launchChromium } from './support/chromium.ts';
import { switchRungs } from './support/ladder-players.ts';
import { servePlayerPages } from './support/player-page.ts';
import { looped, RungStage } from './support/vod-rungs.ts';

t.setTimeout(110_000);

t.test('an upload plays on without a gap or a repetition while its rungs are switched', async (t) => {
  const stage = await RungStage.open(t);
  const { base } = await stage.ready(await looped(20));
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const pages = await servePlayerPages();
  t.teardown(() => pages.close());
  const seen = await switchRungs(browser, pages, { base, heights: [144, 240, 360] }, { name: 'hls.js', player: 'hls', file: 'master.m3u8', keepBuffer: true, switches: 4 });
  t.comment(`${seen.heights.join(' ')}, ${seen.pictures} pictures in ${seen.seconds.toFixed(1)} s, stalls ${JSON.stringify(seen.stalls)}`);
  t.same(seen.faults, [], 'every picture at its place');
  t.same(seen.errors, [], 'no errors');
  t.same(seen.complaints, [], 'no complaints');
});

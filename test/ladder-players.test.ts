/**
 * Players on the ladder of a whole server: rungs that the real ffmpeg makes of a show in progress. Switched between them,
 * every picture is the one that belongs at its place; where the encoder is gone they go on with what there is.
 * The long form is prove/ladder-players.prove.ts.
 */
import t from 'tap';
import { launchChromium, openPage } from './support/chromium.ts';
import { heights, LadderStage } from './support/ladder-stage.ts';
import { errorsButLate, isStandstill, switchRungs, type Switcher } from './support/ladder-players.ts';
import { servePlayerPages } from './support/player-page.ts';
import { until } from './support/playlists.ts';
import { plays } from './support/web-app.ts';

t.setTimeout(110_000);
const stage = await LadderStage.open(t);
const { server } = stage;
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());

/** Two segments behind the edge, which a busy machine keeps up with. */
const behind = 4;
const switchers: readonly Switcher[] = [
  { name: 'hls.js', player: 'hls', file: 'master.m3u8', keepBuffer: true, switches: 3, behind },
  { name: 'Shaka, HLS', player: 'shaka', file: 'master.m3u8', keepBuffer: false, switches: 2, behind },
  { name: 'Shaka, DASH', player: 'shaka', file: 'manifest.mpd', keepBuffer: false, switches: 2, behind },
  { name: 'dash.js', player: 'dash', file: 'manifest.mpd', keepBuffer: true, switches: 2, behind },
];

const channel = await stage.channel('show');
await stage.send(t, channel);
const show = await stage.aired(channel, 4);

t.test('a live show plays on without a gap or a repetition while its rungs are switched', async (t) => {
  const one = async (switcher: Switcher): Promise<void> => {
    const { name, switches } = switcher;
    const seen = await switchRungs(browser, pages, show, switcher);
    t.comment(`${name}: ${seen.heights.join(' ')}, ${seen.pictures} pictures in ${seen.seconds.toFixed(1)} s, stalls ${JSON.stringify(seen.stalls)}`);
    t.equal(seen.heights.length, switches, `${name}: ${switches} switches`);
    t.same(seen.faults.filter((fault) => !isStandstill(fault)), [], `${name}: every picture at its place`);
    t.same(errorsButLate(seen), [], `${name}: no errors`);
    t.same(seen.complaints, [], `${name}: no complaints`);
  };
  // Beside an encoder, four at once are more than two slow cores carry: how long a picture stands still is told, and no more.
  for (const pair of [switchers.slice(0, 2), switchers.slice(2)]) await Promise.all(pair.map(one));
});

t.test('our player goes on where the size that was chosen has a hole, and comes back to it', async (t) => {
  const { page, context, complaints } = await openPage(browser, { locale: 'en-US' });
  t.teardown(() => context.close());
  await page.addInitScript(chosenHeight, heights[1]);
  await page.goto(`${server.origin}/@show`);
  await plays(page, 1);
  const height = (): Promise<number> => page.locator('video').evaluate(({ videoHeight }: { videoHeight: number }) => videoHeight);
  t.equal(await height(), heights[1]);
  await stage.withoutEncoders(5_000);
  t.equal(await until(height, (now) => now !== heights[1], 30_000), heights[0], 'it plays what the streamer sends');
  await plays(page, 1);
  await until(height, (now) => now === heights[1], 40_000);
  await plays(page, 2);
  t.same(complaints, []);
});

/** In the page: what somebody who was here before has chosen. */
const chosenHeight = (height: number): void => {
  const { localStorage } = globalThis as unknown as { localStorage: { setItem(key: string, value: string): void } };
  localStorage.setItem('millrace.quality', `${Date.now() + 86_400_000} ${height}`);
};

/**
 * Players on the ladder of a whole server, the long form: forced switches, twenty in hls.js and five in the others; holes where
 * the encoder is away; another picture in the middle; a recording with its rungs.
 */
import t from 'tap';
import { launchChromium, openPage } from '../support/chromium.ts';
import { errorsButLate, isStandstill, switchRungs, type Switcher } from '../support/ladder-players.ts';
import { heights, LadderStage, sent } from '../support/ladder-stage.ts';
import { choose, firstPicture, report, servePlayerPages } from '../support/player-page.ts';
import { until } from '../support/playlists.ts';
import { flvClip } from '../support/show-sender.ts';
import { noVlc, vlcStamps } from '../support/stamped-players.ts';
import { dash, shaka } from '../support/viewings.ts';
import { watchFor } from '../support/watching.ts';

t.setTimeout(600_000);
const stage = await LadderStage.open(t);
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());

/** How often: at one switch of twenty while nothing else was going on. */
const stillEvery = 5;
/** A machine that is busy with encoding may hold a picture up for so long. */
const hiccupMs = 500;
/** At the live edge hls.js has as much ahead as there is, and waits where its next part has not come when it switches. */
const hiccupAtTheEdgeMs = 2_000;
const behind = 4;
const switchers: readonly Switcher[] = [
  { name: 'hls.js', player: 'hls', file: 'master.m3u8', keepBuffer: true, switches: 20, behind },
  { name: 'hls.js, as low as it comes', player: 'hls', file: 'master.m3u8', keepBuffer: true, switches: 6 },
  { name: 'Shaka, HLS', player: 'shaka', file: 'master.m3u8', keepBuffer: false, switches: 5, behind },
  { name: 'Shaka, DASH', player: 'shaka', file: 'manifest.mpd', keepBuffer: false, switches: 5, behind },
  { name: 'dash.js', player: 'dash', file: 'manifest.mpd', keepBuffer: true, switches: 5, behind },
];

t.test('switched in a live show, every picture is at its place', async (t) => {
  const channel = await stage.channel('switched');
  const sender = await stage.send(t, channel);
  const show = await stage.aired(channel, 5);
  for (const switcher of switchers) {
    await t.test(switcher.name, async (t) => {
      const seen = await switchRungs(browser, pages, show, switcher);
      t.comment(`${seen.heights.join(' ')}, ${seen.pictures} pictures in ${seen.seconds.toFixed(1)} s, stalls ${JSON.stringify(seen.stalls)}`);
      t.equal(seen.heights.length, switcher.switches);
      const stood = seen.faults.filter(isStandstill);
      t.ok(stood.length <= Math.ceil(switcher.switches / stillEvery), stood.join('; '));
      t.same(seen.faults.filter((fault) => !isStandstill(fault)), []);
      t.same(errorsButLate(seen), []);
      t.same(seen.stalls.filter((ms) => ms > (switcher.behind ? hiccupMs : hiccupAtTheEdgeMs)), []);
      t.same(seen.complaints, []);
    });
  }
  await sender.end();
  const recording = { base: show.base, heights: show.heights };
  await until(async () => (await (await fetch(`${show.base}/manifest.mpd`)).text()).includes('type="static"'), Boolean);
  const watched = async (name: string): Promise<void> => {
    const seen = await switchRungs(browser, pages, recording, { name, player: 'hls', file: 'master.m3u8', keepBuffer: true, switches: 3 });
    t.same([seen.faults, seen.errors], [[], []], name);
  };
  await watched('the recording has its rungs');
  if (!noVlc) {
    const { stamps, said } = await vlcStamps(`${show.base}/v1/whole.m3u8`, { width: 426, height: 240, pictures: 60 });
    t.ok(stamps.length >= 60 && stamps.every((stamp) => stamp !== null), `VLC plays a rung: ${stamps.length} ${said.slice(-300)}`);
  }
});

const away = [
  { name: 'hls.js', player: 'hls', file: 'master.m3u8', config: {} },
  { name: 'Shaka, HLS', player: 'shaka', file: 'master.m3u8', config: shaka },
  { name: 'Shaka, DASH', player: 'shaka', file: 'manifest.mpd', config: shaka },
  { name: 'dash.js', player: 'dash', file: 'manifest.mpd', config: dash },
] as const;

t.test('whoever is held to a rung lives through its holes, and through another picture', async (t) => {
  const channel = await stage.channel('holed');
  const sender = await stage.send(t, channel);
  const show = await stage.aired(channel, 3);
  const viewings = await Promise.all(
    away.map(async ({ name, player, file, config }) => {
      const { page, context } = await openPage(browser);
      t.teardown(() => context.close());
      await page.goto(pages.url(`${show.base}/${file}`, { player, config }));
      await firstPicture(page);
      await page.waitForFunction(`watch.qualities().length === ${heights.length}`);
      await choose(page, 1, { keepBuffer: player !== 'shaka' });
      await page.waitForFunction(`watch.video.videoHeight === ${heights[1]}`, undefined, { timeout: 20_000 });
      return { name, page };
    }),
  );
  await stage.withoutEncoders(6_000);
  for (const { name, page } of viewings) {
    await watchFor(page, 4);
    t.pass(`${name} plays on: ${JSON.stringify((await report(page)).stalls.map(({ ms }) => Math.round(ms)))}`);
  }
  // Somebody changes the size in the encoder: rungs are what they were.
  sender.change(await flvClip({ ...sent, width: 426, height: 240, kbps: 400 }));
  for (const { name, page } of viewings) {
    await watchFor(page, 5);
    t.pass(`${name} plays what comes then`);
  }
  t.ok((await stage.encoded()).some(({ videoId }) => videoId === show.video), 'it is the same show');
});

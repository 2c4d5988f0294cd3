/**
 * A video whose keys are made elsewhere, by a service that names systems of licences which this browser lacks: players pass over them
 * and play by ClearKey, from key to key; and where only others give licences nothing plays.
 */
import t from 'tap';
import { systemClock } from '../packager/clock.ts';
import { clipFile, clipOf, record } from '../packager/mpegts/recorded.ts';
import { recordedPresentation } from '../server/delivery/fake-presentation.ts';
import { TestServer } from '../server/delivery/test-server.ts';
import { askedKeys } from '../server/keys/asked-keys.ts';
import { FakeKeyService } from '../server/keys/fake-service.ts';
import { KeyRings } from '../server/keys/rings.ts';
import { launchChromium, openPage } from './support/chromium.ts';
import { report, servePlayerPages } from './support/player-page.ts';
import { faults } from './support/protected-stage.ts';
import { dash, shaka } from './support/viewings.ts';

t.setTimeout(100_000);
const { snapshot, ...rest } = await record([{ clip: await clipOf(await clipFile(10, 'keyint=30:min-keyint=30:scenecut=0:bframes=2')), until: 9000 }]);
const service = new FakeKeyService(2);
const server = await TestServer.start({ keys: new KeyRings({ source: askedKeys(service, systemClock), clock: systemClock, failed: (video, error) => t.fail(`${video}: ${error.message}`) }) });
t.teardown(() => server.stop());
const browser = await launchChromium();
t.teardown(() => browser.close());
const pages = await servePlayerPages();
t.teardown(() => pages.close());

const views = [
  { name: 'Shaka, HLS', player: 'shaka', file: 'master.m3u8', config: shaka },
  { name: 'Shaka, DASH', player: 'shaka', file: 'manifest.mpd', config: shaka },
  { name: 'dash.js', player: 'dash', file: 'manifest.mpd', config: dash },
] as const;

for (const here of [true, false]) {
  const video = here ? 'video-here' : 'video-elsewhere';
  server.presentations.videos.set(video, recordedPresentation({ ...rest, snapshot: { ...snapshot, video, policy: { ...snapshot.policy, protection: 'cbcs' } } }));
  t.test(here ? 'players play by the system that they have' : 'and not at all where they have none', async (t) => {
    service.alsoHere = here;
    await Promise.all(
      views.map(async ({ name, player, file, config }) => {
        const { page, context } = await openPage(browser);
        await page.goto(pages.url(`http://127.0.0.1:${server.port}/play/-/${video}/${file}`, { player, config }));
        await page.waitForFunction(here ? 'watch.video.ended' : 'watch.report().errors.length > 0', undefined, { timeout: 60_000, polling: 100 });
        const seen = await report(page);
        if (here) t.same(faults(seen), [], `${name}: no errors`);
        if (here) t.ok(seen.totalFrames > 100, `${name}: ${seen.totalFrames} pictures`);
        else t.equal(seen.totalFrames, 0, `${name}: no picture`);
        await context.close();
      }),
    );
  });
}

/**
 * Protected shows in progress: every player that is for them goes on playing from key to key, and on when the encoder
 * changes the size of its pictures in the middle.
 */
import t from 'tap';
import { clip } from '../support/clips.ts';
import { LiveSender } from '../support/live-sender.ts';
import { forget, report } from '../support/player-page.ts';
import { begun, changed, contestants, picture, ProtectedStage, type Contestant } from '../support/protected-stage.ts';
import { flvClip } from '../support/show-sender.ts';
import { watchFor } from '../support/watching.ts';

t.setTimeout(280_000);
const { fps } = await clip(picture);
const [first, second] = [await flvClip(picture), await flvClip(changed)];
const stage = await ProtectedStage.open(t);
const { server } = stage;

/**
 * Shaka lays each part of HLS at the sum of the durations that it was told, and begins its source buffer anew where that is another place than the
 * media says, as behind a change: what then follows before the next key frame is not shown. So it does of clear shows.
 */
const evenness = ({ player, file }: Contestant): number => (player === 'shaka' && file === 'master.m3u8' ? 0.1 : 0.8);

for (const scheme of ['aes-128', 'cbcs'] as const) {
  t.test(`${scheme}: from key to key, and from one size of the pictures to another`, async (t) => {
    const channel = await server.createChannel(stage.token, { name: `live-${scheme}`, protection: scheme });
    const sender = await LiveSender.connect(server, channel, first);
    t.teardown(() => sender.vanish());
    await server.live(channel);
    const watching = await Promise.all(
      contestants
        .filter((one) => one.scheme === scheme)
        .map(async (one) => {
          const opened = await stage.watch(one, server.liveUrl(channel, one.file));
          await begun(opened.page, one);
          await watchFor(opened.page, 1);
          await forget(opened.page);
          return { one, ...opened };
        }),
    );
    await Promise.all(
      watching.map(async ({ one: { name }, page, keys }) => {
        const [{ totalFrames }, before] = [await report(page), keys.size];
        await watchFor(page, 9);
        const seen = await report(page);
        t.ok(keys.size > before, `${name}: ${keys.size - before} more keys`);
        t.ok(seen.totalFrames - totalFrames > 0.8 * 9 * fps, `${name}: ${seen.totalFrames - totalFrames} pictures`);
        t.same(seen.errors.filter(({ fatal }) => fatal), [], `${name}: no fatal error`);
      }),
    );
    sender.change(second);
    await Promise.all(
      watching.map(async ({ one, page, keys, close }) => {
        await page.waitForFunction(`watch.report().width === ${changed.width}`, undefined, { timeout: 60_000, polling: 100 });
        await forget(page);
        const [{ totalFrames }, before] = [await report(page), keys.size];
        await watchFor(page, 5);
        const seen = await report(page);
        t.ok(keys.size > before, `${one.name}: ${keys.size - before} more keys`);
        t.ok(seen.totalFrames - totalFrames > evenness(one) * 5 * fps, `${one.name}: ${seen.totalFrames - totalFrames} pictures of the new size`);
        t.same(seen.errors.filter(({ fatal }) => fatal), [], `${one.name}: no fatal error`);
        await close();
      }),
    );
    await sender.end();
  });
}

/**
 * Protected shows in progress: every player that is for them goes on playing from key to key, and on when the encoder
 * changes the size of its pictures in the middle.
 */
import t from 'tap';
import { clip } from '../support/clips.ts';
import { LiveSender } from '../support/live-sender.ts';
import { forget, report } from '../support/player-page.ts';
import { until } from '../support/playlists.ts';
import { begun, changed, contestants, picture, ProtectedStage, type OpenContestant } from '../support/protected-stage.ts';
import { flvClip } from '../support/show-sender.ts';
import { evenStretch, watchFor } from '../support/watching.ts';

t.setTimeout(280_000);
const { fps } = await clip(picture);
const [first, second] = [await flvClip(picture), await flvClip(changed)];
const stage = await ProtectedStage.open(t);
const { server } = stage;
/** Several players at once on a busy machine: no more than patience, since it is the pictures that are judged. */
const patience = 100_000;

/** Keys last for two segments: more of them are asked for as long as it plays. */
const moreKeys = async ({ keys }: OpenContestant, before: number): Promise<number> => until(async () => keys.size - before, (more) => more > 0);

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
          return { one, opened };
        }),
    );
    await Promise.all(
      watching.map(async ({ one: { name }, opened }) => {
        const { page, keys } = opened;
        const before = keys.size;
        const { pictures, even, stretches } = await evenStretch(page, 9, fps, patience);
        t.ok(even, `${name}: ${pictures} pictures, stretch ${stretches}`);
        t.ok((await moreKeys(opened, before)) > 0, `${name}: ${keys.size - before} more keys`);
        const seen = await report(page);
        t.same(seen.errors.filter(({ fatal }) => fatal), [], `${name}: no fatal error`);
      }),
    );
    sender.change(second);
    await Promise.all(
      watching.map(async ({ one: { name }, opened }) => {
        const { page, keys, close } = opened;
        await page.waitForFunction(`watch.report().width === ${changed.width}`, undefined, { timeout: patience, polling: 100 });
        await forget(page);
        const before = keys.size;
        const { pictures, even, stretches } = await evenStretch(page, 5, fps, patience);
        t.ok(even, `${name}: ${pictures} pictures of the new size, stretch ${stretches}`);
        t.ok((await moreKeys(opened, before)) > 0, `${name}: ${keys.size - before} more keys`);
        const seen = await report(page);
        t.same(seen.errors.filter(({ fatal }) => fatal), [], `${name}: no fatal error`);
        await close();
      }),
    );
    await sender.end();
  });
}

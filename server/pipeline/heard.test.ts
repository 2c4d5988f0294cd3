/** What videos tell that concerns what is made behind them. */
import t from 'tap';
import { channelOf, liveOn, quiet, someAccount, someUpload, testCatalog } from '../catalog/testing.ts';
import { EventDispatcher } from '../events/dispatcher.ts';
import { hearVideos } from './heard.ts';

t.test('what is ready, has ended or shows another part of itself is planned; what has failed or is called otherwise is not', async (t) => {
  const { catalog, clock } = await testCatalog(t);
  const events = new EventDispatcher({ outbox: catalog.outbox, clock, log: quiet });
  t.teardown(() => events.stop());
  const told: string[] = [];
  hearVideos(events, { again: async (video) => void told.push(video) });
  events.start();
  const ownerId = await someAccount(catalog);
  const { channel } = await catalog.channels.create(channelOf(ownerId));
  const show = async (state: 'ready' | 'failed'): Promise<string> => {
    const { id } = await catalog.videos.createLive(liveOn(channel.id, ownerId, {}));
    await catalog.videos.endLive(id, { endedAt: 80_000, durationMs: 80_000, bytes: 5, state });
    return id;
  };
  const [upload, ended] = [await someUpload(catalog, { ownerId }), await show('ready')];
  await show('failed');
  await catalog.videos.become(upload, ['uploading'], { state: 'playable' });
  await events.settled();
  t.same(told, [ended]);
  await catalog.videos.become(upload, ['playable'], { state: 'ready' });
  await catalog.videos.update(upload, { title: 'Another' });
  await events.settled();
  t.same(told, [ended, upload]);
  await catalog.videos.update(ended, { cutInMs: 5_000 });
  await events.settled();
  t.same(told, [ended, upload, ended]);
});

/** The rules checker finds nothing on our own server: LL-HLS, DASH and MPEG-TS of one show, over a reconnect and its end. */
import t from 'tap';
import { LiveSender } from './support/live-sender.ts';
import { until } from './support/playlists.ts';
import { startServer } from './support/server.ts';
import { flvClip } from './support/show-sender.ts';
import { checkStream, faultsOf } from './support/stream-checker.ts';

const clip = await flvClip({ bframes: 2, width: 320, height: 180, kbps: 300 });
const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

t.test('a show with a reconnect keeps every rule, in every form, and so does what is left of it', async (t) => {
  const channel = await server.createChannel(token, { name: 'checked' });
  const first = await LiveSender.connect(server, channel, clip);
  await server.live(channel);
  const urls = ['master.m3u8', 'manifest.mpd', 'ts/master.m3u8'].map((file) => server.liveUrl(channel, file));
  // A manifest has to say how long segments are, which is known when there is one.
  await until(async () => (await fetch(server.liveUrl(channel, 'manifest.mpd'))).status, (status) => status === 200);
  const checker = checkStream(urls, 60);
  // What is sent takes the time that it lasts: this is the length of the show.
  await wait(5_000);
  first.vanish();
  await wait(1_000);
  const second = await LiveSender.connect(server, channel, clip, { from: 500_000 });
  await wait(9_000);
  await second.end();
  const report = await checker.done;
  t.same(faultsOf(report), []);
  const { counts } = report;
  t.ok(counts.parts > 40 && counts.hints > 20 && counts.deltas > 0 && counts.manifests > 10 && counts.segments > 20 && counts.probes >= 12, JSON.stringify(counts));
  t.equal(counts.skipped, 0, 'the checker kept up');

  const { items } = await server.must<{ items: { id: string }[] }>('GET', 'videos', undefined, token);
  const whole = ['master.m3u8', 'manifest.mpd', 'ts/master.m3u8'].map((file) => `${server.origin}/play/-/${items[0]?.id}/${file}`);
  const recording = await checkStream(whole, 30).done;
  t.same(faultsOf(recording), []);
  t.ok(recording.counts.segments >= 3 * 5, JSON.stringify(recording.counts));
});

/** A channel's settings may change while somebody is sending: a show has those of the moment in which it becomes visible. */
import t from 'tap';
import { until } from './support/playlists.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';

type Seen = Channel & { readonly live: { readonly videoId: string } | null };

const clip = await flvClip({ bframes: 0, width: 160, height: 90, kbps: 100 });
const server = await startServer();
t.teardown(() => server.stop());
const token = await server.login();

t.test('a channel that was made private before the show could be seen has a private show, and a protected one', async (t) => {
  const channel = await server.createChannel(token, { name: 'changing', title: 'Before' });
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send({ until: 1_000 });
  await server.must('PATCH', `channels/${channel.id}`, { visibility: 'private', title: 'After', protection: 'aes-128' }, token);
  await sender.send();
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`, undefined, token), (seen) => seen.live !== null);
  const video = await server.must<{ visibility: string; title: string; protection: string }>('GET', `videos/${live?.videoId}`, undefined, token);
  t.match(video, { visibility: 'private', title: 'After', protection: 'aes-128' });
  t.equal((await fetch(`${server.origin}/play/-/${live?.videoId}/master.m3u8`)).status, 404);
  await sender.end();
});

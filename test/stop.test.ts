/** Stopping: whoever is connected in whatever way, the server is gone within its grace, and its shows are at rest. */
import { once } from 'node:events';
import t from 'tap';
import { WebSocket } from 'ws';
import { LowLatencyViewer } from './support/ll-viewer.ts';
import { startServer, type Channel } from './support/server.ts';
import { flvClip, ShowSender } from './support/show-sender.ts';
import { until } from './support/playlists.ts';

t.test('SIGTERM ends a server with a sender, waiting viewers and open pages', async (t) => {
  const clip = await flvClip({ width: 320, height: 180, kbps: 300 });
  const server = await startServer();
  t.teardown(() => server.stop());
  const channel = await server.createChannel(await server.login(), { name: 'stopping' });
  const page = new WebSocket(`${server.origin.replace('http', 'ws')}/api/v1/ws`);
  await once(page, 'open');
  page.send(JSON.stringify({ subscribe: 'channel:@stopping' }));
  await once(page, 'message');
  const sender = await ShowSender.connect(server, channel, clip);
  await sender.send();
  type Seen = Channel & { live: { videoId: string } | null };
  const { live } = await until(() => server.must<Seen>('GET', `channels/${channel.id}`), (seen) => seen.live !== null);
  const waiting = fetch(`${server.origin}/play/-/${live?.videoId}/v0/index.m3u8?_HLS_msn=6`);
  const viewer = new LowLatencyViewer(`${server.origin}/play/-/${live?.videoId}`);
  viewer.start();
  await until(async () => viewer.announced.size, (size) => size > 0);
  const gone = once(page, 'close');
  const began = performance.now();
  t.same(await server.stop(), { code: 0, signal: null });
  t.ok(performance.now() - began < 9_000, 'within the grace');
  t.ok(viewer.asked < 200, 'nobody is kept busy with answers meanwhile');
  await viewer.stop();
  await gone;
  await sender.client.closed;
  await waiting.then((response) => response.text(), () => 'cut off');
});

t.test('a port that is taken is said so, and nothing else goes wrong', async (t) => {
  const first = await startServer();
  t.teardown(() => first.stop());
  for (const [port, words] of [['http', /Port \d+ is taken.*MILLRACE_HTTP_PORT/], ['rtmp', /Port \d+ is taken.*MILLRACE_RTMP_PORT/], ['srt', /Port \d+ is taken.*MILLRACE_SRT_PORT/]] as const) {
    const env = { [`MILLRACE_${port.toUpperCase()}_PORT`]: String(first.ports[port]) };
    await t.rejects(startServer({ env }), { message: words });
  }
});

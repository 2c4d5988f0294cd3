import t from 'tap';
import { play, TestServer } from './test-server.ts';

t.test('a manifest that somebody may have says that a video is asked for; its segments, and what is refused, do not', async (t) => {
  const asked: string[] = [];
  const server = await TestServer.start({ asked: (video) => asked.push(video) });
  t.teardown(() => server.stop());
  server.live();
  const manifests = ['master.m3u8', 'manifest.mpd', 'ts/master.m3u8', 'cut-0-end/master.m3u8'];
  for (const name of manifests) t.equal((await server.ask(`${play}/${name}`)).status, 200, name);
  t.same(asked, manifests.map(() => 'video-00000001'));
  t.equal((await server.ask(`${play}/v0/index.m3u8`)).status, 200);
  t.equal((await server.ask('/play/-/video-00000002/master.m3u8')).status, 404);
  t.equal((await server.ask(`${play}/master.m3u8`, { method: 'POST' })).status, 405);
  t.equal(asked.length, manifests.length);
});

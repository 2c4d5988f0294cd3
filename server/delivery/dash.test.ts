import t from 'tap';
import { gunzipSync } from 'node:zlib';
import { manifest } from '../../packager/dash/mpd.ts';
import { FakePresentation } from './fake-presentation.ts';
import { play, TestServer } from './test-server.ts';

const start = async (t: { teardown: (run: () => unknown) => void }): Promise<TestServer> => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  return server;
};

t.test('a manifest is written once per change for all who ask, gzipped and with an etag', async (t) => {
  const server = await start(t);
  const video = server.live();
  const first = await server.ask(`${play}/manifest.mpd`);
  t.equal(first.status, 200);
  t.match(first.headers, { 'content-type': 'application/dash+xml', 'cache-control': 'no-cache', vary: 'Accept-Encoding', 'access-control-allow-origin': '*' });
  t.equal(first.text, manifest(video.snapshot(), { location: 'manifest.mpd?from=live' }));
  const all = await Promise.all(Array.from({ length: 50 }, () => server.ask(`${play}/manifest.mpd?from=live`, { headers: { 'accept-encoding': 'gzip' } })));
  t.ok(all.every(({ status, body, headers }) => status === 200 && headers['content-encoding'] === 'gzip' && gunzipSync(body).toString() === first.text));
  t.equal(server.delivery.stats().playlistsWritten, 1);
  t.equal((await server.ask(`${play}/manifest.mpd`, { headers: { 'if-none-match': String(first.headers.etag) } })).status, 304);
  video.do((stream) => stream.part());
  t.equal((await server.ask(`${play}/manifest.mpd`, { headers: { 'if-none-match': String(first.headers.etag) } })).status, 200);
  t.equal(server.delivery.stats().requests.get('manifest 200'), 52);
  const head = await server.ask(`${play}/manifest.mpd`, { method: 'HEAD' });
  t.ok(head.status === 200 && head.body.length === 0 && Number(head.headers['content-length']) > 500);
});

t.test('the manifest of a channel leads to the video, where it is read from then on', async (t) => {
  const server = await start(t);
  t.equal(JSON.parse((await server.ask('/play/-/@show/manifest.mpd')).text).code, 'not-live');
  server.presentations.live.set('show', 'video-00000001');
  server.live();
  const { status, text, headers } = await server.ask('/play/-/@show/manifest.mpd');
  t.equal(status, 200);
  t.match(text, '<BaseURL>../video-00000001/</BaseURL>\n<Location>../video-00000001/manifest.mpd?from=live</Location>');
  t.match(text, 'value="../../time"');
  t.equal(headers['cache-control'], 'no-cache');
});

t.test('whoever watched live is told the end of the timeline that he has; whoever comes then, that of the recording', async (t) => {
  const server = await start(t);
  const video = server.live();
  video.do((stream) => stream.close().epoch(10_000).segments(3).end());
  const [came, stayed] = await Promise.all(['', '?from=live'].map((query) => server.ask(`${play}/manifest.mpd${query}`)));
  t.equal(came?.text, manifest(video.snapshot()));
  t.equal(stayed?.text, manifest(video.snapshot(), { wasLive: true }));
  t.not(came?.text, stayed?.text, 'the outage is in one of them');
  for (const answer of [came, stayed]) {
    t.match(answer?.text, 'type="static"');
    t.notMatch(answer?.text, 'Location');
    t.equal(answer?.headers['cache-control'], 'public, max-age=60');
  }
});

t.test('before anything can be played there is no manifest, and words say so', async (t) => {
  const server = await start(t);
  server.presentations.add(new FakePresentation());
  const { status, text, headers } = await server.ask(`${play}/manifest.mpd`);
  t.equal(status, 404);
  t.equal(JSON.parse(text).code, 'not-live-yet');
  t.equal(headers['retry-after'], '1');
});

t.test('our clock is one date that nobody keeps, for every origin', async (t) => {
  const server = await start(t);
  const { status, text, headers } = await server.ask('/play/time');
  t.equal(status, 200);
  t.equal(text, new Date(server.clock.wall()).toISOString());
  t.match(headers, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', 'access-control-allow-origin': '*' });
  const head = await server.ask('/play/time', { method: 'HEAD' });
  t.ok(head.status === 200 && head.body.length === 0);
});

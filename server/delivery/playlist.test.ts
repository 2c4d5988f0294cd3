import t from 'tap';
import { gunzipSync } from 'node:zlib';
import { mediaPlaylist } from '../../packager/hls/media.ts';
import { play, TestServer } from './test-server.ts';

const start = async (t: { teardown: (run: () => unknown) => void }): Promise<TestServer> => {
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  return server;
};

t.test('playlists are answered as they are, gzipped for whoever takes it', async (t) => {
  const server = await start(t);
  const video = server.live();
  const master = await server.ask(`${play}/master.m3u8`);
  t.equal(master.status, 200);
  t.match(master.headers, {
    'content-type': 'application/vnd.apple.mpegurl',
    'access-control-allow-origin': '*',
    'access-control-expose-headers': /Date/,
    'cache-control': 'public, max-age=10',
    vary: 'Accept-Encoding',
    date: /GMT/,
  });
  t.match(master.text, 'v0/index.m3u8');
  const plain = await server.ask(`${play}/v0/index.m3u8`);
  t.equal(plain.text, mediaPlaylist(video.snapshot(), 'v0'));
  t.equal(plain.headers['cache-control'], 'no-cache');
  const packed = await server.ask(`${play}/v0/index.m3u8?_HLS_skip=NO`, { headers: { 'accept-encoding': 'gzip, br' } });
  t.equal(packed.headers['content-encoding'], 'gzip');
  t.equal(gunzipSync(packed.body).toString(), plain.text);
  t.equal(Number(packed.headers['content-length']), packed.body.length);
  t.not(packed.headers.etag, plain.headers.etag);
  t.equal((await server.ask('/elsewhere')).status, 418, 'other addresses are not ours');
});

t.test('a long playlist is deflated elsewhere, and comes out the same', async (t) => {
  const server = await start(t);
  const video = server.live();
  video.do((stream) => stream.segments(900));
  const [one, two] = await Promise.all([1, 2].map(() => server.ask(`${play}/v0/index.m3u8`, { headers: { 'accept-encoding': 'gzip' } })));
  t.equal(gunzipSync(one?.body ?? '').toString(), mediaPlaylist(video.snapshot(), 'v0'));
  t.same(one?.body, two?.body);
  t.equal(server.delivery.stats().playlistsWritten, 1);
});

t.test('conditional requests and HEAD', async (t) => {
  const server = await start(t);
  const video = server.live();
  const first = await server.ask(`${play}/v0/index.m3u8`);
  const etag = String(first.headers.etag);
  const same = await server.ask(`${play}/v0/index.m3u8`, { headers: { 'if-none-match': `"x", ${etag}` } });
  t.equal(same.status, 304);
  t.equal(same.headers.etag, etag);
  t.equal(same.headers['access-control-allow-origin'], '*');
  t.equal(same.body.length, 0);
  video.do((stream) => stream.part());
  t.equal((await server.ask(`${play}/v0/index.m3u8`, { headers: { 'if-none-match': etag } })).status, 200);
  const head = await server.ask(`${play}/v0/index.m3u8`, { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(head.body.length, 0);
  t.ok(Number(head.headers['content-length']) > 500);
});

t.test('a blocked reload is answered by the part that it asks for', async (t) => {
  const server = await start(t);
  const video = server.live();
  const asked = server.ask(`${play}/v0/index.m3u8?_HLS_msn=9&_HLS_part=3`);
  await server.waiting(1);
  video.do((stream) => stream.part());
  await new Promise((turn) => setImmediate(() => setImmediate(turn)));
  t.equal(server.delivery.stats().waiters, 1, 'part 2 is not part 3');
  video.do((stream) => stream.part());
  const { status, text, headers } = await asked;
  t.equal(status, 200);
  t.match(text, 'k3v9x0a2b7-9-3.m4s"\n#EXT-X-PRELOAD-HINT:');
  t.equal(headers['cache-control'], 'public, max-age=2', 'the answer to this address stays true');
  t.equal(video.listeners, 0, 'nobody listens when nobody waits');
  t.equal((await server.ask(`${play}/v0/index.m3u8?_HLS_msn=77`)).status, 400);
});

t.test('a reload that is blocked for three target durations is a 503', async (t) => {
  const server = await start(t);
  const video = server.live();
  const asked = server.ask(`${play}/v0/index.m3u8?_HLS_msn=9&_HLS_part=5`);
  await server.waiting(1);
  server.clock.advance(5900);
  t.equal(server.delivery.stats().waiters, 1);
  server.clock.advance(400);
  const { status, headers, text } = await asked;
  t.equal(status, 503);
  t.equal(headers['retry-after'], '1');
  t.equal(headers['cache-control'], 'no-store');
  t.equal(JSON.parse(text).code, 'held-too-long');
  t.equal(video.listeners, 0);
});

t.test('the end of the show answers everybody with the last playlist', async (t) => {
  const server = await start(t);
  const video = server.live();
  const asked = [`_HLS_msn=9`, `_HLS_msn=10&_HLS_part=1`, `_HLS_msn=9&_HLS_part=2&_HLS_skip=YES`].map((query) => server.ask(`${play}/v0/index.m3u8?${query}`));
  const hinted = server.ask(`${play}/v0/k3v9x0a2b7-9-2.m4s`);
  await server.waiting(4);
  video.do((stream) => stream.end());
  for (const { status, text, headers } of await Promise.all(asked)) {
    t.equal(status, 200);
    t.match(text, /#EXT-X-ENDLIST\n$/);
    t.equal(headers['cache-control'], 'public, max-age=60');
  }
  t.equal((await hinted).status, 404, 'the hinted part will never be');
  t.equal((await server.ask(`${play}/v0/index.m3u8?_HLS_msn=99`)).status, 200, 'directives are ignored');
});

t.test('an ended show is listed whole for who comes now, and goes on from where it was for who was there', async (t) => {
  const server = await start(t);
  const video = server.live();
  video.do((stream) => stream.keep(3));
  const before = await server.ask(`${play}/v0/index.m3u8`);
  video.do((stream) => stream.end());
  const sequence = (text: string): number => Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);
  const after = await server.ask(`${play}/v0/index.m3u8`);
  t.equal(sequence(after.text), sequence(before.text), 'MEDIA-SEQUENCE does not go back');
  t.match(after.text, /ENDLIST/);
  const master = await server.ask(`${play}/master.m3u8`);
  t.match(master.text, /v0\/whole\.m3u8/);
  const whole = await server.ask(`${play}/v0/whole.m3u8`);
  t.ok(sequence(whole.text) < sequence(before.text), 'from the beginning');
  t.match(whole.text, /ENDLIST/);
});

t.test('a graceful stop answers whoever waits with what there is, and nobody waits after it', async (t) => {
  const server = await start(t);
  server.live();
  const asked = server.ask(`${play}/v0/index.m3u8?_HLS_msn=9&_HLS_part=5`);
  const hinted = server.ask(`${play}/a0/k3v9x0a2b7-9-2.m4s`);
  await server.waiting(2);
  server.delivery.release();
  t.equal((await asked).status, 200);
  t.equal((await asked).headers['cache-control'], 'no-cache', 'not what was asked for, so not to be kept');
  t.equal((await hinted).status, 404);
  t.equal((await server.ask(`${play}/v0/index.m3u8?_HLS_msn=9&_HLS_part=5`)).status, 200);
  const gone = await server.ask('/play/-/nothing-there-yet/master.m3u8');
  t.equal(gone.status, 503, 'what is closed already comes back: a 404 would make players give up');
  t.ok(gone.headers['retry-after']);
});

t.test('a viewer that leaves is no longer waited for', async (t) => {
  const server = await start(t);
  const video = server.live();
  const aborted = new AbortController();
  const asked = fetch(`http://127.0.0.1:${server.port}${play}/v0/index.m3u8?_HLS_msn=9&_HLS_part=5`, { signal: aborted.signal });
  asked.catch(() => undefined);
  await server.waiting(1);
  aborted.abort();
  await server.waiting(0);
  t.equal(video.listeners, 0);
});

t.test('a thousand waiters are woken with one playlist, written once', async (t) => {
  const server = await start(t);
  const video = server.live();
  const path = `${play}/v0/index.m3u8?_HLS_msn=9&_HLS_part=2`;
  const asked = Array.from({ length: 1000 }, () => server.ask(path, { headers: { 'accept-encoding': 'gzip' } }));
  await server.waiting(1000);
  const { playlistsWritten } = server.delivery.stats();
  video.do((stream) => stream.part());
  const answers = await Promise.all(asked);
  t.ok(answers.every(({ status, headers }) => status === 200 && headers['content-encoding'] === 'gzip'));
  t.equal(new Set(answers.map(({ body }) => body.toString('base64'))).size, 1);
  t.equal(server.delivery.stats().playlistsWritten - playlistsWritten, 1);
  t.equal(server.delivery.stats().wakes, 1);
  t.equal(server.delivery.stats().requests.get('playlist 200'), 1000);
});

t.test('a channel lists what is live on it, below the address of the video', async (t) => {
  const server = await start(t);
  const before = await server.ask('/play/-/@show/master.m3u8');
  t.equal(before.status, 404);
  t.equal(JSON.parse(before.text).code, 'not-live');
  server.presentations.live.set('show', 'video-00000001');
  t.equal(JSON.parse((await server.ask('/play/-/@show/master.m3u8')).text).code, 'not-live-yet');
  server.live();
  for (const later of [false, true]) {
    server.presentations.later = later;
    const { status, text, headers } = await server.ask('/play/-/@show/master.m3u8');
    t.equal(status, 200);
    t.match(text, '\n../video-00000001/v0/index.m3u8\n');
    t.equal(headers['cache-control'], 'no-cache');
  }
  server.gatekeeper.closed.add('video-00000001');
  t.equal((await server.ask('/play/-/@show/master.m3u8')).status, 404);
});

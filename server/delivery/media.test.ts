import t from 'tap';
import { LogError } from '../../packager/log/types.ts';
import { pictureAndSound } from '../../packager/hls/pretend-stream.ts';
import { play, run, TestServer } from './test-server.ts';
import type { DeliveryOptions } from './handler.ts';

const start = async (t: { teardown: (run: () => unknown) => void }, options: Partial<DeliveryOptions> = {}): Promise<TestServer> => {
  const server = await TestServer.start(options);
  t.teardown(() => server.stop());
  return server;
};
const file = (name: string, track = 'v0'): string => `${play}/${track}/${run}-${name}`;

t.test('segments, parts and inits are the bytes of the log, with headers that let them be kept for ever', async (t) => {
  const server = await start(t);
  const video = server.live();
  const segment = await server.ask(file('3.m4s'));
  t.equal(segment.status, 200);
  t.same(segment.body, video.bytes('v0', 12, 18), 'six fragments one after the other');
  t.match(segment.headers, {
    'content-type': 'video/mp4',
    'cache-control': 'public, max-age=31536000, immutable',
    'accept-ranges': 'bytes',
    'access-control-allow-origin': '*',
    'content-length': '6000',
    etag: /^"v0\//,
  });
  t.same((await server.ask(file('9-1.m4s', 'a0'))).body, video.bytes('a0', 49));
  const init = await server.ask(file('i0.mp4', 'a0'));
  t.equal(init.text, 'init of a0 in epoch 0');
  t.equal(init.headers['content-type'], 'audio/mp4');
  const parts = await Promise.all([0, 1, 2, 3, 4, 5].map((part) => server.ask(file(`3-${part}.m4s`))));
  t.same(Buffer.concat(parts.map(({ body }) => body)), segment.body, 'a segment is its parts');
});

t.test('what is not there is a 404 with a code', async (t) => {
  const server = await start(t);
  server.live().do((stream) => stream.part(1, true));
  const code = async (path: string): Promise<string> => {
    const { status, text, headers } = await server.ask(path);
    t.equal(status, 404, path);
    t.equal(headers['content-type'], 'application/problem+json');
    t.equal(headers['cache-control'], 'no-store');
    return JSON.parse(text).code;
  };
  t.equal(await code(file('11.m4s')), 'not-found', 'a segment beyond the one that comes next');
  t.equal(await code(file('8-6.m4s')), 'not-found', 'a part beyond the last of its segment');
  t.equal(await code(file('9-4.m4s')), 'not-yet', 'a part beyond the hinted one');
  t.equal(await code(file('10-0.m4s')), 'not-yet');
  t.equal(await code(file('9-2.m4s')), 'gap');
  t.equal(await code(file('i7.mp4')), 'not-found');
  t.equal(await code(`${play}/v0/anotherrun1-1.m4s`), 'other-run');
  t.equal(await code(file('1.m4s', 'v7')), 'no-such-track');
  t.equal(await code(`/play/-/video-99999999/v0/${run}-1.m4s`), 'not-live-yet');
});

t.test('a hinted part is held until all of it is there', async (t) => {
  const server = await start(t);
  const video = server.live();
  const asked = Promise.all(Array.from({ length: 20 }, () => server.ask(file('9-2.m4s'))));
  await server.waiting(20);
  video.do((stream) => stream.part());
  for (const { status, body } of await asked) {
    t.equal(status, 200);
    t.same(body, video.bytes('v0', 50));
  }
  t.same(video.reads, ['v0 50-51'], 'read once for all of them');
  t.equal(video.listeners, 0);
});

t.test('a hinted part that never comes: 404 when its segment is closed without it, 503 when nothing happens', async (t) => {
  const server = await start(t);
  const video = server.live();
  const asked = server.ask(file('9-2.m4s'));
  await server.waiting(1);
  video.do((stream) => stream.close());
  t.equal((await asked).status, 404);
  const outage = server.ask(file('10-0.m4s'));
  await server.waiting(1);
  server.clock.advance(6300);
  t.equal((await outage).status, 503);
  const back = server.ask(file('10-0.m4s'));
  await server.waiting(1);
  video.do((stream) => stream.epoch().part());
  t.equal((await back).status, 200, 'the first part of the new epoch is the one that was hinted');
});

t.test('live parts are kept at the first request, other segments at the second, and misses share a read', async (t) => {
  const server = await start(t);
  const video = server.live();
  await server.ask(file('9-1.m4s'));
  await server.ask(file('9-1.m4s'));
  t.same(video.reads, ['v0 49-50']);
  let open = (): void => undefined;
  video.gate = new Promise((resolve) => (open = resolve));
  const crowd = Array.from({ length: 50 }, () => server.ask(file('2.m4s')));
  while (server.delivery.stats().cache.misses < 51) await new Promise((turn) => setImmediate(turn));
  open();
  t.ok((await Promise.all(crowd)).every(({ status, body }) => status === 200 && body.length === 6000));
  t.equal(video.reads.length, 2, 'fifty misses, one read');
  await server.ask(file('2.m4s'));
  await server.ask(file('2.m4s'));
  t.equal(video.reads.length, 3, 'kept at the second miss');
  t.ok(server.delivery.stats().cache.hits >= 2);
});

t.test('ranges, conditions and HEAD of a media file', async (t) => {
  const server = await start(t);
  const video = server.live();
  const whole = video.bytes('v0', 12, 18);
  const ask = (headers: Record<string, string>, method = 'GET') => server.ask(file('3.m4s'), { headers, method });
  const middle = await ask({ range: 'bytes=1000-1999' });
  t.equal(middle.status, 206);
  t.same(middle.body, whole.subarray(1000, 2000));
  t.equal(middle.headers['content-range'], 'bytes 1000-1999/6000');
  t.equal(middle.headers['content-length'], '1000');
  t.same((await ask({ range: 'bytes=-10' })).body, whole.subarray(-10));
  const beyond = await ask({ range: 'bytes=6000-' });
  t.equal(beyond.status, 416);
  t.equal(beyond.headers['content-range'], 'bytes */6000');
  t.equal(beyond.headers['access-control-allow-origin'], '*');
  t.equal((await ask({ range: 'bytes=0-1,3-4' })).status, 200);
  const etag = String(middle.headers.etag);
  t.equal((await ask({ 'if-none-match': etag })).status, 304);
  t.equal((await ask({ range: 'bytes=0-9', 'if-range': etag })).status, 206);
  t.equal((await ask({ range: 'bytes=0-9', 'if-range': '"another"' })).status, 200);
  const { bytesSent } = server.delivery.stats();
  const head = await ask({}, 'HEAD');
  t.equal(server.delivery.stats().bytesSent, bytesSent);
  t.equal(head.status, 200);
  t.equal(head.headers['content-length'], '6000');
  t.equal(head.body.length, 0);
});

t.test('grants: only what lies under `-` is for shared caches', async (t) => {
  const server = await start(t);
  server.live({ tracks: [...pictureAndSound, { id: 'v1', kind: 'video', timescale: 90_000, partTicks: 30_000, height: 480 }] });
  const grant = { ok: true, shared: false, expiresAt: null, maxHeight: null, mayDownload: false } as const;
  server.gatekeeper.grants.set('token.1', grant).set('small', { ...grant, maxHeight: 720 });
  const own = (path: string, token = 'token.1') => server.ask(`/play/${token}/video-00000001/${path}`);
  t.equal((await own(`v0/${run}-3.m4s`)).headers['cache-control'], 'private, max-age=86400, immutable');
  t.equal((await own('master.m3u8')).headers['cache-control'], 'private, max-age=10');
  t.equal((await own('v0/index.m3u8?_HLS_msn=3')).headers['cache-control'], 'private, max-age=2');
  t.same([(await own('v0/index.m3u8', 'wrong')).status, (await own(`v0/${run}-3.m4s`, 'wrong')).status], [403, 403]);
  t.equal(JSON.parse((await own('master.m3u8', 'wrong')).text).code, 'grant-signature');
  server.gatekeeper.closed.add('video-00000001');
  t.equal((await server.ask(file('3.m4s'))).status, 404, 'also when it is in the cache');

  await own(`v0/${run}-3.m4s`);
  const { hits } = server.delivery.stats().cache;
  await own(`v0/${run}-3.m4s`);
  t.equal(server.delivery.stats().cache.hits, hits + 1, 'now it is');

  t.notMatch((await own('master.m3u8', 'small')).text, 'v0/');
  t.equal((await own('v1/index.m3u8', 'small')).status, 200);
  t.equal((await own(`v1/${run}-3.m4s`, 'small')).status, 200);
  for (const path of ['v0/index.m3u8', `v0/${run}-3.m4s`]) t.equal((await own(path, 'small')).status, 403, path);
});

t.test('preflight, other methods, and CORS on every error', async (t) => {
  const server = await start(t);
  server.live();
  const preflight = await server.ask(file('3.m4s'), { method: 'OPTIONS', headers: { 'access-control-request-headers': 'range' } });
  t.equal(preflight.status, 204);
  t.match(preflight.headers['access-control-allow-headers'], 'Range');
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const { status, headers } = await server.ask(file('3.m4s'), { method });
    t.equal(status, 405);
    t.equal(headers.allow, 'GET, HEAD, OPTIONS');
    t.equal(headers['access-control-allow-origin'], '*');
  }
});

t.test('a log that fails is a clear answer, is told to the operator, and is not kept', async (t) => {
  const server = await start(t);
  const video = server.live();
  const outcomes: [Error, number, string][] = [
    [new LogError('gone', 'trimmed'), 404, 'gone'],
    [new LogError('corrupt', 'a bit flipped'), 404, 'damaged'],
    [new LogError('io', 'EIO'), 503, 'read-failed'],
    [new TypeError('a bug'), 500, 'internal'],
  ];
  for (const [fault, status, code] of outcomes) {
    video.fault = fault;
    const answer = await server.ask(file('3.m4s'));
    t.equal(answer.status, status);
    t.equal(JSON.parse(answer.text).code, code);
    t.notMatch(answer.text, fault.message, 'what broke inside is not told outside');
  }
  t.equal(server.errors.length, 3, 'all but what is merely gone');
  video.fault = null;
  t.equal((await server.ask(file('3.m4s'))).status, 200);
});

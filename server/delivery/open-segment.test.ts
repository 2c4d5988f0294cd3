/** The segment in progress over HTTP: what comes when, what it costs, and how it ends. */
import { connect } from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { LogError } from '../../packager/log/types.ts';
import { FakePresentation } from './fake-presentation.ts';
import type { DeliveryOptions } from './handler.ts';
import { play, run, TestServer } from './test-server.ts';

const start = async (t: { teardown: (run: () => unknown) => void }, options: Partial<DeliveryOptions> = {}): Promise<TestServer> => {
  const server = await TestServer.start(options);
  t.teardown(() => server.stop());
  return server;
};
const segment = (msn: number, track = 'v0'): string => `${play}/${track}/${run}-${msn}.m4s`;
/** One part of a segment that is heavy. */
const heavy = (server: TestServer, partBytes: number): FakePresentation => server.presentations.add(new FakePresentation({ partBytes })).do((stream) => stream.part());
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((turn) => setImmediate(turn));
};

t.test('parts come as they are written, and together they are the segment', async (t) => {
  const server = await start(t);
  const video = server.live();
  const asked = await server.follow(segment(9));
  t.equal(asked.status, 200);
  t.match(asked.headers, { 'content-type': 'video/mp4', 'transfer-encoding': 'chunked', 'cache-control': 'public, max-age=31536000, immutable' });
  t.equal(asked.headers['content-length'], undefined);
  t.same(await asked.has(2000), video.bytes('v0', 48, 50), 'what is there comes at once');
  await server.waiting(1);
  t.equal(asked.state, 'open');
  video.do((stream) => stream.part());
  t.same(await asked.has(3000), video.bytes('v0', 48, 51));
  video.do((stream) => stream.part(1, true)).do((stream) => stream.part().close());
  t.equal(await asked.ended(), 'end');
  t.same(asked.body, Buffer.concat([video.bytes('v0', 48, 51), video.bytes('v0', 52)]), 'a hole has no bytes');
  const whole = await server.ask(segment(9));
  t.equal(whole.headers['content-length'], '4000');
  t.equal(whole.headers.etag, asked.headers.etag, 'the same object');
  t.equal(server.delivery.stats().bytesSent, 8000);
  t.equal(video.listeners, 0);
});

t.test('the segment that comes next is held; one further ahead is not there', async (t) => {
  const server = await start(t);
  const video = server.live();
  const next = server.follow(segment(10));
  await server.waiting(1);
  t.equal((await server.ask(segment(11))).status, 404);
  video.do((stream) => stream.close().part());
  const asked = await next;
  t.equal(asked.status, 200);
  t.equal((await asked.has(1000)).length, 1000);
  video.do((stream) => stream.close());
  t.equal(await asked.ended(), 'end');
  const held = server.ask(segment(11));
  await server.waiting(1);
  server.clock.advance(6300);
  t.equal((await held).status, 503, 'nothing came');
});

t.test('many viewers of one segment share every read', async (t) => {
  const server = await start(t);
  const video = server.live();
  const all = await Promise.all(Array.from({ length: 100 }, () => server.follow(segment(9))));
  for (let part = 0; part < 3; part++) {
    await server.waiting(100);
    video.do((stream) => stream.part());
    await Promise.all(all.map((asked) => asked.has(3000 + part * 1000)));
  }
  await server.waiting(100);
  video.do((stream) => stream.close());
  t.same([...new Set(await Promise.all(all.map((asked) => asked.ended())))], ['end']);
  t.ok(all.every(({ body }) => body.equals(video.bytes('v0', 48, 53))));
  t.same(video.reads, ['v0 48-49', 'v0 49-50', 'v0 50-51', 'v0 51-52', 'v0 52-53']);
  t.equal(server.delivery.stats().wakes, 4, 'one group for all of them');
});

t.test('HEAD and a peer that has it already are answered at once', async (t) => {
  const server = await start(t);
  server.live();
  const head = await server.ask(segment(9), { method: 'HEAD' });
  t.ok(head.status === 200 && head.body.length === 0);
  t.equal((await server.ask(segment(9), { headers: { 'if-none-match': String(head.headers.etag) } })).status, 304);
  t.equal(server.delivery.stats().waiters, 0);
});

t.test('the end of the show completes what is under way; what was held is not there', async (t) => {
  const server = await start(t);
  const video = server.live();
  const asked = await server.follow(segment(9));
  const next = server.ask(segment(10));
  await server.waiting(2);
  video.do((stream) => stream.end());
  t.equal(await asked.ended(), 'end');
  t.same(asked.body, video.bytes('v0', 48, 50));
  t.equal((await next).status, 404);
});

t.test('what does not go on ends as a fault, and not as an end', async (t) => {
  const server = await start(t);
  const video = server.live();
  const silent = await server.follow(segment(9));
  await server.waiting(1);
  server.clock.advance(6300);
  t.equal(await silent.ended(), 'fault', 'nothing came for three target durations');

  const damaged = await server.follow(segment(9));
  await server.waiting(1);
  video.fault = new LogError('corrupt', 'a bit has turned over');
  video.do((stream) => stream.part());
  t.equal(await damaged.ended(), 'fault');
  t.equal(server.errors.length, 1);
  const before = await server.ask(segment(9, 'a0'));
  t.equal(before.status, 404, 'before the first byte there is a way to say so');
  t.equal(JSON.parse(before.text).code, 'damaged');
});

t.test('a graceful stop sends what has been completed, and breaks what has not', async (t) => {
  const server = await start(t);
  const video = server.live();
  const [complete, broken] = await Promise.all([server.follow(segment(9)), server.follow(segment(9, 'a0'))]);
  await server.waiting(2);
  const { snapshot } = video;
  // Only the picture had come to the end of its segment.
  video.snapshot = () => {
    const now = snapshot.call(video);
    return { ...now, tracks: now.tracks.map((track) => (track.id === 'v0' ? { ...track, open: null, endSegment: track.segments.length } : track)) };
  };
  video.stream.close();
  server.delivery.release();
  t.equal(await complete.ended(), 'end');
  t.equal(await broken.ended(), 'fault');
  t.equal((await server.ask(segment(10))).status, 404, 'nobody is held any more');
});

t.test('a peer that leaves is waited for no more', async (t) => {
  const server = await start(t);
  const video = server.live();
  const asked = await server.follow(segment(9));
  await server.waiting(1);
  asked.leave();
  await server.waiting(0);
  t.equal(video.listeners, 0);
});

t.test('a peer that does not read holds one part, and is sent away', async (t) => {
  const server = await start(t);
  const video = heavy(server, 8 << 20);
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${segment(1)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await until(() => server.delivery.stats().slowPeers.sending === 1);
  for (let part = 0; part < 3; part++) video.do((stream) => stream.part());
  t.equal(server.delivery.stats().slowPeers.heldBytes, 8 << 20);
  t.same(video.reads, ['v0 0-1'], 'the rest lies in the log');
  server.clock.advance(21_000);
  t.match(server.delivery.stats().slowPeers, { sending: 0, heldBytes: 0, dropped: 1 });
  socket.resume();
  await once(socket, 'close');
  t.equal(server.delivery.stats().waiters, 0);
});

t.test('the bytes are right for a slow peer too, and for one that starts when the segment is half there', async (t) => {
  const server = await start(t);
  const video = heavy(server, 3 << 20);
  const early = await server.follow(segment(1));
  await early.has(3 << 20);
  video.do((stream) => stream.part());
  const late = await server.follow(segment(1));
  await server.waiting(2);
  video.do((stream) => stream.part().close());
  t.same(await Promise.all([early.ended(), late.ended()]), ['end', 'end']);
  const whole = video.bytes('v0', 0, 3);
  t.ok(early.body.equals(whole) && late.body.equals(whole));
  t.match(server.delivery.stats().slowPeers, { sending: 0, heldBytes: 0, dropped: 0 });
});

t.test('another run, and a track without parts, have no segment in progress', async (t) => {
  const server = await start(t);
  server.live({ latency: 'standard' });
  t.equal((await server.ask(segment(9))).status, 404);
  t.equal(JSON.parse((await server.ask(`${play}/v0/anotherrun1-9.m4s`)).text).code, 'other-run');
});

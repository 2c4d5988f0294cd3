/** What goes through a session arrives, as fast as the core takes it, with one end. Peer: our own client. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import t from 'tap';
import { isId3 } from '../../packager/media/id3.ts';
import { encodeAmf0, type AmfValue } from './amf0.ts';
import * as say from './messages.ts';
import { RtmpTestClient } from './test-client.ts';
import { fingerprint } from './test-messages.ts';
import { stage } from './test-stage.ts';
import { audio, picture, sound, video } from './test-units.ts';

t.test('units arrive with their own wrapped times, tracks and metadata', async (t) => {
  const { desk, port } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const units = [
    picture(0, 50_000, 66),
    sound(5),
    picture(0xffffff, 10),
    picture(0xfffffff0, 100_000, 66),
    picture(17, 9, -33),
  ];
  client.hint({ width: 1, list: [1, 'two', null] });
  client.track(video);
  client.track(audio);
  for (const unit of units) await client.send(unit);
  await client.announceEnd();
  const [sink] = desk.sinks;
  t.strictSame(sink?.units.map(fingerprint), units.map(fingerprint));
  t.strictSame(sink?.tracks, [video, audio]);
  t.match(sink?.hints, [{ width: 1, list: [1, 'two', null] }]);
  t.strictSame(sink?.ends, ['announced']);
});

t.test('timed text becomes ID3 at its time; other data messages and damaged ones are nothing', async (t) => {
  const { desk, port } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const data = (timestamp: number, ...values: AmfValue[]): void =>
    void client.message({ chunkStream: 4, message: { type: 18, streamId: 1, timestamp, payload: encodeAmf0(...values) } });
  data(40, 'onTextData', { text: 'Grüße' });
  data(50, '@setDataFrame', 'onCuePoint', 'goal');
  data(60, 'onStatus', { code: 'x' });
  client.message({ chunkStream: 4, message: { type: 18, streamId: 1, timestamp: 70, payload: Buffer.from([2, 0, 40, 1]) } });
  await client.announceEnd();
  const events = desk.sinks[0]?.events ?? [];
  t.match(events, [{ scheme: 'id3', pts: 40 }, { scheme: 'id3', pts: 50 }]);
  t.ok(events.every(({ data }) => isId3(data)));
  t.same(events.map(({ data }) => data.toString('utf8', 21).split('\0').slice(0, 2)), [['onTextData', '{"text":"Grüße"}'], ['onCuePoint', 'goal']]);
});

t.test('a full core stops the socket, memory stays bounded, and everything arrives', async (t) => {
  const { desk, port, server } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  if (!sink) return t.fail('no sink');
  client.track(video);
  const units = Array.from({ length: 4000 }, (_, index) => picture(index * 33, 20_000));
  const filled = Promise.withResolvers<void>();
  sink.onUnit = () => {
    if (sink.count !== 100) return;
    sink.fill();
    filled.resolve();
  };
  const sending = (async () => {
    for (const unit of units) await client.send(unit);
    await client.announceEnd();
  })();
  await filled.promise;
  // The kernel's buffers fill, then the sender waits; the client's own memory is what it waits with.
  let before = -1;
  for (let now = client.socket.bytesWritten; now !== before; now = client.socket.bytesWritten) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.equal(sink.count, 100, 'nothing after the core said that it is full');
  const read = server.facts()[0]?.bytesIn ?? 0;
  t.ok(read < 100 * 20_100 + 200_000, `one socket buffer at most was read beyond it (${read})`);
  t.ok(before < 80_000_000, 'the sender waits');
  sink.drain();
  await sending;
  t.strictSame(sink.units.map(fingerprint), units.map(fingerprint));
  t.strictSame(sink.ends, ['announced']);
});

t.test('a core that is full after every unit still gets everything, from a sender that closes at once', async (t) => {
  const { desk, port } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  if (!sink) return t.fail('no sink');
  sink.onUnit = () => {
    sink.fill();
    setImmediate(() => sink.drain());
  };
  client.track(video);
  const units = Array.from({ length: 1000 }, (_, index) => picture(index * 33, 10_000));
  for (const unit of units) await client.send(unit);
  await client.announceEnd();
  t.equal(await sink.ended, 'announced');
  t.strictSame(sink.units.map(fingerprint), units.map(fingerprint));
});

t.test('whoever left while the core was full can still be sent away, and is forgotten', async (t) => {
  const { desk, port, server, logged } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  if (!sink) return t.fail('no sink');
  const arrived = new Promise<void>((resolve) => (sink.onUnit = () => resolve()));
  sink.fill();
  client.track(video);
  await client.send(picture(0));
  await arrived;
  client.socket.end();
  await client.closed;
  t.strictSame(sink.ends, []);
  const closed = logged('rtmp.closed');
  desk.evict(0, 'ended-by-owner');
  await closed;
  t.strictSame(sink.ends, ['evicted']);
  t.equal(server.sessions, 0);
});

t.test('a plain close is a loss, and so is a reset', async (t) => {
  const { desk, port } = await stage(t);
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const client = await RtmpTestClient.connect({ port, key: 'good' });
    client.socket[leave]();
    t.equal(await desk.sinks.at(-1)?.ended, 'lost');
  }
});

t.test('an end is announced by any of the three commands', async (t) => {
  const { desk, port } = await stage(t);
  const words = [
    say.command(0, 'FCUnpublish', 6, null, 'good'),
    say.command(1, 'closeStream', 0, null),
    say.command(0, 'deleteStream', 0, null, 1),
  ];
  for (const word of words) {
    const client = await RtmpTestClient.connect({ port, key: 'good' });
    client.message(say.command(0, 'deleteStream', 0, null, 9));
    client.message(word);
    t.equal(await desk.sinks.at(-1)?.ended, 'announced');
    client.destroy();
    await client.closed;
    t.strictSame(desk.sinks.at(-1)?.ends, ['announced']);
  }
});

t.test('acknowledgements follow the window of the sender, and pings are answered', async (t) => {
  const { desk, port } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  if (!sink) return t.fail('no sink');
  client.message(say.windowSize(10_000));
  client.message(say.pingRequest(4711));
  client.track(video);
  for (let index = 0; index < 20; index += 1) {
    const arrived = new Promise<void>((resolve) => (sink.onUnit = () => resolve()));
    await client.send(picture(index * 33, 6_000));
    await arrived;
  }
  await client.announceEnd();
  t.ok(client.acknowledged.length >= 8 && client.acknowledged.length <= 12, `${client.acknowledged.length} for 120 kB`);
  t.strictSame(
    client.acknowledged,
    client.acknowledged.toSorted((a, b) => a - b),
  );
  t.strictSame(client.pongs, [4711]);
});

t.test('a connection that somebody else accepted is a session like any other', async (t) => {
  const { desk, server } = await stage(t);
  const elsewhere = createServer((socket) => server.take(socket, { protocol: 'rtmps', address: '203.0.113.9' }));
  await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => elsewhere.close());
  const bound = elsewhere.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  const client = await RtmpTestClient.connect({ port, key: 'good', socket: connect(port, '127.0.0.1') });
  t.match(desk.requests[0], { protocol: 'rtmps', address: '203.0.113.9' });
  t.match(server.facts(), [{ protocol: 'rtmps', address: '203.0.113.9', state: 'publishing' }]);
  await client.announceEnd();
});

t.test('an aggregate message fills the core once, and all of it arrives', async (t) => {
  const { desk, port } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  if (!sink) return t.fail('no sink');
  sink.onUnit = () => {
    sink.fill();
    setImmediate(() => sink.drain());
  };
  client.track(audio, 1000);
  const tag = Buffer.from('0800000400006400000000af01aabb0000000f', 'hex');
  const later = Buffer.from(tag);
  later[6] = 0x7b;
  const payload = Buffer.concat([tag, later]);
  client.message({ chunkStream: 4, message: { type: 22, streamId: 1, timestamp: 1000, payload } });
  await client.announceEnd();
  t.strictSame(
    sink.units.map(({ dts, pts, data }) => [dts, pts, data.toString('hex')]),
    [
      [1000, 1000, 'aabb'],
      [1023, 1023, 'aabb'],
    ],
  );
});

t.test('a core that sends a session away while it ends hears of one end', async (t) => {
  const { desk, port, lines } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  if (!sink) return t.fail('no sink');
  sink.onEnd = () => desk.evict(0, 'taken-over');
  await client.announceEnd();
  t.strictSame(sink.ends, ['announced']);
  t.equal(lines.filter(({ event }) => event === 'rtmp.closed').length, 1);
});

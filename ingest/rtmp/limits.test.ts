/** What a session does not put up with. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { ChunkWriter } from './chunk-writer.ts';
import * as say from './messages.ts';
import { RtmpTestClient } from './test-client.ts';
import { plainHandshake } from './test-messages.ts';
import { stage } from './test-stage.ts';
import { picture, video } from './test-units.ts';

t.test('time-outs: handshake, publish, media', async (t) => {
  const clock = new FakeClock();
  const { desk, port, logged, server } = await stage(t, { clock });
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  silent.write(Buffer.from([3]));
  while (server.counters.bytesIn === 0) await new Promise((resolve) => setImmediate(resolve));
  let closed = logged('rtmp.closed');
  clock.advance(9_999);
  t.equal(server.sessions, 1);
  clock.advance(1);
  t.match(await closed, { fault: 'handshake-timeout', end: 'timeout' });
  await once(silent.resume(), 'close');

  const shaken = connect(port, '127.0.0.1');
  shaken.on('data', () => {});
  shaken.write(plainHandshake());
  while (server.facts().at(-1)?.state !== 'commands') await new Promise((resolve) => setImmediate(resolve));
  closed = logged('rtmp.closed');
  clock.advance(10_000);
  t.match(await closed, { fault: 'publish-timeout' });
  await once(shaken, 'close');

  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  client.track(video);
  clock.advance(10_000);
  const arrived = new Promise<void>((resolve) => sink && (sink.onUnit = () => resolve()));
  await client.send(picture(0));
  await arrived;
  clock.advance(14_999);
  t.strictSame(sink?.ends, []);
  clock.advance(1);
  t.equal(await sink?.ended, 'timeout');
  await client.closed;
  t.match(client.statuses.at(-1), { description: /no picture and no sound/ });
});

t.test('waiting for the core is not the silence of the sender', async (t) => {
  const clock = new FakeClock();
  const { desk, port } = await stage(t, { clock });
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  if (!sink) return t.fail('no sink');
  client.track(video);
  const arrived = new Promise<void>((resolve) => (sink.onUnit = () => resolve()));
  sink.fill();
  await client.send(picture(0));
  await arrived;
  clock.advance(60_000);
  t.strictSame(sink.ends, []);
  sink.drain();
  await client.announceEnd();
  t.strictSame(sink.ends, ['announced']);
});

t.test('what nothing here carries is refused in words that help', async (t) => {
  const { desk, port, lines } = await stage(t);
  const bodies = [
    { type: 9, payload: Buffer.from('1c00000000', 'hex'), words: /HEVC/ },
    { type: 9, payload: Buffer.from('9076766331', 'hex'), words: /vvc1 \(Enhanced RTMP\)/ },
    { type: 8, payload: Buffer.from('2fffffff', 'hex'), words: /MP3/ },
  ];
  for (const { type, payload, words } of bodies) {
    const client = await RtmpTestClient.connect({ port, key: 'good' });
    client.message({ chunkStream: 5, message: { type, streamId: 1, timestamp: 0, payload } });
    await client.closed;
    t.match(client.statuses.at(-1), { level: 'error', description: words });
    t.match(desk.sinks.at(-1)?.left, [words], 'and the streamer can be told');
    t.strictSame(desk.sinks.at(-1)?.ends, ['protocol-error']);
  }
  t.equal(lines.filter(({ fault }) => fault === 'unsupported-codec').length, bodies.length, 'one line each');
});

t.test('a sink that throws ends its own session', async (t) => {
  const { desk, port, lines } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const sink = desk.sinks[0];
  if (!sink) return t.fail('no sink');
  sink.onUnit = () => {
    throw new Error('a bug');
  };
  client.track(video);
  await client.send(picture(0));
  await client.closed;
  t.strictSame(sink.ends, ['evicted']);
  t.match(lines.at(-1), { level: 'error', err: { message: 'a bug' } });
});

t.test('a peer that never reads is cut off, and holds little memory', async (t) => {
  const { desk, port, logged } = await stage(t, { limits: { outputBytes: 64 * 1024 } });
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  client.socket.pause();
  const closed = logged('rtmp.closed');
  const { chunkStream, message } = say.pingRequest(1);
  const many = Buffer.concat(Array.from({ length: 5000 }, () => new ChunkWriter().encode(chunkStream, message)));
  const pings = (async () => {
    while (!client.socket.destroyed) {
      if (client.socket.write(many)) continue;
      await Promise.race([once(client.socket, 'drain'), client.closed]).catch(() => {}); // Then it is destroyed.
    }
  })();
  t.match(await closed, { fault: 'output-full' });
  client.destroy();
  await pings;
  t.strictSame(desk.sinks[0]?.ends, ['protocol-error']);
});

t.test('strangers are bounded, by address and in all: the oldest gives way, and publishers do not count', async (t) => {
  const bounds = [{ strangersPerAddress: 2 }, { strangers: 2 }];
  for (const limits of bounds) {
    const { port, server, lines } = await stage(t, { limits });
    const there = await RtmpTestClient.connect({ port, key: 'good' });
    const halfOpen = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')] as const;
    const [first, second] = halfOpen;
    const gone = new Promise((resolve) => first.resume().on('error', resolve).on('close', resolve));
    while (server.sessions < 3) await new Promise((resolve) => setImmediate(resolve));
    const good = await RtmpTestClient.connect({ port, key: 'good' });
    await gone;
    t.match(server.counters, { accepted: 4, turnedAway: 1 });
    t.ok(lines.some(({ event, address }) => event === 'rtmp.turned-away' && address === '127.0.0.1'));
    t.notOk(second.destroyed, 'the other one may stay');
    t.notOk(there.socket.destroyed || good.socket.destroyed);
    for (const socket of [there, good, second]) socket.destroy();
  }
});

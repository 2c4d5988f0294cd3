/** One connection's life: admission, back-pressure, ends, time-outs, limits. Peer: our own client. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { PublishVerdict } from '../../packager/media/publish.ts';
import type { AccessUnit, TrackConfig } from '../../packager/media/unit.ts';
import { ChunkWriter } from './chunk-writer.ts';
import * as say from './messages.ts';
import { PublishRefused, RtmpTestClient } from './test-client.ts';
import { stage } from './test-stage.ts';
import { fingerprint, plainHandshake, sessionBytes } from './test-messages.ts';

const video: TrackConfig = {
  kind: 'video',
  codec: 'h264',
  config: Buffer.from('0142c00dffe1000467420001010004' + '68ce3880', 'hex'),
};
const audio: TrackConfig = { kind: 'audio', codec: 'aac', config: Buffer.from('1190', 'hex') };
const picture = (dts: number, bytes = 100, offset = 0): AccessUnit => ({
  kind: 'video',
  dts,
  pts: (dts + offset) >>> 0,
  key: dts === 0,
  data: Buffer.alloc(bytes, dts & 255),
});
const sound = (dts: number): AccessUnit => ({ kind: 'audio', dts, pts: dts, key: true, data: Buffer.alloc(20, 7) });

/** All bytes that a server says to these bytes until it closes. */
const exchange = async (port: number, bytes: Buffer): Promise<Buffer> => {
  const socket = connect(port, '127.0.0.1');
  const heard: Buffer[] = [];
  socket.on('data', (part: Buffer) => heard.push(part));
  socket.on('error', () => {}); // A reset ends it as well.
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(heard);
};

t.test('units arrive with their own wrapped times, tracks and metadata', async (t) => {
  const { desk, port } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const units = [picture(0, 50_000, 66), sound(5), picture(0xffffff, 10), picture(0xfffffff0, 100_000, 66), picture(17, 9, -33)];
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

t.test('nobody hears Publish.Start before the desk has answered, or at all when it refuses', async (t) => {
  const { desk, port } = await stage(t);
  const answers: Record<string, RegExp> = { 'unknown-key': /BadName/, 'busy': /BadName/, 'slow-down': /Denied/ };
  for (const code of ['unknown-key', 'busy', 'slow-down'] as const) {
    desk.decide = () => ({ ok: false, code, message: `because of ${code}` });
    const heard = await exchange(port, sessionBytes({ app: 'live', key: 'bad' }, [], []));
    t.notOk(heard.includes('Publish.Start'), 'not one byte of it');
    t.match(heard.toString('latin1'), answers[code]);
    const refused = await RtmpTestClient.connect({ port, key: 'x' }).catch((error: unknown) => error);
    t.ok(refused instanceof PublishRefused);
    t.match(refused, { status: { level: 'error', description: `because of ${code}` } });
  }
});

t.test('while the desk thinks nothing is read; what was sent meanwhile is not lost', async (t) => {
  const { desk, port } = await stage(t);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<PublishVerdict>();
  desk.decide = () => {
    asked.resolve();
    return answer.promise;
  };
  const units = Array.from({ length: 200 }, (_, index) => picture(index * 33, 5_000));
  const talk = exchange(port, sessionBytes({ app: 'live', key: 'k' }, [video], units));
  await asked.promise;
  answer.resolve(desk.welcome());
  const heard = await talk;
  t.ok(heard.includes('NetStream.Publish.Start'));
  t.strictSame(desk.sinks[0]?.units.map(fingerprint), units.map(fingerprint));
  t.strictSame(desk.sinks[0]?.ends, ['announced']);
});

t.test('a sender that left while the desk was thinking leaves an ended sink', async (t) => {
  const clock = new FakeClock();
  const { desk, port, logged } = await stage(t, { clock });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<PublishVerdict>();
  desk.decide = () => {
    asked.resolve();
    return answer.promise;
  };
  const closed = logged('rtmp.closed');
  const talk = exchange(port, sessionBytes({ app: 'live', key: 'k' }, [], []));
  await asked.promise;
  clock.advance(10_000);
  t.match(await closed, { fault: 'admission-timeout' });
  answer.resolve(desk.welcome());
  await desk.sinks[0]?.ended;
  t.strictSame(desk.sinks[0]?.ends, ['timeout']);
  clock.advance(10_000);
  t.notOk((await talk).includes('Publish.Start'));
});

t.test('a desk that fails costs only this publisher', async (t) => {
  const { desk, port, lines } = await stage(t);
  desk.decide = () => Promise.reject(new Error('the catalog is gone'));
  const refused = await RtmpTestClient.connect({ port, key: 'x' }).catch((error: unknown) => error);
  t.match(refused, { status: { code: 'NetStream.Failed' } });
  t.match(lines.at(-1), { level: 'error', err: { message: 'the catalog is gone' } });
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
  const words = [say.command(0, 'FCUnpublish', 6, null, 'good'), say.command(1, 'closeStream', 0, null), say.command(0, 'deleteStream', 0, null, 1)];
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

t.test('every reason to be sent away has its words', async (t) => {
  const { desk, port } = await stage(t);
  for (const reason of ['taken-over', 'key-revoked', 'ended-by-owner', 'channel-deleted', 'shutting-down', 'fault'] as const) {
    const client = await RtmpTestClient.connect({ port, key: 'good' });
    desk.requests.at(-1)?.evict(reason);
    desk.requests.at(-1)?.evict('fault');
    await client.closed;
    t.match(client.statuses.at(-1), { level: 'error', description: /\w+ \w+ \w+/ });
    t.strictSame(desk.sinks.at(-1)?.ends, ['evicted']);
  }
});

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
  t.strictSame(client.acknowledged, client.acknowledged.toSorted((a, b) => a - b));
  t.strictSame(client.pongs, [4711]);
});

t.test('what is no H.264 and no AAC is refused in words that help', async (t) => {
  const { desk, port, lines } = await stage(t);
  const bodies = [
    { type: 9, payload: Buffer.from('1c00000000', 'hex'), words: /HEVC/ },
    { type: 9, payload: Buffer.from('9068766331', 'hex'), words: /hvc1 \(Enhanced RTMP\)/ },
    { type: 8, payload: Buffer.from('2fffffff', 'hex'), words: /MP3/ },
  ];
  for (const { type, payload, words } of bodies) {
    const client = await RtmpTestClient.connect({ port, key: 'good' });
    client.message({ chunkStream: 5, message: { type, streamId: 1, timestamp: 0, payload } });
    await client.closed;
    t.match(client.statuses.at(-1), { level: 'error', description: words });
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

t.test('strangers are bounded, by address and in all; publishers do not count', async (t) => {
  const { port, server, lines } = await stage(t, { limits: { strangersPerAddress: 2 } });
  await RtmpTestClient.connect({ port, key: 'good' });
  const halfOpen = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  await Promise.all(halfOpen.map((socket) => once(socket, 'connect')));
  await t.rejects(RtmpTestClient.connect({ port, key: 'good' }));
  t.match(server.counters, { accepted: 3, turnedAway: 1 });
  t.match(lines.at(-1), { event: 'rtmp.turned-away', address: '127.0.0.1' });
  halfOpen[0]?.destroy();
  while (server.sessions > 2) await new Promise((resolve) => setImmediate(resolve));
  const again = await RtmpTestClient.connect({ port, key: 'good' });
  again.destroy();
  halfOpen[1]?.destroy();
});

t.test('closing the server sends everybody away and resolves when they have gone', async (t) => {
  const { desk, port, server } = await stage(t);
  const client = await RtmpTestClient.connect({ port, key: 'good' });
  const stranger = connect(port, '127.0.0.1');
  await once(stranger, 'connect');
  server.stopAccepting();
  t.equal(desk.sinks[0]?.ends.length, 0, 'who is there goes on');
  await t.rejects(RtmpTestClient.connect({ port, key: 'good' }));
  await server.close();
  t.equal(server.sessions, 0);
  t.strictSame(desk.sinks[0]?.ends, ['evicted']);
  await client.closed;
  stranger.destroy();
});

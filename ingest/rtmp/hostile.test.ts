/** Malformed connections against a running server, while a good stream goes on beside them. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import t from 'tap';
import type { AccessUnit } from '../../packager/media/unit.ts';
import { encodeAmf0 } from './amf0.ts';
import type { AmfValue } from './amf0.ts';
import { ChunkWriter } from './chunk-writer.ts';
import * as say from './messages.ts';
import type { Outgoing } from './messages.ts';
import { RtmpTestClient } from './test-client.ts';
import {
  connectCommand,
  fingerprint,
  plainHandshake,
  preparation,
  publishCommand,
  sessionBytes,
} from './test-messages.ts';
import { Random } from './test-random.ts';
import { stage } from './test-stage.ts';
import { audio, video } from './test-units.ts';

const random = new Random(1935);
const clip: AccessUnit[] = Array.from({ length: 60 }, (_, index) =>
  index % 2 === 0
    ? { kind: 'video', dts: index * 16, pts: index * 16 + 33, key: index === 0, data: random.bytes(900) }
    : { kind: 'audio', dts: index * 16, pts: index * 16, key: true, data: random.bytes(120) },
);
const goodBytes = sessionBytes({ app: 'live', key: 'good-secret' }, [video, audio], clip);

/** Sends the bytes in one or two pieces, closes its side, and waits until the server has closed. */
const attack = async (port: number, bytes: Buffer): Promise<void> => {
  const socket = connect(port, '127.0.0.1');
  socket.on('data', () => {});
  socket.on('error', () => {}); // A reset is one of the answers.
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const cut = random.below(bytes.length + 1);
  socket.write(bytes.subarray(0, cut));
  setImmediate(() => socket.end(bytes.subarray(cut)));
  await closed;
};

/** A stream that goes on until it is stopped, unit by unit. */
const steadyStream = (client: RtmpTestClient): { readonly stop: () => Promise<AccessUnit[]> } => {
  client.track(video);
  client.track(audio);
  const sent: AccessUnit[] = [];
  let going = true;
  const done = (async () => {
    for (let index = 0; going; index += 1) {
      const kind = index % 3 === 0 ? 'video' : 'audio';
      const unit: AccessUnit = {
        kind,
        dts: index * 11,
        pts: index * 11,
        key: kind === 'audio',
        data: Buffer.alloc(400, index),
      };
      sent.push(unit);
      await client.send(unit);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await client.announceEnd();
    return sent;
  })();
  return { stop: () => ((going = false), done) };
};

t.test('1,000 malformed connections cost a good stream not one unit, and each only itself', async (t) => {
  const { desk, port, server, lines } = await stage(t);
  const stream = steadyStream(await RtmpTestClient.connect({ port, key: 'good' }));
  let left = 1000;
  const attacker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      // Half of them shake hands properly, so that what is spoilt lies in the chunks.
      await attack(port, random.spoil(goodBytes, left % 2 ? 3073 + random.below(800) : 0));
    }
  };
  const before = process.memoryUsage.rss();
  await Promise.all(Array.from({ length: 16 }, attacker));
  const grown = process.memoryUsage.rss() - before;
  const sent = await stream.stop();
  const [good, ...others] = desk.sinks;
  t.strictSame(good?.units.map(fingerprint), sent.map(fingerprint), `all ${sent.length} units`);
  t.strictSame(good?.ends, ['announced']);
  while (server.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  t.ok(others.length > 100, `${others.length} got as far as publishing`);
  t.ok(
    others.every(({ ends }) => ends.length === 1),
    'each of which ended once',
  );
  const closed = lines.filter(({ event }) => event === 'rtmp.closed');
  t.equal(closed.length, 1001, 'one line for each connection');
  t.equal(lines.filter(({ level }) => level === 'error').length, 0, 'and none of them was a mistake of ours');
  t.ok(new Set(closed.map(({ fault }) => fault)).size > 8, 'for many different reasons');
  t.notMatch(JSON.stringify(lines), /good-secret/);
  t.ok(grown < 128 * 1024 * 1024, `${Math.round(grown / 1e6)} MB`);
});

const script = (...steps: (Outgoing | Buffer)[]): Buffer => {
  const writer = new ChunkWriter();
  const bytes = steps.map((step) => (Buffer.isBuffer(step) ? step : writer.encode(step.chunkStream, step.message)));
  return Buffer.concat([plainHandshake(), ...bytes]);
};
const raw = (type: number, payload: Buffer): Outgoing => ({
  chunkStream: 3,
  message: { type, streamId: 1, timestamp: 0, payload },
});
const amf = (...values: AmfValue[]): Outgoing => raw(20, encodeAmf0(...values));
const hello = connectCommand({ app: 'live', key: '' });
const begin = [hello, ...preparation('good')];
const live = [...begin, publishCommand(1, 'good')];
const deep = Buffer.concat([
  encodeAmf0('connect', 1),
  ...Array.from({ length: 20_000 }, () => Buffer.from('03000161', 'hex')),
]);

const malformed: Readonly<Record<string, Buffer>> = {
  'a tcUrl that is no URL': script(
    connectCommand({ app: '', key: '', tcUrl: ':// %%% \u0000' }),
    publishCommand(1, ''),
  ),
  'publish with a null name': script(...begin, amf('publish', 5, null, null)),
  'an empty AMF string for a command': script(raw(20, Buffer.from('020000', 'hex'))),
  'connect with no object': script(amf('connect', 1)),
  'AMF 20,000 deep': script(raw(20, deep)),
  'a string that lies about its length': script(raw(20, Buffer.from('02ffff41', 'hex'))),
  'a chunk size of 0': script(raw(1, Buffer.from('00000000', 'hex'))),
  'a chunk size of 2^31': script(raw(1, Buffer.from('80000000', 'hex'))),
  '65,000 chunk streams': script(
    ...Array.from({ length: 65_000 }, (_, id) => Buffer.from([1, id & 255, id >> 8, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0])),
  ),
  'Set Chunk Size for ever': script(...live, ...Array.from({ length: 20_000 }, () => say.setChunkSize(128))),
  'commands for ever': script(...Array.from({ length: 5_000 }, () => amf('createStream', 1, null))),
  'an invalid FourCC': script(...live, raw(9, Buffer.from('9000ff00ff0000', 'hex'))),
  'an AVC configuration of nothing': script(...live, raw(9, Buffer.from('170000000001', 'hex'))),
  'an aggregate that is cut short': script(...live, raw(22, Buffer.from('0900ffff000000000000000000', 'hex'))),
  'metadata that is no AMF': script(...live, raw(18, Buffer.from('ff00ff00', 'hex'))),
  'a message of 16 MB': script(...live, Buffer.from('06000000ffffff0901000000', 'hex'), Buffer.alloc(128)),
  'a message of 1 MB before anybody was let in': script(
    Buffer.from('060000000fffff0901000000', 'hex'),
    Buffer.alloc(128),
  ),
  'TLS': Buffer.from('1603010200010001fc0303', 'hex'),
  'HTTP': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'nothing': Buffer.alloc(0),
};

t.test('each of the classics ends its own session, without a mistake of ours', async (t) => {
  const { desk, port, server, lines } = await stage(t);
  const stream = steadyStream(await RtmpTestClient.connect({ port, key: 'good' }));
  for (const [what, bytes] of Object.entries(malformed)) {
    await attack(port, bytes);
    const line = lines.findLast(({ event }) => event === 'rtmp.closed');
    t.match(line, { level: /debug|info|warn/, why: /\w/ }, `${what}: ${String(line?.['why'])}`);
  }
  const sent = await stream.stop();
  t.strictSame(desk.sinks[0]?.units.map(fingerprint), sent.map(fingerprint));
  t.ok(desk.sinks.every(({ ends }) => ends.length === 1));
  while (server.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
});

t.test('a stranger that begins as many messages as it can holds less than 8 MB', async (t) => {
  const { port, server } = await stage(t);
  const open: Socket[] = [];
  const before = process.memoryUsage.rss();
  const begun = Array.from({ length: 60 }, (_, id) =>
    Buffer.concat([Buffer.from([id + 3, 0, 0, 0, 0, 0x20, 0, 20, 0, 0, 0, 0]), Buffer.alloc(128, 1)]),
  );
  const bytes = Buffer.concat([plainHandshake(), ...begun]);
  for (let index = 0; index < 50; index += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', () => {});
    socket.on('error', () => {}); // It may be cut off.
    socket.write(bytes);
    await once(socket, 'connect');
    open.push(socket);
  }
  while (server.counters.bytesIn < 50 * bytes.length) await new Promise((resolve) => setImmediate(resolve));
  const each = (process.memoryUsage.rss() - before) / open.length;
  t.ok(each < 8 * 1024 * 1024, `${Math.round(each / 1024)} KB each`);
  for (const socket of open) socket.destroy();
});

/** Packets of which nothing may be believed: 100,000 of them, from strangers and from somebody who was let in. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { Random } from '../rtmp/test-random.ts';
import { extensionType } from './handshake.ts';
import { controlType, keyMaterialRequest, writeControl } from './packet.ts';
import { readStreamId } from './stream-id.ts';
import { Bench, TestCaller } from './test-caller.ts';

const keyMaterial = Buffer.concat([Buffer.from('122029010000000002000200000004', 'hex'), Buffer.from([4]), randomBytes(16), Buffer.alloc(24, 7)]);

t.test('100,000 spoiled handshakes from strangers: no error, and no memory', async (t) => {
  const random = new Random(41);
  const bench = new Bench();
  const caller = new TestCaller(bench);
  const cookie = caller.induce();
  const models = [
    caller.handshake({}),
    caller.conclusion(cookie),
    caller.conclusion(cookie, { streamId: '#!::r=live,m=publish,s=key' }),
    caller.conclusion(cookie, { more: [{ type: extensionType.keyMaterialRequest, content: keyMaterial }] }),
  ] as const;
  for (let round = 0; round < 100_000; round += 1) {
    caller.give(round % 10 === 9 ? random.bytes(random.below(200)) : random.spoil(random.pick(models), random.below(64)));
    for (const { call } of bench.said('ask')) bench.listener.onOrder({ type: 'refuse', call, fault: 'unknown-key' });
    bench.words.length = 0;
    // An answer is never longer than what was asked: nobody can use us to flood somebody else.
    bench.sent.length = 0;
    if (round % 1000 === 0) bench.pass(10);
    const { calls, pending } = bench.listener.size;
    if (calls > 6_200 || pending > 512) t.fail(`${calls} callers, ${pending} of them waiting`);
  }
  const good = new TestCaller(bench, 4, { port: 4, address: '203.0.113.4' });
  bench.pass(11_000);
  good.connect();
  t.equal(bench.listener.size.open, 1);
});

t.test('no answer to a stranger is longer than its question', async (t) => {
  const bench = new Bench();
  const caller = new TestCaller(bench);
  const cookie = caller.induce();
  for (const question of [caller.handshake({}), caller.conclusion(cookie + 1), caller.conclusion(cookie, { streamId: '' })]) {
    bench.sent.length = 0;
    caller.give(question);
    t.ok(bench.sent.every(({ bytes }) => bytes.length <= question.length));
    t.equal(bench.sent.length, 1);
  }
});

t.test('100,000 spoiled packets of somebody who was let in: no error, nothing that grows, nobody else hurt', async (t) => {
  const random = new Random(42);
  const bench = new Bench({ window: 512 });
  const neighbour = new TestCaller(bench, 5, { port: 5, address: '203.0.113.5' });
  neighbour.connect({ latencyMs: 20 });
  let caller = new TestCaller(bench);
  caller.connect();
  let connected = 1;
  let delivered = 0;
  let good = 0;
  const range = (from: number, to: number): Buffer => {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(from >>> 0, 0);
    body.writeUInt32BE(to >>> 0, 4);
    return body;
  };
  for (let round = 0; round < 100_000; round += 1) {
    const index = Math.floor(round / 2) + random.below(20) - 10;
    const socket = caller.remote;
    const control = (type: number, body: Buffer, more: object = {}): Buffer => writeControl({ type, timestamp: round * 100, socket, body, ...more });
    const data = Buffer.alloc(16 + random.below(64), round);
    data.writeUInt32BE((caller.initialSequence + index + 2 ** 31) % 2 ** 31, 0);
    data.writeUInt32BE(0xc000_0000, 4);
    data.writeUInt32BE((round * 100) >>> 0, 8);
    data.writeUInt32BE(socket, 12);
    const model = random.pick([
      data,
      data,
      control(controlType.acknowledged, Buffer.alloc(0), { info: random.below(200) }),
      control(controlType.dropRequest, range(caller.initialSequence + index, caller.initialSequence + index + random.below(2 ** 31))),
      control(controlType.loss, range(random.below(2 ** 31), random.below(2 ** 31))),
      control(controlType.userDefined, keyMaterial, { subtype: keyMaterialRequest }),
      control(controlType.acknowledgement, Buffer.alloc(28, 0xff)),
      control(controlType.keepAlive, Buffer.alloc(0)),
    ]);
    // The last four bytes of the head stay, so that it comes where it should.
    const spoiled = random.spoil(model, 16);
    if (round % 3 > 0 && spoiled.length >= 4) spoiled[random.below(8)] = random.below(256);
    caller.give(round % 2 === 0 ? spoiled : model);
    if (round % 10 === 0) {
      neighbour.data(good, Buffer.from('good'), { timestamp: bench.now - 1_000_000 });
      good += 1;
      bench.pass(10);
    }
    for (const { call, bytes } of bench.said('media')) {
      if (call === 1) delivered += bytes.length;
      bench.listener.onOrder({ type: 'taken', call, bytes: bytes.length });
    }
    if (bench.said('closed').length > 0) {
      connected += 1;
      caller = new TestCaller(bench, 100 + connected, { port: 5000 });
      caller.connect();
    }
    bench.words.length = 0;
    bench.sent.length = 0;
  }
  bench.pass(200);
  for (const { call, bytes } of bench.said('media')) if (call === 1) delivered += bytes.length;
  t.equal(delivered, good * 4, 'whoever was beside it has lost nothing');
  t.ok(connected < 2_000, `${connected} connections`);
});

t.test('stream ids', async (t) => {
  const cases: [string, string | null][] = [
    ['KEY', 'KEY'],
    ['live/KEY', 'KEY'],
    ['publish:live/KEY', 'KEY'],
    [' KEY\n', 'KEY'],
    ['#!::m=publish,s=KEY', 'KEY'],
    ['#!::r=live/KEY,m=publish', 'KEY'],
    ['#!::h=host,t=stream,u=me,m=publish,r=live,s=KEY', 'KEY'],
    ['live', null],
    ['#!::s=KEY', null],
    ['#!::m=bidirectional,s=KEY', null],
    ['#!::nonsense', null],
    [`${'x'.repeat(513)}`, null],
  ];
  for (const [text, key] of cases) t.equal(((id) => (id.ok ? id.key : null))(readStreamId(text)), key, text.slice(0, 40));
});

import { createCipheriv, randomBytes } from 'node:crypto';
import t from 'tap';
import { extensionType } from './handshake.ts';
import { cryptPacket, readKeyMaterial, unwrap, wrappingKey } from './key-material.ts';
import { controlType, keyMaterialRequest, keyMaterialResponse, type ControlPacket } from './packet.ts';
import { Bench, TestCaller, type Wishes } from './test-caller.ts';

const part = (index: number): Buffer => Buffer.from(`packet ${index}.`);
const media = (bench: Bench): string[] => bench.said('media').flatMap(({ bytes }) => Buffer.from(bytes).toString().split('.').filter((text) => text !== ''));
const names = (...indexes: number[]): string[] => indexes.map((index) => `packet ${index}`);
const of = (packets: readonly ControlPacket[], type: number): ControlPacket[] => packets.filter((packet) => packet.type === type);

const connected = (wishes: Wishes = {}, passphrase: string | null = null): { bench: Bench; caller: TestCaller } => {
  const bench = new Bench();
  const caller = new TestCaller(bench);
  caller.connect(wishes, passphrase);
  return { bench, caller };
};

t.test('packets leave in order, across the wrap of their numbers, when their latency has passed', async (t) => {
  const { bench, caller } = connected({ latencyMs: 500 });
  for (const index of [0, 2, 1, 4, 3, 5]) caller.data(index, part(index), { timestamp: 0 });
  bench.pass(490);
  t.same(media(bench), []);
  bench.pass(20);
  t.same(media(bench), names(0, 1, 2, 3, 4, 5));
  t.notOk(bench.said('media').some(({ missing }) => missing > 0));
});

t.test('what is missing is asked for at once, and again; what comes is taken, what does not is given up in time', async (t) => {
  const { bench, caller } = connected({ latencyMs: 1000 });
  for (const index of [0, 1, 4, 5, 9]) caller.data(index, part(index), { timestamp: 0 });
  const [first, second] = of(bench.heard(), controlType.loss).map(({ body }) => body.toString('hex'));
  // From 2^31 - 1 to 0: a range across the wrap. Then 3 to 5.
  t.same([first, second], ['ffffffff00000000', '8000000300000005']);
  bench.pass(200);
  t.equal(of(bench.heard(), controlType.loss)[0]?.body.toString('hex'), 'ffffffff000000008000000300000005');
  caller.data(2, part(2), { timestamp: 0, again: true });
  caller.data(2, part(2), { timestamp: 0, again: true });
  bench.pass(1_000);
  t.same(media(bench), names(0, 1, 2, 4, 5, 9));
  t.same(bench.said('media').map(({ missing }) => missing), [0, 1, 3]);
  caller.data(3, part(3), { timestamp: 0, again: true });
  bench.heard();
  bench.pass(1_000);
  t.equal(of(bench.heard(), controlType.loss).length, 0, 'what is too late is not asked for');
  t.match(bench.listener.statistics().calls[0]?.statistics, { packets: 8, lost: 5, recovered: 1, dropped: 4, doubled: 1, late: 1, again: 3 });
});

t.test('acknowledgements every 10 ms while something comes, answered ones measure the round trip', async (t) => {
  const { bench, caller } = connected();
  caller.data(0, part(0));
  bench.pass(10);
  const [ack] = of(bench.heard(), controlType.acknowledgement);
  t.equal(ack?.body.readUInt32BE(0), 2 ** 31 - 2);
  bench.now += 30_000;
  caller.control(controlType.acknowledged, { info: ack?.info ?? 0 });
  t.equal(bench.listener.statistics().calls[0]?.statistics.rtt, 30_000);
  caller.control(controlType.acknowledged, { info: ack?.info ?? 0 });
  caller.control(controlType.acknowledged, { info: 999 });
  t.equal(bench.listener.statistics().calls[0]?.statistics.rtt, 30_000, 'answers that nobody asked for measure nothing');
  bench.pass(300);
  t.equal(of(bench.heard(), controlType.acknowledgement).length, 0, 'what has been heard is not said again');
  for (let index = 1; index <= 64; index += 1) caller.data(index, part(index));
  t.equal(of(bench.heard(), controlType.acknowledgement)[0]?.body.length, 4, 'a light one behind 64 packets');
  caller.data(65, part(65));
  bench.pass(400);
  t.ok(of(bench.heard(), controlType.acknowledgement).length >= 2, 'one that is not answered is repeated');
});

t.test('a clock that runs otherwise is followed, and stamps wrap', async (t) => {
  const bench = new Bench();
  const caller = new TestCaller(bench);
  // The sender's clock is slow by one in a thousand, and begins 2 s before its wrap.
  caller.began = 2 ** 32 - 2_000_000;
  caller.connect({ latencyMs: 200 });
  const begun = bench.now;
  const body = Buffer.alloc(100);
  const waiting: number[] = [];
  for (let index = 0; index < 6_000; index += 1) {
    const timestamp = (caller.began + Math.round((bench.now - begun) * 0.999)) % 2 ** 32;
    caller.data(index, body, { timestamp });
    bench.pass(10);
    for (const { type, info } of bench.heard()) if (type === controlType.acknowledgement && info > 0) caller.control(controlType.acknowledged, { info, timestamp });
    const delivered = bench.said('media').reduce((sum, { bytes }) => sum + bytes.length / body.length, 0);
    waiting.push(index + 1 - delivered);
  }
  const late = waiting.slice(-1000);
  t.ok(Math.min(...late) >= 18 && Math.max(...late) <= 22, `${Math.min(...late)} to ${Math.max(...late)} packets of 10 ms wait`);
});

t.test('an announced end hands out what is there at once; silence is a loss', async (t) => {
  const { bench, caller } = connected({ latencyMs: 5_000 });
  for (const index of [0, 1, 3]) caller.data(index, part(index));
  caller.control(controlType.shutdown, { body: Buffer.alloc(4) });
  t.same(media(bench), names(0, 1, 3));
  t.match(bench.said('closed'), [{ reason: 'announced' }]);
  const other = connected();
  for (let second = 0; second < 10; second += 1) {
    other.caller.control(controlType.keepAlive);
    other.bench.pass(1_000);
  }
  t.ok(of(other.bench.heard(), controlType.keepAlive).length >= 9, 'both sides say that they are there');
  t.equal(other.bench.said('closed').length, 0);
  other.bench.pass(5_100);
  t.match(other.bench.said('closed'), [{ reason: 'lost' }]);
});

t.test('media that nobody takes stays where it is, within its bounds, and the sender hears of less room', async (t) => {
  const bench = new Bench({ creditBytes: 10_000, window: 256 });
  const caller = new TestCaller(bench);
  caller.connect();
  const roomSaid = (): number => of(bench.heard(), controlType.acknowledgement).findLast(({ body }) => body.length === 28)?.body.readUInt32BE(12) ?? -1;
  for (let index = 0; index < 400; index += 1) {
    caller.data(index, Buffer.alloc(1000, 0x61), { timestamp: 0 });
    bench.pass(10);
  }
  const taken = (): number => bench.said('media').reduce((sum, { bytes }) => sum + bytes.length, 0);
  t.equal(taken(), 10_000);
  t.ok(roomSaid() <= 2);
  const [call] = bench.listener.statistics().calls;
  t.ok((call?.statistics.beyond ?? 0) > 100);
  bench.listener.onOrder({ type: 'taken', call: 1, bytes: 10_000 });
  bench.pass(10);
  t.equal(taken(), 20_000);
});

t.test('a leap of numbers beyond the window is a loss, not an end', async (t) => {
  const { bench, caller } = connected();
  caller.data(0, part(0));
  bench.pass(300);
  caller.data(1_000_000, part(1_000_000), { timestamp: 300_000 });
  bench.pass(300);
  t.same(media(bench), names(0, 1_000_000));
  t.same(bench.said('media').map(({ missing }) => missing), [0, 999_999]);
});

t.test('ranges that a peer names are cut to the window', async (t) => {
  const { bench, caller } = connected({ latencyMs: 1000 });
  caller.data(0, part(0), { timestamp: 0 });
  caller.data(5, part(5), { timestamp: 0 });
  bench.heard();
  const began = performance.now();
  for (const [from, to] of [[0, 0x7fff_ffff], [0x7fff_fff0, 0x7fff_ffef], [5, 4]] as const) {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(from, 0);
    body.writeUInt32BE(to, 4);
    for (let time = 0; time < 1000; time += 1) caller.control(controlType.dropRequest, { body });
  }
  t.ok(performance.now() - began < 1_000);
  bench.pass(1_100);
  t.same(media(bench), names(0, 5));
});

/** Key material as a sender makes it. */
const materialOf = (passphrase: string, which: 1 | 2 | 3, secret: Buffer, salt = randomBytes(16)): Buffer => {
  const keyBytes = secret.length / (which === 3 ? 2 : 1);
  const cipher = createCipheriv(`id-aes${keyBytes * 8}-wrap`, wrappingKey({ salt, keyBytes: keyBytes as 16 | 24 | 32 }, passphrase), Buffer.alloc(8, 0xa6));
  const head = Buffer.from([0x12, 0x20, 0x29, which, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 4, keyBytes / 4]);
  return Buffer.concat([head, salt, cipher.update(secret), cipher.final()]);
};

t.test('key material: both keys, all sizes, and only with the right passphrase', async (t) => {
  for (const keyBytes of [16, 24, 32]) {
    for (const which of [1, 2, 3] as const) {
      const secret = randomBytes(keyBytes * (which === 3 ? 2 : 1));
      const bytes = materialOf('correct horse', which, secret);
      const material = readKeyMaterial(bytes);
      if (!material) throw new Error('not read');
      const keys = unwrap(material, wrappingKey(material, 'correct horse'));
      t.same(Buffer.concat([keys?.even?.secret ?? Buffer.alloc(0), keys?.odd?.secret ?? Buffer.alloc(0)]), secret);
      t.equal(unwrap(material, wrappingKey(material, 'wrong horse')), null);
    }
  }
});

t.test('an encrypted connection: keys change on the way, and nothing in the clear is believed', async (t) => {
  const first = randomBytes(16);
  const bytes = materialOf('correct horse', 1, first);
  const salt = readKeyMaterial(bytes)?.salt ?? Buffer.alloc(0);
  const { bench, caller } = connected({ more: [{ type: extensionType.keyMaterialRequest, content: bytes }] }, 'correct horse');
  const sequence = (index: number): number => (caller.initialSequence + index) % 2 ** 31;
  caller.data(0, cryptPacket({ salt, secret: first }, sequence(0), part(0)), { key: 1, timestamp: 0 });
  const second = randomBytes(16);
  const announced = materialOf('correct horse', 2, second);
  const newSalt = readKeyMaterial(announced)?.salt ?? Buffer.alloc(0);
  caller.data(1, cryptPacket({ salt: newSalt, secret: second }, sequence(1), part(1)), { key: 2, timestamp: 0 });
  caller.control(controlType.userDefined, { subtype: keyMaterialRequest, body: announced });
  const [response] = of(bench.heard(), controlType.userDefined);
  t.equal(response?.subtype, keyMaterialResponse);
  t.same(response?.body, announced);
  caller.data(1, cryptPacket({ salt: newSalt, secret: second }, sequence(1), part(1)), { key: 2, timestamp: 0, again: true });
  caller.data(2, part(2), { timestamp: 0 });
  caller.data(2, cryptPacket({ salt, secret: first }, sequence(2), part(2)), { key: 1, timestamp: 0 });
  // The even key again, another one: what is older than its announcement had the first, whenever it comes.
  const third = materialOf('correct horse', 1, randomBytes(16));
  const thirdKeys = readKeyMaterial(third);
  const thirdSecret = thirdKeys && unwrap(thirdKeys, wrappingKey(thirdKeys, 'correct horse'))?.even;
  if (!thirdSecret) throw new Error('no third key');
  caller.data(4, cryptPacket({ salt: newSalt, secret: second }, sequence(4), part(4)), { key: 2, timestamp: 0 });
  for (let time = 0; time < 2; time += 1) {
    bench.now += 300_000;
    caller.control(controlType.userDefined, { subtype: keyMaterialRequest, body: third });
  }
  caller.data(5, cryptPacket(thirdSecret, sequence(5), part(5)), { key: 1, timestamp: 600_000 });
  caller.data(3, cryptPacket({ salt, secret: first }, sequence(3), part(3)), { key: 1, timestamp: 0, again: true });
  bench.pass(200);
  t.same(media(bench), names(0, 1, 2, 3, 4, 5));
  t.match(bench.listener.statistics().calls[0]?.statistics, { undecrypted: 1, doubled: 1, rekeyed: 3 });
});

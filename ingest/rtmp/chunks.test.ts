import t from 'tap';
import { ChunkReader } from './chunks.ts';
import type { Message } from './chunks.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { HeaderForm } from './chunk-writer.ts';
import { RtmpError } from './errors.ts';
import { defaultLimits } from './limits.ts';
import { Random } from './test-random.ts';
import { fault, hex } from './test-fault.ts';

const limits = { messageBytes: 100_000, partialBytes: 150_000, chunkStreams: 8 };

const readAll = (parts: readonly Buffer[], given = limits): Message[] => {
  const reader = new ChunkReader(given);
  const messages: Message[] = [];
  for (const part of parts) {
    reader.feed(part);
    for (let message = reader.next(); message; message = reader.next()) messages.push(message);
  }
  return messages;
};
const message = (timestamp: number, payload: Buffer, type = 9): Message => ({ type, streamId: 1, timestamp, payload });

/** Messages that make use of every header form, chunk streams of 1, 2 and 3 bytes, and extended times. */
const sequence: readonly { chunkStream: number; form: HeaderForm; message: Message }[] = [
  { chunkStream: 6, form: 0, message: message(1000, Buffer.alloc(300, 1)) },
  { chunkStream: 64, form: 0, message: message(0, Buffer.alloc(0)) },
  { chunkStream: 6, form: 1, message: message(1033, Buffer.alloc(129, 2)) },
  { chunkStream: 319, form: 0, message: message(5, Buffer.alloc(128, 3), 8) },
  { chunkStream: 65, form: 0, message: message(70, Buffer.alloc(3, 11)) },
  { chunkStream: 6, form: 2, message: message(1070, Buffer.alloc(129, 4)) },
  { chunkStream: 6, form: 3, message: message(1107, Buffer.alloc(129, 5)) },
  { chunkStream: 65599, form: 0, message: message(0xffffff, Buffer.alloc(257, 6)) },
  { chunkStream: 320, form: 0, message: message(0xfffffff0, Buffer.alloc(400, 7)) },
  { chunkStream: 65, form: 2, message: message(80, Buffer.alloc(3, 12)) },
  { chunkStream: 320, form: 2, message: message(16, Buffer.alloc(400, 8)) },
  { chunkStream: 320, form: 1, message: message(16 + 0x1000000, Buffer.alloc(300, 9)) },
  { chunkStream: 320, form: 3, message: message(16 + 0x2000000, Buffer.alloc(300, 10)) },
];
const written = (): Buffer => {
  const writer = new ChunkWriter();
  return Buffer.concat(sequence.map(({ chunkStream, form, message }) => writer.encode(chunkStream, message, form)));
};
const expected = sequence.map((one) => one.message);

const same = (a: Message, b: Message | undefined): boolean =>
  b !== undefined &&
  a.type === b.type &&
  a.streamId === b.streamId &&
  a.timestamp === b.timestamp &&
  a.payload.equals(b.payload);

t.test('every header form, cut at every byte, is read as it was written', async (t) => {
  const bytes = written();
  t.strictSame(readAll([bytes]), expected);
  for (let at = 0; at <= bytes.length; at += 1) {
    const got = readAll([bytes.subarray(0, at), bytes.subarray(at)]);
    if (got.length !== expected.length || !got.every((one, index) => same(one, expected[index]))) {
      t.fail(`cut at ${at}`);
    }
  }
  t.strictSame(readAll(Array.from(bytes, (byte) => Buffer.from([byte]))), expected, 'one byte at a time');
});
t.test('the bytes are those of the specification', async (t) => {
  const writer = new ChunkWriter();
  t.strictSame(writer.encode(3, message(0x010203, hex('aa'), 8)), hex('03 010203 000001 08 01000000 aa'));
  t.strictSame(writer.encode(3, message(0x010204, hex('bb'), 8), 2), hex('83 000001 bb'));
  t.strictSame(writer.encode(3, message(0x010205, hex('cc'), 8), 3), hex('c3 cc'));
  // RTMP 1.0, 5.3.1.1: chunk stream ids of two and three bytes.
  t.strictSame(writer.encode(64, message(0, hex('aa'), 8)).subarray(0, 2), hex('00 00'));
  t.strictSame(writer.encode(319, message(0, hex('aa'), 8)).subarray(0, 2), hex('00 ff'));
  t.strictSame(writer.encode(320, message(0, hex('aa'), 8)).subarray(0, 3), hex('01 00 01'));
  t.strictSame(writer.encode(65599, message(0, hex('aa'), 8)).subarray(0, 3), hex('01 ff ff'));
});

t.test('chunks of several chunk streams may lie between one another', async (t) => {
  const parts = [
    hex('04 000000 000081 08 01000000'),
    Buffer.alloc(128, 1), //
    hex('06 000000 000082 09 01000000'),
    Buffer.alloc(128, 2), //
    hex('c4'),
    Buffer.alloc(1, 1), //
    hex('c6'),
    Buffer.alloc(2, 2),
  ];
  t.strictSame(readAll(parts), [message(0, Buffer.alloc(129, 1), 8), message(0, Buffer.alloc(130, 2), 9)]);
});

t.test('type 3 right after type 0 repeats its timestamp as the delta (5.3.1.2.4)', async (t) => {
  const messages = readAll([hex('04 000064 000001 08 01000000 aa  c4 bb  c4 cc')]);
  t.strictSame(
    messages.map((one) => one.timestamp),
    [100, 200, 300],
  );
});

t.test('extended timestamps: repeated in type 3 chunks, left out, or absolute where there was a delta', async (t) => {
  const body = Buffer.alloc(200, 0x55);
  const head = hex('04 ffffff 0000c8 08 01000000 01000000');
  const first = body.subarray(0, 128);
  const rest = body.subarray(128);
  const want = [message(0x1000000, body, 8)];
  t.strictSame(readAll([head, first, hex('c4 01000000'), rest]), want, 'repeated');
  t.strictSame(readAll([head, first, hex('c4'), rest]), want, 'left out');
  const bytes = Buffer.concat([head, first, hex('c4'), rest]);
  for (let at = 0; at < bytes.length; at += 1) {
    const [got] = readAll([bytes.subarray(0, at), bytes.subarray(at)]);
    if (!got || !same(got, want[0])) t.fail(`cut at ${at}`);
  }
  // The last chunk is shorter than the field that is not there.
  const short = hex('04 ffffff 000081 08 01000000 01000000');
  const next = hex('05 000000 000003 08 01000000 010203');
  t.equal(readAll([short, first, hex('c4 55'), next]).length, 2);
  // A delta of 2^24 after 2^24: senders repeat either the delta or the absolute time.
  const delta = hex('44 ffffff 0000c8 08 01000000');
  for (const repeated of ['01000000', '02000000']) {
    const messages = readAll([head, first, hex('c4 01000000'), rest, delta, first, hex('c4' + repeated), rest]);
    t.strictSame(
      messages.map((one) => one.timestamp),
      [0x1000000, 0x2000000],
      repeated,
    );
    t.ok(messages[1]?.payload.equals(body));
  }
});

t.test('a chunk stream may begin with type 1, as librtmp does, but not with a type that has no length', async (t) => {
  t.strictSame(readAll([hex('42 00000a 000001 08 aa')]), [{ type: 8, streamId: 0, timestamp: 10, payload: hex('aa') }]);
  t.equal(
    fault(() => readAll([hex('82 00000a')])),
    'chunk-without-header',
  );
  t.equal(
    fault(() => readAll([hex('c2')])),
    'chunk-without-header',
  );
});

t.test('Set Chunk Size holds from the next chunk on, and is bounded', async (t) => {
  const set = (size: string): Buffer => hex(`02 000000 000004 01 00000000 ${size}`);
  const body = Buffer.alloc(5000, 3);
  const head = hex('04 000000 001388 08 01000000');
  t.strictSame(readAll([set('00001388'), head, body]), [message(0, body, 8)]);
  t.strictSame(readAll([set('7fffffff'), head, body]), [message(0, body, 8)], 'larger than any message');
  t.equal(
    fault(() => readAll([set('00000000')])),
    'chunk-size',
  );
  t.equal(
    fault(() => readAll([set('80000000')])),
    'chunk-size',
  );
  t.equal(
    fault(() => readAll([hex('02 000000 000002 01 00000000 0001')])),
    'control-too-short',
  );
  const ones = Array.from({ length: 3 }, () => hex('c4 bb'));
  t.equal(readAll([set('00000001'), hex('04 000000 000004 08 01000000 bb'), ...ones]).length, 1, 'one byte a chunk');
});

t.test('Abort drops what had come of one chunk stream', async (t) => {
  const reader = new ChunkReader(limits);
  reader.feed(
    Buffer.concat([
      hex('04 000000 0000ff 08 01000000'),
      Buffer.alloc(128),
      hex('06 000000 0000ff 08 01000000'),
      Buffer.alloc(128),
    ]),
  );
  t.equal(reader.next(), undefined);
  t.equal(reader.partialBytes, 510);
  reader.feed(hex('02 000000 000004 02 00000000 00000004'));
  t.equal(reader.next(), undefined);
  t.equal(reader.partialBytes, 255);
  reader.feed(hex('02 000000 000004 02 00000000 000000ff  04 000005 000001 08 01000000 aa'));
  t.strictSame(reader.next(), message(5, hex('aa'), 8), 'and the next one begins anew');
});

t.test(
  'a new header inside a message, long messages, many messages at once and many chunk streams are refused',
  async (t) => {
    const begun = (id: string, length: string): Buffer =>
      Buffer.concat([hex(`${id} 000000 ${length} 08 01000000`), Buffer.alloc(128)]);
    for (const header of ['04 000000 0000ff 08 01000000', '44 000000 0000fe 08', '84 000000']) {
      t.equal(
        fault(() => readAll([begun('04', '0000ff'), hex(header)])),
        'chunk-inside-message',
      );
    }
    t.equal(
      fault(() => readAll([begun('04', '0186a1')])),
      'message-too-long',
    );
    t.equal(
      fault(() => readAll([begun('04', '0186a0')])),
      'none',
    );
    t.equal(
      fault(() => readAll([begun('04', '0186a0'), begun('05', '0186a0')])),
      'too-many-partial-bytes',
    );
    const many = Array.from({ length: 9 }, (_, id) => hex(`0${(id + 3).toString(16)} 000000 000000 08 01000000`));
    t.equal(
      fault(() => readAll(many.slice(0, 8))),
      'none',
    );
    t.equal(
      fault(() => readAll(many)),
      'too-many-chunk-streams',
    );
  },
);

t.test('a reader that was left standing in the middle goes on where it stood', async (t) => {
  const reader = new ChunkReader(limits);
  const bytes = written();
  reader.feed(bytes.subarray(0, 500));
  const got = [reader.next()];
  reader.feed(bytes.subarray(500));
  for (let next = reader.next(); next; next = reader.next()) got.push(next);
  t.strictSame(got, expected);
});

t.test('100,000 damaged inputs: messages or an RtmpError, and never more memory than allowed', async (t) => {
  const random = new Random(20260101);
  const tight = { messageBytes: 2_000, partialBytes: 3_000, chunkStreams: 8 };
  const good = written();
  let faults = 0;
  let worst = 0;
  for (let round = 0; round < 100_000; round += 1) {
    const start = random.below(good.length - 300);
    const bytes =
      round % 4 === 0
        ? random.bytes(random.below(60))
        : random.spoil(good.subarray(round % 2 ? start : 0, start + 300));
    const reader = new ChunkReader(tight);
    const cut = random.below(bytes.length + 1);
    try {
      for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        reader.feed(part);
        while (reader.next()) worst = Math.max(worst, reader.partialBytes);
        worst = Math.max(worst, reader.partialBytes);
      }
    } catch (error) {
      faults += 1;
      if (!(error instanceof RtmpError)) throw error;
    }
  }
  t.ok(faults > 10_000, `${faults} were refused`);
  t.ok(worst <= tight.partialBytes, `${worst} bytes`);
});

t.test('limits that grow let the next message through', async (t) => {
  const reader = new ChunkReader({ ...limits, messageBytes: 10 });
  reader.limits = defaultLimits;
  reader.feed(Buffer.concat([hex('04 000000 0000c8 08 01000000'), Buffer.alloc(128), hex('c4'), Buffer.alloc(72)]));
  t.equal(reader.next()?.payload.length, 200);
});

import t from 'tap';
import { encodeEpoch, encodeFragment, parseRecord, readEpoch, recordBytes } from './record.ts';
import { random, sampleEpoch } from './sample.ts';

const logId = Buffer.from('0123456789abcdef', 'hex');
const fragment = {
  seq: 2 ** 33,
  epoch: 7,
  key: true,
  segmentStart: false,
  gap: false,
  lost: false,
  dts: 2 ** 40 + 3,
  firstPts: -5,
  duration: 2 ** 34,
  size: 200_000,
  crc: 0xdeadbeef,
};

t.test('a fragment header comes back as it went in, ticks beyond 32 bits and below zero included', async (t) => {
  const header = encodeFragment(logId, fragment);
  t.equal(header.length, recordBytes);
  t.equal(header.readUInt32BE(0), recordBytes);
  t.equal(header.toString('latin1', 4, 8), 'free');
  t.strictSame(parseRecord(header, 0, logId), { kind: 'fragment', ...fragment });
  t.strictSame(parseRecord(Buffer.concat([Buffer.alloc(9), header]), 9, null), { kind: 'fragment', ...fragment });
});

t.test('the facts of an epoch come back as they went in', async (t) => {
  const facts = { ...sampleEpoch(4), start: 2 ** 41, reorderDelay: -3003, codecString: 'avc1.ü' };
  const bytes = encodeEpoch(logId, facts, 99);
  const record = parseRecord(bytes, 0, logId);
  if (record.kind !== 'epoch') return t.fail('not an epoch');
  t.equal(record.seq, 99);
  t.equal(bytes.readUInt32BE(0), bytes.length, 'the box holds its payload');
  t.strictSame(readEpoch(record, bytes.subarray(recordBytes)), facts);
  bytes[recordBytes + 30] = (bytes[recordBytes + 30] ?? 0) ^ 1;
  t.equal(readEpoch(record, bytes.subarray(recordBytes)), null);
});

t.test('every flipped bit of a header is noticed', async (t) => {
  for (const header of [encodeFragment(logId, fragment), encodeEpoch(logId, sampleEpoch(0), 1).subarray(0, recordBytes)]) {
    for (let bit = 0; bit < recordBytes * 8; bit++) {
      const damaged = Buffer.from(header);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (parseRecord(damaged, 0, logId).kind !== 'fault') return t.fail(`bit ${bit}`);
    }
  }
});

t.test('a record of another log is foreign, a cut one short', async (t) => {
  const header = encodeFragment(logId, fragment);
  t.strictSame(parseRecord(header, 0, Buffer.alloc(8, 1)), { kind: 'fault', why: 'foreign' });
  t.strictSame(parseRecord(header.subarray(0, 71), 0, logId), { kind: 'fault', why: 'short' });
  t.strictSame(parseRecord(header, 1, logId), { kind: 'fault', why: 'short' });
  t.strictSame(parseRecord(Buffer.alloc(72), 0, logId), { kind: 'fault', why: 'magic' });
});

t.test('facts that cannot be written are refused', async (t) => {
  t.throws(() => encodeFragment(logId, { ...fragment, dts: 0.5 }), RangeError);
  t.throws(() => encodeFragment(logId, { ...fragment, dts: 2 ** 60 }), RangeError);
  t.throws(() => encodeEpoch(logId, { ...sampleEpoch(0), init: Buffer.alloc(2 ** 20) }, 0), RangeError);
});

t.test('100,000 random and mutated headers give a record or a fault, and never throw', async (t) => {
  const next = random(20_260_101);
  const byte = () => Math.floor(next() * 256);
  const good = [encodeFragment(logId, fragment), encodeEpoch(logId, sampleEpoch(1), 5)];
  let records = 0;
  for (let round = 0; round < 100_000; round++) {
    const source = good[round % 2] ?? Buffer.alloc(0);
    const bytes = round % 3 === 0 ? Buffer.from(source.map(() => byte())) : Buffer.from(source);
    for (let hits = Math.floor(next() * 3); hits > 0; hits--) bytes[Math.floor(next() * bytes.length)] = byte();
    const cut = bytes.subarray(0, next() < 0.1 ? Math.floor(next() * bytes.length) : bytes.length);
    const record = parseRecord(cut, Math.floor(next() * 1.2) * 4, round % 5 === 0 ? null : logId);
    if (record.kind !== 'fault') records++;
    if (record.kind === 'epoch') readEpoch(record, cut.subarray(recordBytes));
  }
  t.ok(records > 10_000 && records < 70_000, `${records} were whole`);
});

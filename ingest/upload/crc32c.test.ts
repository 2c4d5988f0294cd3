import t from 'tap';
import { randomBytes } from 'node:crypto';
import { crc32c } from './crc32c.ts';

/** Bit by bit, as it is defined. */
const slowly = (data: Uint8Array, before = 0): number => {
  let crc = ~before;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
};

t.test('CRC-32C of what RFC 3720 (B.4) has it of', async (t) => {
  const rising = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
  t.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  t.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  t.equal(crc32c(rising), 0x46dd794e);
  t.equal(crc32c(rising.toReversed()), 0x113fdb5c);
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

t.test('what is long has the CRC that it has bit by bit, wherever it lies and however it is cut', async (t) => {
  // Around what is folded at all, what is folded at once, and what is left over of words.
  const lengths = [13_375, 13_376, 13_377, 13_391, 13_392, 131_071, 131_072, 131_088, 144_447, 144_448, 300_001];
  for (const length of lengths) {
    for (const offset of [0, 1, 7]) {
      const data = randomBytes(offset + length).subarray(offset);
      t.equal(crc32c(data), slowly(data), `${length} bytes at ${offset}`);
      t.equal(crc32c(data, 0x9e3779b9), slowly(data, 0x9e3779b9), `${length} bytes at ${offset}, after others`);
    }
  }
  const data = randomBytes(500_000);
  const expected = slowly(data);
  for (const cut of [1, 13_376, 200_000, 499_999]) t.equal(crc32c(data.subarray(cut), crc32c(data.subarray(0, cut))), expected, `cut at ${cut}`);
});

t.test('memory that is shared, and bytes that are all the same', async (t) => {
  const shared = Buffer.from(new SharedArrayBuffer(200_000));
  t.equal(crc32c(shared), slowly(shared), 'nothing but zeros');
  shared.fill(0xff);
  t.equal(crc32c(shared), slowly(shared), 'nothing but ones');
  shared.fill(0).writeUInt8(1, 100_000);
  t.equal(crc32c(shared), slowly(shared), 'a single bit');
});

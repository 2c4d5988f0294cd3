import { createHash } from 'node:crypto';
import t from 'tap';
import { Random } from '../../../test/support/random.ts';
import { contentDigest, crcEnd, crcStart, crcUpdate } from './crc32c.ts';
import { sliceReader, Unreadable, workerReader } from './digest.ts';
import { fingerprintOf } from './fingerprint.ts';
import { sha256 } from './sha256.ts';

const crc = (bytes: Uint8Array): number => crcEnd(crcUpdate(crcStart, bytes));

t.test('CRC-32C is that of RFC 3720', async (t) => {
  // B.4, and the check value of every catalogue of checksums.
  t.equal(crc(new Uint8Array(32)), 0x8a9136aa);
  t.equal(crc(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  t.equal(crc(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
  t.equal(crc(new TextEncoder().encode('123456789')), 0xe3069283);
  t.equal(contentDigest(crcUpdate(crcStart, new TextEncoder().encode('123456789'))), 'crc32c=:4waSgw==:');
});

t.test('CRC-32C is the same from whichever byte, and however it is cut', async (t) => {
  const random = new Random(3);
  const all = Uint8Array.from(random.bytes(5_000));
  const slowly = (bytes: Uint8Array): number => {
    let sum = crcStart;
    for (const byte of bytes) sum = crcUpdate(sum, Uint8Array.of(byte));
    return crcEnd(sum);
  };
  for (let round = 0; round < 200; round++) {
    const from = random.below(40);
    const piece = all.subarray(from, from + random.below(300));
    const cut = random.below(piece.length + 1);
    const expected = slowly(piece);
    t.equal(crc(piece), expected);
    t.equal(crcEnd(crcUpdate(crcUpdate(crcStart, piece.subarray(0, cut)), piece.subarray(cut))), expected);
  }
});

t.test('SHA-256 is what everybody else calls so', async (t) => {
  const random = new Random(4);
  for (const length of [...Array(130).keys(), 1_000, 65_536, 300_001]) {
    const bytes = random.bytes(length);
    t.equal(Buffer.from(sha256(bytes)).toString('hex'), createHash('sha256').update(bytes).digest('hex'), String(length));
  }
});

t.test('a piece is read with its checksum, also where there is no worker', async (t) => {
  const bytes = new Random(5).bytes(2_500_000);
  const expected = contentDigest(crcUpdate(crcStart, bytes));
  for (const reader of [sliceReader, workerReader()]) {
    const { body, digest } = await reader.read(new Blob([Uint8Array.from(bytes)]));
    t.ok(bytes.equals(Buffer.from(body)));
    t.equal(digest, expected);
    reader.close();
  }
  const broken = { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) } as unknown as Blob;
  await t.rejects(sliceReader.read(broken), Unreadable);
});

t.test('a file is known again by what is in it, not by its name or date', async (t) => {
  const size = 3_000_000;
  const bytes = new Random(6).bytes(size);
  const print = (changed: Buffer, name = 'a.mp4', lastModified = 1) => fingerprintOf(new File([Uint8Array.from(changed)], name, { lastModified }));
  const with1 = (at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const known = await print(bytes);
  t.match(known, /^[\x21-\x7e]{40,64}$/, 'the API takes it');
  t.equal(await print(bytes, 'b.mov', 99), known);
  for (const at of [0, 65_535, size - 1, size - 65_536]) t.not(await print(with1(at)), known, `changed at ${at}`);
  t.not(await print(bytes.subarray(0, size - 1)), known);
  t.not(await print(new Random(7).bytes(size)), known);
  const small = bytes.subarray(0, 1000);
  t.not(await print(small), await print(with1(500).subarray(0, 1000)), 'of a small file all of it counts');
});

t.test('samples lie inside of the file, whatever its size', async (t) => {
  for (const size of [1, 131_072, 262_144, 262_145, 300_000, 1_000_003]) {
    const read: [number, number][] = [];
    const blob = { size, slice: (from: number, to: number) => (read.push([from, to]), new Blob([new Uint8Array(to - from)])) } as unknown as Blob;
    await fingerprintOf(blob);
    let last = 0;
    for (const [from, to] of read) {
      t.ok(from >= last && to > from && to <= size, `${from}-${to} of ${size}`);
      last = to;
    }
    t.equal(read[0]?.[0], 0);
    t.equal(last, size);
  }
});

/**
 * CRC-32C (Castagnoli) as RFC 3720 B.4 has it, sixteen bytes a step: 1.3 GB/s in Chromium, about what crypto.subtle does
 * for SHA-256 on a processor that helps, and it is there on insecure origins too.
 */
const makeTables = (): readonly Int32Array[] => {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
    first[byte] = rest;
  }
  const tables = [first];
  for (let last = first; tables.length < 16; ) {
    const next = last.map((rest) => (first[rest & 255] ?? 0) ^ (rest >>> 8));
    tables.push(next);
    last = next;
  }
  return tables;
};

const empty = new Int32Array(0);
// As constants, the engine knows that they are there and what they are.
const [
  t0 = empty,
  t1 = empty,
  t2 = empty,
  t3 = empty,
  t4 = empty,
  t5 = empty,
  t6 = empty,
  t7 = empty,
  t8 = empty,
  t9 = empty,
  t10 = empty,
  t11 = empty,
  t12 = empty,
  t13 = empty,
  t14 = empty,
  t15 = empty,
] = makeTables();

const at = (table: Int32Array, index: number): number => table[index & 255] as number;

/** What comes before the first byte. */
export const crcStart = -1;

/** Goes on from what was before; `crcEnd` makes the checksum of it. */
export const crcUpdate = (before: number, bytes: Uint8Array): number => {
  let crc = before;
  let byte = 0;
  // A view of whole words must begin at one.
  const lead = Math.min(bytes.length, -bytes.byteOffset & 3);
  for (; byte < lead; byte++) crc = at(t0, crc ^ (bytes[byte] as number)) ^ (crc >>> 8);
  if (byte === bytes.length) return crc;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + lead, (bytes.length - lead) >>> 2);
  const end = words.length & ~3;
  for (let word = 0; word < end; word += 4) {
    // Every machine that runs browsers is little-endian, as the words have to be.
    const a = crc ^ (words[word] as number);
    const b = words[word + 1] as number;
    const c = words[word + 2] as number;
    const d = words[word + 3] as number;
    crc =
      at(t15, a) ^ at(t14, a >>> 8) ^ at(t13, a >>> 16) ^ at(t12, a >>> 24) ^
      at(t11, b) ^ at(t10, b >>> 8) ^ at(t9, b >>> 16) ^ at(t8, b >>> 24) ^
      at(t7, c) ^ at(t6, c >>> 8) ^ at(t5, c >>> 16) ^ at(t4, c >>> 24) ^
      at(t3, d) ^ at(t2, d >>> 8) ^ at(t1, d >>> 16) ^ at(t0, d >>> 24); // prettier-ignore
  }
  for (byte = lead + end * 4; byte < bytes.length; byte++) crc = at(t0, crc ^ (bytes[byte] as number)) ^ (crc >>> 8);
  return crc;
};

export const crcEnd = (crc: number): number => ~crc >>> 0;

/** RFC 9530: the four bytes in network order, in base64. */
export const contentDigest = (crc: number): string => {
  const sum = crcEnd(crc);
  return `crc32c=:${btoa(String.fromCharCode(sum >>> 24, (sum >>> 16) & 255, (sum >>> 8) & 255, sum & 255))}:`;
};

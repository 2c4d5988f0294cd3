/** CRC-32 of MPEG-2 (ISO 13818-1, annex A), at the end of every section: of PAT and PMT, and of splices. NUT begins it with 0. */

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ 0x04c1_1db7 : value << 1;
  return value;
});

/** Over a section with its CRC it is 0. */
export const crc32 = (bytes: Uint8Array, begin = 0xffff_ffff): number => {
  let crc = begin;
  for (const byte of bytes) crc = (crc << 8) ^ (table[(crc >>> 24) ^ byte] ?? 0);
  return crc >>> 0;
};

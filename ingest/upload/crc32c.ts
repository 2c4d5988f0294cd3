/**
 * CRC-32C (Castagnoli): what browsers compute where a page has no `crypto.subtle`. Node has only the other polynomial.
 * Sixteen bytes a step through sixteen tables: 1.7 GB a second of one core, as much as SHA-256 by the processor's own
 * instructions. What is long is folded first (`crc32c-fold.ts`): 9 GB a second.
 */
import { Crc32cFold, leastFolded } from './crc32c-fold.ts';

const polynomial = 0x82f63b78;
const slices = 16;

const makeTables = (): Int32Array => {
  const tables = new Int32Array(256 * slices);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (tables[before & 255] ?? 0) ^ (before >>> 8);
  }
  return tables;
};
const t = makeTables();

/** Made when it is first of use; null: this processor has no words of sixteen bytes. */
let fold: Crc32cFold | null | undefined;

/** Of bytes that follow those that `before` is the CRC of. */
export const crc32c = (data: Uint8Array, before = 0): number => {
  let register = ~before;
  let at = 0;
  if (data.length >= leastFolded) {
    fold ??= fold === undefined ? Crc32cFold.make() : null;
    for (let folded = fold?.take(data, at, register); folded; folded = fold?.take(data, at, register)) {
      register = byTables(folded.rest, 0);
      at += folded.taken;
    }
  }
  return ~byTables(data.subarray(at), register) >>> 0;
};

const byTables = (data: Uint8Array, register: number): number => {
  if (data.length < slices) return byBytes(register, data, 0, data.length);
  // Words are read where they are aligned; every system that Node 24 runs these tables on is little-endian.
  const head = -data.byteOffset & 3;
  const words = new Int32Array(data.buffer, data.byteOffset + head, (data.length - head) >> 2);
  const steps = words.length & ~3;
  const crc = byWords(byBytes(register, data, 0, head), words, steps);
  return byBytes(crc, data, head + steps * 4, data.length);
};

const byBytes = (before: number, data: Uint8Array, from: number, to: number): number => {
  let crc = before;
  for (let at = from; at < to; at += 1) crc = look((crc ^ (data[at] ?? 0)) & 255) ^ (crc >>> 8);
  return crc;
};

/** Inside of the tables, always. Small enough for the compiler to put it in place of every call. */
const look = (at: number): number => t[at] as number;

const byWords = (before: number, words: Int32Array, to: number): number => {
  let crc = before;
  for (let at = 0; at < to; at += 4) {
    const a = crc ^ (words[at] as number);
    const b = words[at + 1] as number;
    const c = words[at + 2] as number;
    const d = words[at + 3] as number;
    crc =
      (look(3840 + (a & 255)) ^ look(3584 + ((a >>> 8) & 255)) ^ look(3328 + ((a >>> 16) & 255)) ^ look(3072 + (a >>> 24))) ^
      (look(2816 + (b & 255)) ^ look(2560 + ((b >>> 8) & 255)) ^ look(2304 + ((b >>> 16) & 255)) ^ look(2048 + (b >>> 24))) ^
      (look(1792 + (c & 255)) ^ look(1536 + ((c >>> 8) & 255)) ^ look(1280 + ((c >>> 16) & 255)) ^ look(1024 + (c >>> 24))) ^
      (look(768 + (d & 255)) ^ look(512 + ((d >>> 8) & 255)) ^ look(256 + ((d >>> 16) & 255)) ^ look(d >>> 24));
  }
  return crc;
};

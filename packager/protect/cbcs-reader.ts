/**
 * For tests: fragments in `cbcs` as a decryptor reads them that trusts what `senc` says and nothing else, with a cipher of its
 * own for every range (ISO 23001-7, 9.6 and 10.4). Returns the media of all fragments in the clear.
 */
import { createDecipheriv } from 'node:crypto';
import { boxes, children, only } from '../cmaf/box-reader.ts';
import { readFragments } from '../cmaf/reader-fragments.ts';

const block = 16;
const ofTen = 10 * block;

const open = (bytes: Buffer, from: number, to: number, stride: number, key: Buffer, iv: Buffer): void => {
  const decipher = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
  for (let at = from; at + block <= to; at += stride) decipher.update(bytes.subarray(at, at + block)).copy(bytes, at);
};

/** The lists of `senc`, one a sample; null: there is none, and samples are encrypted whole. */
const listsOf = (bytes: Buffer, moofAt: number): (readonly (readonly [number, number])[])[] | null => {
  const moof = boxes(bytes).find(({ at }) => at === moofAt);
  if (!moof) throw new RangeError('no moof there');
  const held = children(bytes, only(children(bytes, moof), 'traf', 'moof'));
  const senc = held.find(({ type }) => type === 'senc');
  if (!senc) return null;
  let at = senc.body + 8;
  return Array.from({ length: bytes.readUInt32BE(senc.body + 4) }, () => {
    const count = bytes.readUInt16BE(at);
    at += 2;
    return Array.from({ length: count }, () => {
      const pair = [bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2)] as const;
      at += 6;
      return pair;
    });
  });
};

export const openCbcs = (file: Buffer, key: Buffer, iv: Buffer): Buffer[] => {
  const bytes = Buffer.from(file);
  return readFragments(bytes).flatMap((fragment) => {
    const lists = listsOf(bytes, fragment.offset);
    return fragment.samples.map(({ offset, size }, index) => {
      if (!lists) open(bytes, offset, offset + size, block, key, iv);
      let at = offset;
      for (const [clear, coded] of lists?.[index] ?? []) {
        open(bytes, at + clear, at + clear + coded, ofTen, key, iv);
        at += clear + coded;
      }
      return bytes.subarray(offset, offset + size);
    });
  });
};

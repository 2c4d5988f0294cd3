/** Digests that go along while bytes come. */
import { createHash } from 'node:crypto';
import { crc32c } from './crc32c.ts';

export type DigestName = 'sha-1' | 'sha-256' | 'crc32c';

export const digestBytes: Readonly<Record<DigestName, number>> = { 'sha-1': 20, 'sha-256': 32, crc32c: 4 };

export interface Digest {
  update(data: Buffer): void;
  /** Once, at the end. CRC-32C as four bytes, the highest first. */
  value(): Buffer;
}

export const startDigest = (name: DigestName): Digest => {
  if (name !== 'crc32c') {
    const hash = createHash(name.replace('-', ''));
    return { update: (data) => void hash.update(data), value: () => hash.digest() };
  }
  let crc = 0;
  return {
    update: (data) => {
      crc = crc32c(data, crc);
    },
    value: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes;
    },
  };
};

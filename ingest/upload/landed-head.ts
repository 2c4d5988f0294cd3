/**
 * The head of `original.landed`: 64 bytes, big-endian, in one sector and written by one call.
 *
 *     byte   0   8  magic `mlrLand1`: the version is its last character
 *            8   4  bytes of a unit
 *           12   4  how it comes: 0 not known yet, 1 tus, 2 parts
 *           16   8  bytes of the whole file
 *           24   8  by tus: bytes that have landed
 *           32   8  by tus: bytes that were on the platter
 *           40  16  the start of the machine that claims are good for: the system's boot id, or zeros
 *           56   4  zeros
 *           60   4  CRC-32 of all that
 *           64      a bit for each unit that has landed, the first unit in the lowest bit of the first byte;
 *                   then a bit for each unit that was on the platter
 */
import { crc32 } from 'node:zlib';
import { unit } from './limits.ts';

export type UploadMode = 'tus' | 'parts';

export type LandedHead = {
  readonly mode: UploadMode | null;
  readonly size: number;
  readonly prefix: number;
  readonly keptPrefix: number;
  /** 32 hexadecimal digits; null: nobody knows. */
  readonly boot: string | null;
};

export const headBytes = 64;
const magic = Buffer.from('mlrLand1');
const modes = [null, 'tus', 'parts'] as const;
const nobody = '0'.repeat(32);

const plain = (bootId: string | null): string => {
  const digits = bootId?.replaceAll('-', '').toLowerCase() ?? '';
  return /^[0-9a-f]{32}$/.test(digits) ? digits : nobody;
};

export const encodeHead = ({ mode, size, prefix, keptPrefix, boot }: LandedHead): Buffer => {
  const head = Buffer.alloc(headBytes);
  magic.copy(head);
  head.writeUInt32BE(unit, 8);
  head.writeUInt32BE(modes.indexOf(mode), 12);
  head.writeBigUInt64BE(BigInt(size), 16);
  head.writeBigUInt64BE(BigInt(prefix), 24);
  head.writeBigUInt64BE(BigInt(keptPrefix), 32);
  head.write(plain(boot), 40, 'hex');
  head.writeUInt32BE(crc32(head.subarray(0, 60)), 60);
  return head;
};

/** Null: this is no head, or a damaged one, and nothing is claimed. */
export const decodeHead = (bytes: Buffer): LandedHead | null => {
  if (bytes.length < headBytes || !bytes.subarray(0, 8).equals(magic)) return null;
  if (bytes.readUInt32BE(60) !== crc32(bytes.subarray(0, 60)) || bytes.readUInt32BE(8) !== unit) return null;
  const mode = modes[bytes.readUInt32BE(12)];
  const [size, prefix, keptPrefix] = [16, 24, 32].map((at) => Number(bytes.readBigUInt64BE(at)));
  if (mode === undefined || size === undefined || prefix === undefined || keptPrefix === undefined) return null;
  if (!Number.isSafeInteger(size) || prefix > size || keptPrefix > prefix) return null;
  if (mode !== 'tus' && prefix !== 0) return null;
  const boot = bytes.toString('hex', 40, 56);
  return { mode, size, prefix, keptPrefix, boot: boot === nobody ? null : boot };
};

/** Whether what was claimed then is good now. */
export const sameBoot = (head: LandedHead, bootId: string | null): boolean => head.boot !== null && head.boot === plain(bootId);

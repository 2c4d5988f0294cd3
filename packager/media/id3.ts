/** ID3 tags (ID3v2.4, structure document, 3 and 4), as far as timed metadata needs them: made, and told from garbage. */

const headerBytes = 10;

/** 28 bits in four bytes whose top bit is 0 (6.2). */
const syncSafe = (value: number): Buffer => Buffer.from([(value >> 21) & 0x7f, (value >> 14) & 0x7f, (value >> 7) & 0x7f, value & 0x7f]);

/** "ID3", a version, flags, and a size that is the size of the rest. */
export const isId3 = (bytes: Buffer): boolean => {
  if (bytes.length <= headerBytes || bytes.toString('latin1', 0, 3) !== 'ID3') return false;
  const size = bytes.subarray(6, headerBytes);
  if (size.some((byte) => byte > 0x7f)) return false;
  const length = size.reduce((sum, byte) => sum * 128 + byte, 0);
  // A footer of ten bytes may follow (3.4).
  const footer = ((bytes[5] ?? 0) & 0x10) === 0 ? 0 : headerBytes;
  return length > 0 && headerBytes + length + footer === bytes.length;
};

/** A tag with one frame, TXXX (4.2.6): text that its sender described, in UTF-8. */
export const textTag = (description: string, value: string): Buffer => {
  const body = Buffer.concat([Buffer.from([3]), Buffer.from(`${description.replaceAll('\0', '')}\0${value.replaceAll('\0', '')}\0`)]);
  const frame = Buffer.concat([Buffer.from('TXXX'), syncSafe(body.length), Buffer.alloc(2), body]);
  return Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 4, 0, 0]), syncSafe(frame.length), frame]);
};

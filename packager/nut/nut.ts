/**
 * NUT, as far as a pipe to and from ffmpeg needs it (NUT Open Container Format, version 3 and 4): one stream of pictures
 * or of sound whose times are exact and whose lengths are known before they come. A file is packets, which begin with a start code,
 * and frames, which begin with anything but an `N`:
 *
 *     "nut/multimedia container\0" | main | stream | info… | syncpoint | frame… | syncpoint | frame…
 *
 *     packet   startcode (8) | v length of what follows | [crc32 where that is > 4096] | body | crc32 of the body
 *     frame    code (1) | [v flags] | [v pts] | [v size] | … | [crc32 of the head] | data
 *
 * What a frame's head has, and what it leaves out, says the table of 256 codes in the main packet.
 */

export type NutErrorCode =
  | 'invalid' // against the format, or damaged
  | 'unsupported' // legal, but nothing that a pipe of ours carries
  | 'limit'; // larger than anything real

export class NutError extends Error {
  override readonly name = 'NutError';
  readonly code: NutErrorCode;

  constructor(code: NutErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const fileId = Buffer.from('nut/multimedia container\0', 'latin1');

export const startCodes = {
  main: Buffer.from('4e4d7a561f5f04ad', 'hex'),
  stream: Buffer.from('4e5311405bf2f9db', 'hex'),
  syncpoint: Buffer.from('4e4be4adeeca4569', 'hex'),
  info: Buffer.from('4e49ab68b596ba78', 'hex'),
  index: Buffer.from('4e58dd672f23e64e', 'hex'),
} as const;
export type PacketKind = keyof typeof startCodes;

/** The first byte of every start code, which is no code of a frame. */
export const letterN = 0x4e;
/** Above it, the length of a packet has a checksum of its own; frames above it have no part of them in the main packet. */
export const shortLength = 4096;

/** Of a frame. */
export const frameFlag = {
  key: 1,
  codedPts: 8,
  streamId: 16,
  size: 32,
  checksum: 64,
  reserved: 128,
  sideData: 256,
  headerIndex: 1024,
  matchTime: 2048,
  coded: 4096,
  invalid: 8192,
} as const;

/** What a stream is of. */
export const streamClass = { video: 0, sound: 1 } as const;

/** Bit of the main packet: there are no syncpoints but the first one. */
export const pipeMode = 2;

/** A number as `v`: seven bits a byte, the highest first, all but the last byte with their top bit set. */
export const varint = (value: number): Buffer => {
  if (!Number.isSafeInteger(value) || value < 0) throw new NutError('invalid', `${value} is no number that NUT can write`);
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(128 + (rest % 128));
  return Buffer.from(bytes);
};

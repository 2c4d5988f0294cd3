/**
 * SRT packets (draft-sharabayko-srt, 3): a header of 16 bytes, and a body.
 *
 *     data      0 | sequence (31)    place (2) order (1) key (2) again (1) message (26)   time   socket
 *     control   1 | type (15) sub (16)      what the type says                             time   socket
 */

export const headerSize = 16;

export const controlType = {
  handshake: 0,
  keepAlive: 1,
  acknowledgement: 2,
  loss: 3,
  shutdown: 5,
  acknowledged: 6,
  dropRequest: 7,
  userDefined: 0x7fff,
} as const;

/** Subtypes of `userDefined`: messages of the handshake that come later (3.2.2). */
export const keyMaterialRequest = 3;
export const keyMaterialResponse = 4;

export type DataPacket = {
  readonly control: false;
  readonly sequence: number;
  /** 0: in the clear, 1: even key, 2: odd key. */
  readonly key: number;
  readonly again: boolean;
  readonly timestamp: number;
  readonly socket: number;
  readonly body: Buffer;
};
export type ControlPacket = {
  readonly control: true;
  readonly type: number;
  readonly subtype: number;
  readonly info: number;
  readonly timestamp: number;
  readonly socket: number;
  readonly body: Buffer;
};
export type SrtPacket = DataPacket | ControlPacket;

/** Null: too short to be one. The body is a view of the bytes. */
export const readPacket = (bytes: Buffer): SrtPacket | null => {
  if (bytes.length < headerSize) return null;
  const first = bytes.readUInt32BE(0);
  const second = bytes.readUInt32BE(4);
  const timestamp = bytes.readUInt32BE(8);
  const socket = bytes.readUInt32BE(12);
  const body = bytes.subarray(headerSize);
  if (first >= 2 ** 31) return { control: true, type: (first >>> 16) & 0x7fff, subtype: first & 0xffff, info: second, timestamp, socket, body };
  return { control: false, sequence: first, key: (second >>> 27) & 3, again: (second & 0x0400_0000) !== 0, timestamp, socket, body };
};

export type Control = Pick<ControlPacket, 'type' | 'timestamp' | 'socket'> & Partial<Pick<ControlPacket, 'subtype' | 'info' | 'body'>>;

const nothing = Buffer.alloc(0);

export const writeControl = ({ type, subtype = 0, info = 0, timestamp, socket, body = nothing }: Control): Buffer => {
  const out = Buffer.allocUnsafe(headerSize + body.length);
  out.writeUInt16BE(0x8000 | type, 0);
  out.writeUInt16BE(subtype, 2);
  out.writeUInt32BE(info >>> 0, 4);
  out.writeUInt32BE(timestamp % 2 ** 32, 8);
  out.writeUInt32BE(socket, 12);
  body.copy(out, headerSize);
  return out;
};

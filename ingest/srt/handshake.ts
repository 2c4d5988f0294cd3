/**
 * The body of a handshake packet (draft-sharabayko-srt, 3.2.1): 48 bytes, and extensions behind them.
 *
 *     caller   induction   (version 4)                ─▶
 *              ◀─  version 5, magic, cookie              listener, which keeps nothing
 *              conclusion  (version 5, cookie, what it wants) ─▶
 *              ◀─  conclusion, or a type from 1000 on: why not
 */

export const handshakeType = { induction: 1, conclusion: 0xffff_ffff } as const;
export const magic = 0x4a17;
export const extensionFlag = { handshake: 1, keyMaterial: 2 } as const;
export const extensionType = { handshakeRequest: 1, handshakeResponse: 2, keyMaterialRequest: 3, keyMaterialResponse: 4, streamId: 5, congestion: 6, group: 8 } as const;

export type Extension = { readonly type: number; readonly content: Buffer };
export type Handshake = {
  readonly version: number;
  /** Key length in 8 bytes: 2, 3 or 4. */
  readonly encryption: number;
  readonly extension: number;
  readonly initialSequence: number;
  readonly mtu: number;
  readonly window: number;
  readonly type: number;
  readonly socket: number;
  readonly cookie: number;
  readonly address: Buffer;
  readonly extensions: readonly Extension[];
};

const fixedSize = 48;
/** Seven kinds are known. */
const mostExtensions = 16;

/** Null: not a handshake. */
export const readHandshake = (body: Buffer): Handshake | null => {
  if (body.length < fixedSize) return null;
  const version = body.readUInt32BE(0);
  // Before version 5 there are none, and what follows is something else.
  const extensions = version < 5 ? [] : readExtensions(body.subarray(fixedSize));
  return (
    extensions && {
      version,
      encryption: body.readUInt16BE(4),
      extension: body.readUInt16BE(6),
      initialSequence: body.readUInt32BE(8) % 2 ** 31,
      mtu: body.readUInt32BE(12),
      window: body.readUInt32BE(16),
      type: body.readUInt32BE(20),
      socket: body.readUInt32BE(24),
      cookie: body.readUInt32BE(28),
      address: body.subarray(32, fixedSize),
      extensions,
    }
  );
};

const readExtensions = (bytes: Buffer): Extension[] | null => {
  const extensions: Extension[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const next = at + 4 + bytes.readUInt16BE(at + 2) * 4;
    if (next > bytes.length || extensions.length >= mostExtensions) return null;
    extensions.push({ type: bytes.readUInt16BE(at), content: bytes.subarray(at + 4, next) });
    at = next;
  }
  return extensions;
};

export const writeHandshake = (handshake: Handshake): Buffer => {
  const out = Buffer.alloc(fixedSize);
  out.writeUInt32BE(handshake.version, 0);
  out.writeUInt16BE(handshake.encryption, 4);
  out.writeUInt16BE(handshake.extension, 6);
  out.writeUInt32BE(handshake.initialSequence, 8);
  out.writeUInt32BE(handshake.mtu, 12);
  out.writeUInt32BE(handshake.window, 16);
  out.writeUInt32BE(handshake.type, 20);
  out.writeUInt32BE(handshake.socket, 24);
  out.writeUInt32BE(handshake.cookie, 28);
  handshake.address.copy(out, 32);
  const parts: Buffer[] = [out];
  for (const { type, content } of handshake.extensions) {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(content.length / 4, 2);
    parts.push(head, content);
  }
  return Buffer.concat(parts);
};

/** What both sides can do, and how long packets are held (3.2.1.1). */
export type Abilities = { readonly version: number; readonly flags: number; /** ms */ readonly receiverDelay: number; /** ms */ readonly senderDelay: number };

export const ability = { timedSend: 1, timedReceive: 2, encryption: 4, tooLateDrop: 8, periodicLoss: 16, retransmitFlag: 32, stream: 64, filter: 128 } as const;

export const readAbilities = (content: Buffer): Abilities | null =>
  content.length < 12
    ? null
    : { version: content.readUInt32BE(0), flags: content.readUInt32BE(4), receiverDelay: content.readUInt16BE(8), senderDelay: content.readUInt16BE(10) };

export const writeAbilities = ({ version, flags, receiverDelay, senderDelay }: Abilities): Buffer => {
  const out = Buffer.alloc(12);
  out.writeUInt32BE(version, 0);
  out.writeUInt32BE(flags, 4);
  out.writeUInt16BE(receiverDelay, 8);
  out.writeUInt16BE(senderDelay, 10);
  return out;
};

/** Text stands with the bytes of each word turned round, and zeros at the end (3.2.1.3). */
export const readText = (content: Buffer): string => {
  const bytes = swapped(content);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
};
export const writeText = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return swapped(Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]));
};
const swapped = (bytes: Buffer): Buffer => Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 4))).swap32();

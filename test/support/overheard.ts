/**
 * RTMP commands out of what one side has said, by a reader that shares nothing with the server's: it believes what it reads, and
 * knows no more of AMF0 than a conversation about `connect` needs.
 */
export type Said = null | boolean | number | string | Said[] | { readonly [name: string]: Said };

/** C0 and C1, or S0 and S1, and what answers them. */
const handshake = 1 + 1536 + 1536;
const commandType = 20;
const chunkSizeType = 1;
/** Bytes of a chunk's header by its format (RTMP 1.0, 5.3.1.2). */
const heads = [11, 7, 3, 0] as const;

type Message = { type: number; length: number; payload: Buffer };

function* messagesOf(bytes: Buffer): Generator<Message> {
  const open = new Map<number, Message>();
  let chunkSize = 128;
  for (let at = handshake; at < bytes.length; ) {
    const first = bytes.readUInt8(at);
    const head = heads[first >> 6] ?? 0;
    if (at + 1 + head > bytes.length) return;
    const message = open.get(first & 63) ?? { type: 0, length: 0, payload: Buffer.alloc(0) };
    open.set(first & 63, message);
    if (head >= 7) [message.length, message.type] = [bytes.readUIntBE(at + 4, 3), bytes.readUInt8(at + 7)];
    at += 1 + head;
    const piece = bytes.subarray(at, at + Math.min(chunkSize, message.length - message.payload.length));
    message.payload = Buffer.concat([message.payload, piece]);
    at += piece.length;
    if (message.payload.length < message.length) continue;
    if (message.type === chunkSizeType) chunkSize = message.payload.readUInt32BE(0);
    yield { ...message };
    message.payload = Buffer.alloc(0);
  }
}

const valuesOf = (payload: Buffer): Said[] => {
  let at = 0;
  const take = (bytes: number): number => (at += bytes) - bytes;
  const text = (): string => {
    const length = payload.readUInt16BE(take(2));
    return payload.toString('utf8', take(length), at);
  };
  const members = (): { [name: string]: Said } => {
    const object: { [name: string]: Said } = {};
    for (let name = text(); name !== ''; name = text()) object[name] = value();
    take(1); // the mark of the end
    return object;
  };
  const value = (): Said => {
    switch (payload.readUInt8(take(1))) {
      case 0:
        return payload.readDoubleBE(take(8));
      case 1:
        return payload.readUInt8(take(1)) !== 0;
      case 2:
        return text();
      case 3:
        return members();
      case 8:
        take(4);
        return members();
      case 10:
        return Array.from({ length: payload.readUInt32BE(take(4)) }, value);
      default:
        return null;
    }
  };
  const values: Said[] = [];
  while (at < payload.length) values.push(value());
  return values;
};

/** Of each command with this name: what came behind the name. */
export const commandsNamed = (name: string, bytes: Buffer): Said[][] =>
  [...messagesOf(bytes)].filter(({ type }) => type === commandType).map(({ payload }) => valuesOf(payload)).filter(([first]) => first === name).map(([, ...rest]) => rest);

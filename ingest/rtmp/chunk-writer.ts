/** The chunk stream (RTMP 1.0, section 5.3), writing side: a message in, its chunks out. */
import { extendedMark, initialChunkSize } from './chunks.ts';
import type { Message } from './chunks.ts';

/** How much of the header is left out because the chunk stream's last message had the same. */
export type HeaderForm = 0 | 1 | 2 | 3;

type Last = { timestamp: number; delta: number; length: number; type: number; streamId: number };

export class ChunkWriter {
  #last = new Map<number, Last>();
  /** To be changed after Set Chunk Size has been written, never before. */
  chunkSize = initialChunkSize;

  /**
   * Type 0 says everything and is what a server answers with; a sender of media saves bytes with the others.
   * Asking for a form that cannot say what differs is a mistake of the caller.
   */
  encode(chunkStream: number, message: Message, form: HeaderForm = 0): Buffer {
    const { payload, timestamp } = message;
    const last = this.#last.get(chunkStream);
    const delta = last && form > 0 ? (timestamp - last.timestamp) >>> 0 : timestamp;
    if (form > 0 && !canLeaveOut(form, last, message, delta)) {
      throw new Error(`a type ${form} chunk cannot say what differs from the last message`);
    }
    this.#last.set(chunkStream, {
      timestamp,
      delta,
      length: payload.length,
      type: message.type,
      streamId: message.streamId,
    });
    const field = form === 0 ? timestamp : delta;
    const extended = field >= extendedMark;
    const tail = Buffer.alloc(extended ? 4 : 0);
    if (extended) tail.writeUInt32BE(field);
    const parts = [basicHeader(form, chunkStream), messageHeader(form, message, Math.min(field, extendedMark)), tail];
    const continuation = basicHeader(3, chunkStream);
    for (let at = 0; at === 0 || at < payload.length; at += this.chunkSize) {
      if (at > 0) parts.push(continuation, tail);
      parts.push(payload.subarray(at, at + this.chunkSize));
    }
    return Buffer.concat(parts);
  }
}

const canLeaveOut = (form: HeaderForm, last: Last | undefined, message: Message, delta: number): boolean =>
  last !== undefined &&
  last.streamId === message.streamId &&
  (form < 2 || (last.length === message.payload.length && last.type === message.type)) &&
  (form < 3 || last.delta === delta);

const basicHeader = (form: HeaderForm, chunkStream: number): Buffer => {
  if (chunkStream < 64) return Buffer.from([(form << 6) | chunkStream]);
  const rest = chunkStream - 64;
  if (rest < 256) return Buffer.from([form << 6, rest]);
  return Buffer.from([(form << 6) | 1, rest & 255, rest >> 8]);
};

const messageHeader = (form: HeaderForm, message: Message, field: number): Buffer => {
  const header = Buffer.alloc(11);
  header.writeUIntBE(field, 0, 3);
  header.writeUIntBE(message.payload.length, 3, 3);
  header.writeUInt8(message.type, 6);
  header.writeUInt32LE(message.streamId, 7);
  return header.subarray(0, [11, 7, 3, 0][form]);
};

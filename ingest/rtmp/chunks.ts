/**
 * The chunk stream (RTMP 1.0, section 5.3), reading side: bytes in, whole messages out. A pure state machine that
 * can stop and go on at any byte, so a full core stops it between two messages, and the socket behind it.
 *
 *     basic ─▶ id? ─▶ header? ─▶ extended? ─▶ body ─▶ (message)
 *
 * Each message is assembled once into memory of its own; whoever takes it may keep it.
 */
import { RtmpError } from './errors.ts';

export type Message = {
  readonly type: number;
  readonly streamId: number;
  /** Milliseconds modulo 2^32. */
  readonly timestamp: number;
  readonly payload: Buffer;
};

export type ChunkLimits = {
  readonly messageBytes: number;
  readonly partialBytes: number;
  readonly chunkStreams: number;
};

export const initialChunkSize = 128;
/** A timestamp field of this value says that the real one follows in 32 bits. */
export const extendedMark = 0xffffff;
/** Section 5.4.1: no message is longer than 24 bits can say, so a larger chunk size means the same as this one. */
export const largestChunkSize = 0xffffff;
export const setChunkSizeType = 1;
export const abortType = 2;

type ChunkStream = {
  timestamp: number;
  delta: number;
  /** The timestamp field of the last header, which type 3 chunks repeat when it was an extended one. */
  field: number;
  extended: boolean;
  length: number;
  type: number;
  streamId: number;
  /** The message under way. */
  payload: Buffer | undefined;
  filled: number;
};

const headerBytes = [11, 7, 3, 0] as const;
const nothing = Buffer.alloc(0);

export class ChunkReader {
  #limits: ChunkLimits;
  #chunkSize = initialChunkSize;
  #streams = new Map<number, ChunkStream>();
  #partialBytes = 0;
  #input: Buffer = nothing;
  #at = 0;
  #stage: 'basic' | 'id' | 'header' | 'extended' | 'body' = 'basic';
  #gathered = Buffer.alloc(11);
  #have = 0;
  #need = 1;
  #fmt = 0;
  #stream: ChunkStream | undefined;
  #left = 0;

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
  }

  /** A publisher that was let in may send more than a stranger. */
  set limits(limits: ChunkLimits) {
    this.#limits = limits;
  }

  /** Bytes of unfinished messages: what this connection holds. */
  get partialBytes(): number {
    return this.#partialBytes;
  }

  feed(bytes: Buffer): void {
    const rest = this.#input.subarray(this.#at);
    this.#input = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    this.#at = 0;
  }

  /** The next whole message, or undefined when more bytes are needed. Throws RtmpError; the reader is then unusable. */
  next(): Message | undefined {
    for (;;) {
      if (this.#stage === 'body') {
        const message = this.#copyBody();
        if (message && !this.#obey(message)) return message;
        if (!message && this.#left > 0) return this.#empty();
      } else {
        if (!this.#gather()) return this.#empty();
        this.#advance();
      }
    }
  }

  /** All input is used up; its memory is the socket's, so an idle connection must not hold it. */
  #empty(): undefined {
    this.#input = nothing;
    this.#at = 0;
  }

  #gather(): boolean {
    while (this.#have < this.#need && this.#at < this.#input.length) {
      this.#gathered[this.#have++] = this.#input[this.#at++] ?? 0;
    }
    return this.#have === this.#need;
  }

  #expect(stage: 'basic' | 'id' | 'header' | 'extended', bytes: number): void {
    this.#stage = stage;
    this.#need = bytes;
    this.#have = 0;
  }

  #advance(): void {
    const bytes = this.#gathered;
    switch (this.#stage) {
      case 'basic': {
        const first = bytes.readUInt8(0);
        this.#fmt = first >> 6;
        const id = first & 63;
        // 5.3.1.1: 0 and 1 announce one and two more bytes, the second of which counts 256.
        if (id < 2) this.#expect('id', id + 1);
        else this.#open(id);
        return;
      }
      case 'id':
        this.#open(64 + bytes.readUInt8(0) + (this.#need === 2 ? bytes.readUInt8(1) * 256 : 0));
        return;
      case 'header':
        this.#header(bytes);
        return;
      case 'extended':
        this.#extended(bytes.readUInt32BE(0));
        return;
      case 'body':
    }
  }

  #open(id: number): void {
    let stream = this.#streams.get(id);
    if (!stream) {
      // librtmp opens the control stream with a type 1 chunk for its first ping; types 2 and 3 lack a length.
      if (this.#fmt > 1) throw new RtmpError('chunk-without-header');
      if (this.#streams.size >= this.#limits.chunkStreams) throw new RtmpError('too-many-chunk-streams');
      stream = {
        timestamp: 0,
        delta: 0,
        field: 0,
        extended: false,
        length: 0,
        type: 0,
        streamId: 0,
        payload: undefined,
        filled: 0,
      };
      this.#streams.set(id, stream);
    }
    if (stream.payload && this.#fmt !== 3) throw new RtmpError('chunk-inside-message');
    this.#stream = stream;
    const size = headerBytes[this.#fmt] ?? 0;
    if (size > 0) this.#expect('header', size);
    else if (stream.extended) this.#expect('extended', 4);
    else this.#begin(stream);
  }

  #header(bytes: Buffer): void {
    const stream = this.#current();
    stream.field = bytes.readUIntBE(0, 3);
    if (this.#fmt < 2) {
      stream.length = bytes.readUIntBE(3, 3);
      stream.type = bytes.readUInt8(6);
    }
    if (this.#fmt === 0) stream.streamId = bytes.readUInt32LE(7);
    stream.extended = stream.field === extendedMark;
    if (stream.extended) this.#expect('extended', 4);
    else this.#begin(stream);
  }

  #extended(value: number): void {
    const stream = this.#current();
    if (this.#fmt !== 3) stream.field = value;
    // 5.3.1.3 repeats the extended timestamp in type 3 chunks. Old librtmp and FFmpeg leave it out, and some senders
    // repeat the absolute time where the header had a delta. What is neither is already the body.
    else if (value !== stream.field && value !== stream.timestamp) this.#unread();
    this.#begin(stream);
  }

  #unread(): void {
    if (this.#at >= 4) {
      this.#at -= 4;
      return;
    }
    this.#input = Buffer.concat([this.#gathered.subarray(0, 4), this.#input.subarray(this.#at)]);
    this.#at = 0;
  }

  /** The body of a chunk begins, and with it a message, unless one is under way. */
  #begin(stream: ChunkStream): void {
    if (!stream.payload) {
      // 5.3.1.2.4: type 3 repeats the delta; after type 0 the delta is that chunk's timestamp.
      if (this.#fmt !== 3) stream.delta = stream.field;
      stream.timestamp = this.#fmt === 0 ? stream.field : (stream.timestamp + stream.delta) >>> 0;
      if (stream.length > this.#limits.messageBytes) throw new RtmpError('message-too-long');
      if (this.#partialBytes + stream.length > this.#limits.partialBytes) throw new RtmpError('too-many-partial-bytes');
      this.#partialBytes += stream.length;
      stream.payload = Buffer.allocUnsafe(stream.length);
      stream.filled = 0;
    }
    this.#left = Math.min(this.#chunkSize, stream.length - stream.filled);
    this.#stage = 'body';
  }

  /** Copies what is there; the message when it is whole. Afterwards `#left > 0` means that bytes are missing. */
  #copyBody(): Message | undefined {
    const stream = this.#current();
    const payload = stream.payload ?? nothing;
    const bytes = Math.min(this.#left, this.#input.length - this.#at);
    this.#input.copy(payload, stream.filled, this.#at, this.#at + bytes);
    this.#at += bytes;
    this.#left -= bytes;
    stream.filled += bytes;
    if (this.#left > 0) return undefined;
    this.#expect('basic', 1);
    if (stream.filled < stream.length) return undefined;
    stream.payload = undefined;
    this.#partialBytes -= stream.length;
    return { type: stream.type, streamId: stream.streamId, timestamp: stream.timestamp, payload };
  }

  /** Messages about the chunk stream itself (5.4.1, 5.4.2) are obeyed here: the very next chunk depends on them. */
  #obey({ type, payload }: Message): boolean {
    if (type !== setChunkSizeType && type !== abortType) return false;
    if (payload.length < 4) throw new RtmpError('control-too-short');
    const value = payload.readUInt32BE(0);
    if (type === setChunkSizeType) {
      if (value === 0 || value > 0x7fffffff) throw new RtmpError('chunk-size');
      this.#chunkSize = Math.min(value, largestChunkSize);
      return true;
    }
    const aborted = this.#streams.get(value);
    if (aborted?.payload) {
      aborted.payload = undefined;
      this.#partialBytes -= aborted.length;
    }
    return true;
  }

  #current(): ChunkStream {
    if (!this.#stream) throw new RtmpError('chunk-without-header');
    return this.#stream;
  }
}

/**
 * One stream of pictures, or of sound, out of what ffmpeg writes as NUT to a pipe. Bytes go in as they come, pictures come out as soon as
 * their last byte is there. It holds no more than one packet or picture, keeps no index, and throws a NutError for
 * whatever it cannot take; after that it is of no more use.
 */
import { crc32 } from '../media/crc32.ts';
import { Bytes, Short } from './bytes.ts';
import { readMain, readStream, type FrameCode, type MainPacket, type StreamPacket } from './packets.ts';
import { fileId, frameFlag, letterN, NutError, shortLength, startCodes, type PacketKind } from './nut.ts';

export type NutItem =
  | ({ readonly kind: 'stream' } & StreamPacket)
  | { readonly kind: 'picture'; readonly pts: number; readonly key: boolean; /** Of its own memory. */ readonly data: Buffer };

export type NutLimits = { readonly packetBytes: number; readonly pictureBytes: number };

const usualLimits: NutLimits = { packetBytes: 64 * 1024, pictureBytes: 16 * 1024 * 1024 };
const startCodeBytes = 8;
const mostReserved = 256;

type Step = { readonly item: NutItem | null; readonly used: number };

export class NutReader {
  readonly #limits: NutLimits;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** There is nothing to do with fewer. */
  #needed = fileId.length;
  #begun = false;
  /** Of a packet that says nothing here. */
  #skip = 0;
  #main: MainPacket | null = null;
  #stream: StreamPacket | null = null;
  #lastPts = 0;

  constructor(limits: Partial<NutLimits> = {}) {
    this.#limits = { ...usualLimits, ...limits };
  }

  /** What these bytes complete. */
  push(chunk: Buffer): NutItem[] {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#needed) return [];
    const bytes = this.#held.length === 1 ? chunk : Buffer.concat(this.#held);
    const items: NutItem[] = [];
    let at = 0;
    this.#needed = 1;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      try {
        const { item, used } = this.#next(new Bytes(bytes.subarray(at)));
        at += used;
        if (item) items.push(item);
      } catch (error) {
        if (!(error instanceof Short)) throw error;
        this.#needed = error.needed;
        break;
      }
    }
    // A copy: what came may lie in a much larger piece of memory.
    this.#held = at < bytes.length ? [Buffer.from(bytes.subarray(at))] : [];
    this.#heldBytes = bytes.length - at;
    return items;
  }

  /** Nothing is missing: it may end here. */
  get whole(): boolean {
    return this.#heldBytes === 0 && this.#skip === 0 && this.#stream !== null;
  }

  #next(bytes: Bytes): Step {
    if (!this.#begun) {
      if (!bytes.take(fileId.length).equals(fileId)) throw new NutError('invalid', 'it does not begin as NUT does');
      this.#begun = true;
      return { item: null, used: bytes.at };
    }
    return bytes.peek() === letterN ? this.#packet(bytes) : this.#picture(bytes);
  }

  #packet(bytes: Bytes): Step {
    const code = bytes.take(startCodeBytes);
    const kind = kindOf(code);
    const length = bytes.varint();
    const head = bytes.since(0);
    if (length > shortLength && bytes.u32() !== crc32(head, 0)) throw new NutError('invalid', 'the length of a packet is damaged');
    if (!kind || !this.#isNews(kind)) {
      this.#skip = length;
      return { item: null, used: bytes.at };
    }
    if (length < 4) throw new NutError('invalid', `a packet of ${length} bytes`);
    if (length > this.#limits.packetBytes) throw new NutError('limit', `a packet of ${length} bytes`);
    const body = bytes.take(length - 4);
    if (bytes.u32() !== crc32(body, 0)) throw new NutError('invalid', `a packet (${kind}) is damaged`);
    return { item: this.#read(kind, Bytes.whole(body)), used: bytes.at };
  }

  /** ffmpeg says the heads again now and then; what is told in others is of no use here. */
  #isNews(kind: PacketKind): boolean {
    if (kind === 'main') return this.#main === null;
    if (kind === 'stream') return this.#stream === null;
    return kind === 'syncpoint';
  }

  #read(kind: PacketKind, body: Bytes): NutItem | null {
    if (kind === 'main') {
      this.#main = readMain(body);
      return null;
    }
    if (!this.#main) throw new NutError('invalid', `a packet (${kind}) ahead of the main one`);
    if (kind === 'stream') {
      this.#stream = readStream(body, this.#main);
      return { kind: 'stream', ...this.#stream };
    }
    this.#lastPts = body.varint();
    return null;
  }

  #picture(bytes: Bytes): Step {
    if (!this.#main || !this.#stream) throw new NutError('invalid', 'a picture ahead of what it is');
    const code = this.#main.codes[bytes.u8()];
    if (!code || code.flags & frameFlag.invalid) throw new NutError('invalid', 'a picture under a code that there is not');
    const head = this.#pictureHead(bytes, code, this.#stream);
    const data = bytes.take(head.size);
    this.#lastPts = head.pts;
    const used = bytes.at;
    if (head.size + head.shared.length === 0) return { item: null, used };
    return { item: { kind: 'picture', pts: head.pts, key: (head.flags & frameFlag.key) !== 0, data: Buffer.concat([head.shared, data]) }, used };
  }

  #pictureHead(bytes: Bytes, code: FrameCode, stream: StreamPacket): { flags: number; pts: number; size: number; shared: Buffer } {
    // XOR on 32 bits would lose what is above; no flag is.
    const flags = code.flags & frameFlag.coded ? code.flags ^ bytes.varintBelow(2 ** 31) : code.flags;
    if (flags & frameFlag.sideData) throw new NutError('unsupported', 'a picture with more than its own data');
    if (flags & frameFlag.streamId && bytes.varint() !== 0) throw new NutError('unsupported', 'a second stream');
    const pts = flags & frameFlag.codedPts ? wholePts(bytes.varint(), stream.shortTimeBits, this.#lastPts) : this.#lastPts + code.ptsDelta;
    if (pts < 0 || !Number.isSafeInteger(pts)) throw new NutError('invalid', `a picture at ${pts}`);
    const told = code.sizeLow + (flags & frameFlag.size ? code.sizeTimes * bytes.varint() : 0);
    if (flags & frameFlag.matchTime) bytes.varint();
    const index = flags & frameFlag.headerIndex ? bytes.varint() : code.headerIndex;
    const reserved = flags & frameFlag.reserved ? bytes.varint() : code.reserved;
    if (reserved > mostReserved) throw new NutError('limit', `${reserved} fields that nobody knows`);
    for (let left = reserved; left > 0; left -= 1) bytes.varint();
    const shared = told > shortLength ? Buffer.alloc(0) : this.#main?.shared[index];
    if (!shared) throw new NutError('invalid', 'a picture that begins as none does');
    const size = told - shared.length;
    if (size < 0) throw new NutError('invalid', 'a picture of less than nothing');
    if (!(told <= this.#limits.pictureBytes)) throw new NutError('limit', `a picture of ${told} bytes`);
    const head = bytes.since(0);
    if (flags & frameFlag.checksum && bytes.u32() !== crc32(head, 0)) throw new NutError('invalid', 'the head of a picture is damaged');
    return { flags, pts, size, shared };
  }
}

const kindOf = (code: Buffer): PacketKind | null => {
  for (const kind of ['main', 'stream', 'syncpoint', 'info', 'index'] as const) if (startCodes[kind].equals(code)) return kind;
  throw new NutError('invalid', `a packet ${code.toString('hex')} that there is not`);
};

/** The lowest bits alone mean the time next to the last one that ends in them. */
const wholePts = (coded: number, bits: number, last: number): number => {
  const range = 2 ** bits;
  if (coded >= range) return coded - range;
  const lowest = last - Math.floor((range - 1) / 2);
  return lowest + ((((coded - lowest) % range) + range) % range);
};

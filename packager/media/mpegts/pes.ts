/**
 * PES packets (ISO 13818-1, 2.4.3.6) out of the transport packets of one PID. One with a length is whole when that
 * many bytes are there; one without (pictures) when the next begins. A packet without a time stamp of pictures goes
 * on with the one before: 64 KiB is all that a length can say, and some encoders never leave it away.
 */

export type Pes = {
  /** 90 kHz, 33 bits, as they stand there; null: not said. */
  readonly pts: number | null;
  readonly dts: number | null;
  readonly data: Buffer;
};

type Head = { readonly pts: number | null; readonly dts: number | null; readonly size: number; /** Bytes behind the head; null: not said. */ readonly payload: number | null };

const fixedHead = 9;
const roomInPacket = 184;
/** The first packet usually carries the clock as well. */
const roomBesideClock = 176;
/** A length as large as this is that of a picture which did not fit. */
const nearlyFull = 60_000;

/** program_stream_map, padding, private_stream_2, ECM, EMM, directory, DSMCC, H.222.1 E: no head, no media (table 2-21). */
const headless = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

export class PesReader {
  readonly #most: number;
  readonly #joins: boolean;
  #state: 'idle' | 'head' | 'body' = 'idle';
  #opening: Buffer[] = [];
  #head: Head | null = null;
  #parts: Buffer[] = [];
  #size = 0;
  #left: number | null = null;
  /** Whole, but what comes next may still belong to it. */
  #waits = false;
  /** Bytes of the last transport packet. */
  #last = 0;
  /** Packets that had a hole, were cut short or too long. */
  damaged = 0;

  /** `joins`: packets without a time stamp go on with the one before. */
  constructor(most: number, joins: boolean) {
    this.#most = most;
    this.#joins = joins;
  }

  read(payload: Buffer, start: boolean, take: (pes: Pes) => void): void {
    this.#last = payload.length;
    if (start) {
      if (this.#state === 'head') this.#drop();
      this.#state = 'head';
      this.#opening = [];
    }
    if (this.#state === 'head') this.#open(payload, take);
    else if (this.#state === 'body') this.#append(payload, take);
  }

  /** Packets are missing: what is under way is not whole. */
  gap(): void {
    if (this.#state !== 'idle' || this.#head) this.#drop();
  }

  /**
   * Nothing more comes. A packet without a length is whole when its last transport packet was filled up behind it
   * (2.4.3.5): one that is full of payload would go on, and a sender that was cut off leaves half a picture.
   */
  flush(take: (pes: Pes) => void): void {
    const full = this.#parts.length > 1 ? roomInPacket : roomBesideClock;
    if (this.#state === 'head' || (this.#state === 'body' && this.#left === null && this.#last >= full)) this.#drop();
    this.#finish(take);
    this.#state = 'idle';
  }

  #open(payload: Buffer, take: (pes: Pes) => void): void {
    this.#opening.push(payload);
    const bytes = this.#opening.length === 1 ? payload : Buffer.concat(this.#opening);
    const head = readHead(bytes);
    if (head === 'more') return;
    this.#opening = [];
    this.#state = 'idle';
    if (head === null) {
      this.#finish(take);
      return;
    }
    const goesOn = this.#joins && head.pts === null && this.#head !== null;
    if (!goesOn) {
      this.#finish(take);
      this.#head = head;
    }
    this.#waits = false;
    this.#left = head.payload;
    this.#state = 'body';
    this.#append(bytes.subarray(head.size), take);
  }

  #append(payload: Buffer, take: (pes: Pes) => void): void {
    const part = this.#left === null ? payload : payload.subarray(0, this.#left);
    this.#size += part.length;
    if (this.#size > this.#most) {
      this.#drop();
      return;
    }
    this.#parts.push(part);
    if (this.#left === null) return;
    this.#left -= part.length;
    if (this.#left > 0) return;
    this.#state = 'idle';
    this.#waits = this.#joins && (this.#head?.payload ?? 0) > nearlyFull;
    if (!this.#waits) this.#finish(take);
  }

  #finish(take: (pes: Pes) => void): void {
    const head = this.#head;
    if (!head) return;
    const whole = this.#left === null || this.#left === 0 || this.#waits;
    const data = this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts, this.#size);
    this.#forget();
    if (whole) take({ pts: head.pts, dts: head.dts, data });
    else this.damaged += 1;
  }

  #drop(): void {
    this.damaged += 1;
    this.#forget();
    this.#state = 'idle';
  }

  #forget(): void {
    this.#head = null;
    this.#parts = [];
    this.#size = 0;
    this.#left = null;
    this.#waits = false;
    this.#opening = [];
  }
}

const readHead = (bytes: Buffer): Head | 'more' | null => {
  if (bytes.length < 6) return 'more';
  if (bytes.readUIntBE(0, 3) !== 1 || headless.has(bytes[3] ?? 0)) return null;
  if (bytes.length < fixedHead) return 'more';
  // '10' stands in front of the flags; anything else is MPEG-1, or damage.
  if (((bytes[6] ?? 0) & 0xc0) !== 0x80) return null;
  const size = fixedHead + (bytes[8] ?? 0);
  if (bytes.length < size) return 'more';
  const length = bytes.readUInt16BE(4);
  const payload = length === 0 ? null : length + 6 - size;
  if (payload !== null && payload < 0) return null;
  const flags = (bytes[7] ?? 0) >> 6;
  const pts = flags >= 2 && size >= 14 ? readTime(bytes, 9) : null;
  const dts = flags === 3 && size >= 19 ? readTime(bytes, 14) : null;
  return { pts, dts, size, payload };
};

/** 33 bits in five bytes, with a marker bit behind every group; null where a marker is missing. */
const readTime = (bytes: Buffer, at: number): number | null => {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = bytes.subarray(at, at + 5);
  if ((first & third & fifth & 1) === 0) return null;
  return ((first >> 1) & 7) * 2 ** 30 + (second << 22) + ((third >> 1) << 15) + (fourth << 7) + (fifth >> 1);
};

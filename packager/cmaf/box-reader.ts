/** Boxes of a byte range, with every size checked against what is there. Never recursive: callers walk known paths. */
import { CmafError } from './cmaf-error.ts';

export type BoxView = {
  readonly type: string;
  /** Offset of the box's first byte in the buffer that was given. */
  readonly at: number;
  /** Where its content begins. */
  readonly body: number;
  readonly end: number;
};

/** More children than any track has; a header is 8 bytes, so a flood of empty boxes is cheap to make. */
const mostBoxes = 100_000;

export const boxes = (bytes: Buffer, from = 0, to = bytes.length): BoxView[] => {
  const found: BoxView[] = [];
  for (let at = from; at < to; ) {
    if (to - at < 8) throw new CmafError('truncated', `${to - at} bytes are left where a box begins`);
    const small = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    let size = small;
    let body = at + 8;
    // 4.2: size 1 means a size of 64 bits, 0 means up to the end of the file, which a stream does not have.
    if (small === 1) {
      if (to - at < 16) throw new CmafError('truncated', `the size of ${type} is cut off`);
      size = bytes.readUInt32BE(at + 8) * 2 ** 32 + bytes.readUInt32BE(at + 12);
      body = at + 16;
    }
    if (size < body - at) throw new CmafError('invalid', `${type} has a size of ${size}`);
    if (size > to - at) throw new CmafError('truncated', `${type} of ${size} bytes goes ${size - (to - at)} too far`);
    found.push({ type, at, body, end: at + size });
    if (found.length > mostBoxes) throw new CmafError('limit', `more than ${mostBoxes} boxes`);
    at += size;
  }
  return found;
};

export const children = (bytes: Buffer, parent: BoxView): BoxView[] => boxes(bytes, parent.body, parent.end);

/** The one box of this type: none or a second one is an error. */
export const only = (found: readonly BoxView[], type: string, inside: string): BoxView => {
  const [first, second] = found.filter((one) => one.type === type);
  if (!first) throw new CmafError('invalid', `${inside} has no ${type}`);
  if (second) throw new CmafError('unsupported', `${inside} has more than one ${type}`);
  return first;
};

/** The one box at the end of a path of containers. */
export const descend = (bytes: Buffer, from: BoxView, ...path: readonly string[]): BoxView =>
  path.reduce((parent, type) => only(children(bytes, parent), type, parent.type), from);

/** Numbers of a box, one after the other; reading past its end is an error. */
export class Cursor {
  readonly #bytes: Buffer;
  readonly #box: BoxView;
  #at: number;

  constructor(bytes: Buffer, box: BoxView, skip = 0) {
    this.#bytes = bytes;
    this.#box = box;
    this.#at = box.body;
    this.skip(skip);
  }

  get at(): number {
    return this.#at;
  }
  get left(): number {
    return this.#box.end - this.#at;
  }
  #take(count: number): number {
    const at = this.#at;
    if (count > this.left) throw new CmafError('truncated', `${this.#box.type} ends too early`);
    this.#at += count;
    return at;
  }
  skip(count: number): void {
    this.#take(count);
  }
  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }
  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }
  u24(): number {
    return this.#bytes.readUIntBE(this.#take(3), 3);
  }
  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }
  i32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }
  /** 64 bits, as far as a number holds them exactly. */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32();
    if (!Number.isSafeInteger(value)) throw new CmafError('limit', `${this.#box.type} holds a number above 2^53`);
    return value;
  }
  fourcc(): string {
    const at = this.#take(4);
    return this.#bytes.toString('latin1', at, at + 4);
  }
  bytes(count: number): Buffer {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }
  /** Version and flags of a full box. */
  full(): { version: number; flags: number } {
    return { version: this.u8(), flags: this.u24() };
  }
}

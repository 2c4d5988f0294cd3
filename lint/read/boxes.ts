/** Boxes of ISO 14496-12, walked with bounds. Whatever the bytes are, there is an answer: boxes, or why there are none. */

export type Box = { readonly type: string; readonly start: number; readonly size: number; /** Without the header. */ readonly body: Buffer };

/** Thrown inside the readers of this folder, and caught by those that are called from outside. */
export class Malformed extends Error {}

const mostBoxes = 20_000;

export const boxesOf = (bytes: Buffer): Box[] => {
  const boxes: Box[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 8) throw new Malformed(`${bytes.length - at} bytes behind the last box`);
    let size = bytes.readUInt32BE(at);
    let header = 8;
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (size === 1) {
      if (bytes.length - at < 16) throw new Malformed(`the box ${printable(type)} is cut off`);
      size = Number(bytes.readBigUInt64BE(at + 8));
      header = 16;
    } else if (size === 0) {
      size = bytes.length - at;
    }
    if (size < header || size > bytes.length - at) throw new Malformed(`the box ${printable(type)} says that it has ${size} bytes, and there are ${bytes.length - at}`);
    boxes.push({ type, start: at, size, body: bytes.subarray(at + header, at + size) });
    if (boxes.length > mostBoxes) throw new Malformed(`more than ${mostBoxes} boxes`);
    at += size;
  }
  return boxes;
};

const printable = (type: string): string => type.replace(/[^\x20-\x7e]/g, '?');

export const child = (parent: Box, type: string): Box => {
  const [found] = children(parent, type);
  if (!found) throw new Malformed(`no ${type} in ${printable(parent.type)}`);
  return found;
};

export const children = (parent: Box, type: string): Box[] => boxesOf(parent.body).filter((one) => one.type === type);

/** Reads fields in order, and says which box is too short. */
export class Fields {
  readonly #body: Buffer;
  readonly #of: string;
  at = 0;

  constructor({ body, type }: Box) {
    this.#body = body;
    this.#of = type;
  }

  #take(bytes: number): number {
    const from = this.at;
    if (from + bytes > this.#body.length) throw new Malformed(`${printable(this.#of)} is too short`);
    this.at += bytes;
    return from;
  }
  u8(): number {
    return this.#body.readUInt8(this.#take(1));
  }
  u16(): number {
    return this.#body.readUInt16BE(this.#take(2));
  }
  u24(): number {
    return this.#body.readUIntBE(this.#take(3), 3);
  }
  u32(): number {
    return this.#body.readUInt32BE(this.#take(4));
  }
  i32(): number {
    return this.#body.readInt32BE(this.#take(4));
  }
  /** Beyond 2^53 it is rounded: no clock of media runs that long. */
  u64(): number {
    return Number(this.#body.readBigUInt64BE(this.#take(8)));
  }
  i64(): number {
    return Number(this.#body.readBigInt64BE(this.#take(8)));
  }
  skip(bytes: number): this {
    this.#take(bytes);
    return this;
  }
  text(bytes: number): string {
    const from = this.#take(bytes);
    return this.#body.toString('latin1', from, from + bytes);
  }
  get rest(): Buffer {
    return this.#body.subarray(this.at);
  }
}

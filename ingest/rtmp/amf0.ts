/** AMF0 (Action Message Format 0): the values of RTMP commands and metadata, bytes ↔ values, within limits. */
import { RtmpError } from './errors.ts';

export type AmfValue = undefined | null | boolean | number | string | AmfValue[] | AmfObject;
/** Without a prototype, so that no key that a sender chooses means anything to JavaScript. */
export type AmfObject = { [key: string]: AmfValue };

export type AmfLimits = { readonly amfDepth: number; readonly amfStringBytes: number; readonly amfValues: number };

const marker = {
  number: 0,
  boolean: 1,
  string: 2,
  object: 3,
  null: 5,
  undefined: 6,
  reference: 7,
  ecmaArray: 8,
  objectEnd: 9,
  strictArray: 10,
  date: 11,
  longString: 12,
  unsupported: 13,
  xml: 15,
  typedObject: 16,
} as const;

/** All values that follow one another in the bytes. Throws RtmpError. */
export const decodeAmf0 = (bytes: Buffer, limits: AmfLimits): AmfValue[] => {
  const reader = new Amf0Reader(bytes, limits);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.value(0));
  return values;
};

class Amf0Reader {
  #bytes: Buffer;
  #limits: AmfLimits;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer, limits: AmfLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(depth: number): AmfValue {
    if (depth > this.#limits.amfDepth) throw new RtmpError('amf-too-deep');
    if (++this.#values > this.#limits.amfValues) throw new RtmpError('amf-too-many-values');
    switch (this.#bytes.readUInt8(this.#take(1))) {
      case marker.number:
        return this.#bytes.readDoubleBE(this.#take(8));
      case marker.boolean:
        return this.#bytes.readUInt8(this.#take(1)) !== 0;
      case marker.string:
        return this.#string(this.#bytes.readUInt16BE(this.#take(2)));
      case marker.longString:
      case marker.xml:
        return this.#string(this.#bytes.readUInt32BE(this.#take(4)));
      case marker.object:
        return this.#members(depth);
      case marker.typedObject:
        this.#string(this.#bytes.readUInt16BE(this.#take(2)));
        return this.#members(depth);
      case marker.ecmaArray:
        // The count is a hint and often wrong (0 from live encoders); the end marker decides.
        this.#take(4);
        return this.#members(depth);
      case marker.strictArray:
        return this.#array(this.#bytes.readUInt32BE(this.#take(4)), depth);
      case marker.date: {
        const date = this.#bytes.readDoubleBE(this.#take(8));
        this.#take(2); // A time zone, which the format reserves and nobody sets.
        return date;
      }
      case marker.null:
        return null;
      case marker.undefined:
      case marker.unsupported:
        return undefined;
      case marker.reference:
        // References to earlier objects: no encoder sends them, and following them would allow cycles.
        this.#take(2);
        return undefined;
      default:
        throw new RtmpError('amf-type');
    }
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#bytes.length - at) throw new RtmpError('amf-truncated');
    this.#at += bytes;
    return at;
  }

  #string(length: number): string {
    if (length > this.#limits.amfStringBytes) throw new RtmpError('amf-string-too-long');
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  #members(depth: number): AmfObject {
    const members: AmfObject = Object.create(null) as AmfObject;
    for (;;) {
      const key = this.#string(this.#bytes.readUInt16BE(this.#take(2)));
      if (key === '' && this.#bytes[this.#at] === marker.objectEnd) {
        this.#at += 1;
        return members;
      }
      members[key] = this.value(depth + 1);
    }
  }

  #array(count: number, depth: number): AmfValue[] {
    const items: AmfValue[] = [];
    for (let index = 0; index < count; index += 1) items.push(this.value(depth + 1));
    return items;
  }
}

/** Values of our own making, one after the other. */
export const encodeAmf0 = (...values: AmfValue[]): Buffer => Buffer.concat(values.flatMap(encodeValue));

const encodeValue = (value: AmfValue): Buffer[] => {
  if (value === undefined) return [Buffer.from([marker.undefined])];
  if (value === null) return [Buffer.from([marker.null])];
  if (typeof value === 'boolean') return [Buffer.from([marker.boolean, value ? 1 : 0])];
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9, marker.number);
    bytes.writeDoubleBE(value, 1);
    return [bytes];
  }
  if (typeof value === 'string') return encodeString(value);
  if (Array.isArray(value)) {
    const head = Buffer.alloc(5, marker.strictArray);
    head.writeUInt32BE(value.length, 1);
    return [head, ...value.flatMap(encodeValue)];
  }
  const members = Object.entries(value).flatMap(([key, member]) => [encodeKey(key), ...encodeValue(member)]);
  return [Buffer.from([marker.object]), ...members, Buffer.from([0, 0, marker.objectEnd])];
};

const encodeKey = (key: string): Buffer => {
  const text = Buffer.from(key);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([length, text]);
};

const encodeString = (value: string): Buffer[] => {
  const text = Buffer.from(value);
  if (text.length <= 0xffff) return [Buffer.from([marker.string]), encodeKey(value)];
  const head = Buffer.alloc(5, marker.longString);
  head.writeUInt32BE(text.length, 1);
  return [head, text];
};

/**
 * Boxes of ISO 14496-12 as data. A box knows its size when it is made, from its parts; writing fills one buffer:
 *
 *     encode(fullBox('tfdt', 1, 0, [u64(time)]))
 */
import { CmafError } from './cmaf-error.ts';

export type Field = { readonly width: 1 | 2 | 3 | 4 | 8; readonly value: number };
export type Box = { readonly type: string; readonly size: number; readonly parts: readonly Part[] };
export type Part = Field | Box | Uint8Array;

const headerSize = 8;

const unsigned = (width: 1 | 2 | 3 | 4 | 8, value: number): Field => {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
    throw new CmafError('range', `${value} does not fit ${width} unsigned bytes`);
  }
  return { width, value };
};

export const u8 = (value: number): Field => unsigned(1, value);
export const u16 = (value: number): Field => unsigned(2, value);
export const u24 = (value: number): Field => unsigned(3, value);
export const u32 = (value: number): Field => unsigned(4, value);
export const u64 = (value: number): Field => unsigned(8, value);
export const zeros = (count: number): Uint8Array => new Uint8Array(count);

export const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const sizeOf = (part: Part): number => {
  if (part instanceof Uint8Array) return part.length;
  return 'width' in part ? part.width : part.size;
};

export const box = (type: string, parts: readonly Part[]): Box => {
  let size = headerSize;
  for (const part of parts) size += sizeOf(part);
  return { type, size, parts };
};

export const fullBox = (type: string, version: number, flags: number, parts: readonly Part[]): Box =>
  box(type, [u8(version), u24(flags), ...parts]);

const writeField = (out: Buffer, at: number, { width, value }: Field): number => {
  if (width < 8) return out.writeUIntBE(value, at, width);
  out.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  return out.writeUInt32BE(value % 2 ** 32, at + 4);
};

const writePart = (out: Buffer, at: number, part: Part): number => {
  if (part instanceof Uint8Array) {
    out.set(part, at);
    return at + part.length;
  }
  if ('width' in part) return writeField(out, at, part);
  out.writeUInt32BE(part.size, at);
  out.write(part.type, at + 4, 4, 'latin1');
  let next = at + headerSize;
  for (const child of part.parts) next = writePart(out, next, child);
  return next;
};

/** The parts one after the other, in one new buffer. */
export const encode = (...parts: readonly Part[]): Buffer => {
  let size = 0;
  for (const part of parts) size += sizeOf(part);
  if (size > 0xffff_ffff) throw new CmafError('limit', `${size} bytes of boxes`);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) at = writePart(out, at, part);
  return out;
};

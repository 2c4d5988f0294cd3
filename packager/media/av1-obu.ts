/** Open bitstream units of AV1 (AV1 bitstream specification, 5.3): what a temporal unit is made of. */
import { CodecError } from './codec-error.ts';

export const obuType = { sequence: 1, delimiter: 2, frameHeader: 3, tileGroup: 4, metadata: 5, frame: 6, redundantHeader: 7, padding: 15 } as const;

export type Obu = {
  readonly type: number;
  /** Header, size and payload, as they lie there. */
  readonly whole: Buffer;
  readonly payload: Buffer;
};

/** A picture in the smallest tiles stays below; a flood of empty units does not. */
const mostObus = 8192;

/** leb128() (4.10.5): at most eight bytes, and no more than 32 bits. */
const readSize = (data: Buffer, from: number): { size: number; at: number } => {
  let size = 0;
  for (let index = 0; index < 8; index += 1) {
    const byte = data[from + index];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * index);
    if (byte & 0x80) continue;
    if (size > 0xffff_ffff) break;
    return { size, at: from + index + 1 };
  }
  throw new CodecError('invalid', 'AV1: the size of an OBU cannot be read');
};

/** The last one may leave its size out (AV1 in ISOBMFF, 2.4): it reaches to the end. */
export const obusOf = (data: Buffer): Obu[] => {
  const obus: Obu[] = [];
  for (let at = 0; at < data.length; ) {
    const header = data[at] ?? 0;
    if (header & 0x80) throw new CodecError('invalid', 'AV1: an OBU has its forbidden bit set');
    const behind = at + ((header & 4) === 0 ? 1 : 2);
    const { size, at: body } = header & 2 ? readSize(data, behind) : { size: data.length - behind, at: behind };
    const end = body + size;
    if (end > data.length || end < body) throw new CodecError('truncated', 'AV1: an OBU is longer than its temporal unit');
    obus.push({ type: (header >> 3) & 15, whole: data.subarray(at, end), payload: data.subarray(body, end) });
    if (obus.length > mostObus) throw new CodecError('limit', `AV1: more than ${mostObus} OBUs in a temporal unit`);
    at = end;
  }
  return obus;
};

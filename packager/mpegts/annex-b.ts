/**
 * A sample of an `avc1` track as an access unit of the byte stream (ISO 14496-10, annex B): a delimiter, which
 * MPEG-TS demands (ISO 13818-1, 2.14.1), parameter sets where decoding can start, and start codes in the place
 * of lengths.
 */
import { nalType } from '../media/h264-nal.ts';
import { parseAvcConfig } from '../media/h264.ts';
import { TsError } from './ts-error.ts';

const startCode = 1;
const startCodeSize = 4;
/** primary_pic_type 7: slices of any type. */
const delimiter = Buffer.from([0, 0, 0, startCode, nalType.accessUnitDelimiter, 0xf0]);

export type ByteStream = {
  readonly lengthSize: 1 | 2 | 4;
  /** Parameter sets behind start codes. */
  readonly sets: Buffer;
};

export const byteStreamOf = (avcC: Buffer): ByteStream => {
  const { sps, pps, extension, lengthSize } = parseAvcConfig(avcC);
  const nals = [...sps, ...(extension?.spsExtensions ?? []), ...pps];
  return { lengthSize, sets: Buffer.concat(nals.flatMap((nal) => [delimiter.subarray(0, startCodeSize), nal])) };
};

/** Bytes of the access unit that `writeAccessUnit` makes. Throws TsError where the lengths do not add up. */
export const accessUnitSize = (data: Buffer, { lengthSize, sets }: ByteStream, withSets: boolean): number => {
  let size = delimiter.length + (withSets ? sets.length : 0);
  for (let at = 0; at < data.length; ) {
    const start = at + lengthSize;
    if (start > data.length) throw new TsError('invalid', 'a picture ends inside the length of a NAL unit');
    const length = data.readUIntBE(at, lengthSize);
    at = start + length;
    if (at > data.length) throw new TsError('invalid', 'a NAL unit is longer than its picture');
    if (isCarried(data, start, length)) size += startCodeSize + length;
  }
  return size;
};

export const writeAccessUnit = (out: Buffer, start: number, data: Buffer, stream: ByteStream, withSets: boolean): number => {
  const { lengthSize, sets } = stream;
  let to = start + delimiter.copy(out, start);
  if (withSets) to += sets.copy(out, to);
  for (let at = 0; at < data.length; ) {
    const from = at + lengthSize;
    const length = data.readUIntBE(at, lengthSize);
    at = from + length;
    if (!isCarried(data, from, length)) continue;
    to = out.writeUInt32BE(startCode, to);
    to += data.copy(out, to, from, at);
  }
  return to;
};

/** A second delimiter would begin a second access unit. */
const isCarried = (data: Buffer, at: number, length: number): boolean =>
  length > 0 && ((data[at] ?? 0) & 0x1f) !== nalType.accessUnitDelimiter;

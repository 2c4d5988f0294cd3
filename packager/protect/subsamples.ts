/** What of a picture is protected (ISO 23001-7, 9.5.2.5 and 10.4.2): of each slice, everything behind its header. */
import { isVcl, typeOf } from '../media/h264-nal.ts';
import type { SliceHeaders } from '../media/h264-slice.ts';
import { ProtectError } from './protect-error.ts';

export type Subsample = { readonly clear: number; readonly protected: number };

const lengthBytes = 4;
const block = 16;
const mostClear = 0xffff;
/** `saiz` says in one byte how long the list of a picture is: 2 bytes, and 6 for each entry. Further slices stay clear. */
const mostSubsamples = 42;

/** The bytes of one picture in order, as ranges that are clear and then protected. */
export const subsamplesOf = (picture: Buffer, headers: SliceHeaders): Subsample[] => {
  const found: Subsample[] = [];
  let clear = 0;
  const add = (protectedBytes: number): void => {
    for (; clear > mostClear; clear -= mostClear) found.push({ clear: mostClear, protected: 0 });
    found.push({ clear, protected: protectedBytes });
    clear = 0;
  };
  for (let at = 0; at < picture.length; ) {
    const start = at + lengthBytes;
    const end = start <= picture.length ? start + picture.readUInt32BE(at) : Infinity;
    if (end > picture.length) throw new ProtectError('damaged', 'a NAL unit is longer than its picture');
    at = end;
    const nal = picture.subarray(start, end);
    const header = isVcl(typeOf(nal)) ? Math.min(headers.length(nal), nal.length) : nal.length;
    clear += lengthBytes + header;
    const rest = nal.length - header;
    // Entries for what this one needs, and for what of the picture may still follow in the clear.
    const needed = Math.ceil((clear + picture.length - end) / mostClear) + 1;
    if (rest >= block && found.length + needed <= mostSubsamples) add(rest);
    else clear += rest;
  }
  if (clear > 0) add(0);
  return found;
};

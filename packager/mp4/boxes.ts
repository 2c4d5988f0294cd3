/**
 * Boxes as files have them, which are not as tidy as what we write ourselves: QuickTime ends lists with four zero
 * bytes, and some writers leave a few behind. Sizes are checked against the parent all the same.
 */
import { Cursor, type BoxView } from '../cmaf/box-reader.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import type { Allowance } from './limits.ts';
import { Mp4Error, type Mp4ErrorCode } from './movie.ts';

export { Cursor };
export type Box = BoxView;

/** The boxes of [from, to), which lie beside each other: nothing here goes down by itself, so depth costs nothing. */
export const boxesIn = (bytes: Buffer, from: number, to: number, allowance: Allowance): Box[] => {
  const found: Box[] = [];
  for (let at = from; to - at >= 8; ) {
    allowance.box();
    const small = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    // The end of a list in QuickTime.
    if (small === 0 && type === '\0\0\0\0') break;
    let size = small === 0 ? to - at : small;
    let body = at + 8;
    if (small === 1) {
      if (to - at < 16) throw new Mp4Error('invalid', `the size of ${type} is cut off`);
      size = bytes.readUInt32BE(at + 8) * 2 ** 32 + bytes.readUInt32BE(at + 12);
      body = at + 16;
    }
    if (size < body - at) throw new Mp4Error('invalid', `${type} has a size of ${size}`);
    if (size > to - at) throw new Mp4Error('invalid', `${type} of ${size} bytes goes ${size - (to - at)} too far`);
    found.push({ type, at, body, end: at + size });
    at += size;
  }
  return found;
};

export const childrenOf = (bytes: Buffer, parent: Box, allowance: Allowance): Box[] =>
  boxesIn(bytes, parent.body, parent.end, allowance);

/** The first of this type. */
export const firstOf = (found: readonly Box[], type: string): Box | undefined => found.find((one) => one.type === type);

export const needed = (found: readonly Box[], type: string, inside: string): Box => {
  const box = firstOf(found, type);
  if (!box) throw new Mp4Error('invalid', `${inside} has no ${type}`);
  return box;
};

const codes: Record<CmafError['code'], Mp4ErrorCode> = {
  truncated: 'invalid',
  invalid: 'invalid',
  range: 'invalid',
  unsupported: 'unsupported',
  limit: 'limit',
};

/** What the shared readers refuse leaves as an error of this folder. */
export const asMp4Error = (error: unknown): unknown =>
  error instanceof CmafError ? new Mp4Error(codes[error.code], error.message, { cause: error }) : error;

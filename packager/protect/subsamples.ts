/**
 * What of a picture is protected (ISO 23001-7, 9.5.2.5 and 10.4.2): of each slice, everything behind its header. Where a picture has
 * more slices than can be listed, the largest are, if the others hardly matter; otherwise it is refused, and not served half clear.
 */
import { CodecError } from '../media/codec-error.ts';
import { isVcl, typeOf } from '../media/h264-nal.ts';
import type { SliceHeaders } from '../media/h264-slice.ts';
import { ProtectError } from './protect-error.ts';

export type Subsample = { readonly clear: number; readonly protected: number };

const lengthBytes = 4;
const block = 16;
const mostClear = 0xffff;
/** `saiz` says in one byte how long the list of a picture is: 2 bytes, and 6 for each entry. */
const mostSubsamples = 42;
/** Of all that could be protected. */
const leastShare = 0.9;

/** Bytes that are clear whatever happens, and then the rest of a slice, which need not be. */
type Stretch = { readonly clear: number; readonly rest: number };

/** The bytes of one picture in order, as ranges that are clear and then protected. */
export const subsamplesOf = (picture: Buffer, headers: Pick<SliceHeaders, 'length'>): Subsample[] => {
  const stretches = stretchesOf(picture, headers);
  const all = listOf(stretches, null);
  return all.length <= mostSubsamples ? all : ofTheLargest(stretches);
};

const stretchesOf = (picture: Buffer, headers: Pick<SliceHeaders, 'length'>): Stretch[] => {
  const found: Stretch[] = [];
  let clear = 0;
  for (let at = 0; at < picture.length; ) {
    const start = at + lengthBytes;
    const end = start <= picture.length ? start + picture.readUInt32BE(at) : Infinity;
    if (end > picture.length) throw new ProtectError('damaged', 'a NAL unit is longer than its picture');
    at = end;
    const nal = picture.subarray(start, end);
    const rest = isVcl(typeOf(nal)) ? nal.length - Math.min(headerLength(nal, headers), nal.length) : 0;
    clear += lengthBytes + nal.length;
    // Less than a block stays clear.
    if (rest < block) continue;
    found.push({ clear: clear - rest, rest });
    clear = 0;
  }
  if (clear > 0) found.push({ clear, rest: 0 });
  return found;
};

/** A header that cannot be read says nothing against the picture, but nobody knows what of it has to be clear. */
const headerLength = (nal: Buffer, headers: Pick<SliceHeaders, 'length'>): number => {
  try {
    return headers.length(nal);
  } catch (error) {
    if (error instanceof CodecError) throw new ProtectError('unsupported', error.message, { cause: error });
    throw error;
  }
};

/** `chosen`: those that are protected; null: all. */
const listOf = (stretches: readonly Stretch[], chosen: ReadonlySet<Stretch> | null): Subsample[] => {
  const list: Subsample[] = [];
  let clear = 0;
  const add = (protectedBytes: number): void => {
    for (; clear > mostClear; clear -= mostClear) list.push({ clear: mostClear, protected: 0 });
    list.push({ clear, protected: protectedBytes });
    clear = 0;
  };
  for (const stretch of stretches) {
    clear += stretch.clear;
    if (stretch.rest > 0 && (chosen === null || chosen.has(stretch))) add(stretch.rest);
    else clear += stretch.rest;
  }
  if (clear > 0) add(0);
  return list;
};

const ofTheLargest = (stretches: readonly Stretch[]): Subsample[] => {
  const bySize = stretches.filter(({ rest }) => rest > 0).toSorted((one, other) => other.rest - one.rest);
  const least = leastShare * sizeOf(bySize);
  for (let count = Math.min(mostSubsamples, bySize.length); count > 0; count -= 1) {
    const chosen = bySize.slice(0, count);
    if (sizeOf(chosen) < least) break;
    const list = listOf(stretches, new Set(chosen));
    // What lies clear in between takes entries too.
    if (list.length <= mostSubsamples) return list;
  }
  throw new ProtectError('unsupported', `a picture of ${bySize.length} slices, of which cbcs cannot list nine tenths`);
};

const sizeOf = (stretches: readonly Stretch[]): number => stretches.reduce((sum, { rest }) => sum + rest, 0);

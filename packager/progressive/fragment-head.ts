/**
 * Reads the head of a fragment: its `moof`, and where the samples lie. Unlike the reader of whole fragments it
 * needs no more of them than the `moof`, and hands each sample on as numbers: a file of a night has millions.
 */
import { children, Cursor, only, type BoxView } from '../cmaf/box-reader.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { sampleFlags, tfhdFlag, trunFlag } from '../cmaf/flags.ts';

export type FragmentHead = {
  /** tfdt. */
  readonly time: number;
  /** The samples' bytes in the fragment. */
  readonly from: number;
  readonly to: number;
};

export type TakeSample = (duration: number, size: number, compositionOffset: number, key: boolean) => void;

/** More than half an hour of pictures. */
const mostSamples = 65_536;

/** Where the moof begins: events (emsg) may lie ahead of it. */
const moofAt = (bytes: Buffer): number => {
  let at = 0;
  while (at + 8 <= bytes.length && bytes.toString('latin1', at + 4, at + 8) === 'emsg') at += Math.max(8, bytes.readUInt32BE(at));
  return at;
};

const moofOf = (bytes: Buffer): BoxView => {
  const at = moofAt(bytes);
  if (bytes.length - at < 8) throw new CmafError('truncated', 'a fragment ends inside its first box');
  const size = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  if (type !== 'moof') throw new CmafError('unsupported', `a fragment begins with ${JSON.stringify(type)}`);
  if (size < 8 || at + size > bytes.length) throw new CmafError('truncated', `a moof of ${size} bytes in ${bytes.length - at}`);
  return { type, at, body: at + 8, end: at + size };
};

/** Bytes of the head of which these are the first ones: all of it, as soon as they reach its moof. */
export const headSize = (bytes: Buffer): number => {
  const at = moofAt(bytes);
  return bytes.length < at + 8 ? at + 8 : at + bytes.readUInt32BE(at);
};

/** `size` is the fragment's in the log; `bytes` may end behind the moof. */
export const readHead = (bytes: Buffer, size: number, take: TakeSample): FragmentHead => {
  const moof = moofOf(bytes);
  const traf = children(bytes, only(children(bytes, moof), 'traf', 'moof'));

  const tfhd = new Cursor(bytes, only(traf, 'tfhd', 'traf'));
  const { flags: present } = tfhd.full();
  if (!(present & tfhdFlag.defaultBaseIsMoof) || present & tfhdFlag.baseDataOffset) {
    throw new CmafError('unsupported', 'tfhd is not default-base-is-moof');
  }
  tfhd.skip(present & tfhdFlag.sampleDescription ? 8 : 4);
  const usualDuration = present & tfhdFlag.duration ? tfhd.u32() : 0;
  const usualSize = present & tfhdFlag.size ? tfhd.u32() : 0;
  const usualFlags = present & tfhdFlag.flags ? tfhd.u32() : 0;

  const tfdt = new Cursor(bytes, only(traf, 'tfdt', 'traf'));
  const time = tfdt.full().version === 1 ? tfdt.u64() : tfdt.u32();

  const trun = new Cursor(bytes, only(traf, 'trun', 'traf'));
  const { version, flags } = trun.full();
  const count = trun.u32();
  if (count > mostSamples) throw new CmafError('limit', `a fragment of ${count} samples`);
  if (!(flags & trunFlag.dataOffset)) throw new CmafError('unsupported', 'trun has no data offset');
  const from = moof.at + trun.i32();
  const firstFlags = flags & trunFlag.firstFlags ? trun.u32() : null;
  let to = from;
  for (let index = 0; index < count; index += 1) {
    const duration = flags & trunFlag.duration ? trun.u32() : usualDuration;
    const bytesOfSample = flags & trunFlag.size ? trun.u32() : usualSize;
    const own = flags & trunFlag.flags ? trun.u32() : usualFlags;
    const offset = flags & trunFlag.compositionOffset ? (version === 0 ? trun.u32() : trun.i32()) : 0;
    to += bytesOfSample;
    take(duration, bytesOfSample, offset, ((index === 0 && firstFlags !== null ? firstFlags : own) & sampleFlags.nonSync) === 0);
  }
  if (from < moof.end || to > size) throw new CmafError('invalid', 'samples lie outside of their fragment');
  return { time, from, to };
};

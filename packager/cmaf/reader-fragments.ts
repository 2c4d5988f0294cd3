/** Reads fragments back into facts: what a log holds, what a test compares, what a checker judges. */
import { boxes, children, Cursor, only, type BoxView } from './box-reader.ts';
import { CmafError } from './cmaf-error.ts';
import { sampleFlags, tfhdFlag, trunFlag } from './flags.ts';
import type { SampleDefaults } from './reader-init.ts';

export type SampleFacts = {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
  /** Composition offset: pts - dts. */
  readonly cts: number;
  readonly key: boolean;
  /** Of the sample's first byte in the buffer that was given. */
  readonly offset: number;
};

export type FragmentFacts = {
  /** Of the moof in the buffer that was given. */
  readonly offset: number;
  /** moof and mdat together. */
  readonly size: number;
  readonly moofSize: number;
  readonly mdatOffset: number;
  readonly mdatSize: number;
  readonly sequence: number;
  readonly trackId: number;
  /** tfdt. */
  readonly baseDecodeTime: number;
  /** Sum of the samples' durations. */
  readonly duration: number;
  readonly samples: readonly SampleFacts[];
};

type TrackHeader = { readonly trackId: number; readonly defaults: SampleDefaults };

const readTrackHeader = (bytes: Buffer, tfhd: BoxView, inherited: SampleDefaults): TrackHeader => {
  const cursor = new Cursor(bytes, tfhd);
  const { flags } = cursor.full();
  // CMAF 7.5.16: offsets count from the moof, so that a fragment may lie anywhere.
  if (!(flags & tfhdFlag.defaultBaseIsMoof) || flags & tfhdFlag.baseDataOffset) {
    throw new CmafError('unsupported', 'tfhd is not default-base-is-moof');
  }
  const trackId = cursor.u32();
  if (flags & tfhdFlag.sampleDescription) cursor.skip(4);
  const duration = flags & tfhdFlag.duration ? cursor.u32() : inherited.duration;
  const size = flags & tfhdFlag.size ? cursor.u32() : inherited.size;
  const sample = flags & tfhdFlag.flags ? cursor.u32() : inherited.flags;
  return { trackId, defaults: { duration, size, flags: sample } };
};

const readDecodeTime = (bytes: Buffer, tfdt: BoxView): number => {
  const cursor = new Cursor(bytes, tfdt);
  return cursor.full().version === 1 ? cursor.u64() : cursor.u32();
};

/** More than half an hour of pictures; defaults let a few bytes promise 2^32 of them. */
const mostSamples = 65_536;

const readRun = (bytes: Buffer, trun: BoxView, defaults: SampleDefaults, moof: BoxView, mdat: BoxView): SampleFacts[] => {
  const cursor = new Cursor(bytes, trun);
  const { version, flags } = cursor.full();
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const count = cursor.u32();
  if (count > mostSamples) throw new CmafError('limit', `a fragment of ${count} samples`);
  if (!has(trunFlag.dataOffset)) throw new CmafError('unsupported', 'trun has no data offset');
  let offset = moof.at + cursor.i32();
  const firstFlags = has(trunFlag.firstFlags) ? cursor.u32() : null;
  if (!has(trunFlag.size) && defaults.size === 0 && count > 0) {
    throw new CmafError('invalid', 'the samples of trun have no size');
  }
  const samples: SampleFacts[] = [];
  for (let i = 0; i < count; i += 1) {
    const duration = has(trunFlag.duration) ? cursor.u32() : defaults.duration;
    const size = has(trunFlag.size) ? cursor.u32() : defaults.size;
    const own = has(trunFlag.flags) ? cursor.u32() : defaults.flags;
    const sample = i === 0 && firstFlags !== null ? firstFlags : own;
    const cts = has(trunFlag.compositionOffset) ? (version === 0 ? cursor.u32() : cursor.i32()) : 0;
    if (offset < mdat.body || offset + size > mdat.end) {
      throw new CmafError('invalid', `sample ${i} lies outside of its mdat`);
    }
    samples.push({ duration, size, flags: sample, cts, key: (sample & sampleFlags.nonSync) === 0, offset });
    offset += size;
  }
  return samples;
};

const noDefaults: SampleDefaults = { duration: 0, size: 0, flags: 0 };

const readFragment = (bytes: Buffer, moof: BoxView, mdat: BoxView | undefined, inherited: SampleDefaults): FragmentFacts => {
  if (mdat?.type !== 'mdat') throw new CmafError('invalid', 'a moof is not followed by its mdat');
  const inside = children(bytes, moof);
  const sequence = new Cursor(bytes, only(inside, 'mfhd', 'moof'), 4).u32();
  const traf = children(bytes, only(inside, 'traf', 'moof'));
  const { trackId, defaults } = readTrackHeader(bytes, only(traf, 'tfhd', 'traf'), inherited);
  const baseDecodeTime = readDecodeTime(bytes, only(traf, 'tfdt', 'traf'));
  const samples = readRun(bytes, only(traf, 'trun', 'traf'), defaults, moof, mdat);
  return {
    offset: moof.at,
    size: mdat.end - moof.at,
    moofSize: moof.end - moof.at,
    mdatOffset: mdat.at,
    mdatSize: mdat.end - mdat.at,
    sequence,
    trackId,
    baseDecodeTime,
    duration: samples.reduce((sum, { duration }) => sum + duration, 0),
    samples,
  };
};

/**
 * All fragments of a buffer that holds whole boxes; other boxes between them (styp, sidx, emsg, prft, free) are
 * stepped over. `inherited` is `readInit(...).defaults`, for writers that leave defaults to trex.
 */
export const readFragments = (bytes: Buffer, inherited: SampleDefaults = noDefaults): FragmentFacts[] => {
  const top = boxes(bytes);
  return top.flatMap((moof, i) => (moof.type === 'moof' ? [readFragment(bytes, moof, top[i + 1], inherited)] : []));
};

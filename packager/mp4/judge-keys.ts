/**
 * The beginnings of some key frames: whether decoding can start there, and whether parameter sets inside of them are those
 * of the header. A few dozen are looked at, those at the beginning and others evenly over the rest: encoders have habits.
 */
import { nalType, typeOf } from '../media/h264-nal.ts';
import { hevcNal, hevcTypeOf } from '../media/hevc-nal.ts';
import { Mp4Error, type MovieVideo, type RangeSource } from './movie.ts';
import type { Reason } from './verdict.ts';

const firstOnes = 8;
const spreadOnes = 32;
const atOnce = 8;

/** Ahead of the picture itself lie parameter sets and messages; more of them than this are nothing that encoders write. */
const glance = 1024;
const mostUnits = 64;
const mostReads = 16;
const largestSet = 4096;

export type Sets = readonly Buffer[];

/** What differs between the codecs. */
type Units = {
  readonly typeOf: (nal: Buffer) => number;
  readonly isPicture: (type: number) => boolean;
  readonly isStart: (type: number) => boolean;
  readonly isSet: (type: number) => boolean;
};

const units: Readonly<Record<'h264' | 'hevc', Units>> = {
  h264: {
    typeOf,
    isPicture: (type) => type >= nalType.slice && type <= nalType.idr,
    isStart: (type) => type === nalType.idr,
    isSet: (type) => type === nalType.sps || type === nalType.pps,
  },
  // Any random access point: those with pictures ahead of them stand out in the times.
  hevc: {
    typeOf: hevcTypeOf,
    isPicture: (type) => type < hevcNal.firstNonVcl,
    isStart: (type) => type >= hevcNal.firstIrap && type <= hevcNal.lastIrap,
    isSet: (type) => type === hevcNal.vps || type === hevcNal.sps || type === hevcNal.pps,
  },
};

type Found = 'fine' | 'not-idr' | 'parameters-change' | 'missing';

/** Bytes of one sample, read as they are asked for. */
const window = (source: RangeSource, offset: number, size: number) => {
  let shown: Buffer = Buffer.alloc(0);
  let from = 0;
  let reads = 0;
  return async (at: number, length: number): Promise<Buffer | null> => {
    if (at + length > size) return null;
    if (at < from || at + length > from + shown.length) {
      reads += 1;
      if (reads > mostReads) return null;
      shown = await source.read(offset + at, Math.min(Math.max(glance, length), size - at));
      from = at;
    }
    return shown.subarray(at - from, at - from + length);
  };
};

const lookAt = async (source: RangeSource, codec: 'h264' | 'hevc', sets: Sets, offset: number, size: number): Promise<Found> => {
  const { typeOf, isPicture, isStart, isSet } = units[codec];
  const bytes = window(source, offset, size);
  let at = 0;
  for (let unit = 0; unit < mostUnits; unit += 1) {
    const head = await bytes(at, 6);
    if (!head) return 'not-idr';
    const length = head.readUInt32BE(0);
    const type = typeOf(head.subarray(4));
    if (isPicture(type)) return isStart(type) ? 'fine' : 'not-idr';
    if (isSet(type)) {
      const set = length <= largestSet ? await bytes(at + 4, length) : null;
      if (!set || !sets.some((one) => one.equals(set))) return 'parameters-change';
    }
    at += 4 + length;
  }
  return 'not-idr';
};

const looked = async (...args: Parameters<typeof lookAt>): Promise<Found> => {
  try {
    return await lookAt(...args);
  } catch (error) {
    if (error instanceof Mp4Error && error.code === 'not-yet') return 'missing';
    throw error;
  }
};

/** Places in a list of so many, each once. */
const chosen = (count: number): number[] => {
  const spread = Array.from({ length: spreadOnes }, (_, i) => Math.floor((i * count) / spreadOnes));
  const all = [...Array.from({ length: firstOnes }, (_, i) => i), ...spread, count - 1];
  return [...new Set(all)].filter((place) => place >= 0 && place < count);
};

const messages = {
  'not-idr': 'Not every key frame is a picture that decoding can start at.',
  'parameters-change': 'The pictures carry parameter sets that the header does not have.',
} as const;

/** `missing`: key frames that have not arrived, of those that were to be looked at. */
export const judgeKeys = async (track: MovieVideo, codec: 'h264' | 'hevc', sets: Sets, source: RangeSource): Promise<{ readonly reasons: readonly Reason[]; readonly missing: number }> => {
  const { keys, count } = track.samples;
  const places = chosen(keys?.length ?? count).map((place) => (keys ? (keys[place] ?? 0) : place));
  const found = new Set<Found>();
  let missing = 0;
  for (let from = 0; from < places.length; from += atOnce) {
    const some = places.slice(from, from + atOnce).map(async (sample) => {
      const { offset, size } = track.samples.rows(sample, sample + 1);
      const result = await looked(source, codec, sets, offset[0] ?? 0, size[0] ?? 0);
      if (result === 'missing') missing += 1;
      found.add(result);
    });
    await Promise.all(some);
  }
  const bad = (['not-idr', 'parameters-change'] as const).filter((one) => found.has(one));
  return { reasons: bad.map((code) => ({ code, message: messages[code] })), missing };
};

/** What a PES packet carries: one picture, or some frames of sound that follow each other without a gap. */
import { rescale } from '../media/wire-time.ts';
import { adtsFrameSize, writeAdtsFrame, type Adts } from './adts.ts';
import { accessUnitSize, writeAccessUnit, type ByteStream } from './annex-b.ts';
import { TsError } from './ts-error.ts';

export const tsTimescale = 90_000;

/** Ticks are of 90 kHz. */
export type TsPicture = { readonly dts: number; readonly pts: number; readonly key: boolean; readonly data: Buffer };
export type TsFrame = { readonly pts: number; readonly data: Buffer };

export type Unit = {
  readonly kind: 'video' | 'audio';
  readonly dts: number;
  readonly pts: number;
  readonly randomAccess: boolean;
  /** Bytes behind the PES header. */
  readonly size: number;
  readonly write: (out: Buffer, at: number) => number;
};

/**
 * Decode times of a fragmented MP4 may lie behind presentation times; those of MPEG-TS may not (2.4.3.7), and
 * they have to rise. Stamps that were rounded on their way here may be a tick or a millisecond off.
 */
export const pictureUnits = (pictures: readonly TsPicture[], stream: ByteStream): Unit[] => {
  let last = Number.NEGATIVE_INFINITY;
  return pictures.map(({ dts: wanted, pts: shown, key, data }, index) => {
    const dts = Math.max(Math.min(wanted, shown), last + 1);
    last = dts;
    // A receiver that tunes in finds the parameter sets at the beginning, even of a segment that begins with no key frame.
    const withSets = key || index === 0;
    return {
      kind: 'video',
      dts,
      pts: Math.max(shown, dts),
      randomAccess: key,
      size: accessUnitSize(data, stream, withSets),
      write: (out, at) => writeAccessUnit(out, at, data, stream, withSets),
    };
  });
};

/** As much sound in one PES packet: a frame alone would leave half of its last packet to stuffing. */
const longestGroup = 8_100;
/** PES_packet_length has 16 bits. */
const largestGroup = 60_000;
/** Rounding to 90 kHz; a distance that is larger is a hole. */
const tolerance = 2;

export const soundUnits = (frames: readonly TsFrame[], adts: Adts, alone: boolean): Unit[] => {
  const length = (count: number): number => rescale(count * adts.frameLength, adts.sampleRate, tsTimescale);
  const units: Unit[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (let first = 0; first < frames.length; ) {
    const group: Buffer[] = [];
    const start = frames[first]?.pts ?? 0;
    if (start < end - tolerance) throw new TsError('invalid', 'a frame of sound begins before the one before it');
    let size = 0;
    for (let frame = frames[first]; frame; frame = frames[first + group.length]) {
      const bytes = adtsFrameSize(frame.data, adts);
      const follows = Math.abs(frame.pts - start - length(group.length)) <= tolerance;
      if (group.length > 0 && (!follows || length(group.length + 1) > longestGroup || size + bytes > largestGroup)) break;
      group.push(frame.data);
      size += bytes;
    }
    units.push({
      kind: 'audio',
      dts: start,
      pts: start,
      randomAccess: alone && first === 0,
      size,
      write: (out, at) => group.reduce((to, data) => writeAdtsFrame(out, to, data, adts), at),
    });
    first += group.length;
    end = start;
  }
  return units;
};

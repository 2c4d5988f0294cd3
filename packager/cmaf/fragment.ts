/**
 * One fragment: moof + mdat with one track and one run (CMAF, ISO 23000-19, 7.3.2.3: a chunk). A fragment is an
 * LL-HLS part, and the fragments of a segment one after the other are the segment, byte for byte. Therefore
 * there is no `styp`: a part would have none and its segment one, and DASH and HLS need none (ISO 14496-12,
 * 8.16.2 makes it optional; ffmpeg, hls.js, Shaka and dash.js read past it).
 *
 * Nothing is inherited from `trex`: every default stands in the fragment's own `tfhd`, as the brand cmf2 asks,
 * so that a fragment means the same behind the init segment of any epoch or rung.
 */
import type { TrackKind } from '../media/unit.ts';
import { box, encode, fullBox, u32, u64, type Part } from './box.ts';
import { CmafError } from './cmaf-error.ts';
import { sampleFlags, tfhdFlag, trackId, trunFlag } from './flags.ts';

export type Sample = {
  /** Ticks until the next sample is decoded. */
  readonly duration: number;
  readonly size: number;
  readonly key: boolean;
  /** pts - dts in ticks; negative where the reorder delay was taken out. */
  readonly compositionOffset: number;
  readonly data: Buffer;
};

export type FragmentInput = {
  readonly sequence: number;
  /** Decode time of the first sample in ticks; any safe integer. */
  readonly baseDecodeTime: number;
  readonly kind: TrackKind;
  readonly samples: readonly Sample[];
};

const mdatHeaderSize = 8;

const flagsOf = (kind: TrackKind, sample: Sample): number =>
  kind !== 'video' || sample.key ? sampleFlags.key : sampleFlags.dependent;

/** The one value that all samples share, or null. */
const uniform = (samples: readonly Sample[], pick: (sample: Sample) => number): number | null => {
  const [first] = samples;
  if (!first) return null;
  const value = pick(first);
  return samples.every((sample) => pick(sample) === value) ? value : null;
};

type Layout = {
  readonly duration: number | null;
  readonly size: number | null;
  readonly flags: number;
  /** Only the first sample differs from `flags`: the usual segment start. */
  readonly firstFlags: number | null;
  readonly flagsEach: boolean;
  readonly offsets: boolean;
};

const layOut = (kind: TrackKind, first: Sample, samples: readonly Sample[]): Layout => {
  const flags = (sample: Sample): number => flagsOf(kind, sample);
  const rest = samples.length > 1 ? samples.slice(1) : samples;
  const restFlags = uniform(rest, flags);
  return {
    duration: uniform(samples, (sample) => sample.duration),
    size: uniform(samples, (sample) => sample.size),
    flags: restFlags ?? sampleFlags.dependent,
    firstFlags: restFlags !== null && restFlags !== flags(first) ? flags(first) : null,
    flagsEach: restFlags === null,
    offsets: samples.some((sample) => sample.compositionOffset !== 0),
  };
};

/** The rows of `trun`, written straight into one buffer: there is one for every picture and frame of sound. */
const runTable = (kind: TrackKind, samples: readonly Sample[], layout: Layout): Buffer => {
  const { duration, size, flagsEach, offsets } = layout;
  const columns = Number(duration === null) + Number(size === null) + Number(flagsEach) + Number(offsets);
  const table = Buffer.allocUnsafe(4 * columns * samples.length);
  let at = 0;
  for (const sample of samples) {
    if (duration === null) at = table.writeUInt32BE(sample.duration, at);
    if (size === null) at = table.writeUInt32BE(sample.size, at);
    if (flagsEach) at = table.writeUInt32BE(flagsOf(kind, sample), at);
    if (offsets) at = table.writeInt32BE(sample.compositionOffset, at);
  }
  return table;
};

const trackHeader = ({ duration, size, flags }: Layout): Part => {
  const present =
    tfhdFlag.defaultBaseIsMoof |
    (duration === null ? 0 : tfhdFlag.duration) |
    (size === null ? 0 : tfhdFlag.size) |
    tfhdFlag.flags;
  return fullBox('tfhd', 0, present, [
    u32(trackId),
    ...(duration === null ? [] : [u32(duration)]),
    ...(size === null ? [] : [u32(size)]),
    u32(flags),
  ]);
};

const runBox = (layout: Layout, count: number, dataOffset: number, table: Buffer): Part => {
  const { duration, size, firstFlags, flagsEach, offsets } = layout;
  const present =
    trunFlag.dataOffset |
    (firstFlags === null ? 0 : trunFlag.firstFlags) |
    (duration === null ? trunFlag.duration : 0) |
    (size === null ? trunFlag.size : 0) |
    (flagsEach ? trunFlag.flags : 0) |
    (offsets ? trunFlag.compositionOffset : 0);
  // Version 1: composition offsets are signed.
  return fullBox('trun', 1, present, [
    u32(count),
    u32(dataOffset),
    ...(firstFlags === null ? [] : [u32(firstFlags)]),
    table,
  ]);
};

const check = (sample: Sample): void => {
  if (sample.size !== sample.data.length) {
    throw new CmafError('invalid', `a sample of ${sample.data.length} bytes says that it has ${sample.size}`);
  }
  if (!Number.isInteger(sample.duration) || sample.duration < 0 || sample.duration > 0xffff_ffff) {
    throw new CmafError('range', `a sample lasts ${sample.duration} ticks`);
  }
  if (sample.compositionOffset !== (sample.compositionOffset | 0)) {
    throw new CmafError('range', `a composition offset of ${sample.compositionOffset} ticks`);
  }
};

/** Returns [moof and the header of mdat, ...the data of the samples]: media is never copied. */
export const fragment = ({ sequence, baseDecodeTime, kind, samples }: FragmentInput): Buffer[] => {
  const [first] = samples;
  if (!first) throw new CmafError('invalid', 'a fragment needs a sample');
  let mediaSize = 0;
  for (const sample of samples) {
    check(sample);
    mediaSize += sample.size;
  }
  const layout = layOut(kind, first, samples);
  const table = runTable(kind, samples, layout);
  const moof = (dataOffset: number) =>
    box('moof', [
      fullBox('mfhd', 0, 0, [u32(sequence)]),
      box('traf', [
        trackHeader(layout),
        fullBox('tfdt', 1, 0, [u64(baseDecodeTime)]),
        runBox(layout, samples.length, dataOffset, table),
      ]),
    ]);
  // data_offset counts from the start of moof, so its size has to be known first; it does not depend on the value.
  const { size } = moof(0);
  const mdatHeader = [u32(mediaSize + mdatHeaderSize), Buffer.from('mdat', 'latin1')];
  const header = encode(moof(size + mdatHeaderSize), ...mdatHeader);
  return [header, ...samples.map((sample) => sample.data)];
};

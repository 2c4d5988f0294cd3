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
import { box, encode, fullBox, u32, u64, type Box, type Part } from './box.ts';
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

/** Samples without their bytes, a column for each of their facts: what an index holds, and all that a head says. */
export type SampleColumns = {
  readonly count: number;
  readonly duration: ArrayLike<number>;
  readonly size: ArrayLike<number>;
  /** 0: decoding cannot begin here. */
  readonly key: ArrayLike<number>;
  readonly compositionOffset: ArrayLike<number>;
};

export type HeadInput = Omit<FragmentInput, 'samples'> & { readonly samples: SampleColumns };

const mdatHeaderSize = 8;

type Flags = (index: number) => number;

const flagsOf = (kind: TrackKind, { key }: SampleColumns): Flags =>
  kind === 'video' ? (index) => (key[index] ? sampleFlags.key : sampleFlags.dependent) : () => sampleFlags.key;

/** The one value that all samples share, or null. */
const uniform = (values: ArrayLike<number>, count: number): number | null => {
  const value = values[0] ?? null;
  for (let index = 1; index < count; index += 1) if (values[index] !== value) return null;
  return value;
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

const layOut = (samples: SampleColumns, flags: Flags): Layout => {
  const { count, duration, size, compositionOffset } = samples;
  const first = flags(0);
  const rest = flags(Math.min(1, count - 1));
  let flagsEach = false;
  for (let index = 2; index < count && !flagsEach; index += 1) flagsEach = flags(index) !== rest;
  return {
    duration: uniform(duration, count),
    size: uniform(size, count),
    flags: flagsEach ? sampleFlags.dependent : rest,
    firstFlags: flagsEach || rest === first ? null : first,
    flagsEach,
    offsets: uniform(compositionOffset, count) !== 0,
  };
};

const columnsOf = ({ duration, size, flagsEach, offsets }: Layout): number => Number(duration === null) + Number(size === null) + Number(flagsEach) + Number(offsets);

/** The rows of `trun`, written straight into one buffer: there is one for every picture and frame of sound. */
const runTable = (samples: SampleColumns, flags: Flags, layout: Layout): Buffer => {
  const { duration, size, flagsEach, offsets } = layout;
  const table = Buffer.allocUnsafe(4 * columnsOf(layout) * samples.count);
  let at = 0;
  for (let index = 0; index < samples.count; index += 1) {
    if (duration === null) at = table.writeUInt32BE(samples.duration[index] ?? 0, at);
    if (size === null) at = table.writeUInt32BE(samples.size[index] ?? 0, at);
    if (flagsEach) at = table.writeUInt32BE(flags(index), at);
    if (offsets) at = table.writeInt32BE(samples.compositionOffset[index] ?? 0, at);
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

const moofBox = ({ sequence, baseDecodeTime, samples }: HeadInput, layout: Layout, dataOffset: number, table: Buffer): Box =>
  box('moof', [
    fullBox('mfhd', 0, 0, [u32(sequence)]),
    box('traf', [
      trackHeader(layout),
      fullBox('tfdt', 1, 0, [u64(baseDecodeTime)]),
      runBox(layout, samples.count, dataOffset, table),
    ]),
  ]);

const noTable = Buffer.alloc(0);

/** Bytes of what `fragmentHead` makes of these samples: it depends on nothing else. */
export const fragmentHeadSize = (kind: TrackKind, samples: SampleColumns): number => {
  const layout = layOut(samples, flagsOf(kind, samples));
  const bare = moofBox({ sequence: 0, baseDecodeTime: 0, kind, samples }, layout, 0, noTable);
  return bare.size + 4 * columnsOf(layout) * samples.count + mdatHeaderSize;
};

/** moof and the header of mdat: the samples' bytes follow, in their order. */
export const fragmentHead = (input: HeadInput): Buffer => {
  const { kind, samples } = input;
  if (samples.count === 0) throw new CmafError('invalid', 'a fragment needs a sample');
  let mediaSize = 0;
  for (let index = 0; index < samples.count; index += 1) mediaSize += samples.size[index] ?? 0;
  const flags = flagsOf(kind, samples);
  const layout = layOut(samples, flags);
  const table = runTable(samples, flags, layout);
  // data_offset counts from the start of moof, so its size has to be known first; it does not depend on the value.
  const { size } = moofBox(input, layout, 0, table);
  return encode(moofBox(input, layout, size + mdatHeaderSize, table), u32(mediaSize + mdatHeaderSize), Buffer.from('mdat', 'latin1'));
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
export const fragment = ({ samples, ...input }: FragmentInput): Buffer[] => {
  samples.forEach(check);
  const columns: SampleColumns = {
    count: samples.length,
    duration: samples.map(({ duration }) => duration),
    size: samples.map(({ size }) => size),
    key: samples.map(({ key }) => Number(key)),
    compositionOffset: samples.map(({ compositionOffset }) => compositionOffset),
  };
  return [fragmentHead({ ...input, samples: columns }), ...samples.map(({ data }) => data)];
};

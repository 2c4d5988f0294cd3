/** The tables of a moov (ISO 14496-12, 8.6 and 8.7), read into a builder in steps. */
import { childrenOf, Cursor, firstOf, needed, type Box } from './boxes.ts';
import type { Allowance } from './limits.ts';
import { Mp4Error, type SampleTable } from './movie.ts';
import type { TableBuilder } from './sample-table.ts';

/** A full box that ends in rows: their number is held against the bytes that are there. */
class Rows {
  readonly bytes: Buffer;
  readonly count: number;
  readonly at: number;
  readonly version: number;

  constructor(bytes: Buffer, box: Box, rowBytes: number, head = 0) {
    const cursor = new Cursor(bytes, box);
    this.version = cursor.full().version;
    cursor.skip(head);
    this.bytes = bytes;
    this.count = cursor.u32();
    this.at = cursor.at;
    if (this.count * rowBytes > cursor.left) {
      throw new Mp4Error('invalid', `${box.type} announces ${this.count} entries and has room for ${Math.floor(cursor.left / rowBytes)}`);
    }
  }
}

/** Entries looked at between two questions whether others should have a turn. */
const step = 4096;

const inSteps = async (count: number, allowance: Allowance, each: (i: number) => void): Promise<void> => {
  for (let from = 0; from < count; from += step) {
    const to = Math.min(from + step, count);
    for (let i = from; i < to; i += 1) each(i);
    if (allowance.isDue(to - from)) await allowance.turn();
  }
};

const readSizes = async (bytes: Buffer, stbl: readonly Box[], table: TableBuilder, allowance: Allowance): Promise<void> => {
  const stz2 = firstOf(stbl, 'stz2');
  if (stz2) {
    const width = new Cursor(bytes, stz2, 7).u8();
    if (width !== 4 && width !== 8 && width !== 16) throw new Mp4Error('invalid', `stz2 has sizes of ${width} bits`);
    const { count, at } = new Rows(bytes, stz2, width / 8, 4);
    const half = (i: number) => ((bytes[at + (i >> 1)] ?? 0) >> (i % 2 === 0 ? 4 : 0)) & 0xf;
    const size = width === 4 ? half : width === 8 ? (i: number) => bytes[at + i] ?? 0 : (i: number) => bytes.readUInt16BE(at + 2 * i);
    return inSteps(count, allowance, (i) => table.sizes(size(i)));
  }
  const stsz = needed(stbl, 'stsz', 'stbl');
  const cursor = new Cursor(bytes, stsz, 4);
  const same = cursor.u32();
  if (same > 0) {
    table.sizes(same, cursor.u32());
    return;
  }
  const { count, at } = new Rows(bytes, stsz, 4, 4);
  await inSteps(count, allowance, (i) => table.sizes(bytes.readUInt32BE(at + 4 * i)));
};

const readDurations = async (bytes: Buffer, stts: Box, table: TableBuilder, allowance: Allowance): Promise<void> => {
  const { count, at } = new Rows(bytes, stts, 8);
  await inSteps(count, allowance, (i) => table.durations(bytes.readUInt32BE(at + 8 * i + 4), bytes.readUInt32BE(at + 8 * i)));
};

const readOffsets = async (bytes: Buffer, ctts: Box | undefined, table: TableBuilder, allowance: Allowance): Promise<void> => {
  if (ctts) {
    const { count, at } = new Rows(bytes, ctts, 8);
    // Version 0 is unsigned by the text; QuickTime writes signed numbers in it, and nobody offsets by 2^31.
    await inSteps(count, allowance, (i) => table.compositionOffsets(bytes.readInt32BE(at + 8 * i + 4), bytes.readUInt32BE(at + 8 * i)));
  }
  table.compositionOffsets(0, table.count);
};

const readKeys = async (bytes: Buffer, stss: Box | undefined, table: TableBuilder, allowance: Allowance): Promise<void> => {
  if (!stss) return;
  const { count, at } = new Rows(bytes, stss, 4);
  let next = 0;
  await inSteps(count, allowance, (i) => {
    const key = bytes.readUInt32BE(at + 4 * i) - 1;
    if (key < next) throw new Mp4Error('invalid', 'the numbers in stss do not rise');
    if (key >= table.count) throw new Mp4Error('invalid', `stss names sample ${key + 1} of ${table.count}`);
    table.keys(next, key - next, false);
    table.keys(key, 1, true);
    next = key + 1;
  });
  table.keys(next, table.count - next, false);
};

/** Fills in the chunks; returns the sample descriptions that are used, counted from 1. */
const readChunks = async (bytes: Buffer, stbl: readonly Box[], table: TableBuilder, allowance: Allowance): Promise<Set<number>> => {
  const co64 = firstOf(stbl, 'co64');
  const width = co64 ? 8 : 4;
  const stco = new Rows(bytes, co64 ?? needed(stbl, 'stco', 'stbl'), width);
  const stsc = new Rows(bytes, needed(stbl, 'stsc', 'stbl'), 12);
  const field = (run: number, i: number) => bytes.readUInt32BE(stsc.at + 12 * run + 4 * i);
  const used = new Set<number>();
  if (stco.count > 0 && table.count > 0 && (stsc.count === 0 || field(0, 0) !== 1)) {
    throw new Mp4Error('invalid', 'stsc does not begin with the first chunk');
  }
  let run = -1;
  let samples = 0;
  let left = table.count;
  await inSteps(Math.min(stco.count, table.count), allowance, (i) => {
    // Runs whose first chunk is not ahead of the last one's would never be reached.
    if (run + 1 < stsc.count && field(run + 1, 0) === i + 1) {
      run += 1;
      samples = field(run, 1);
      if (samples === 0) throw new Mp4Error('invalid', 'stsc has chunks without samples');
      if (left > 0) used.add(field(run, 2));
      if (used.size > allowance.limits.tracks) throw new Mp4Error('limit', `more than ${allowance.limits.tracks} sample descriptions`);
    }
    const at = stco.at + width * i;
    const offset = width === 4 ? bytes.readUInt32BE(at) : bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(offset)) throw new Mp4Error('truncated', `a chunk lies at ${offset}`);
    table.chunk(offset, samples);
    left -= samples;
  });
  return used;
};

/** Reads all of it. Returns the sample descriptions that are used, counted from 1. */
export const readTables = async (bytes: Buffer, stbl: Box, table: TableBuilder, allowance: Allowance): Promise<Set<number>> => {
  const found = childrenOf(bytes, stbl, allowance);
  await readSizes(bytes, found, table, allowance);
  await readDurations(bytes, needed(found, 'stts', 'stbl'), table, allowance);
  await readOffsets(bytes, firstOf(found, 'ctts'), table, allowance);
  await readKeys(bytes, firstOf(found, 'stss'), table, allowance);
  return readChunks(bytes, found, table, allowance);
};

/** No frame of coded sound is as small as this; a frame of samples is a few bytes. */
const largestRawFrame = 64;

/**
 * Sound that is not coded counts every sample of it: hundreds of millions an hour, all of one size. They are counted,
 * and never rowed up. Null for any other sound.
 */
export const rawSound = async (bytes: Buffer, stbl: Box, allowance: Allowance): Promise<SampleTable | null> => {
  const found = childrenOf(bytes, stbl, allowance);
  const stsz = firstOf(found, 'stsz');
  if (!stsz) return null;
  const cursor = new Cursor(bytes, stsz, 4);
  const size = cursor.u32();
  if (size === 0 || size > largestRawFrame) return null;
  const samples = cursor.u32();
  const { count, at } = new Rows(bytes, needed(found, 'stts', 'stbl'), 8);
  let duration = 0;
  await inSteps(count, allowance, (i) => (duration += bytes.readUInt32BE(at + 8 * i) * bytes.readUInt32BE(at + 8 * i + 4)));
  if (!Number.isSafeInteger(duration)) throw new Mp4Error('invalid', `sound of ${duration} ticks`);
  const rows = (): never => {
    throw new Mp4Error('unsupported', 'raw sound has no rows');
  };
  return { count: samples, duration, keys: null, weight: 0, rows };
};

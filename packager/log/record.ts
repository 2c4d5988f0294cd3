/**
 * The header in front of everything that lies in an extent: an ISO BMFF `free` box of fixed layout, so that an
 * extent is still a file of boxes, and so that the index can be found again from the extents alone.
 *
 *      0  box size   u32   72 for a fragment (its moof+mdat follow the box), 72 + payload for an epoch
 *      4  'free'
 *      8  magic      'mlrF' fragment · 'mlrE' facts of an epoch
 *     12  flags      u32   fragment: key 1, segment start 2, gap 4, lost 8, events 16 · epoch: timescale
 *     16  log id     8 random bytes: media that happens to hold (or forges) such a box is never taken for one
 *     24  seq        i64   epoch: seq of the fragment that comes next
 *     32  dts        i64   epoch: wall clock
 *     40  first pts  i64   epoch: start
 *     48  duration   i64   epoch: reorder delay
 *     56  epoch      u32
 *     60  data size  u32
 *     64  data CRC   u32
 *     68  CRC of the 68 bytes before
 *
 * An epoch's payload, inside the box: u16 length of a text (codec string, newline, run id), the text, the init segment.
 */
import { crc32 } from 'node:zlib';
import type { EpochFacts, FragmentFacts } from './types.ts';

export const recordBytes = 72;
export const logIdBytes = 8;
/** With one copy of an epoch's facts, the largest fragment still fits into one extent. */
export const maxFragmentBytes = 60 * 1024 * 1024;
export const maxEpochBytes = 1024 * 1024;
/** What every record has at its fifth byte; a search for it finds the next record behind a damage. */
export const recordMark = Buffer.from('freemlr', 'latin1');

const free = 0x66726565;
const fragmentMagic = 0x6d6c7246;
const epochMagic = 0x6d6c7245;

export type FragmentRecord = FragmentFacts & {
  readonly kind: 'fragment';
  readonly seq: number;
  readonly epoch: number;
  /** The fragment was served from memory only, and memory did not last until the disk was back. */
  readonly lost: boolean;
  readonly size: number;
  readonly crc: number;
};

/** The fixed part of an epoch's record; `readEpoch` reads the payload behind it. */
export type EpochRecord = Omit<EpochFacts, 'codecString' | 'run' | 'init'> & {
  readonly kind: 'epoch';
  readonly seq: number;
  readonly size: number;
  readonly crc: number;
};

/** Why some bytes are not a record. Damage is normal input, so it is a value and not an exception. */
export type RecordFault = { readonly kind: 'fault'; readonly why: 'short' | 'magic' | 'crc' | 'foreign' | 'range' };

const fault = (why: RecordFault['why']): RecordFault => ({ kind: 'fault', why });

export function encodeFragment(logId: Buffer, fragment: Omit<FragmentRecord, 'kind'>): Buffer {
  const header = Buffer.allocUnsafe(recordBytes);
  const flags =
    (fragment.key ? 1 : 0) | (fragment.segmentStart ? 2 : 0) | (fragment.gap ? 4 : 0) | (fragment.lost ? 8 : 0) | (fragment.events ? 16 : 0);
  writeHeader(header, logId, {
    box: recordBytes,
    magic: fragmentMagic,
    flags,
    fields: [fragment.seq, fragment.dts, fragment.firstPts, fragment.duration],
    epoch: fragment.epoch,
    size: fragment.size,
    crc: fragment.crc,
  });
  return header;
}

export function encodeEpoch(logId: Buffer, facts: EpochFacts, seq: number): Buffer {
  const text = Buffer.from(`${facts.codecString}\n${facts.run}`, 'utf8');
  const size = 2 + text.length + facts.init.length;
  if (text.length > 0xffff || size > maxEpochBytes) throw new RangeError('the facts of an epoch are too long');
  const record = Buffer.allocUnsafe(recordBytes + size);
  record.writeUInt16BE(text.length, recordBytes);
  text.copy(record, recordBytes + 2);
  facts.init.copy(record, recordBytes + 2 + text.length);
  writeHeader(record, logId, {
    box: record.length,
    magic: epochMagic,
    flags: facts.timescale,
    fields: [seq, facts.wallClock, facts.start, facts.reorderDelay],
    epoch: facts.epoch,
    size,
    crc: crc32(record.subarray(recordBytes)),
  });
  return record;
}

/** Reads the 72 bytes at `offset`. `logId` null takes a record of any log (the first one tells which log this is). */
export function parseRecord(bytes: Buffer, offset: number, logId: Buffer | null): FragmentRecord | EpochRecord | RecordFault {
  if (offset < 0 || offset + recordBytes > bytes.length) return fault('short');
  const magic = bytes.readUInt32BE(offset + 8);
  if (bytes.readUInt32BE(offset + 4) !== free || (magic !== fragmentMagic && magic !== epochMagic)) return fault('magic');
  if (crc32(bytes.subarray(offset, offset + 68)) !== bytes.readUInt32BE(offset + 68)) return fault('crc');
  if (logId && bytes.compare(logId, 0, logIdBytes, offset + 16, offset + 16 + logIdBytes) !== 0) return fault('foreign');
  const box = bytes.readUInt32BE(offset);
  const word = bytes.readUInt32BE(offset + 12);
  const seq = readTicks(bytes, offset + 24);
  const first = readTicks(bytes, offset + 32);
  const second = readTicks(bytes, offset + 40);
  const third = readTicks(bytes, offset + 48);
  if (seq === null || seq < 0 || first === null || second === null || third === null) return fault('range');
  const epoch = bytes.readUInt32BE(offset + 56);
  const size = bytes.readUInt32BE(offset + 60);
  const crc = bytes.readUInt32BE(offset + 64);
  if (magic === epochMagic) {
    if (size < 2 || size > maxEpochBytes || box !== recordBytes + size) return fault('range');
    return { kind: 'epoch', seq, epoch, timescale: word, wallClock: first, start: second, reorderDelay: third, size, crc };
  }
  const gap = (word & 4) !== 0;
  if (box !== recordBytes || size > maxFragmentBytes || third < 0 || (gap && size > 0)) return fault('range');
  return {
    kind: 'fragment',
    seq,
    epoch,
    key: (word & 1) !== 0,
    segmentStart: (word & 2) !== 0,
    gap,
    lost: (word & 8) !== 0,
    ...((word & 16) !== 0 && { events: true }),
    dts: first,
    firstPts: second,
    duration: third,
    size,
    crc,
  };
}

/** The whole facts, or null when the payload is not what the header's CRC says. */
export function readEpoch(record: EpochRecord, payload: Buffer): EpochFacts | null {
  if (payload.length !== record.size || crc32(payload) !== record.crc) return null;
  const textEnd = 2 + payload.readUInt16BE(0);
  if (textEnd > payload.length) return null;
  const [codecString = '', run = ''] = payload.toString('utf8', 2, textEnd).split('\n');
  return {
    epoch: record.epoch,
    timescale: record.timescale,
    wallClock: record.wallClock,
    start: record.start,
    reorderDelay: record.reorderDelay,
    codecString,
    run,
    init: Buffer.from(payload.subarray(textEnd)),
  };
}

export const logIdOf = (bytes: Buffer, offset: number): Buffer =>
  Buffer.from(bytes.subarray(offset + 16, offset + 16 + logIdBytes));

type Header = {
  readonly box: number;
  readonly magic: number;
  readonly flags: number;
  readonly fields: readonly [number, number, number, number];
  readonly epoch: number;
  readonly size: number;
  readonly crc: number;
};

function writeHeader(into: Buffer, logId: Buffer, header: Header): void {
  into.writeUInt32BE(header.box, 0);
  into.writeUInt32BE(free, 4);
  into.writeUInt32BE(header.magic, 8);
  into.writeUInt32BE(header.flags, 12);
  logId.copy(into, 16, 0, logIdBytes);
  header.fields.forEach((value, at) => writeTicks(into, value, 24 + 8 * at));
  into.writeUInt32BE(header.epoch, 56);
  into.writeUInt32BE(header.size, 60);
  into.writeUInt32BE(header.crc, 64);
  into.writeUInt32BE(crc32(into.subarray(0, 68)), 68);
}

/** Ticks pass 2^32 after half a day at 90 kHz; safe integers reach 3,000 years, and need no BigInt per fragment. */
function writeTicks(into: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number of ticks`);
  const high = Math.floor(value / 2 ** 32);
  into.writeInt32BE(high, at);
  into.writeUInt32BE(value - high * 2 ** 32, at + 4);
}

function readTicks(bytes: Buffer, at: number): number | null {
  const value = bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : null;
}

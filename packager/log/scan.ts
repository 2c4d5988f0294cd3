/**
 * Walks through an extent from one record to the next. Where there is no record although the file goes on, it
 * looks for the next one, so that a damaged spot costs only what it hit.
 */
import { crc32 } from 'node:zlib';
import { logIdOf, parseRecord, readEpoch, recordBytes, recordMark } from './record.ts';
import type { EpochRecord, FragmentRecord } from './record.ts';
import { LogError } from './types.ts';
import type { DiskFile, EpochFacts } from './types.ts';

export type Found =
  | { readonly kind: 'fragment'; readonly record: FragmentRecord; readonly offset: number; readonly intact: boolean }
  | { readonly kind: 'epoch'; readonly facts: EpochFacts; readonly offset: number; readonly end: number };

export type Walk = {
  readonly file: DiskFile;
  readonly size: number;
  readonly from: number;
  readonly logId: Buffer | null;
  /** Read the data too and compare its CRC; otherwise a whole fragment is taken to be intact. */
  readonly checkData: boolean;
};

const searchBytes = 1024 * 1024;

export async function* walkExtent(walk: Walk): AsyncGenerator<Found> {
  const window = new ReadWindow(walk.file, walk.size);
  let { logId } = walk;
  for (let at = walk.from; at + recordBytes <= walk.size; ) {
    const head = await window.at(at, recordBytes);
    const record = parseRecord(head, 0, logId);
    if (record.kind === 'fault') {
      at = await nextMark(window, at + 1, walk.size);
      continue;
    }
    logId ??= logIdOf(head, 0);
    const data = at + recordBytes;
    const end = data + record.size;
    if (record.kind === 'epoch') {
      const facts = await epochAt(window, record, data, walk.size);
      if (facts) yield { kind: 'epoch', facts, offset: at, end };
      at = facts ? end : data;
      continue;
    }
    const whole = end <= walk.size;
    const intact = whole && (!walk.checkData || crc32(await window.at(data, record.size)) === record.crc);
    yield { kind: 'fragment', record, offset: at, intact };
    // The header can be trusted, its size too; but behind a torn write there may be other records inside that span.
    at = whole ? end : data;
  }
}

async function epochAt(window: ReadWindow, record: EpochRecord, data: number, size: number): Promise<EpochFacts | null> {
  return data + record.size <= size ? readEpoch(record, await window.at(data, record.size)) : null;
}

/** Where the next header may begin, or the end of the file. */
async function nextMark(window: ReadWindow, from: number, size: number): Promise<number> {
  // The mark stands four bytes into the header.
  for (let at = from + 4; at + recordMark.length <= size; ) {
    const bytes = await window.at(at, Math.min(searchBytes, size - at));
    const hit = bytes.indexOf(recordMark);
    if (hit >= 0) return at + hit - 4;
    at += bytes.length - recordMark.length + 1;
  }
  return size;
}

/** Reads ahead: much where records are small, little where the walk only hops from header to header. */
class ReadWindow {
  readonly #file: DiskFile;
  readonly #size: number;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: DiskFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  async at(offset: number, length: number): Promise<Buffer> {
    const from = offset - this.#start;
    if (from >= 0 && from + length <= this.#bytes.length) return this.#bytes.subarray(from, from + length);
    const near = offset - (this.#start + this.#bytes.length) <= 65_536 || length > recordBytes;
    const ahead = Math.min(Math.max(length, near ? 262_144 : 4096), this.#size - offset);
    this.#bytes = await readExactly(this.#file, offset, ahead);
    this.#start = offset;
    return this.#bytes.subarray(0, length);
  }
}

/** A file that gives fewer bytes than it has is a failing disk, and must not be taken for a torn tail. */
export async function readExactly(file: DiskFile, offset: number, length: number): Promise<Buffer> {
  const bytes = await file.read(offset, length);
  if (bytes.length !== length) throw new LogError('io', `read ${bytes.length} of ${length} bytes at ${offset}`);
  return bytes;
}

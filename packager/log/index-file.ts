/**
 * The index file: a copy, in batches, of what the extents say, so that opening a log need not walk through it.
 * It may be deleted at any time. A batch is written only after the data it speaks of is on the platter, so
 * whoever reads it may trust its rows, and looks at the extents for what came after them.
 *
 *      0  'mlrI' · 4  rows u32 · 8  log id · 16  first seq f64 · 24  bytes of epoch records u32
 *     28  CRC u32 of the whole batch (counted as 0 here)
 *     32  rows of 48 bytes, then epoch records as they stand in the extents
 */
import { crc32 } from 'node:zlib';
import { logIdBytes, parseRecord, readEpoch, recordBytes } from './record.ts';
import { rowBytes } from './table.ts';
import type { FragmentTable } from './table.ts';
import { withEpoch, type EpochFacts } from './types.ts';

export const indexName = 'index';
const headBytes = 32;
const magic = 0x6d6c7249;

export type IndexBatch = {
  readonly firstSeq: number;
  readonly rows: readonly Buffer[];
  readonly epochs: readonly Buffer[];
};

export type ParsedIndex = {
  readonly logId: Buffer;
  readonly epochs: readonly EpochFacts[];
  /** How much of the file was good. */
  readonly bytes: number;
};

const total = (buffers: readonly Buffer[]): number => buffers.reduce((sum, buffer) => sum + buffer.length, 0);

export function encodeBatch(logId: Buffer, batch: IndexBatch): Buffer[] {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(magic, 0);
  head.writeUInt32BE(total(batch.rows) / rowBytes, 4);
  logId.copy(head, 8, 0, logIdBytes);
  head.writeDoubleBE(batch.firstSeq, 16);
  head.writeUInt32BE(total(batch.epochs), 24);
  const buffers = [head, ...batch.rows, ...batch.epochs];
  const crc = buffers.reduce((sum, buffer) => crc32(buffer, sum), 0);
  head.writeUInt32BE(crc, 28);
  return buffers;
}

/** Fills the table from the longest good beginning of the file; null when not even one batch is good. */
export function parseIndex(file: Buffer, table: FragmentTable): ParsedIndex | null {
  let parsed: ParsedIndex | null = null;
  let epochs: EpochFacts[] = [];
  for (let at = 0; at + headBytes <= file.length; ) {
    const rows = file.readUInt32BE(at + 4) * rowBytes;
    const end = at + headBytes + rows + file.readUInt32BE(at + 24);
    if (file.readUInt32BE(at) !== magic || end > file.length) break;
    const crc = file.readUInt32BE(at + 28);
    const head = Buffer.from(file.subarray(at, at + headBytes));
    head.writeUInt32BE(0, 28);
    if (crc32(file.subarray(at + headBytes, end), crc32(head)) !== crc) break;
    const logId = head.subarray(8, 8 + logIdBytes);
    const firstSeq = head.readDoubleBE(16);
    if (parsed ? !parsed.logId.equals(logId) || firstSeq !== table.end : !Number.isSafeInteger(firstSeq) || firstSeq < 0) break;
    if (!parsed) table.startAt(firstSeq);
    table.pushRaw(file.subarray(at + headBytes, at + headBytes + rows));
    epochs = parseEpochs(file.subarray(at + headBytes + rows, end), logId).reduce(withEpoch, epochs);
    parsed = { logId, epochs, bytes: end };
    at = end;
  }
  return parsed;
}

function parseEpochs(bytes: Buffer, logId: Buffer): EpochFacts[] {
  const epochs: EpochFacts[] = [];
  for (let at = 0; at < bytes.length; ) {
    const record = parseRecord(bytes, at, logId);
    if (record.kind !== 'epoch') break;
    const facts = readEpoch(record, bytes.subarray(at + recordBytes, at + recordBytes + record.size));
    if (facts) epochs.push(facts);
    at += recordBytes + record.size;
  }
  return epochs;
}

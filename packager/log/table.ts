/**
 * What is known of every fragment of a log, in rows of 48 bytes, so that 100,000 of them are 4.8 MB, are taken
 * from the index file with a copy, and are decoded one at a time when somebody asks. Blocks of rows are never
 * moved: a snapshot shares them and remembers how far they reached.
 *
 *      0  dts f64 · 8  first pts f64 · 16  duration f64
 *     24  size u32 · 28  CRC u32 · 32  epoch u32 · 36  extent u32 · 40  offset of the header in the extent u32
 *     44  flags u8 (as in the record) · 45  state u8 · 46  0
 *
 * (Little endian; an f64 holds every safe integer exactly.) Facts never change once they are there; the place
 * and the state do, when a fragment that waited in memory reaches the disk.
 */
import { LogError } from './types.ts';
import type { EpochFacts, FragmentEntry, LogSnapshot } from './types.ts';
import type { FragmentRecord } from './record.ts';

export const rowBytes = 48;
const blockRows = 512;

/**
 * stored: in its extent · waiting: in memory only · dropped: no longer in memory, not on the disk ·
 * quarantined: its bytes on the disk are damaged.
 */
export type RowState = 'stored' | 'waiting' | 'dropped' | 'quarantined';
const states: readonly RowState[] = ['stored', 'waiting', 'dropped', 'quarantined'];

export type Place = { readonly extent: number; readonly offset: number };

const keyFlag = 1;
const startFlag = 2;
const gapFlag = 4;
const lostFlag = 8;
const eventsFlag = 16;

/** Read access to one row; `at` is valid until the next call of `row`. */
type Row = { readonly block: Buffer; readonly at: number };

export class FragmentTable {
  #blocks: Buffer[] = [];
  /** Number of the first block that is kept: block n holds the seqs from n * blockRows on. */
  #base = 0;
  #first = 0;
  #end = 0;

  get first(): number {
    return this.#first;
  }
  get end(): number {
    return this.#end;
  }

  /** Before the first row only: where the log begins (after trimming, not at 0). */
  startAt(seq: number): void {
    this.#blocks = [];
    this.#base = Math.floor(seq / blockRows);
    this.#first = this.#end = seq;
  }

  push(fragment: Omit<FragmentRecord, 'kind' | 'seq'>, state: RowState, place: Place): number {
    const { block, at } = this.#grow();
    block.writeDoubleLE(fragment.dts, at);
    block.writeDoubleLE(fragment.firstPts, at + 8);
    block.writeDoubleLE(fragment.duration, at + 16);
    block.writeUInt32LE(fragment.size, at + 24);
    block.writeUInt32LE(fragment.crc, at + 28);
    block.writeUInt32LE(fragment.epoch, at + 32);
    block.writeUInt32LE(place.extent, at + 36);
    block.writeUInt32LE(place.offset, at + 40);
    block[at + 44] =
      (fragment.key ? keyFlag : 0) |
      (fragment.segmentStart ? startFlag : 0) |
      (fragment.gap ? gapFlag : 0) |
      (fragment.lost ? lostFlag : 0) |
      (fragment.events ? eventsFlag : 0);
    block[at + 45] = states.indexOf(state);
    block.writeUInt16LE(0, at + 46);
    return this.#end++;
  }

  /** Rows as `rawRows` gave them, in as few copies as there are blocks. */
  pushRaw(rows: Buffer): void {
    for (let from = 0; from < rows.length; ) {
      const { block, at } = this.#grow();
      const length = Math.min(block.length - at, rows.length - from);
      rows.copy(block, at, from, from + length);
      this.#end += length / rowBytes;
      from += length;
    }
  }

  rawRows(from: number, to: number): Buffer[] {
    const out: Buffer[] = [];
    for (let seq = from; seq < to; ) {
      const { block, at } = this.#row(seq);
      const rows = Math.min((block.length - at) / rowBytes, to - seq);
      out.push(block.subarray(at, at + rows * rowBytes));
      seq += rows;
    }
    return out;
  }

  /** A waiting fragment has reached its extent. */
  store(seq: number, place: Place): void {
    const { block, at } = this.#row(seq);
    block.writeUInt32LE(place.extent, at + 36);
    block.writeUInt32LE(place.offset, at + 40);
    block[at + 45] = states.indexOf('stored');
  }

  /** Only a gap record stands in the extent for this fragment. */
  storeHole(seq: number, place: Place): void {
    const { block, at } = this.#row(seq);
    block.writeUInt32LE(0, at + 24);
    block.writeUInt32LE(0, at + 28);
    block[at + 44] = ((block[at + 44] ?? 0) | gapFlag | lostFlag) & ~eventsFlag;
    this.store(seq, place);
  }

  setState(seq: number, state: RowState): void {
    const { block, at } = this.#row(seq);
    block[at + 45] = states.indexOf(state);
  }
  state(seq: number): RowState {
    const { block, at } = this.#row(seq);
    return states[block[at + 45] ?? 0] ?? 'quarantined';
  }
  place(seq: number): Place {
    const { block, at } = this.#row(seq);
    return { extent: block.readUInt32LE(at + 36), offset: block.readUInt32LE(at + 40) };
  }
  size(seq: number): number {
    const { block, at } = this.#row(seq);
    return block.readUInt32LE(at + 24);
  }
  crc(seq: number): number {
    const { block, at } = this.#row(seq);
    return block.readUInt32LE(at + 28);
  }
  lost(seq: number): boolean {
    const { block, at } = this.#row(seq);
    return ((block[at + 44] ?? 0) & lostFlag) !== 0;
  }
  entry(seq: number): FragmentEntry {
    return decode(this.#row(seq), seq);
  }

  /** First seq below `end` that lies in this extent or a later one; `end` when there is none. */
  firstIn(extent: number, end: number): number {
    let low = this.#first;
    let high = end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.place(middle).extent < extent) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Takes rows off the end; only while nobody holds a snapshot. */
  truncate(end: number): void {
    this.#end = Math.max(this.#first, Math.min(this.#end, end));
  }

  /** Forgets the rows before `seq`. Snapshots keep the blocks that they have. */
  dropBefore(seq: number): void {
    this.#first = Math.max(this.#first, Math.min(seq, this.#end));
    const spare = Math.min(Math.floor(this.#first / blockRows) - this.#base, this.#blocks.length);
    if (spare <= 0) return;
    this.#blocks = this.#blocks.slice(spare);
    this.#base += spare;
  }

  snapshot(end: number, epochs: readonly EpochFacts[]): LogSnapshot {
    const blocks = this.#blocks;
    const base = this.#base;
    const first = this.#first;
    return {
      first,
      end,
      epochs,
      entry: (seq) => {
        if (seq < first || seq >= end || !Number.isInteger(seq)) throw outside(seq, first, end);
        return decode(rowIn(blocks, base, seq), seq);
      },
    };
  }

  #row(seq: number): Row {
    if (seq < this.#first || seq >= this.#end) throw outside(seq, this.#first, this.#end);
    return rowIn(this.#blocks, this.#base, seq);
  }

  #grow(): Row {
    const number = Math.floor(this.#end / blockRows) - this.#base;
    while (this.#blocks.length <= number) this.#blocks.push(Buffer.allocUnsafeSlow(blockRows * rowBytes));
    return rowIn(this.#blocks, this.#base, this.#end);
  }
}

export const outside = (seq: number, first: number, end: number): LogError =>
  seq < first
    ? new LogError('gone', `fragment ${seq} has been trimmed; the log begins at ${first}`)
    : new LogError('not-yet', `fragment ${seq} is not there yet; the log ends at ${end}`);

function rowIn(blocks: readonly Buffer[], base: number, seq: number): Row {
  const block = blocks[Math.floor(seq / blockRows) - base];
  if (!block) throw new LogError('gone', `fragment ${seq} is not in the table`);
  return { block, at: (seq % blockRows) * rowBytes };
}

function decode({ block, at }: Row, seq: number): FragmentEntry {
  const flags = block[at + 44] ?? 0;
  const state = states[block[at + 45] ?? 0];
  return {
    seq,
    epoch: block.readUInt32LE(at + 32),
    key: (flags & keyFlag) !== 0,
    segmentStart: (flags & startFlag) !== 0,
    gap: (flags & gapFlag) !== 0,
    ...((flags & eventsFlag) !== 0 && { events: true }),
    dts: block.readDoubleLE(at),
    firstPts: block.readDoubleLE(at + 8),
    duration: block.readDoubleLE(at + 16),
    size: block.readUInt32LE(at + 24),
    volatile: state === 'waiting' || state === 'dropped',
  };
}

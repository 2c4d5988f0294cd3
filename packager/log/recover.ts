/**
 * From a folder to what the log was: the index file gives what had been flushed, the extents tell the rest (or
 * all of it, when the index is missing, stale or damaged). Changes nothing; the writer cuts the torn tail.
 *
 * Behind the last intact record lies the torn tail, which a kill or a power cut left: it is not part of the
 * log. Damage before that is bit rot: its fragments stay in the table, quarantined, so that sequence numbers
 * have no holes. An extent that failed while it was written to may end in fragments that the next extent
 * holds again: the later one counts.
 */
import { extentName, extentNumbers } from './extent-files.ts';
import { indexName, parseIndex } from './index-file.ts';
import type { ParsedIndex } from './index-file.ts';
import { logIdOf, recordBytes } from './record.ts';
import type { FragmentRecord } from './record.ts';
import { readExactly, walkExtent } from './scan.ts';
import type { Found } from './scan.ts';
import { FragmentTable } from './table.ts';
import type { Place } from './table.ts';
import { rankOf, withEpoch, type Disk, type DiskFile, type EpochFacts, type FragmentEntry } from './types.ts';

export type Recovered = {
  readonly logId: Buffer | null;
  readonly table: FragmentTable;
  readonly epochs: EpochFacts[];
  readonly extents: readonly number[];
  /** Behind the last intact record of the last extent; what follows there is torn. */
  readonly tail: Place | null;
  readonly tornBytes: number;
  readonly quarantined: number;
  /** Extents that may hold bytes which are not on the platter. */
  readonly unflushed: readonly number[];
  /** The index file may be continued at `bytes`: it says the truth about all fragments before `end`. */
  readonly index: { readonly bytes: number; readonly end: number; readonly rank: number } | null;
};

/** However good the index: this much of the end is always looked at, since that is where damage is likely. */
const distrustedBytes = 256 * 1024;
/** CRCs of the data are checked in this many extents at the end: 256 MiB, less than a second. */
const checkedExtents = 4;
/** A larger jump of the sequence is taken for a damaged record. */
const mostMissing = 1 << 20;
const largestIndex = 512 * 1024 * 1024;

export async function recover(disk: Disk, folder: string, onIndexFault: (error: unknown) => void): Promise<Recovered> {
  const names = await disk.list(folder);
  const extents = extentNumbers(names);
  if (names.includes(indexName) && extents.length > 0) {
    const table = new FragmentTable();
    // The index is only a copy: when it cannot be read, the extents are.
    const index = await readIndex(disk, `${folder}/${indexName}`, table).catch(onIndexFault);
    const recovered = index ? await recoverFromIndex(disk, folder, extents, table, index) : null;
    if (recovered) return recovered;
  }
  const scan = new Scan(disk, folder, extents, new FragmentTable(), [], null);
  await scan.run({ extent: extents[0] ?? 0, offset: 0 });
  return scan.result(null);
}

async function recoverFromIndex(
  disk: Disk,
  folder: string,
  extents: readonly number[],
  table: FragmentTable,
  { parsed, size }: IndexRead,
): Promise<Recovered | null> {
  if (!parsed) return null;
  const indexed = table.end;
  table.dropBefore(table.firstIn(extents[0] ?? 0, table.end));
  const anchor = anchorOf(table);
  if (!anchor || !extents.includes(anchor.place.extent)) return null;
  table.truncate(anchor.entry.seq);
  const scan = new Scan(disk, folder, extents, table, [...parsed.epochs], parsed.logId);
  await scan.run(anchor.place);
  // An index of another log, of another time, or past a damaged spot: the extents know better.
  if (!scan.began(anchor.entry, anchor.crc)) return null;
  const continues = parsed.bytes === size && !scan.damaged && table.end >= indexed;
  return scan.result(continues ? { bytes: size, end: indexed, rank: Math.max(-1, ...parsed.epochs.map(rankOf)) } : null);
}

type IndexRead = { readonly parsed: ParsedIndex | null; readonly size: number };

async function readIndex(disk: Disk, path: string, table: FragmentTable): Promise<IndexRead> {
  const file = await disk.open(path, 'read');
  try {
    const size = await file.size();
    if (size > largestIndex) return { parsed: null, size };
    return { parsed: parseIndex(await readExactly(file, 0, size), table), size };
  } finally {
    await file.close();
  }
}

/** The fragment from which on the extents are looked at again. */
function anchorOf(table: FragmentTable): { entry: FragmentEntry; crc: number; place: Place } | null {
  let seq = table.end;
  for (let bytes = 0; seq > table.first && bytes < distrustedBytes; seq--) bytes += recordBytes + table.size(seq - 1);
  if (seq === table.end) return null;
  // A fragment that is not in its extent any more cannot be found there again.
  while (seq > table.first && table.state(seq) !== 'stored') seq--;
  return { entry: table.entry(seq), crc: table.crc(seq), place: table.place(seq) };
}

class Scan {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #extents: readonly number[];
  readonly #table: FragmentTable;
  #epochs: EpochFacts[];
  #logId: Buffer | null;
  #fresh: boolean;
  #from = 0;
  #firstFound: FragmentRecord | null = null;
  #intactEnd: number;
  #tail: Place | null = null;
  #tornBytes = 0;
  #quarantined = 0;

  constructor(
    disk: Disk,
    folder: string,
    extents: readonly number[],
    table: FragmentTable,
    epochs: EpochFacts[],
    logId: Buffer | null,
  ) {
    this.#disk = disk;
    this.#folder = folder;
    this.#extents = extents;
    this.#table = table;
    this.#epochs = epochs;
    this.#logId = logId;
    this.#fresh = table.end === table.first && epochs.length === 0;
    this.#intactEnd = table.end;
  }

  get damaged(): boolean {
    return this.#quarantined > 0;
  }

  began(entry: FragmentEntry, crc: number): boolean {
    const found = this.#firstFound;
    return found !== null && found.seq === entry.seq && found.dts === entry.dts && found.crc === crc;
  }

  async run(from: Place): Promise<void> {
    this.#from = from.extent;
    const known = this.#table.end;
    const checkedFrom = this.#extents[Math.max(0, this.#extents.length - checkedExtents)] ?? 0;
    for (const extent of this.#extents.filter((number) => number >= from.extent)) {
      const file = await this.#disk.open(`${this.#folder}/${extentName(extent)}`, 'read');
      try {
        await this.#extent(file, extent, extent === from.extent ? from.offset : 0, extent >= checkedFrom);
      } finally {
        await file.close();
      }
    }
    this.#table.truncate(this.#intactEnd);
    this.#quarantineWithoutEpoch(known);
  }

  async #extent(file: DiskFile, extent: number, from: number, checkData: boolean): Promise<void> {
    const size = await file.size();
    let good = from;
    this.#logId ??= await firstLogId(file, size);
    let before = -1;
    for await (const found of walkExtent({ file, size, from, logId: this.#logId, checkData })) {
      if (found.kind === 'epoch') {
        this.#epoch(found.facts);
        good = found.end;
        continue;
      }
      // Inside one extent numbers only rise.
      if (found.record.seq <= before || !this.#fragment(found, extent)) continue;
      before = found.record.seq;
      if (found.intact) good = found.offset + recordBytes + found.record.size;
    }
    this.#tail = { extent, offset: good };
    this.#tornBytes = size - good;
  }

  #fragment(found: Found & { kind: 'fragment' }, extent: number): boolean {
    const { record } = found;
    if (this.#fresh) {
      this.#table.startAt(record.seq);
      this.#fresh = false;
      this.#intactEnd = record.seq;
    }
    if (record.seq < this.#table.first || record.seq - this.#table.end > mostMissing) return false;
    this.#table.truncate(record.seq);
    this.#intactEnd = Math.min(this.#intactEnd, record.seq);
    this.#firstFound ??= record;
    this.#fillIn(record, { extent, offset: found.offset });
    this.#table.push(record, found.intact ? 'stored' : 'quarantined', { extent, offset: found.offset });
    if (found.intact) this.#intactEnd = this.#table.end;
    return true;
  }

  /** Records between the last one and this one are damaged: what is known of them is how many, and when. */
  #fillIn(next: FragmentRecord, place: Place): void {
    const missing = next.seq - this.#table.end;
    if (missing <= 0) return;
    const last = this.#table.end > this.#table.first ? this.#table.entry(this.#table.end - 1) : null;
    const start = last ? last.dts + last.duration : next.dts;
    const each = Math.max(0, Math.floor((next.dts - start) / missing));
    const facts = { key: false, segmentStart: false, gap: true, lost: false, size: 0, crc: 0, epoch: next.epoch };
    for (let count = 0; count < missing; count++) {
      const dts = start + count * each;
      this.#table.push({ ...facts, dts, firstPts: dts, duration: each }, 'quarantined', place);
    }
  }

  #epoch(facts: EpochFacts): void {
    this.#epochs = withEpoch(this.#epochs, facts);
  }

  /** Fragments whose init segment was damaged in every copy cannot be played. */
  #quarantineWithoutEpoch(from: number): void {
    const epochs = new Set(this.#epochs.map((facts) => facts.epoch));
    for (let seq = Math.max(from, this.#table.first); seq < this.#table.end; seq++) {
      if (!epochs.has(this.#table.entry(seq).epoch)) this.#table.setState(seq, 'quarantined');
      if (this.#table.state(seq) === 'quarantined') this.#quarantined++;
    }
  }

  result(index: Recovered['index']): Recovered {
    return {
      logId: this.#logId,
      table: this.#table,
      epochs: this.#epochs,
      extents: this.#extents,
      tail: this.#tail,
      tornBytes: this.#tornBytes,
      quarantined: this.#quarantined,
      unflushed: this.#extents.filter((extent) => extent >= this.#from).slice(-checkedExtents),
      index,
    };
  }
}

/** The id is in every record; the first intact one of any kind tells it. */
async function firstLogId(file: DiskFile, size: number): Promise<Buffer | null> {
  for await (const found of walkExtent({ file, size, from: 0, logId: null, checkData: true })) {
    if (found.kind === 'fragment' && !found.intact) continue;
    return logIdOf(await readExactly(file, found.offset, recordBytes), 0);
  }
  return null;
}

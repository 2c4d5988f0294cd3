/** The two tables that say what a transport stream holds (ISO 13818-1, 2.4.4.3 and 2.4.4.8). Damaged ones are null. */
import { crc32 } from '../crc32.ts';

export type ElementaryStream = { readonly pid: number; readonly type: number; readonly descriptors: Buffer };

/** No programme of broadcast has as many. */
export const mostStreams = 64;
const crcSize = 4;
const patHeader = 8;
const pmtHeader = 12;

/** The whole section, of this table, in force now (current_next_indicator), and as it was written. */
const isSound = (section: Buffer, table: number, least: number): boolean =>
  section.length >= least + crcSize && section[0] === table && ((section[5] ?? 0) & 1) === 1 && crc32(section) === 0;

/** PID of the PMT of the first programme; null: there is none. */
export const programmeOf = (pat: Buffer): number | null => {
  if (!isSound(pat, 0, patHeader)) return null;
  for (let at = patHeader; at + 4 <= pat.length - crcSize; at += 4) {
    // Programme 0 is the network information table.
    if (pat.readUInt16BE(at) !== 0) return pat.readUInt16BE(at + 2) & 0x1fff;
  }
  return null;
};

export const streamsOf = (pmt: Buffer): readonly ElementaryStream[] | null => {
  if (!isSound(pmt, 2, pmtHeader)) return null;
  const streams: ElementaryStream[] = [];
  const end = pmt.length - crcSize;
  for (let at = pmtHeader + (pmt.readUInt16BE(10) & 0xfff); at + 5 <= end && streams.length < mostStreams; ) {
    const next = at + 5 + (pmt.readUInt16BE(at + 3) & 0xfff);
    if (next > end) return null;
    streams.push({ type: pmt[at] ?? 0, pid: pmt.readUInt16BE(at + 1) & 0x1fff, descriptors: pmt.subarray(at + 5, next) });
    at = next;
  }
  return streams;
};

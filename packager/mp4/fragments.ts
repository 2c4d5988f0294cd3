/** Movie fragments (ISO 14496-12, 8.8): every moof of a file, found with small reads, its samples added to the tracks. */
import type { SampleDefaults } from '../cmaf/reader-init.ts';
import { sampleFlags, tfhdFlag, trunFlag } from '../cmaf/flags.ts';
import { boxesIn, childrenOf, Cursor, firstOf, needed, type Box } from './boxes.ts';
import type { Allowance } from './limits.ts';
import { Mp4Error } from './movie.ts';
import type { TopBox, TopLevel } from './top-level.ts';
import type { TrackDraft } from './track.ts';

type Defaults = SampleDefaults & { readonly description: number };
type DefaultsOfTracks = ReadonlyMap<number, Defaults>;

/** trex: what fragments leave out. */
export const readDefaults = (bytes: Buffer, mvex: Box, allowance: Allowance): DefaultsOfTracks => {
  const found = new Map<number, Defaults>();
  for (const trex of childrenOf(bytes, mvex, allowance).filter(({ type }) => type === 'trex')) {
    const cursor = new Cursor(bytes, trex, 4);
    const track = cursor.u32();
    found.set(track, { description: cursor.u32(), duration: cursor.u32(), size: cursor.u32(), flags: cursor.u32() });
  }
  return found;
};

const noDefaults: Defaults = { description: 1, duration: 0, size: 0, flags: 0 };

type Header = { readonly track: number; readonly base: number | null; readonly fromMoof: boolean; readonly defaults: Defaults };

const readHeader = (bytes: Buffer, tfhd: Box, inherited: DefaultsOfTracks): Header => {
  const cursor = new Cursor(bytes, tfhd);
  const { flags } = cursor.full();
  const track = cursor.u32();
  const { description, duration, size, flags: sample } = inherited.get(track) ?? noDefaults;
  const base = flags & tfhdFlag.baseDataOffset ? cursor.u64() : null;
  const or = (flag: number, value: number) => (flags & flag ? cursor.u32() : value);
  const defaults = {
    description: or(tfhdFlag.sampleDescription, description),
    duration: or(tfhdFlag.duration, duration),
    size: or(tfhdFlag.size, size),
    flags: or(tfhdFlag.flags, sample),
  };
  return { track, base, fromMoof: (flags & tfhdFlag.defaultBaseIsMoof) !== 0, defaults };
};

type Run = {
  readonly draft: TrackDraft;
  readonly decodeTime: number | null;
  readonly defaults: Defaults;
  readonly flags: number;
  readonly firstFlags: number | null;
  readonly count: number;
  /** Of its first row. */
  readonly at: number;
  /** Bytes of the file that its samples fill. */
  readonly from: number;
  readonly to: number;
};

const rowFlags = [trunFlag.duration, trunFlag.size, trunFlag.flags, trunFlag.compositionOffset] as const;
const fieldsOf = (flags: number): number[] => rowFlags.filter((flag) => flags & flag);

/** One field of all rows of a run; where it is not in the rows it is the same for all, however many there are said to be. */
const eachOf = (bytes: Buffer, { flags, at, count }: Run, field: (typeof rowFlags)[number], common: number, take: (value: number, times: number) => void): void => {
  const fields = fieldsOf(flags);
  const place = fields.indexOf(field);
  if (place < 0) {
    take(common, count);
    return;
  }
  for (let i = 0; i < count; i += 1) take(bytes.readUInt32BE(at + 4 * (fields.length * i + place)), 1);
};

const readRun = (bytes: Buffer, trun: Box, common: Pick<Run, 'draft' | 'decodeTime' | 'defaults'>, base: number, next: number): Run => {
  const cursor = new Cursor(bytes, trun);
  const { flags } = cursor.full();
  const count = cursor.u32();
  const from = flags & trunFlag.dataOffset ? base + cursor.i32() : next;
  const firstFlags = flags & trunFlag.firstFlags ? cursor.u32() : null;
  if (4 * fieldsOf(flags).length * count > cursor.left) throw new Mp4Error('invalid', `trun announces ${count} samples and has no room for them`);
  const run = { ...common, flags, firstFlags, count, at: cursor.at, from, to: from };
  let to = from;
  eachOf(bytes, run, trunFlag.size, common.defaults.size, (size, times) => (to += size * times));
  if (from < 0 || !Number.isSafeInteger(to)) throw new Mp4Error('invalid', `the samples of a trun lie at ${from} to ${to}`);
  return { ...run, to };
};

/** What a moof says, before any of it is taken over. */
const readMoof = (bytes: Buffer, { at, body }: TopBox, drafts: ReadonlyMap<number, TrackDraft>, inherited: DefaultsOfTracks, allowance: Allowance): Run[] => {
  const runs: Run[] = [];
  // 8.8.7.1: what says nothing of its base continues the track fragment before it, and the first one counts from the moof.
  let next = at;
  for (const traf of boxesIn(bytes, body - at, bytes.length, allowance)) {
    if (traf.type !== 'traf') continue;
    const inside = childrenOf(bytes, traf, allowance);
    const { track, base: given, fromMoof, defaults } = readHeader(bytes, needed(inside, 'tfhd', 'traf'), inherited);
    const draft = drafts.get(track);
    // Words and data are named and not read.
    if (!draft || (draft.kind !== 'video' && draft.kind !== 'audio')) continue;
    const base = given ?? (fromMoof ? at : next);
    const tfdt = firstOf(inside, 'tfdt');
    let decodeTime = tfdt ? readDecodeTime(bytes, tfdt) : null;
    next = base;
    for (const trun of inside) {
      if (trun.type !== 'trun') continue;
      const run = readRun(bytes, trun, { draft, decodeTime, defaults }, base, next);
      runs.push(run);
      next = run.to;
      decodeTime = null;
    }
  }
  return runs;
};

const readDecodeTime = (bytes: Buffer, tfdt: Box): number => {
  const cursor = new Cursor(bytes, tfdt);
  return cursor.full().version === 1 ? cursor.u64() : cursor.u32();
};

const addRun = (bytes: Buffer, run: Run): void => {
  const { draft, defaults, count, decodeTime, firstFlags, from } = run;
  const { table } = draft;
  if (decodeTime !== null) table.continueAt(decodeTime);
  draft.used.add(defaults.description);
  const first = table.count;
  eachOf(bytes, run, trunFlag.size, defaults.size, (size, times) => table.sizes(size, times));
  eachOf(bytes, run, trunFlag.duration, defaults.duration, (duration, times) => table.durations(duration, times));
  // Signed in version 1, and nobody means anything beyond 2^31 in version 0.
  eachOf(bytes, run, trunFlag.compositionOffset, 0, (offset, times) => table.compositionOffsets(offset | 0, times));
  table.chunk(from, count);
  if (draft.kind !== 'video') return;
  let sample = first;
  eachOf(bytes, run, trunFlag.flags, defaults.flags, (flags, times) => {
    const start = sample === first && firstFlags !== null && times > 0 ? 1 : 0;
    if (start > 0) table.keys(sample, 1, ((firstFlags ?? 0) & sampleFlags.nonSync) === 0);
    table.keys(sample + start, times - start, (flags & sampleFlags.nonSync) === 0);
    sample += times;
  });
};

/** The next box; null where the file ends, also where a recording was cut off in the middle of one. */
const nextWhole = async (top: TopLevel): Promise<TopBox | null> => {
  try {
    return top.shown() ?? (await top.next());
  } catch (error) {
    if (error instanceof Mp4Error && error.code === 'truncated') return null;
    throw error;
  }
};

/**
 * From where `top` is to the end of the file. A recorder that died leaves a last fragment without all of its media:
 * what is ahead of it is the recording.
 */
export const readFragments = async (top: TopLevel, drafts: readonly TrackDraft[], inherited: DefaultsOfTracks, allowance: Allowance): Promise<void> => {
  allowance.fragments();
  const byId = new Map(drafts.map((draft) => [draft.id, draft]));
  for (let box = await nextWhole(top); box; box = await nextWhole(top)) {
    allowance.box();
    if (allowance.isDue(64)) await allowance.turn();
    if (box.type !== 'moof') continue;
    const size = box.end - box.at;
    if (size > allowance.limits.moofBytes) throw new Mp4Error('limit', `a moof of ${size} bytes`);
    const bytes = await top.bytesOf(box);
    const runs = readMoof(bytes, box, byId, inherited, allowance);
    if (runs.some(({ to }) => to > top.size)) break;
    for (const run of runs) addRun(bytes, run);
    if (allowance.isDue(size / 16)) await allowance.turn();
  }
  if (drafts.every(({ table }) => table.count === 0)) throw new Mp4Error('truncated', 'the file ends before its first fragment does');
};

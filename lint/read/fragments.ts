/** Fragments (moof + mdat, a CMAF chunk: ISO 23000-19, 7.3.2.3): their times, and what in them is not as it should be. */
import type { RuleId } from '../catalogue.ts';
import { fault, type Fault } from '../finding.ts';
import { boxesOf, child, children, Fields, Malformed, type Box } from './boxes.ts';
import type { Init } from './init.ts';

export type Fragment = {
  readonly trackId: number;
  readonly decodeTime: number;
  readonly duration: number;
  readonly samples: number;
  /** Longest and first, in ticks. */
  readonly sampleDuration: number;
  readonly startsWithSync: boolean;
  /** Presentation minus decode time of the first sample. */
  readonly firstOffset: number;
};

export type ReadFragments = { readonly fragments: readonly Fragment[]; readonly faults: readonly Fault[] };

const mostSamples = 500_000;

export const readFragments = (bytes: Buffer, init: Init | null): ReadFragments => {
  const faults: Fault[] = [];
  const say = (rule: RuleId, says: string): void => {
    if (faults.length < 10) faults.push(fault(rule, says));
  };
  const fragments: Fragment[] = [];
  try {
    const boxes = boxesOf(bytes);
    boxes.forEach((box, index) => {
      if (box.type === 'mdat' && boxes[index - 1]?.type !== 'moof') say('cmaf/boxes', 'an mdat without the moof that describes it');
      if (box.type !== 'moof') return;
      const mdat = boxes[index + 1];
      if (mdat?.type !== 'mdat') throw new Malformed('a moof without an mdat behind it');
      const one = readFragment(box, mdat, init, say);
      if (one) fragments.push(one);
    });
    if (fragments.length === 0 && faults.length === 0) say('cmaf/boxes', 'no fragment in it');
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    say('cmaf/boxes', error.message);
  }
  return { fragments, faults };
};

const flag = { baseOffset: 1, description: 2, duration: 8, size: 16, flags: 32, baseIsMoof: 0x2_0000 } as const;
const run = { dataOffset: 1, firstFlags: 4, duration: 0x100, size: 0x200, flags: 0x400, offset: 0x800 } as const;
const notSync = 0x1_0000;

const readFragment = (moof: Box, mdat: Box, init: Init | null, say: (rule: RuleId, says: string) => void): Fragment | null => {
  const trafs = children(moof, 'traf');
  const [traf] = trafs;
  const truns = traf ? children(traf, 'trun') : [];
  const [trun] = truns;
  if (trafs.length !== 1 || truns.length !== 1 || !traf || !trun) {
    say('cmaf/one-run', `${trafs.length} traf and ${truns.length} trun in one moof`);
    return null;
  }
  const header = new Fields(child(traf, 'tfhd')).skip(1);
  const has = header.u24();
  const trackId = header.u32();
  if (has & flag.baseOffset) header.skip(8);
  if (has & flag.description) header.skip(4);
  const common = init?.defaults ?? { duration: 0, size: 0, flags: 0 };
  const usual = {
    duration: has & flag.duration ? header.u32() : common.duration,
    size: has & flag.size ? header.u32() : common.size,
    flags: has & flag.flags ? header.u32() : common.flags,
  };
  if (!(has & flag.baseIsMoof) || has & flag.baseOffset) say('cmaf/base-is-moof', 'addresses in the fragment do not count from its moof');
  const time = new Fields(child(traf, 'tfdt'));
  const version = time.u8();
  if (version !== 1) say('cmaf/tfdt-version', `tfdt of version ${version}`);
  const decodeTime = version === 1 ? time.skip(3).u64() : time.skip(3).u32();

  const rows = new Fields(trun);
  const signed = rows.u8() === 1;
  const columns = rows.u24();
  const count = rows.u32();
  if (count === 0 || count > mostSamples) throw new Malformed(`a trun of ${count} samples`);
  const dataOffset = columns & run.dataOffset ? rows.i32() : null;
  const firstFlags = columns & run.firstFlags ? rows.u32() : null;
  let [duration, size, sampleDuration, firstOffset, first] = [0, 0, 0, 0, usual.flags];
  for (let index = 0; index < count; index += 1) {
    const ticks = columns & run.duration ? rows.u32() : usual.duration;
    duration += ticks;
    sampleDuration = Math.max(sampleDuration, ticks);
    size += columns & run.size ? rows.u32() : usual.size;
    const flags = columns & run.flags ? rows.u32() : usual.flags;
    if (index === 0) first = firstFlags ?? flags;
    const offset = columns & run.offset ? (signed ? rows.i32() : rows.u32()) : 0;
    if (index === 0) firstOffset = offset;
  }
  if (size !== mdat.body.length || (dataOffset !== null && dataOffset !== moof.size + 8)) {
    say('cmaf/mdat', `samples of ${size} bytes from ${dataOffset}, and an mdat of ${mdat.body.length} from ${moof.size + 8}`);
  }
  if (init && trackId !== init.trackId) say('cmaf/track', `track ${trackId}, and the init segment knows ${init.trackId}`);
  return { trackId, decodeTime, duration, samples: count, sampleDuration, startsWithSync: (first & notSync) === 0, firstOffset };
};

/** All of them as one: when they begin, and how long they are. */
export const spanOf = (fragments: readonly Fragment[]): { start: number; duration: number } | null => {
  const [first] = fragments;
  return first ? { start: first.decodeTime, duration: fragments.reduce((sum, { duration }) => sum + duration, 0) } : null;
};

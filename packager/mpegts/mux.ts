/**
 * One segment of a transport stream out of samples: a pure function, so that the same segment is the same bytes
 * whoever asks for it, wherever, and in whatever order.
 *
 * Counters of packets must go on from one segment to the next (ISO 13818-1, 2.4.3.3) although no segment knows
 * how many packets were in the one before. Therefore
 *
 *     picture, sound   begin at 0 and have a multiple of 16 packets: the last PES packet is spread over up to 15 more
 *     PAT, PMT         one packet each at the beginning, whose counter is the number of the segment
 *
 * which holds across rungs too. Behind an EXT-X-DISCONTINUITY counters may do what they like; here they go on.
 *
 *     PAT PMT | picture (PCR) | sound | picture (PCR) | … | PCR | …      in the order of decode times
 */
import { adtsOf } from './adts.ts';
import { byteStreamOf } from './annex-b.ts';
import { packetSize, packetsFor, writeClock, writePes, writeSection, type FirstPacket } from './packets.ts';
import { pesHeaderSize, writePesHeader } from './pes.ts';
import { clockPid, patSection, pids, pmtSection } from './psi.ts';
import { TsError } from './ts-error.ts';
import { pictureUnits, soundUnits, type TsFrame, type TsPicture, type Unit } from './units.ts';

export type TsSegmentInput = {
  /** Samples as an `avc1` track holds them. */
  readonly video: { readonly avcC: Buffer; readonly samples: readonly TsPicture[] } | null;
  /** Raw frames. */
  readonly audio: { readonly config: Buffer; readonly samples: readonly TsFrame[] } | null;
  /** Decode time at which the next segment begins: the clock is kept going until then. */
  readonly end: number;
  /** Counts the segments: the continuity counter of the tables. */
  readonly number: number;
  /** version_number of the PMT: another one for another configuration. */
  readonly version: number;
};

/** Media time 0 on the wire: room for decode times before it, and what Apple's segmenter uses. */
export const tsOrigin = 10 * 90_000;
/** A byte arrives so long before its access unit is decoded. Larger than `clockInterval`, in which all of a unit arrives. */
const lead = 45_000;
/** The clock has to come every 100 ms (2.7.2). */
const clockInterval = 8_100;
const largestGap = 600 * 90_000;
/** A segment of a minute at 50 Mbit/s has 375 MB; what is larger is no segment. */
const largestSegment = 512 * 1024 * 1024;

type PesItem = { readonly unit: Unit; readonly packets: number; readonly first: FirstPacket };
type Item = PesItem | { readonly clock: number };

export const muxSegment = (input: TsSegmentInput): Buffer => {
  const { audio, number, version } = input;
  const video = input.video && input.video.samples.length > 0 ? input.video : null;
  if (!video && !audio?.samples.length) throw new TsError('invalid', 'a segment without samples');
  const adts = audio ? adtsOf(audio.config) : null;
  const pictures = video ? pictureUnits(video.samples, byteStreamOf(video.avcC)) : [];
  const sound = audio && adts ? soundUnits(audio.samples, adts, video === null) : [];
  const items = padded(withClock(interleaved(pictures, sound), video ? 'video' : 'audio', input.end));
  const packets = items.reduce((sum, item) => sum + ('clock' in item ? 1 : item.packets), 2);
  if (packets * packetSize > largestSegment) throw new TsError('limit', `a segment of ${packets * packetSize} bytes`);

  const program = { video: video !== null, audio: adts?.descriptors ?? null, version };
  const out = Buffer.allocUnsafeSlow(packets * packetSize);
  const next = writeSection(out, writeSection(out, 0, pids.pat, number, patSection()), pids.pmt, number, pmtSection(program));
  writeItems(out, next, items, clockPid(program));
  return out;
};

/** In the order of decode times; the first picture before all else, so that a segment begins with what it is asked for. */
const interleaved = (pictures: readonly Unit[], sound: readonly Unit[]): Unit[] => {
  const units: Unit[] = [];
  let next = 0;
  for (const picture of pictures) {
    for (let one = sound[next]; units.length > 0 && one && one.dts < picture.dts; one = sound[next]) {
      units.push(one);
      next += 1;
    }
    units.push(picture);
  }
  return [...units, ...sound.slice(next)];
};

/** Puts the clock into every packet that begins a unit of the lead, and between them where they are far apart. */
const withClock = (units: readonly Unit[], leading: 'video' | 'audio', end: number): Item[] => {
  const items: Item[] = [];
  let last: number | null = null;
  const fill = (until: number): void => {
    if (last !== null && until - last > largestGap) throw new TsError('limit', 'a hole inside a segment');
    while (last !== null && until - last > clockInterval) {
      last += clockInterval;
      items.push({ clock: last - lead + tsOrigin });
    }
  };
  for (const unit of units) {
    fill(Math.min(unit.dts, end));
    const leads = unit.kind === leading;
    if (leads) last = unit.dts;
    const first = { pcr: leads ? unit.dts - lead + tsOrigin : null, randomAccess: unit.randomAccess };
    items.push({ unit, first, packets: packetsFor(pesHeaderSize(unit.pts, unit.dts) + unit.size, first) });
  }
  fill(end);
  return items;
};

const counterTurn = 16;

/** Brings the packets of picture and of sound to multiples of 16. */
const padded = (items: readonly Item[]): Item[] => {
  const out = [...items];
  for (const kind of ['video', 'audio'] as const) {
    let packets = 0;
    let last = -1;
    out.forEach((item, index) => {
      if ('clock' in item || item.unit.kind !== kind) return;
      packets += item.packets;
      last = index;
    });
    const item = out[last];
    if (!item || 'clock' in item) continue;
    // The shortest PES packet (a head of 14 bytes, an ADTS header of 7) has a byte for each of its 16 packets.
    out[last] = { ...item, packets: item.packets + ((counterTurn - (packets % counterTurn)) % counterTurn) };
  }
  return out;
};

const writeItems = (out: Buffer, start: number, items: readonly Item[], clock: number): void => {
  const counters = { video: 0, audio: 0 };
  let scratch = Buffer.allocUnsafeSlow(64 * 1024);
  let at = start;
  for (const item of items) {
    if ('clock' in item) {
      const before = (clock === pids.video ? counters.video : counters.audio) - 1;
      at = writeClock(out, at, clock, before, item.clock);
      continue;
    }
    const { unit, packets, first } = item;
    const { kind } = unit;
    const size = pesHeaderSize(unit.pts, unit.dts) + unit.size;
    if (scratch.length < size) scratch = Buffer.allocUnsafeSlow(2 * size);
    const body = writePesHeader(scratch, kind, unit.pts + tsOrigin, unit.dts + tsOrigin, unit.size);
    unit.write(scratch, body);
    at = writePes(out, at, scratch.subarray(0, size), { pid: pids[kind], counter: counters[kind], packets, first });
    counters[kind] += packets;
  }
};

/**
 * What is true of a ladder that a server serves: its rungs are downloaded as a player would, taken apart by the parsers of
 * the rules checker, decoded by ffmpeg, and held against the source, picture by picture.
 */
import { spawn } from 'node:child_process';
import { boxesOf, child, Fields, type Box } from '../../lint/read/boxes.ts';
import { readFragments } from '../../lint/read/fragments.ts';
import { readInit } from '../../lint/read/init.ts';
import type { MillraceServer } from './server.ts';
import { readStamp } from './stamp.ts';
import { keyOf, type KeyLine } from './unlocked.ts';

/** In ticks of 90 kHz. */
export type RungPicture = { readonly pts: number; readonly key: boolean; /** Null: it cannot be read. */ readonly stamp: number | null };
export type RungSegment = { readonly name: string; readonly duration: string; readonly map: string | null; readonly gap: boolean; readonly bytes: Buffer };

export type Rung = {
  readonly track: string;
  /** The playlist without what belongs to the track alone. */
  readonly lines: readonly string[];
  readonly segments: readonly RungSegment[];
  /** Of each init segment, in the order in which they are shown. */
  readonly epochs: readonly Epoch[];
};
type Epoch = { readonly pictures: readonly RungPicture[]; readonly width: number; readonly height: number; readonly complaints: string };

type At = {
  readonly server: MillraceServer;
  readonly video: string;
  readonly track: string;
  /** Of a protected show: a file as it lies below the key that the playlist names for it, if any. */
  readonly open?: (bytes: Buffer, key: KeyLine | null) => Promise<Buffer>;
};

const get = async ({ server, video, track }: At, name: string): Promise<Buffer> => {
  const response = await fetch(`${server.origin}/play/-/${video}/${track}/${name}`, { signal: AbortSignal.timeout(60_000) });
  if (response.status !== 200) throw new Error(`${track}/${name}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
};

/** Where the picture of the source lies in one of a rung. */
export type Area = { readonly width: number; readonly height: number; readonly x: number; readonly y: number };

/** All of a show that is over; `areas`: of its epochs, where there are bars. */
export const readRung = async (at: At, areas: readonly Area[] = []): Promise<Rung> => {
  const lines = (await get(at, 'whole.m3u8')).toString().trim().split('\n');
  const segments: RungSegment[] = [];
  let map: string | null = null;
  let gap = false;
  let duration = '';
  let key: KeyLine | null = null;
  const open = at.open ?? ((bytes: Buffer) => Promise.resolve(bytes));
  for (const line of lines) {
    key = keyOf(line) ?? key;
    map = /^#EXT-X-MAP:.*URI="([^"]+)"/.exec(line)?.[1] ?? map;
    duration = /^#EXTINF:([\d.]+)/.exec(line)?.[1] ?? duration;
    if (line === '#EXT-X-GAP') gap = true;
    if (line.startsWith('#')) continue;
    segments.push({ name: line, duration, map, gap, bytes: gap ? Buffer.alloc(0) : await open(await get(at, line), key) });
    gap = false;
  }
  const epochs: Epoch[] = [];
  for (const init of new Set(segments.map((segment) => segment.map))) {
    if (init === null) continue;
    const media = segments.filter((segment) => segment.map === init && !segment.gap).map(({ bytes }) => bytes);
    // A key may last for no longer than a hole.
    if (media.length === 0) continue;
    epochs.push(await takeApart(await open(await get(at, init), null), Buffer.concat(media), areas[Number(/-i(\d+)/.exec(init)?.[1])]));
  }
  return { track: at.track, lines: lines.filter((line) => !line.startsWith('#EXT-X-RENDITION-REPORT')), segments, epochs };
};

const takeApart = async (init: Buffer, media: Buffer, area?: Area): Promise<Epoch> => {
  const head = readInit(init).init;
  const { faults } = readFragments(media, head);
  const samples = samplesOf(media, head?.defaults ?? { duration: 0, flags: 0 });
  const { stamps, complaints } = await decode(Buffer.concat([init, media]), area);
  const shown = samples.map(({ pts }) => pts).toSorted((a, b) => a - b);
  const wrong = [...faults.map(({ says }) => says), ...(complaints === '' ? [] : [complaints])];
  if (stamps.length !== shown.length) wrong.push(`${stamps.length} pictures can be decoded of ${shown.length}`);
  // Pictures come out in the order in which they are shown.
  const stampAt = new Map(shown.map((pts, index) => [pts, stamps[index] ?? null]));
  const pictures = samples.map(({ pts, key }) => ({ pts, key, stamp: stampAt.get(pts) ?? null }));
  return { pictures, complaints: wrong.join('; '), width: head?.width ?? 0, height: head?.height ?? 0 };
};

const notSync = 0x1_0000;
type Usual = { readonly duration: number; readonly flags: number };

/** 8.8.7. */
const usualOf = (tfhd: Box, defaults: Usual): Usual => {
  const header = new Fields(tfhd).skip(1);
  const has = header.u24();
  header.skip(4 + (has & 1 ? 8 : 0) + (has & 2 ? 4 : 0));
  const duration = has & 8 ? header.u32() : defaults.duration;
  if (has & 16) header.skip(4);
  return { duration, flags: has & 32 ? header.u32() : defaults.flags };
};

/** When samples are shown, and whether they are sync samples (ISO 14496-12, 8.8.8): ffmpeg moves what has negative offsets. */
const samplesOf = (media: Buffer, defaults: Usual): { pts: number; key: boolean }[] =>
  boxesOf(media).flatMap((moof) => {
    if (moof.type !== 'moof') return [];
    const traf = child(moof, 'traf');
    let dts = new Fields(child(traf, 'tfdt')).skip(4).u64();
    const rows = new Fields(child(traf, 'trun'));
    const signed = rows.u8() === 1;
    const columns = rows.u24();
    const count = rows.u32();
    if (columns & 1) rows.skip(4);
    const firstFlags = columns & 4 ? rows.u32() : null;
    const usual = usualOf(child(traf, 'tfhd'), defaults);
    return Array.from({ length: count }, (_, index) => {
      const duration = columns & 0x100 ? rows.u32() : usual.duration;
      if (columns & 0x200) rows.skip(4);
      const flags = columns & 0x400 ? rows.u32() : ((index === 0 ? firstFlags : null) ?? usual.flags);
      const offset = columns & 0x800 ? (signed ? rows.i32() : rows.u32()) : 0;
      const pts = dts + offset;
      dts += duration;
      return { pts, key: (flags & notSync) === 0 };
    });
  });

const looked = { width: 320, height: 30 };

/** The stamps of what a decoder gives out, and what it complains about. */
const decode = async (bytes: Buffer, area?: Area): Promise<{ stamps: (number | null)[]; complaints: string }> => {
  const inside = area ? `crop=${area.width}:${area.height}:${area.x}:${area.y},` : '';
  const args = [
    ...['-hide_banner', '-v', 'error', '-i', 'pipe:0', '-map', '0:v:0', '-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
    // The stamp takes the top sixth.
    ...['-vf', `${inside}crop=iw:floor(ih/6):0:0,scale=${looked.width}:${looked.height},format=gray`, '-f', 'rawvideo', 'pipe:1'],
  ];
  const child = spawn(process.env.FFMPEG_PATH || 'ffmpeg', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const stamps: (number | null)[] = [];
  const size = looked.width * looked.height;
  let rest = Buffer.alloc(0);
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= size; rest = rest.subarray(size)) stamps.push(readStamp({ pixels: rest, width: looked.width, height: 6 * looked.height }));
  });
  child.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk).slice(-4096)));
  child.stdin.on('error', () => {}); // what it says of that is a complaint
  child.stdin.end(bytes);
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { stamps, complaints };
};

/** Whether a segment can be decoded with nothing but its init segment. */
export const standsAlone = async (at: At, { map, bytes }: RungSegment): Promise<boolean> => {
  const { pictures, complaints } = await takeApart(map === null ? Buffer.alloc(0) : await get(at, map), bytes);
  return complaints === '' && pictures.every(({ stamp }) => stamp !== null);
};

const shownFirst = (pictures: readonly RungPicture[]): RungPicture[] => pictures.toSorted((a, b) => a.pts - b.pts);

/** What is wrong with a rung beside the source; `every`: it has one of so many pictures; `holes`: it may have some. */
export const faultsOf = (source: Rung, rung: Rung, { every = 1, holes = false } = {}): string[] => {
  if (holes) return wrongBetweenHoles(source, rung);
  const faults: string[] = [];
  const lines = (one: Rung): string[] => one.lines.filter((line) => every === 1 || !/^#EXT-X-PART[:-]/.test(line));
  const [own, theirs] = [lines(source), lines(rung)];
  const differs = own.findIndex((line, index) => line !== theirs[index]);
  if (differs !== -1 || own.length !== theirs.length) faults.push(`its playlist says ${theirs[differs]} where the source says ${own[differs]}`);
  if (rung.epochs.length !== source.epochs.length) faults.push(`${rung.epochs.length} epochs instead of ${source.epochs.length}`);
  for (const [index, { pictures, complaints }] of rung.epochs.entries()) {
    if (complaints !== '') faults.push(`epoch ${index}: ${complaints}`);
    faults.push(...wrongPictures(shownFirst(source.epochs[index]?.pictures ?? []), shownFirst(pictures), every).map((words) => `epoch ${index}: ${words}`));
  }
  return faults.slice(0, 20);
};

/** Pictures of the source that do not follow the one before them, of a clip of so many; where a sender is cut off some are missing. */
export const leaps = (source: Rung, frames: number): number[] =>
  source.epochs.flatMap(({ pictures }) => {
    const shown = shownFirst(pictures).slice(0, -4);
    return shown.flatMap(({ stamp, pts }, index) => (index === 0 || stamp === ((shown[index - 1]?.stamp ?? 0) + 1) % frames ? [] : [pts]));
  });

/** A machine that had too much to do: what is there is right. */
const wrongBetweenHoles = (source: Rung, rung: Rung): string[] => {
  const pictures = ({ epochs }: Rung): RungPicture[] => epochs.flatMap((epoch) => epoch.pictures);
  const stamps = new Map(pictures(source).map(({ pts, stamp }) => [pts, stamp]));
  const theirs = pictures(rung);
  const wrong = theirs.filter(({ pts, stamp }) => stamp === null || stamps.get(pts) !== stamp).map(({ pts, stamp }) => `picture ${stamp} instead of ${stamps.get(pts)} at ${pts}`);
  const names = ({ segments }: Rung): string => segments.map(({ name }) => name).join(' ');
  if (names(rung) !== names(source)) wrong.push('other segments');
  if (theirs.length === 0) wrong.push('it has no picture at all');
  return wrong.slice(0, 20);
};

const wrongPictures = (source: readonly RungPicture[], rung: readonly RungPicture[], every: number): string[] => {
  const faults: string[] = [];
  const expected = every === 1 ? source : thinned(source, every);
  const at = new Map(rung.map((picture) => [picture.pts, picture]));
  if (at.size !== rung.length) faults.push('two pictures at one time');
  for (const { pts, stamp, key } of expected) {
    const same = at.get(pts);
    at.delete(pts);
    if (!same) faults.push(`no picture ${stamp} at ${pts}`);
    else if (same.stamp === null || same.stamp !== stamp) faults.push(`picture ${same.stamp} instead of ${stamp} at ${pts}`);
    else if (same.key !== key) faults.push(`picture ${stamp} at ${pts} is ${key ? 'no' : 'a'} key picture`);
  }
  for (const [pts, { stamp }] of at) faults.push(`picture ${stamp} at ${pts}, which the source has not`);
  return faults;
};

/** Key pictures, and between them one of so many. */
const thinned = (source: readonly RungPicture[], every: number): RungPicture[] => {
  let since = 0;
  return source.filter(({ key }) => {
    since = key ? 0 : since + 1;
    return since % every === 0;
  });
};

/** The same of a rung whose encoder had trouble: what it has is right, and it lacks pictures in the segments alone that are declared to be missing. */
export const faultsBesideGaps = (source: Rung, rung: Rung): string[] => {
  const faults: string[] = [];
  // Cut off among B pictures, the source ends with what is decoded last, and a rung with what is shown last.
  const durations = (one: Rung): string => one.segments.slice(0, -1).map(({ duration }) => duration).join(' ');
  if (source.segments.length !== rung.segments.length) faults.push(`${rung.segments.length} segments where the source has ${source.segments.length}`);
  if (durations(source) !== durations(rung)) faults.push(`segments of ${durations(rung)} where the source has ${durations(source)}`);
  if (source.segments.some(({ gap }) => gap)) faults.push('the source has holes');
  const there = new Map(source.epochs.flatMap(({ pictures }) => pictures.map(({ pts, stamp }) => [pts, stamp] as const)));
  for (const { complaints, pictures } of rung.epochs) {
    if (complaints !== '') faults.push(complaints);
    for (const { pts, stamp } of pictures) {
      if (stamp === null || there.get(pts) !== stamp) faults.push(`picture ${stamp} at ${pts} where the source has ${there.get(pts)}`);
      there.delete(pts);
    }
  }
  const holes = holesOf(rung);
  for (const [pts, stamp] of there) if (!holes.some(({ from, until }) => pts >= from - halfPicture && pts < until + halfPicture)) faults.push(`no picture ${stamp} at ${pts}`);
  return faults.slice(0, 20);
};

const halfPicture = 1_500;

const holesOf = ({ segments }: Rung): { from: number; until: number }[] => {
  let from = 0;
  return segments.map(({ duration, gap }) => {
    const until = from + Number(duration) * 90_000;
    const hole = { from, until, gap };
    from = until;
    return hole;
  }).filter(({ gap }) => gap);
};

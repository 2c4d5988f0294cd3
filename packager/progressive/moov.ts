/**
 * The `moov` of a progressive file (ISO 14496-12): the sample tables of all tracks, and edit lists that bring
 * them into step. It is the same size whatever the offset of the media, so it can be measured before it is
 * known where the media begin.
 *
 *     moov( mvhd, trak( tkhd, [edts/elst], mdia( mdhd, hdlr, minf( vmhd|smhd, dinf, stbl ) ) )* )
 */
import { ascii, box, fullBox, u16, u32, u64, u8, zeros, type Box, type Part } from '../cmaf/box.ts';
import { rescale } from '../media/wire-time.ts';
import type { PlannedTrack } from './plan.ts';
import type { Steps } from './steps.ts';
import type { Column, SampleTable } from './sample-table.ts';

/** Of the movie header and of empty edits. */
const movieTimescale = 90_000;

export type Chunk = { readonly samples: number; readonly entry: number; /** From the beginning of the media. */ readonly at: number };
export type MovieTrack = { readonly plan: PlannedTrack; readonly table: SampleTable; readonly chunks: readonly Chunk[] };

const identity: Part[] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].map(u32);

/** Times in 32 bits where they fit: version 1 of these boxes is unknown to old hardware. */
const fits = (...values: readonly number[]): boolean => values.every((value) => value < 2 ** 32);

/** Numbers of 32 bits as the machine has them (little-endian, on all that Node runs on), made big-endian where they lie. */
const swapped = (values: Uint32Array<ArrayBuffer>): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength).swap32();

const plainColumn = ({ values }: Column): Buffer => swapped(values.slice());

const runColumn = (runs: { counts: Column; values: Column }, add: number): Buffer => {
  const counts = runs.counts.values;
  const values = runs.values.values;
  const out = new Uint32Array(2 * counts.length);
  for (let index = 0; index < counts.length; index += 1) {
    out[2 * index] = counts[index] ?? 0;
    // Offsets are in two's complement: with the shift they are what they were meant to be, modulo 2^32.
    out[2 * index + 1] = (values[index] ?? 0) + add;
  }
  return swapped(out);
};

/** (first chunk, samples in each, sample entry), for as long as they stay the same; all count from 1. */
const chunkRuns = (chunks: readonly Chunk[]): Buffer => {
  const rows: number[] = [];
  let before: Chunk | undefined;
  for (const [index, chunk] of chunks.entries()) {
    if (before?.samples !== chunk.samples || before.entry !== chunk.entry) rows.push(index + 1, chunk.samples, chunk.entry + 1);
    before = chunk;
  }
  return swapped(Uint32Array.from(rows));
};

const chunkOffsets = (chunks: readonly Chunk[], mediaAt: number, wide: boolean): Box => {
  const out = new Uint32Array(chunks.length * (wide ? 2 : 1));
  let index = 0;
  for (const { at } of chunks) {
    const offset = mediaAt + at;
    if (wide) out[index++] = Math.floor(offset / 2 ** 32);
    out[index++] = offset % 2 ** 32;
  }
  return fullBox(wide ? 'co64' : 'stco', 0, 0, [u32(chunks.length), swapped(out)]);
};

/** All of `stbl` that does not depend on where the media lie. */
const sampleBoxes = ({ plan, table, chunks }: MovieTrack): Box[] => {
  const { sizes, durations, offsets, keys, count } = table;
  const stsc = chunkRuns(chunks);
  const optional: Box[] = [];
  // Where every sample is a key frame there is no table of them.
  if (keys.length < count) optional.push(fullBox('stss', 0, 0, [u32(keys.length), plainColumn(keys)]));
  if (table.hasOffsets) optional.push(fullBox('ctts', 0, 0, [u32(offsets.counts.length), runColumn(offsets, table.shift)]));
  return [
    fullBox('stsd', 0, 0, [u32(plan.entries.length), ...plan.entries]),
    fullBox('stts', 0, 0, [u32(durations.counts.length), runColumn(durations, 0)]),
    ...optional,
    fullBox('stsc', 0, 0, [u32(stsc.length / 12), stsc]),
    fullBox('stsz', 0, 0, [u32(0), u32(count), plainColumn(sizes)]),
  ];
};

const packLanguage = (language: string): Part => {
  const [a = 0, b = 0, c = 0] = Buffer.from(language, 'latin1').map((letter) => letter - 0x60);
  return u16((a << 10) | (b << 5) | c);
};

type Placed = MovieTrack & {
  readonly boxes: readonly Box[];
  /** Ticks of the movie until the track is heard or seen. */
  readonly delay: number;
  readonly length: number;
  /** Ticks of the track from its first decode time to its first picture. */
  readonly mediaTime: number;
};

const ceilScale = (ticks: number, from: number): number => Math.ceil((ticks / from) * movieTimescale);

/** The track that is shown first begins the file; who joins later has an empty edit ahead. */
function* place(tracks: readonly MovieTrack[]): Steps<Placed[]> {
  const shown = tracks.map(({ plan, table }) => rescale(table.firstShown, plan.timescale, movieTimescale));
  const first = Math.min(...shown);
  const placed: Placed[] = [];
  for (const [index, track] of tracks.entries()) {
    yield;
    placed.push({
      ...track,
      boxes: sampleBoxes(track),
      delay: (shown[index] ?? first) - first,
      length: ceilScale(track.table.shownUntil - track.table.firstShown, track.plan.timescale),
      mediaTime: track.table.firstShown - track.table.begin + track.table.shift,
    });
  }
  return placed;
}

const editList = ({ delay, length, mediaTime }: Placed): Box[] => {
  if (delay === 0 && mediaTime === 0) return [];
  const wide = !fits(delay, length) || mediaTime >= 2 ** 31;
  const time = wide ? u64 : u32;
  const rate = u32(0x1_0000);
  const nothing = Buffer.alloc(wide ? 8 : 4, 0xff); // media_time -1
  const edits: Part[] = [...(delay > 0 ? [time(delay), nothing, rate] : []), time(length), time(mediaTime), rate];
  return [box('edts', [fullBox('elst', wide ? 1 : 0, 0, [u32(delay > 0 ? 2 : 1), ...edits])])];
};

const trackBox = (track: Placed, id: number, mediaAt: number, wide: boolean): Box => {
  const { plan, table, delay, length } = track;
  const video = plan.kind === 'video';
  const long = !fits(delay + length, table.duration);
  const time = long ? u64 : u32;
  return box('trak', [
    // Flags: enabled and in the movie.
    fullBox('tkhd', long ? 1 : 0, 3, [
      ...[time(0), time(0), u32(id), u32(0), time(delay + length), zeros(8)],
      ...[u16(0), u16(0), u16(video ? 0 : 0x100), u16(0), plan.matrix, u32(plan.width), u32(plan.height)],
    ]),
    ...editList(track),
    box('mdia', [
      fullBox('mdhd', long ? 1 : 0, 0, [time(0), time(0), u32(plan.timescale), time(table.duration), packLanguage(plan.language), u16(0)]),
      fullBox('hdlr', 0, 0, [u32(0), ascii(video ? 'vide' : 'soun'), zeros(12), u8(0)]),
      box('minf', [
        video ? fullBox('vmhd', 0, 1, [zeros(8)]) : fullBox('smhd', 0, 0, [zeros(4)]),
        box('dinf', [fullBox('dref', 0, 0, [u32(1), fullBox('url ', 0, 1, [])])]),
        box('stbl', [...track.boxes, chunkOffsets(track.chunks, mediaAt, wide)]),
      ]),
    ]),
  ]);
};

/** Offset of the media in the file, and whether offsets need 64 bits. */
export type MovieAt = (mediaAt: number, wide: boolean) => Box;

export function* movieOf(tracks: readonly MovieTrack[]): Steps<MovieAt> {
  const placed = yield* place(tracks);
  const duration = Math.max(...placed.map(({ delay, length }) => delay + length));
  const long = !fits(duration);
  const time = long ? u64 : u32;
  const header = fullBox('mvhd', long ? 1 : 0, 0, [
    ...[time(0), time(0), u32(movieTimescale), time(duration), u32(0x1_0000), u16(0x100), zeros(10)],
    ...[...identity, zeros(24), u32(tracks.length + 1)],
  ]);
  return (mediaAt, wide) => box('moov', [header, ...placed.map((track, index) => trackBox(track, index + 1, mediaAt, wide))]);
}

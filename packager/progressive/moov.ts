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
import type { Column, SampleTable } from './sample-table.ts';

/** Of the movie header and of empty edits. */
export const movieTimescale = 90_000;

export type Chunk = { readonly samples: number; readonly entry: number; /** From the beginning of the media. */ readonly at: number };
export type MovieTrack = { readonly plan: PlannedTrack; readonly table: SampleTable; readonly chunks: readonly Chunk[] };

const identity: Part[] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].map(u32);

/** Times in 32 bits where they fit: version 1 of these boxes is unknown to old hardware. */
const fits = (...values: readonly number[]): boolean => values.every((value) => value < 2 ** 32);

const column = (count: number, width: number, fill: (view: DataView) => void): Buffer => {
  const out = Buffer.alloc(count * width);
  fill(new DataView(out.buffer, out.byteOffset, out.length));
  return out;
};

const plainColumn = ({ values }: Column): Buffer => column(values.length, 4, (view) => values.forEach((value, index) => view.setUint32(4 * index, value)));

const runColumn = ({ counts, values }: { counts: Column; values: Column }, add: number): Buffer =>
  column(counts.length, 8, (view) => {
    const ticks = values.values;
    counts.values.forEach((count, index) => {
      view.setUint32(8 * index, count);
      view.setUint32(8 * index + 4, (ticks[index] ?? 0) + add);
    });
  });

/** (first chunk, samples in each, sample entry), for as long as they stay the same; all count from 1. */
const chunkRuns = (chunks: readonly Chunk[]): Buffer => {
  const starts = chunks.flatMap((chunk, index) => {
    const before = chunks[index - 1];
    return before?.samples === chunk.samples && before.entry === chunk.entry ? [] : [{ index, chunk }];
  });
  return column(starts.length, 12, (view) =>
    starts.forEach(({ index, chunk }, row) => {
      view.setUint32(12 * row, index + 1);
      view.setUint32(12 * row + 4, chunk.samples);
      view.setUint32(12 * row + 8, chunk.entry + 1);
    }),
  );
};

const chunkOffsets = (chunks: readonly Chunk[], mediaAt: number, wide: boolean): Box => {
  const width = wide ? 8 : 4;
  const offsets = column(chunks.length, width, (view) =>
    chunks.forEach(({ at }, index) => {
      const offset = mediaAt + at;
      if (wide) view.setUint32(8 * index, Math.floor(offset / 2 ** 32));
      view.setUint32(width * index + width - 4, offset % 2 ** 32);
    }),
  );
  return fullBox(wide ? 'co64' : 'stco', 0, 0, [u32(chunks.length), offsets]);
};

const sampleTable = ({ plan, table, chunks }: MovieTrack, mediaAt: number, wide: boolean): Box => {
  const { sizes, durations, offsets, keys, count } = table;
  const stsc = chunkRuns(chunks);
  const optional: Box[] = [];
  // Where every sample is a key frame there is no table of them.
  if (keys.length < count) optional.push(fullBox('stss', 0, 0, [u32(keys.length), plainColumn(keys)]));
  if (table.hasOffsets) optional.push(fullBox('ctts', 0, 0, [u32(offsets.counts.length), runColumn(offsets, table.shift)]));
  return box('stbl', [
    fullBox('stsd', 0, 0, [u32(plan.entries.length), ...plan.entries]),
    fullBox('stts', 0, 0, [u32(durations.counts.length), runColumn(durations, 0)]),
    ...optional,
    fullBox('stsc', 0, 0, [u32(stsc.length / 12), stsc]),
    fullBox('stsz', 0, 0, [u32(0), u32(count), plainColumn(sizes)]),
    chunkOffsets(chunks, mediaAt, wide),
  ]);
};

const packLanguage = (language: string): Part => {
  const [a = 0, b = 0, c = 0] = Buffer.from(language, 'latin1').map((letter) => letter - 0x60);
  return u16((a << 10) | (b << 5) | c);
};

type Placed = MovieTrack & {
  /** Ticks of the movie until the track is heard or seen. */
  readonly delay: number;
  readonly length: number;
  /** Ticks of the track from its first decode time to its first picture. */
  readonly mediaTime: number;
};

const ceilScale = (ticks: number, from: number): number => Math.ceil((ticks / from) * movieTimescale);

/** The track that is shown first begins the file; who joins later has an empty edit ahead. */
const place = (tracks: readonly MovieTrack[]): Placed[] => {
  const shown = tracks.map(({ plan, table }) => rescale(table.firstShown, plan.timescale, movieTimescale));
  const first = Math.min(...shown);
  return tracks.map((track, index) => ({
    ...track,
    delay: (shown[index] ?? first) - first,
    length: ceilScale(track.table.shownUntil - track.table.firstShown, track.plan.timescale),
    mediaTime: track.table.firstShown - track.table.begin + track.table.shift,
  }));
};

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
      ...[u16(0), u16(0), u16(video ? 0 : 0x100), u16(0), ...identity, u32(plan.width), u32(plan.height)],
    ]),
    ...editList(track),
    box('mdia', [
      fullBox('mdhd', long ? 1 : 0, 0, [time(0), time(0), u32(plan.timescale), time(table.duration), packLanguage(plan.language), u16(0)]),
      fullBox('hdlr', 0, 0, [u32(0), ascii(video ? 'vide' : 'soun'), zeros(12), u8(0)]),
      box('minf', [
        video ? fullBox('vmhd', 0, 1, [zeros(8)]) : fullBox('smhd', 0, 0, [zeros(4)]),
        box('dinf', [fullBox('dref', 0, 0, [u32(1), fullBox('url ', 0, 1, [])])]),
        sampleTable(track, mediaAt, wide),
      ]),
    ]),
  ]);
};

/** `wide`: offsets of 64 bits. */
export const movieBox = (tracks: readonly MovieTrack[], mediaAt: number, wide: boolean): Box => {
  const placed = place(tracks);
  const duration = Math.max(...placed.map(({ delay, length }) => delay + length));
  const long = !fits(duration);
  const time = long ? u64 : u32;
  return box('moov', [
    fullBox('mvhd', long ? 1 : 0, 0, [
      ...[time(0), time(0), u32(movieTimescale), time(duration), u32(0x1_0000), u16(0x100), zeros(10)],
      ...[...identity, zeros(24), u32(tracks.length + 1)],
    ]),
    ...placed.map((track, index) => trackBox(track, index + 1, mediaAt, wide)),
  ]);
};

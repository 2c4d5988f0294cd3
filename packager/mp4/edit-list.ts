/** The edit list (ISO 14496-12, 8.6.6), as far as it is a delay and one piece. */
import { Cursor, type Box } from './boxes.ts';
import type { Edit, MovieTrack, SampleTable } from './movie.ts';

type Entry = { readonly duration: number; readonly time: number; readonly rate: number };

/** Longer lists are montages, whatever they say. */
const mostEntries = 16;

export const readEditList = (bytes: Buffer, elst: Box): readonly Entry[] | null => {
  const cursor = new Cursor(bytes, elst);
  const wide = cursor.full().version === 1;
  const count = cursor.u32();
  if (count > mostEntries) return null;
  return Array.from({ length: count }, () => {
    const duration = wide ? cursor.u64() : cursor.u32();
    const high = wide ? cursor.i32() : 0;
    const low = wide ? cursor.u32() : cursor.i32();
    return { duration, time: high * 2 ** 32 + low, rate: cursor.i32() };
  });
};

const normalRate = 0x1_0000;
const complex = (why: string): Edit => ({ kind: 'complex', why });

/** When the last sample that is shown ends: reordering reaches no further back than this. */
const reordered = 64;

export const endOf = (samples: SampleTable): number => {
  const { count, dts, cts, duration } = samples.rows(Math.max(0, samples.count - reordered), samples.count);
  let end = 0;
  for (let i = 0; i < count; i += 1) end = Math.max(end, (dts[i] ?? 0) + (cts[i] ?? 0) + (duration[i] ?? 0));
  return end;
};

type Scales = { readonly movie: number; readonly track: number };

/**
 * Several empty edits add up to one delay. Then comes one piece at normal speed; how long it is stands in ticks of the
 * movie, which are coarse and rounded either way, so that within one of them of the media's end it is "to the end".
 */
export const editOf = (list: readonly Entry[] | null | undefined, end: number, scales: Scales, fragmented: boolean): Edit => {
  if (list === null) return complex(`more than ${mostEntries} edits`);
  const entries = list ?? [];
  if (entries.some(({ time, rate }) => rate !== normalRate && time !== -1)) return complex('another speed than normal');
  const first = entries.findIndex(({ time }) => time !== -1);
  const ticks = (movieTicks: number) => Math.round((movieTicks * scales.track) / scales.movie);
  if (first === -1) {
    return entries.length === 0 ? { kind: 'plain', delay: 0, from: 0, length: null } : complex('nothing but empty edits');
  }
  const [piece, ...after] = entries.slice(first);
  if (!piece || after.some(({ time }) => time !== -1)) return complex('more than one piece of the media');
  if (piece.time < 0) return complex('a piece that begins before the media');
  const delay = ticks(entries.slice(0, first).reduce((sum, { duration }) => sum + duration, 0));
  const plain = (length: number | null): Edit => ({ kind: 'plain', delay, from: piece.time, length });
  // What fragments will come is not known when their moov is written: 0, or the length of what was there.
  if (fragmented || piece.duration === 0) return plain(null);
  if (end > 0 && piece.time >= end) return complex('a piece behind the end of the media');
  const length = ticks(piece.duration);
  return plain(piece.time + length + Math.ceil(scales.track / scales.movie) + 1 >= end ? null : length);
};

const beginOf = (samples: SampleTable): number => {
  const { count, dts, cts } = samples.rows(0, Math.min(reordered, samples.count));
  let begin = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i += 1) begin = Math.min(begin, (dts[i] ?? 0) + (cts[i] ?? 0));
  return begin;
};

/**
 * Fragments that were cut out of a live show count from when it began, hours before: what is shown begins where the
 * first of the tracks has something to show.
 */
export const beginTogether = (tracks: readonly MovieTrack[]): MovieTrack[] => {
  const begins = tracks.flatMap(({ kind, edit, samples, timescale }) => {
    const media = (kind === 'video' || kind === 'audio') && edit.kind === 'plain' && samples.count > 0;
    return media ? [(edit.delay + Math.max(beginOf(samples) - edit.from, 0)) / timescale] : [];
  });
  const first = begins.length > 0 ? Math.min(...begins) : 0;
  return tracks.map((track) => {
    const { edit, timescale } = track;
    const ticks = Math.round(first * timescale);
    if (ticks === 0 || edit.kind !== 'plain') return track;
    const delay = Math.max(edit.delay - ticks, 0);
    return { ...track, edit: { ...edit, delay, from: edit.from + ticks - (edit.delay - delay) } };
  });
};

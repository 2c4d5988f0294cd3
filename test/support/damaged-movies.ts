/** Films that were damaged from a seed, read as far as anybody reads them. */
import { box, encode, fullBox, u16, u32, u64, zeros, ascii, type Box, type Part } from '../../packager/cmaf/box.ts';
import { audioEntry, crafted, edts, esdsOf, rows, tablesOf, trak, videoEntry, avcC, mediaAt } from '../../packager/mp4/crafted-file.ts';
import { judgeMovie } from '../../packager/mp4/judge.ts';
import { Mp4Error, type MovieTrack } from '../../packager/mp4/movie.ts';
import { parseMovie } from '../../packager/mp4/parse.ts';
import { planMovie } from '../../packager/mp4/virtual.ts';
import { memorySource } from './byte-sources.ts';
import { fuzzReading } from './random.ts';

/** Rows that are gone through in one piece; of longer tables the ends. */
const most = 5000;

/** Every sample lies inside the file, decode times follow from durations, keys are those of the list. */
const checkRows = ({ samples, fourcc, codec }: MovieTrack & { codec?: string }, size: number): void => {
  const { count, keys } = samples;
  if (samples.weight > 64 << 20) throw new Error(`${samples.weight} bytes for ${count} samples`);
  // Raw sound is counted, and has no rows.
  if (codec === 'other' && samples.weight === 0 && count > 0) return;
  for (const [from, to] of [[0, Math.min(most, count)], [Math.max(0, count - most), count]] as const) {
    const { offset, size: bytes, dts, duration, key } = samples.rows(from, to);
    for (let i = 0; i < to - from; i += 1) {
      const where = `sample ${from + i} of ${count} (${fourcc})`;
      if ((offset[i] ?? -1) < 0 || (offset[i] ?? 0) + (bytes[i] ?? 0) > size) throw new Error(`${where} lies outside of the file`);
      if (i > 0 && dts[i] !== (dts[i - 1] ?? 0) + (duration[i - 1] ?? 0)) throw new Error(`${where} is decoded at ${dts[i]}`);
      if (keys === null && key[i] !== 1) throw new Error(`${where} is no key`);
    }
  }
  keys?.forEach((sample, i) => {
    if (sample >= count || (i > 0 && sample <= (keys[i - 1] ?? 0))) throw new Error(`key ${i} is sample ${sample} of ${count}`);
  });
};

/** Index, rows, verdict and plan. Rejects with an Mp4Error, or with an Error that tells what does not hold. */
export const readAll = async (bytes: Buffer): Promise<void> => {
  const source = memorySource(bytes);
  const movie = await parseMovie(source);
  for (const track of movie.tracks) checkRows(track, bytes.length);
  const { tracks } = await judgeMovie(movie, source);
  if (tracks.length !== movie.tracks.length) throw new Error('a track without a verdict');
  try {
    planMovie(movie);
  } catch (error) {
    if (!(error instanceof Mp4Error)) throw error;
  }
};

const samples = Array.from({ length: 12 }, (_, i) => 5 + i);
const own = {
  stts: rows('stts', [[6, 10], [5, 11], [1, 10]]),
  ctts: rows('ctts', [[1, 10], [4, -10], [1, 10], [6, 0]], 1),
  stsc: rows('stsc', [[1, 5, 1], [2, 7, 1]]),
  stco: rows('stco', [[mediaAt], [mediaAt + 100]]),
  stss: rows('stss', [[1], [6]]),
};
const name = box('udta', [box('name', [ascii('a name')]), u32(0)]);
const picture = trak({ tables: tablesOf(samples, own), inTrak: [edts([[10, -1], [120, 10]]), name], entries: [videoEntry('avc1', [box('avcC', [avcC]), box('pasp', [u32(4), u32(3)])])] });
const wave = box('wave', [box('frma', [ascii('mp4a')]), esdsOf(0x40), u32(0)]);
const sound = trak({
  id: 2,
  handler: 'soun',
  entries: [audioEntry({ version: 1, extra: [zeros(16)], inside: [wave] })],
  tables: tablesOf(samples, { stco: fullBox('co64', 0, 0, [u32(1), u64(mediaAt + 200)]) }),
});
const words = trak({ id: 3, handler: 'text', entries: [box('text', [zeros(6), u16(1)])], tables: tablesOf([5, 5]) });

const empty = tablesOf([], { stts: rows('stts', []), stsc: rows('stsc', []), stco: rows('stco', []) });
const trex = (track: number): Box => fullBox('trex', 0, 0, [u32(track), u32(1), u32(10), u32(4), u32(0x1_0000)]);
const traf = (track: number, time: number, flags: number, ...run: number[]): Box =>
  box('traf', [fullBox('tfhd', 0, 0x02_0000, [u32(track)]), fullBox('tfdt', 1, 0, [u64(time)]), fullBox('trun', 1, flags, run.map(u32))]);
const fragments = (at: number): Part[] => [
  box('moof', [fullBox('mfhd', 0, 0, [u32(1)]), traf(1, at, 0xf05, 2, 250, 0, 10, 5, 0, 0, 11, 6, 0x1_0000, 3), traf(2, at, 0x001, 4, 300)]),
  box('mdat', [zeros(120)]),
];

/** A plain film, a QuickTime one, and fragments. */
const valid: readonly Buffer[] = [
  crafted({ tracks: [picture, sound], media: 400 }),
  crafted({ brand: 'qt  ', tracks: [sound, picture, words], media: 400 }),
  crafted({ tracks: [trak({ tables: empty }), trak({ id: 2, handler: 'soun', tables: empty })], inMoov: [box('mvex', [trex(1), trex(2)])], media: 8, behind: [...fragments(0), ...fragments(21), ...fragments(50)] }),
  encode(...fragments(0)),
];

export const damagedMovies = (run: { readonly count: number; readonly seed: number }) => fuzzReading(readAll, Mp4Error, valid, run);

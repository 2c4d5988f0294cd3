import t from 'tap';
import { memorySource } from '../../test/support/byte-sources.ts';
import { box, encode, fullBox, u32, u64, zeros, type Box, type Part } from '../cmaf/box.ts';
import { audioEntry, crafted, rows, tablesOf, trak, videoEntry, type CraftedTrack } from './crafted-file.ts';
import type { Movie, MovieTrack } from './movie.ts';
import { parseMovie } from './parse.ts';

const noSamples = tablesOf([], { stts: rows('stts', []), stsc: rows('stsc', []), stco: rows('stco', []) });
const trex = (track: number, duration = 0, size = 0, flags = 0): Box => fullBox('trex', 0, 0, [u32(track), u32(1), u32(duration), u32(size), u32(flags)]);
const nonSync = 0x1_0000;

const traf = (track: number, { flags = 0x02_0000, fields = [] as Part[], time = null as number | null, runs = [] as Box[] }): Box =>
  box('traf', [fullBox('tfhd', 0, flags, [u32(track), ...fields]), ...(time === null ? [] : [fullBox('tfdt', 1, 0, [u64(time)])]), ...runs]);
const trun = (flags: number, count: number, ...data: readonly number[]): Box => fullBox('trun', 1, flags, [u32(count), ...data.map((one) => u32(one >>> 0))]);
const moof = (...trafs: Box[]): Box => box('moof', [fullBox('mfhd', 0, 0, [u32(1)]), ...trafs]);

const movieOf = async (behind: readonly Part[], tracks: readonly CraftedTrack[] = [{ tables: noSamples }], defaults: readonly Box[] = [trex(1)]): Promise<Movie> =>
  parseMovie(memorySource(crafted({ tracks: tracks.map((one) => trak(one)), inMoov: [box('mvex', defaults)], behind, media: 8 })));

const rowsOf = ({ samples }: Pick<MovieTrack, 'samples'>) => {
  const { count, offset, size, dts, cts, duration, key } = samples.rows(0, samples.count);
  return Array.from({ length: count }, (_, i) => [offset[i], size[i], dts[i], cts[i], duration[i], key[i]]);
};
const of = ({ tracks }: Movie, place = 0) => rowsOf(tracks[place] ?? { samples: { count: 0, duration: 0, keys: null, weight: 0, rows: () => t.fail() as never } });
/** Where the boxes behind the moov begin. */
const behindAt = (tracks: readonly CraftedTrack[] = [{ tables: noSamples }], defaults: readonly Box[] = [trex(1)]): number =>
  crafted({ tracks: tracks.map((one) => trak(one)), inMoov: [box('mvex', defaults)], media: 8 }).length;

t.test('rows, defaults of the run, of the fragment, of the movie', async (t) => {
  const each = trun(0xf01, 2, 1000, 11, 21, 0, -5, 12, 22, nonSync, 5);
  t.same(of(await movieOf([moof(traf(1, { time: 7, runs: [each] })), box('mdat', [zeros(2000)])])), [
    [behindAt() + 1000, 21, 7, -5, 11, 1],
    [behindAt() + 1021, 22, 18, 5, 12, 0],
  ]);
  const fragment = traf(1, { flags: 0x02_0038, fields: [u32(10), u32(20), u32(nonSync)], time: 0, runs: [trun(0x005, 3, 500, 0)] });
  const at = behindAt() + 500;
  t.same(of(await movieOf([moof(fragment), box('mdat', [zeros(2000)])])), [[at, 20, 0, 0, 10, 1], [at + 20, 20, 10, 0, 10, 0], [at + 40, 20, 20, 0, 10, 0]]);
  const defaults = [trex(1, 9, 8, nonSync)];
  const bare = moof(traf(1, { runs: [trun(1, 2, 600)] }));
  const from = behindAt(undefined, defaults) + 600;
  t.same(of(await movieOf([bare, box('mdat', [zeros(2000)])], undefined, defaults)), [[from, 8, 0, 0, 9, 0], [from + 8, 8, 9, 0, 9, 0]]);
});

t.test('places count from the moof, from the file, from the fragment ahead, or from the run ahead', async (t) => {
  const tracks = [{ tables: noSamples }, { id: 2, handler: 'soun', tables: noSamples }];
  const both = [trex(1, 10, 100), trex(2, 10, 50)];
  const base = behindAt(tracks, both);
  const places = async (...trafs: Box[]) => {
    const movie = await movieOf([moof(...trafs), box('mdat', [zeros(4000)])], tracks, both);
    return [0, 1].map((track) => of(movie, track).map(([offset]) => Number(offset) - base));
  };
  const run = trun(0, 2);
  t.same(await places(traf(1, { runs: [trun(1, 2, 300), run] }), traf(2, { runs: [run] })), [[300, 400, 500, 600], [0, 50]], 'from the moof');
  t.same(await places(traf(1, { flags: 0, runs: [trun(1, 2, 300)] }), traf(2, { flags: 0, runs: [run] })), [[300, 400], [500, 550]], 'after the fragment ahead');
  t.same(await places(traf(1, { flags: 1, fields: [u64(base + 70)], runs: [trun(1, 1, 30), run] })), [[100, 200, 300], []], 'from the file');
});

const defaults = [trex(1, 10, 1)];
const at = (time: number | null, count = 2) => [moof(traf(1, { time, runs: [trun(1, count, 0)] })), box('mdat', [zeros(9)])];

t.test('a gap makes the sample before it longer, an overlap makes it shorter, and time never goes back', async (t) => {
  const times = async (...behind: Part[][]) => of(await movieOf(behind.flat(), undefined, defaults)).map(([, , dts, , duration]) => [dts, duration]);
  t.same(await times(at(0), at(20), at(null)), [[0, 10], [10, 10], [20, 10], [30, 10], [40, 10], [50, 10]]);
  t.same(await times(at(0), at(27)), [[0, 10], [10, 17], [27, 10], [37, 10]]);
  t.same(await times(at(0), at(14)), [[0, 10], [10, 4], [14, 10], [24, 10]]);
  await t.rejects(times(at(0), at(5)), { name: 'Mp4Error', code: 'unsupported' });
  await t.rejects(times(at(0), at(2 ** 40)), { name: 'Mp4Error', code: 'invalid' });
});

t.test('samples of the moov come ahead of those of fragments', async (t) => {
  const tables = tablesOf([5, 6], { stss: rows('stss', [[1]]) });
  const movie = await movieOf(at(20), [{ tables }], defaults);
  t.equal(movie.fragmented, true);
  t.same(of(movie).map(([, size, dts, , , key]) => [size, dts, key]), [[5, 0, 1], [6, 10, 0], [1, 20, 1], [1, 30, 1]]);
});

t.test('what was cut out of a long show begins where it was cut', async (t) => {
  const tracks = [{ tables: noSamples, timescale: 1000 }, { id: 2, handler: 'soun', tables: noSamples, timescale: 48_000 }];
  const both = [trex(1, 40, 1), trex(2, 1024, 1)];
  const hours = 36_000;
  const edits = async (picture: number, sound: number) => {
    const fragment = moof(traf(1, { time: picture, runs: [trun(1, 2, 0)] }), traf(2, { time: sound, runs: [trun(1, 2, 0)] }));
    return (await movieOf([fragment, box('mdat', [zeros(9)])], tracks, both)).tracks.map(({ edit }) => edit);
  };
  const plain = (from: number, delay = 0) => ({ kind: 'plain', delay, from, length: null });
  t.same(await edits(0, 0), [plain(0), plain(0)]);
  t.same(await edits(80, 0), [plain(0), plain(0)], 'a picture that begins later');
  t.same(await edits(hours * 1000, hours * 48_000), [plain(hours * 1000), plain(hours * 48_000)]);
  t.same(await edits(hours * 1000 + 80, hours * 48_000), [plain(hours * 1000), plain(hours * 48_000)], 'as much later as it was');
});

t.test('a recorder that died leaves what it had finished', async (t) => {
  const media = 100;
  const fragment = (time: number): Box[] => {
    const made = (offset: number) => moof(traf(1, { time, runs: [trun(1, 5, offset)] }));
    return [made(made(0).size + 8), box('mdat', [zeros(media)])];
  };
  const sized = [trex(1, 10, media / 5)];
  const whole = crafted({ tracks: [trak({ tables: noSamples })], inMoov: [box('mvex', sized)], behind: [0, 50, 100].flatMap(fragment), media: 8 });
  const size = encode(...fragment(0)).length;
  const samples = async (cut: number) => (await parseMovie(memorySource(whole.subarray(0, whole.length - cut)))).tracks[0]?.samples.count;
  t.equal(await samples(0), 15);
  for (const cut of [1, media, media + 4, media + 8, size - 9, size - 8, size - 1, size]) t.equal(await samples(cut), 10, `${cut} bytes less`);
  t.equal(await samples(size + 1), 5);
  for (const cut of [2 * size + 1, 3 * size]) await t.rejects(samples(cut), { name: 'Mp4Error', code: 'truncated' }, 'nothing is left');
});

t.test('samples of several descriptions, words, and fragments of strangers', async (t) => {
  const entries = [videoEntry(), videoEntry('avc3')];
  const described = (n: number) => moof(traf(1, { flags: 0x02_0002, fields: [u32(n)], time: null, runs: [trun(1, 1, 0)] }));
  const mdat = box('mdat', [zeros(100)]);
  t.match(await movieOf([described(1), described(1), mdat], [{ entries, tables: noSamples }], defaults), { tracks: [{ codec: 'h264', fourcc: 'avc1' }] });
  t.match(await movieOf([described(2), mdat], [{ entries, tables: noSamples }], defaults), { tracks: [{ codec: 'h264', fourcc: 'avc3' }] });
  t.match(await movieOf([described(1), described(2), mdat], [{ entries, tables: noSamples }], defaults), { tracks: [{ codec: 'other' }] });
  await t.rejects(movieOf([described(3), mdat], [{ entries, tables: noSamples }], defaults), { code: 'invalid' });
  const strangers = [moof(traf(9, { runs: [trun(1, 1, 0)] }), traf(2, { runs: [trun(1, 1, 0)] })), mdat];
  const words = { id: 2, handler: 'sbtl', entries: [box('tx3g', [zeros(6), zeros(2)])], tables: noSamples };
  t.match(await movieOf([...at(0), ...strangers], [{ tables: noSamples }, words], defaults), { tracks: [{ samples: { count: 2 } }, { kind: 'text', samples: { count: 0 } }] });
});

t.test('a fragment that lies is refused', async (t) => {
  const cases: readonly (readonly [name: string, code: string, runs: Box[], fields?: Part[], flags?: number])[] = [
    ['rows that are not there', 'invalid', [trun(0x201, 9, 0, 1)]],
    ['2^32 rows', 'invalid', [trun(0xf01, 0xffff_ffff, 0, 1)]],
    ['2^32 samples of nothing', 'limit', [trun(1, 0xffff_ffff, 0)], [u32(0)], 0x02_0010],
    ['samples before the file', 'invalid', [trun(1, 1, -(2 ** 31))]],
    ['a base beyond 2^53', 'limit', [trun(1, 1, 0)], [u32(0xffff_ffff), u32(0)], 0x00_0001],
  ];
  for (const [name, code, runs, fields = [], flags = 0x02_0000] of cases) {
    await t.rejects(movieOf([moof(traf(1, { flags, fields, runs })), box('mdat', [zeros(9)])], undefined, defaults), { name: 'Mp4Error', code }, name);
  }
  const sound = { handler: 'soun', entries: [audioEntry()], tables: noSamples };
  t.match(await movieOf(at(0), [sound], [trex(1, 10, 1, nonSync)]), { tracks: [{ samples: { keys: null } }] }, 'sound can always be begun with');
});

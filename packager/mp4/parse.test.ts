/** What a moov says, one thing after the other. */
import t from 'tap';
import { memorySource } from '../../test/support/byte-sources.ts';
import { ascii, box, fullBox, u16, u32, u8, zeros, type Part } from '../cmaf/box.ts';
import { audioEntry, crafted, edts, esdsOf, rows, tablesOf, trak, upright, videoEntry, type CraftedFile, type CraftedTrack, type EditRow, type Matrix } from './crafted-file.ts';
import type { MovieAudio, MovieTrack, MovieVideo } from './movie.ts';
import { parseMovie } from './parse.ts';

const read = async (file: CraftedFile): Promise<MovieTrack[]> => [...(await parseMovie(memorySource(crafted(file)))).tracks];
const first = async (track: CraftedTrack, file: CraftedFile = {}): Promise<MovieTrack> => {
  const [found] = await read({ ...file, tracks: [track] });
  if (!found) throw new Error('no track');
  return found;
};
const video = async (track: CraftedTrack, file: CraftedFile = {}) => (await first(track, file)) as MovieVideo;
const audio = async (track: CraftedTrack, file: CraftedFile = {}) => (await first({ handler: 'soun', ...track }, file)) as MovieAudio;

t.test('a picture and a sound as they come', async (t) => {
  const [picture, sound] = await read({ tracks: [{ id: 7 }, { id: 9, handler: 'soun', flags: 2, timescale: 48_000 }] });
  t.match(picture, { kind: 'video', id: 7, fourcc: 'avc1', codec: 'h264', width: 320, height: 180, rotation: 0, pixelAspect: null, colour: null, enabled: true, language: 'und', name: null, timescale: 1000 });
  t.match(sound, { kind: 'audio', id: 9, fourcc: 'mp4a', codec: 'aac', sampleRate: 48_000, channels: 2, enabled: false, timescale: 48_000 });
  t.equal((sound as MovieAudio).config.toString('hex'), '1190');
});

t.test('a quarter turn may stand in the track, in the movie, or in both', async (t) => {
  const [quarter, half, three]: Matrix[] = [[0, 1, -1, 0], [-1, 0, 0, -1], [0, -1, 1, 0]];
  const rotation = async (track: Matrix = upright, movie: Matrix = upright) => (await video({ matrix: track }, { movie: { matrix: movie } })).rotation;
  t.same([await rotation(), await rotation(quarter), await rotation(half), await rotation(three)], [0, 90, 180, 270]);
  t.same([await rotation(upright, quarter), await rotation(quarter, quarter), await rotation(quarter, three)], [90, 180, 0]);
  t.equal(await rotation([-1, 0, 0, 1]), 0, 'a mirror');
  t.equal(await rotation([0.7, 0.7, -0.7, 0.7]), 0, 'an eighth');
});

const pack = (letters: string): number => [...letters].reduce((sum, letter) => sum * 32 + letter.charCodeAt(0) - 0x60, 0);

t.test('languages are BCP 47, wherever and however they stand', async (t) => {
  const language = async (packed: number, brand = 'isom', inMdia: readonly Part[] = []) => (await audio({ language: packed, inMdia }, { brand })).language;
  t.same(await Promise.all(['kor', 'eng', 'ger', 'deu', 'und', 'zxx'].map((one) => language(pack(one)))), ['ko', 'en', 'de', 'de', 'und', 'zxx']);
  t.same([await language(0), await language(0, 'qt  '), await language(23), await language(11), await language(900)], ['und', 'en', 'ko', 'ja', 'und'], 'QuickTime');
  t.equal(await language(0x7fff), 'und');
  const elng = (text: string) => [fullBox('elng', 0, 0, [ascii(`${text}\0`)])];
  t.equal(await language(pack('chi'), 'isom', elng('zh-hant-tw')), 'zh-Hant-TW');
  t.equal(await language(pack('kor'), 'isom', elng('what is this')), 'ko', 'nonsense is passed over');
});

t.test('the name of a track is what people wrote, and nothing that muxers fill in', async (t) => {
  const named = (text: string) => Buffer.from(text);
  const name = async (track: CraftedTrack) => (await audio(track)).name;
  t.equal(await name({ name: named('Commentary\0') }), 'Commentary');
  t.equal(await name({ name: named('\x0aCommentary') }), 'Commentary', 'with its length ahead, as in QuickTime');
  for (const one of ['VideoHandler', 'SoundHandler', 'Core Media Audio', 'GPAC ISO Audio Handler', 'Stereo', 'audio track']) {
    t.equal(await name({ name: named(`${one}\0`) }), null, one);
  }
  const udta = (...parts: Part[]) => ({ inTrak: [box('udta', [...parts, zeros(4)])], name: named('Commentary\0') });
  t.equal(await name(udta(box('name', [named('Director')]))), 'Director');
  t.equal(await name(udta(box('\u00a9nam', [u16(8), u16(0), named('Director')]))), 'Director');
  const hdlr = fullBox('hdlr', 0, 0, [zeros(20)]);
  const ilst = box('ilst', [box('\u00a9nam', [box('data', [u32(1), u32(0), named('감독')])])]);
  t.equal(await name(udta(fullBox('meta', 0, 0, [hdlr, ilst]))), '감독');
  t.equal(await name(udta(box('meta', [hdlr, ilst]))), '감독', 'as QuickTime writes it, without a version');
  t.equal(await name(udta(box('name', [named('a\u0001b\u0000c')]))), 'a b');
  t.equal(await name({ inTrak: [box('udta', [u32(9000), ascii('name')])] }), null, 'damage in it is nobody\'s loss');
});

t.test('pixels and colours', async (t) => {
  const avcC = box('avcC', [crafted().subarray(0, 0)]);
  const shape = async (...inside: Part[]) => video({ entries: [videoEntry('avc1', [avcC, ...inside])] });
  t.match(await shape(box('pasp', [u32(4), u32(3)])), { pixelAspect: { width: 4, height: 3 } });
  t.match(await shape(box('pasp', [u32(4), u32(0)])), { pixelAspect: null });
  const coded = [u16(9), u16(16), u16(9)];
  t.match(await shape(box('colr', [ascii('nclx'), ...coded, u8(0x80)])), { colour: { primaries: 9, transfer: 16, matrix: 9, fullRange: true } });
  t.match(await shape(box('colr', [ascii('nclc'), ...coded])), { colour: { primaries: 9, transfer: 16, matrix: 9, fullRange: false } });
  t.match(await shape(box('colr', [ascii('prof'), zeros(40)]), box('colr', [ascii('nclx'), ...coded, u8(0)])), { colour: { fullRange: false } });
  t.match(await shape(box('colr', [ascii('nclx'), u16(2), u16(2), u16(2), u8(0)])), { colour: null });
  t.match(await shape(), { codec: 'other', width: 320, height: 180 }, 'an avcC of nothing leaves the size of the entry');
});

t.test('sound of QuickTime: its own versions of an entry, and a configuration inside of `wave`', async (t) => {
  const wave = box('wave', [box('frma', [ascii('mp4a')]), box('mp4a', [u32(0)]), esdsOf(0x40), u32(0), u32(0)]);
  const facts = { codec: 'aac', sampleRate: 48_000, channels: 2 };
  t.match(await audio({ entries: [audioEntry({ version: 1, extra: [zeros(16)], inside: [wave] })] }), facts);
  t.match(await audio({ entries: [audioEntry({ version: 2, extra: [zeros(36)], inside: [wave] })] }), facts);
  t.match(await audio({ stsdVersion: 1, entries: [audioEntry({ version: 1 })] }), facts, 'version 1 of ISO has no further fields');
  const rate = Buffer.alloc(8);
  rate.writeDoubleBE(192_000);
  const linear = audioEntry({ type: 'lpcm', version: 2, extra: [u32(72), rate, u32(6), zeros(20)], inside: [] });
  t.match(await audio({ entries: [linear] }), { codec: 'other', fourcc: 'lpcm', sampleRate: 192_000, channels: 6 });
});

t.test('AAC is what its object type says; whatever else is known by name alone', async (t) => {
  const codec = async (objectType: number, config?: string) => (await audio({ entries: [audioEntry({ inside: [esdsOf(objectType, config)] })] })).codec;
  t.same(await Promise.all([0x40, 0x66, 0x67, 0x68].map((one) => codec(one))), ['aac', 'aac', 'aac', 'aac']);
  t.same(await Promise.all([0x6b, 0x69, 0xa5, 0xdd].map((one) => codec(one))), ['other', 'other', 'other', 'other']);
  t.equal(await codec(0x40, 'f95e'), 'other', 'xHE-AAC');
  t.match(await audio({ entries: [audioEntry({ type: 'ac-3', inside: [] })] }), { codec: 'other', fourcc: 'ac-3', channels: 2, sampleRate: 44_100 });
  t.match(await audio({ entries: [audioEntry({ inside: [] })] }), { codec: 'other' }, 'no configuration');
});

t.test('an edit list is a delay and a piece', async (t) => {
  // 20 samples of 50 ticks at 1000 a second; the movie counts in 600.
  const tables = tablesOf(Array.from({ length: 20 }, () => 10), { stts: rows('stts', [[20, 50]]) });
  const edit = async (list: readonly EditRow[], version = 0) => (await video({ tables, inTrak: [edts(list, version)] }, { movie: { timescale: 600 } })).edit;
  const plain = (delay: number, from: number, length: number | null) => ({ kind: 'plain', delay, from, length });
  t.same(await edit([]), plain(0, 0, null));
  t.same(await edit([[600, 0]]), plain(0, 0, null));
  t.same(await edit([[540, 100]]), plain(0, 100, null), 'priming');
  t.same(await edit([[539, 100]]), plain(0, 100, null), 'a tick of the movie less is rounding');
  t.same(await edit([[300, 100]]), plain(0, 100, 500));
  t.same(await edit([[0, 100]]), plain(0, 100, null), 'of no length: to the end');
  t.same(await edit([[60, -1], [600, 0]]), plain(100, 0, null));
  t.same(await edit([[60, -1], [30, -1], [300, 100]]), plain(150, 100, 500), 'several delays');
  t.same(await edit([[60, -1], [300, 100]], 1), plain(100, 100, 500), 'in 64 bits');
  t.same(await edit([[60, -1, 0], [300, 100]]), plain(100, 100, 500), 'nothing has no speed');
  t.same(await edit([[300, 100], [60, -1]]), plain(0, 100, 500), 'nothing behind it');
  const complex: Record<string, readonly EditRow[]> = {
    'two pieces': [[300, 0], [300, 500]],
    'the same piece again and again': Array.from({ length: 10 }, () => [300, 0] as const),
    'more than anybody reads': Array.from({ length: 1000 }, () => [300, 0] as const),
    'half the speed': [[600, 0, 0x8000]],
    'a still': [[600, 100, 0]],
    'nothing at all': [[600, -1]],
    'a piece before the media': [[600, -5]],
    'a piece behind the media': [[600, 1000]],
  };
  for (const [name, list] of Object.entries(complex)) t.match(await edit(list), { kind: 'complex', why: /./ }, name);
});

t.test('tracks that are no media are named; damage in them is passed over', async (t) => {
  const words = [fullBox('nmhd', 0, 0, [])];
  const [text, code, broken] = await read({
    tracks: [
      { id: 1, handler: 'sbtl', entries: [box('tx3g', [zeros(6), u16(1)])], inMdia: words },
      { id: 2, handler: 'tmcd', entries: [box('tmcd', [zeros(6), u16(1)])], dref: [fullBox('alis', 0, 0, [])] },
      { id: 3, handler: 'meta', entries: [box('mett', [zeros(6), u16(1)])], tables: [] },
    ],
  });
  t.match(text, { kind: 'text', fourcc: 'tx3g', samples: { count: 2 } });
  t.match(code, { kind: 'other', fourcc: 'tmcd' });
  t.match(broken, { kind: 'other', fourcc: 'mett', samples: { count: 0 } });
});

t.test('samples of several descriptions are for the encoder; a description that nothing uses is none', async (t) => {
  const entries = [videoEntry('mp4v', []), videoEntry()];
  const described = (...chunks: number[][]) => video({ entries, tables: tablesOf([10, 10, 10, 10], { stsc: rows('stsc', chunks), stco: rows('stco', [[24], [44]]) }) });
  t.match(await described([1, 2, 2]), { codec: 'h264', fourcc: 'avc1' });
  t.match(await described([1, 2, 1]), { codec: 'other', fourcc: 'mp4v' });
  t.match(await described([1, 2, 2], [2, 2, 1]), { codec: 'other' });
  t.match(await described([1, 4, 2], [2, 2, 1]), { codec: 'h264' }, 'behind the last sample');
});

t.test('what cannot be carried at all is refused, and says what it is', async (t) => {
  const cases: readonly (readonly [name: string, code: string, file: CraftedFile])[] = [
    ['encrypted pictures', 'encrypted', { tracks: [{ entries: [videoEntry('encv')] }] }],
    ['encrypted sound', 'encrypted', { tracks: [{ handler: 'soun', entries: [audioEntry({ type: 'enca' })] }] }],
    ['sound bought in a shop', 'encrypted', { tracks: [{ handler: 'soun', entries: [audioEntry({ type: 'drms' })] }] }],
    ['media at an address', 'unsupported', { tracks: [{ dref: [fullBox('url ', 0, 0, [ascii('http://127.0.0.1/\0')])] }] }],
    ['media in another file', 'unsupported', { tracks: [{ dref: [fullBox('alis', 0, 0, [zeros(100)])] }] }],
    ['media in a resource', 'unsupported', { tracks: [{ dref: [fullBox('rsrc', 0, 0, [zeros(8)])] }] }],
    ['a compressed index', 'unsupported', { tracks: [], inMoov: [box('cmov', [zeros(8)])] }],
    ['two tracks of one name', 'invalid', { tracks: [{}, {}] }],
    ['no time scale', 'invalid', { tracks: [{ timescale: 0 }] }],
    ['a movie without a time scale', 'invalid', { movie: { timescale: 0 } }],
    ['no description', 'invalid', { tracks: [{ entries: [] }] }],
    ['65 tracks', 'limit', { tracks: Array.from({ length: 65 }, (_, i) => ({ id: i + 1 })) }],
  ]; // prettier-ignore
  for (const [name, code, file] of cases) await t.rejects(read(file), { name: 'Mp4Error', code }, name);
  t.equal((await read({ tracks: Array.from({ length: 64 }, (_, i) => ({ id: i + 1 })) })).length, 64);
  t.same(await read({ tracks: [] }), []);
});

t.test('a reference that does not exist is to this file, as old writers meant it', async (t) => {
  t.match(await video({ entries: [videoEntry('avc1', [], 0)] }), { fourcc: 'avc1' });
});

t.test('what is between and behind the boxes of a moov does no harm', async (t) => {
  const strange = [box('free', [zeros(5)]), box('uuid', [zeros(16)]), box('udta', [u32(0)]), box('iods', [zeros(3)])];
  const [found] = await read({ inMoov: [...strange, u32(0), u32(0), u32(0)], tracks: [trak({ inTrak: strange, inMdia: strange })], behind: [box('free', []), zeros(3)] });
  t.match(found, { kind: 'video', samples: { count: 2 } });
});

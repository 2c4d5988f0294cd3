/** Files that are damaged, or made to do damage: a typed error or an index that holds, in little time and little memory. */
import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { readAll } from '../../test/support/damaged-movies.ts';
import { encoded } from '../../test/support/encoded.ts';
import { Random } from '../../test/support/random.ts';
import { ascii, box, encode, fullBox, u32, type Part } from '../cmaf/box.ts';
import { audioEntry, crafted, edts, mvhd, rows, tablesOf, trak } from './crafted-file.ts';
import { Mp4Error } from './movie.ts';

/** Milliseconds of a processor for one file: what the clock says depends on who else is at work. */
const patience = 1500;
const mostMemory = 64 << 20;

const outcome = async (test: Test, name: string, bytes: Buffer, code?: string): Promise<string> => {
  const spent = process.cpuUsage();
  const before = process.memoryUsage().arrayBuffers;
  const found = await readAll(bytes).then(() => 'read', (error: unknown) => {
    if (error instanceof Mp4Error) return error.code;
    throw new Error(name, { cause: error });
  });
  if (code !== undefined) test.equal(found, code, name);
  const { user, system } = process.cpuUsage(spent);
  if (user + system > patience * 1000) test.fail(`${name} takes ${(user + system) / 1000} ms`);
  if (process.memoryUsage().arrayBuffers - before > mostMemory) test.fail(`${name} takes ${process.memoryUsage().arrayBuffers - before} bytes`);
  return found;
};

const movie = (...inMoov: Part[]): Buffer => encode(box('ftyp', [ascii('isom'), u32(0)]), box('moov', [mvhd(), ...inMoov]));

t.test('more of everything than anybody needs', async (t) => {
  await outcome(t, '10,000 tracks', crafted({ tracks: Array.from({ length: 10_000 }, (_, i) => ({ id: i + 1 })) }), 'limit');
  const nothing = encode(box('free', []));
  await outcome(t, 'a million boxes', movie(Buffer.alloc(8_000_000, nothing)), 'limit');
  await outcome(t, 'a million boxes in a track', movie(box('trak', [Buffer.alloc(8_000_000, nothing)])), 'limit');
  const depth = 5000;
  const deep = Buffer.concat(Array.from({ length: depth }, (_, i) => encode(u32(8 * (depth - i)), ascii('moov'))));
  await outcome(t, '5,000 indexes in each other', Buffer.concat([encode(box('ftyp', [ascii('isom'), u32(0)])), deep]), 'invalid');
  await outcome(t, 'a list of edits without end', crafted({ tracks: [{ inTrak: [edts(Array.from({ length: 100_000 }, (_, i) => [1, i % 7] as const))] }] }), 'read');
  const same = (count: number) => tablesOf([], { stsz: fullBox('stsz', 0, 0, [u32(1), u32(count)]), stts: rows('stts', [[count, 1]]), stsc: rows('stsc', [[1, count, 1]]) });
  await outcome(t, '20 million samples of one byte, and a file of a thousand', crafted({ tracks: [{ tables: same(20_000_000) }] }), 'truncated');
  await outcome(t, '2^32 samples of one byte', crafted({ tracks: [{ tables: same(0xffff_ffff) }] }), 'limit');
  await outcome(t, '2^32 samples of sound that is not coded', crafted({ tracks: [{ handler: 'soun', entries: [audioEntry({ type: 'sowt', inside: [] })], tables: same(0xffff_ffff) }] }), 'read');
  const ten = Array.from({ length: 64 }, (_, i) => trak({ id: i + 1, tables: same(400_000) }));
  await outcome(t, '64 tracks of 400,000 samples', crafted({ tracks: ten, media: 400_000 }), 'limit');
  const truns = Array.from({ length: 20_000 }, () => fullBox('trun', 0, 0, [u32(1000)]));
  const flood = box('moof', [box('traf', [fullBox('tfhd', 0, 0x02_0018, [u32(1), u32(1), u32(0)]), ...truns])]);
  await outcome(t, '20 million samples of nothing, and more', crafted({ inMoov: [box('mvex', [])], behind: [flood, flood] }), 'limit');
});

t.test('tables whose entries go back and forth over the file are read once', async (t) => {
  const count = 200_000;
  const random = new Random(9);
  const chunks = Array.from({ length: count }, () => [random.below(900)]);
  const tables = tablesOf([], {
    stsz: fullBox('stsz', 0, 0, [u32(0), u32(count), ...Array.from({ length: count }, () => u32(random.below(100)))]),
    stts: rows('stts', Array.from({ length: count }, () => [1, random.below(100)])),
    ctts: rows('ctts', Array.from({ length: count }, () => [1, random.below(100)])),
    stsc: rows('stsc', Array.from({ length: count }, (_, i) => [i + 1, 1, 1])),
    stco: rows('stco', chunks),
    stss: rows('stss', Array.from({ length: count }, (_, i) => [i + 1])),
  });
  await outcome(t, 'a chunk and a run for every sample', crafted({ tracks: [{ tables }] }), 'read');
});

const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=30:duration=3', '-f', 'lavfi', '-i', 'sine=440:duration=3:sample_rate=48000'];
const coded = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '30', '-c:a', 'aac'];

t.test('a film that is cut off at any of 200 places is truncated, or what was whole of it', async (t) => {
  const random = new Random(200);
  for (const [name, flags, codes] of [
    ['the index first', 'faststart', ['truncated']],
    ['the index last', 'negative_cts_offsets', ['truncated', 'not-mp4']],
    ['in fragments', 'frag_keyframe+empty_moov+default_base_moof', ['truncated', 'read']],
  ] as const) {
    const whole = await readFile(await encoded('mp4', [...picture, ...coded, '-movflags', flags]));
    t.equal(await outcome(t, name, whole), 'read');
    const found = new Set<string>();
    for (let i = 0; i < 200; i += 1) found.add(await outcome(t, name, whole.subarray(0, random.below(whole.length))));
    t.same([...found].filter((one) => !(codes as readonly string[]).includes(one)), [], name);
    t.ok(found.has('truncated'));
  }
});

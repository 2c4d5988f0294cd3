import t, { type Test } from 'tap';
import { Random } from '../../test/support/random.ts';
import { memorySource } from '../../test/support/byte-sources.ts';
import { fullBox, u16, u32, u64, u8, type Part } from '../cmaf/box.ts';
import { crafted, mediaAt, rows, tablesOf, type CraftedTrack, type Tables } from './crafted-file.ts';
import { Allowance, movieLimits } from './limits.ts';
import type { RangeSource, SampleRows, SampleTable } from './movie.ts';
import { parseMovie } from './parse.ts';
import { TableBuilder } from './sample-table.ts';

type Row = { offset: number; size: number; dts: number; cts: number; duration: number; key: number };

const listed = ({ count, ...columns }: SampleRows): Row[] =>
  Array.from({ length: count }, (_, i) => Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[i]])) as Row);

const table = async (track: CraftedTrack, source?: (bytes: Buffer) => RangeSource): Promise<SampleTable> => {
  const bytes = crafted({ tracks: [track], media: 20_000 });
  const [found] = (await parseMovie(source ? source(bytes) : memorySource(bytes))).tracks;
  if (!found) throw new Error('no track');
  return found.samples;
};

/** As the columns of a file could be: runs, now and then a number of its own, or each its own. */
const numbers = (random: Random, count: number, least: number, most: number): number[] => {
  const style = random.below(4);
  const value = () => least + random.below(most - least + 1);
  let last = value();
  return Array.from({ length: count }, () => {
    if (style === 3 || (style === 2 && random.below(3) === 0) || (style === 1 && random.below(200) === 0)) last = value();
    return last;
  });
};

t.test('any rows of any table are those that were put in', async (t) => {
  const random = new Random(5);
  for (let round = 0; round < 120; round += 1) {
    const count = 1 + random.below(random.below(4) === 0 ? 3000 : 700);
    const wide = random.below(4);
    const sizes = numbers(random, count, 0, [9, 200, 60_000, 2 ** 32 - 1][wide] ?? 0);
    const durations = numbers(random, count, 0, [2, 1000, 70_000, 2 ** 31 - 1][random.below(4)] ?? 0);
    const offsets = numbers(random, count, ...([[0, 0], [-100, 100], [-40_000, 3], [-(2 ** 31), 2 ** 30]] as const)[random.below(4)] ?? [0, 0]);
    const keys = numbers(random, count, 0, 1);
    const start = random.below(3) === 0 ? random.u32() : 0;
    const builder = new TableBuilder(new Allowance(movieLimits));
    builder.continueAt(start);
    const expected: Row[] = [];
    const chunks: [offset: number, samples: number][] = [];
    let [dts, chunk, left] = [start, 0, 0];
    const perChunk = numbers(random, count, 1, [1, 3, 400, 5000][random.below(4)] ?? 1);
    for (let i = 0; i < count; i += 1) {
      const [size = 0, duration = 0, cts = 0, key = 0] = [sizes[i], durations[i], offsets[i], keys[i]];
      builder.sizes(size);
      builder.durations(duration);
      builder.compositionOffsets(cts);
      builder.keys(i, 1, key === 1);
      if (left === 0) {
        chunk = random.below(3) === 0 ? chunk + 7 : random.u32() * (random.below(2) + 1);
        left = Math.min(perChunk[i] ?? 1, count - i);
        chunks.push([chunk, left]);
      }
      expected.push({ offset: chunk, size, dts, cts, duration, key });
      chunk += size;
      left -= 1;
      dts += duration;
    }
    for (const one of chunks) builder.chunk(...one);
    const samples = await builder.finish(Number.MAX_SAFE_INTEGER);
    t.equal(samples.count, count);
    t.equal(samples.duration, dts - start);
    if (round % 10 === 0) t.same(listed(samples.rows(0, count)), expected);
    for (let i = 0; i < 20; i += 1) {
      const from = random.below(count + 1);
      const to = from + random.below(Math.min(600, count - from) + 1);
      const found = listed(samples.rows(from, to));
      const wrong = found.findIndex((row, at) => JSON.stringify(row) !== JSON.stringify(expected[from + at]));
      if (found.length !== to - from || wrong >= 0) t.same(found[wrong], expected[from + wrong], `round ${round}: row ${wrong} of ${from} to ${to} of ${count}`);
    }
  }
  const samples = await table({});
  for (const [from, to] of [[-1, 1], [0, 3], [2, 1], [Number.NaN, 1]] as const) t.throws(() => samples.rows(from, to), RangeError);
  t.same(listed(samples.rows(2, 2)), []);
});

t.test('a few bytes a sample: what is all the same weighs nothing', async (t) => {
  const weight = async (fill: (builder: TableBuilder, i: number) => void): Promise<number> => {
    const builder = new TableBuilder(new Allowance(movieLimits));
    const count = 100_000;
    for (let i = 0; i < count; i += 1) fill(builder, i);
    return (await builder.finish(Number.MAX_SAFE_INTEGER)).weight / count;
  };
  const picture = (b: TableBuilder, i: number) => (b.sizes(i % 60 === 0 ? 90_000 : 5000 + (i % 777)), b.durations(512), b.compositionOffsets((i % 4) * 512));
  t.ok((await weight((b, i) => (picture(b, i), b.keys(i, 1, i % 60 === 0), b.chunk(i * 9000, 1)))) < 10.2, 'pictures, each a chunk of its own');
  t.ok((await weight((b, i) => (b.sizes(300 + (i % 99)), b.durations(1024), i % 20 === 19 && b.chunk(i * 9000, 20)))) < 2.4, 'sound in chunks');
  t.ok((await weight((b, i) => (b.sizes(384), b.durations(1536), i % 20 === 19 && b.chunk(i * 9000, 20)))) < 0.4, 'frames of one size');
});

const sizesOf = (samples: SampleTable): number[] => [...samples.rows(0, samples.count).size];

t.test('sizes may have 4, 8, 16 or 32 bits, or be the same for all', async (t) => {
  const stz2 = (width: number, count: number, ...data: Part[]) => fullBox('stz2', 0, 0, [u32(width), u32(count), ...data]);
  const sized = (stsz: Part, count: number) => table({ tables: tablesOf(Array.from({ length: count }, () => 1), { stsz }) });
  t.same(sizesOf(await sized(stz2(4, 3, u8(0x12), u8(0xf0)), 3)), [1, 2, 15]);
  t.same(sizesOf(await sized(stz2(8, 3, u8(1), u8(200), u8(0)), 3)), [1, 200, 0]);
  t.same(sizesOf(await sized(stz2(16, 2, u16(1), u16(9000)), 2)), [1, 9000]);
  t.same(sizesOf(await sized(fullBox('stsz', 0, 0, [u32(7), u32(4)]), 4)), [7, 7, 7, 7]);
  await t.rejects(sized(stz2(5, 3, u32(0)), 3), { code: 'invalid' });
});

/** A file that is as large as it says, and zeros behind what there is. */
const large = (size: number) => (bytes: Buffer): RangeSource => ({ size, read: async (at, length) => bytes.subarray(at, at + length) });

t.test('places beyond 4 GiB', async (t) => {
  const place = 2 ** 33 + 5;
  const track = { tables: tablesOf([10, 20], { stco: fullBox('co64', 0, 0, [u32(1), u64(place)]) }) };
  const sparse = (bytes: Buffer): RangeSource => large(bytes.length)(bytes);
  await t.rejects(table(track, sparse), { code: 'truncated' });
  // The file must be that large, and its top level goes over all of it: mdat is said to.
  const wide = (bytes: Buffer): RangeSource => {
    const moov = bytes.indexOf('moov') - 4;
    const head = Buffer.alloc(16 + 16);
    bytes.copy(head, 0, 0, 16);
    head.writeUInt32BE(1, 16);
    head.write('mdat', 20, 'latin1');
    const moovAt = 2 ** 33 + 4096;
    head.writeBigUInt64BE(BigInt(moovAt - 16), 24);
    return {
      size: moovAt + bytes.length - moov,
      read: async (at, length) => (at < moovAt ? Buffer.concat([head, Buffer.alloc(length)]).subarray(at, at + length) : bytes.subarray(moov + at - moovAt, moov + at - moovAt + length)),
    };
  };
  t.same([...(await table(track, wide)).rows(0, 2).offset], [place, place + 10]);
});

const refused = async (test: Test, name: string, code: string, own: Tables, sizes: readonly number[] = [10, 20, 30]): Promise<void> => {
  await test.rejects(table({ tables: tablesOf(sizes, own) }), { name: 'Mp4Error', code }, name);
};
const counted = (type: string, count: number, ...data: Part[]) => fullBox(type, 0, 0, [u32(count), ...data]);

t.test('tables that announce more than they have, or less than there is', async (t) => {
  for (const type of ['stts', 'ctts', 'stco', 'stss', 'stsc'] as const) {
    await refused(t, `2^32 entries in ${type}`, 'invalid', { [type]: counted(type, 0xffff_ffff, u32(1), u32(1), u32(1)) });
  }
  await refused(t, '2^32 sizes', 'invalid', { stsz: fullBox('stsz', 0, 0, [u32(0), u32(0xffff_ffff)]) });
  await refused(t, '2^32 samples of one size', 'limit', { stsz: fullBox('stsz', 0, 0, [u32(1000), u32(0xffff_ffff)]) });
  await refused(t, 'durations for fewer', 'invalid', { stts: rows('stts', [[2, 10]]) });
  await refused(t, 'a duration of 2^32', 'invalid', { stts: rows('stts', [[3, -1]]) });
  await refused(t, 'chunks for fewer', 'invalid', { stsc: rows('stsc', [[1, 2, 1]]) });
  await refused(t, 'no chunks', 'invalid', { stco: rows('stco', []) });
  await refused(t, 'chunks that begin with the second', 'invalid', { stsc: rows('stsc', [[2, 3, 1]]) });
  await refused(t, 'chunks without samples', 'invalid', { stsc: rows('stsc', [[1, 0, 1]]) });
  await refused(t, 'key frames that do not rise', 'invalid', { stss: rows('stss', [[2], [1]]) });
  await refused(t, 'key frame 0', 'invalid', { stss: rows('stss', [[0]]) });
  await refused(t, 'a key frame behind the end', 'invalid', { stss: rows('stss', [[4]]) });
  await refused(t, 'a chunk behind the end of the file', 'truncated', { stco: rows('stco', [[1_000_000]]) });
  await refused(t, 'a sample that goes over the end of the file', 'truncated', {}, [10, 30_000]);
  await refused(t, 'a chunk at 2^64', 'truncated', { stco: fullBox('co64', 0, 0, [u32(1), u32(0xffff_ffff), u32(0xffff_ffff)]) });
});

t.test('what tables say beyond the last sample is about nothing', async (t) => {
  const samples = await table({
    tables: tablesOf([10, 20, 30], {
      stts: rows('stts', [[2, 10], [0, 99], [0x7fff_ffff, 20], [5, 7]]),
      ctts: rows('ctts', [[2, -5], [900, 3]], 1),
      stsc: rows('stsc', [[1, 2, 1], [2, 700, 1], [9, 1, 1]]),
      stco: rows('stco', [[mediaAt], [mediaAt + 100], [mediaAt + 500]]),
      stss: rows('stss', [[1], [3]]),
    }),
  });
  t.same(listed(samples.rows(0, 3)), [
    { offset: 24, size: 10, dts: 0, cts: -5, duration: 10, key: 1 },
    { offset: 34, size: 20, dts: 10, cts: -5, duration: 10, key: 0 },
    { offset: 124, size: 30, dts: 20, cts: 3, duration: 20, key: 1 },
  ]);
  t.equal(samples.duration, 40);
  const short = await table({ tables: tablesOf([10, 20, 30], { ctts: rows('ctts', [[1, 5]]) }) });
  t.same([...short.rows(0, 3).cts], [5, 0, 0], 'offsets for fewer are none for the rest');
  t.same(await table({ tables: tablesOf([], { stsc: rows('stsc', []), stco: rows('stco', []), stts: rows('stts', []) }) }).then(({ count, duration }) => [count, duration]), [0, 0]);
});

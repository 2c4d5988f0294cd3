import t from 'tap';
import { memorySource } from '../../test/support/byte-sources.ts';
import { Random } from '../../test/support/random.ts';
import { ascii, box, encode, u32, zeros } from '../cmaf/box.ts';
import { crafted, mvhd, trak } from './crafted-file.ts';
import { Mp4Error, type RangeSource } from './movie.ts';
import { parseMovie } from './parse.ts';
import { findMoov, type Has } from './top-level.ts';

/** A file of which some pieces have landed; whoever reads anything else is told, and counted. */
const arriving = (bytes: Buffer) => {
  const landed = Buffer.alloc(bytes.length);
  let reads = 0;
  const has: Has = (from, to) => !landed.subarray(from, to).includes(0);
  const source: RangeSource = {
    size: bytes.length,
    read: async (at, length) => {
      reads += 1;
      if (!has(at, at + length)) throw new Mp4Error('not-yet', 'not there');
      return bytes.subarray(at, at + length);
    },
  };
  return { source, has, land: (from: number, to: number) => void landed.fill(1, from, to), search: () => findMoov(source, has), reads: () => reads };
};

const ftyp = box('ftyp', [ascii('isom'), u32(0)]);
const moov = box('moov', [mvhd(), trak()]);
const last = encode(ftyp, box('mdat', [zeros(100_000)]), moov);
const first = encode(ftyp, box('free', [zeros(9)]), moov, box('mdat', [zeros(100_000)]));

t.test('the index is found as soon as its bytes are there, wherever it is', async (t) => {
  const front = arriving(first);
  t.same(await front.search(), { state: 'not-yet', from: 0, to: 16 });
  front.land(0, 10);
  t.same(await front.search(), { state: 'not-yet', from: 0, to: 16 });
  front.land(0, 49);
  t.same(await front.search(), { state: 'not-yet', from: 33, to: 33 + moov.size }, 'its beginning is there');
  front.land(0, 33 + moov.size);
  t.same(await front.search(), { state: 'found', from: 33, to: 33 + moov.size });
  t.equal((await parseMovie(front.source)).tracks.length, 1, 'and that is all that an index needs');

  const back = arriving(last);
  back.land(0, 50_000);
  t.same(await back.search(), { state: 'not-yet', from: 100_024, to: 100_040 });
  await t.rejects(parseMovie(back.source), { name: 'Mp4Error', code: 'not-yet' });
  back.land(100_024, last.length);
  t.same(await back.search(), { state: 'found', from: 100_024, to: last.length }, 'with a hole ahead of it');
  t.equal((await parseMovie(back.source)).tracks.length, 1);
});

t.test('however a file arrives, what is asked for next leads to its index', async (t) => {
  const random = new Random(3);
  for (const bytes of [first, last, crafted({ behind: [zeros(5)] })]) {
    const file = arriving(bytes);
    let asked = 0;
    for (let found = await file.search(); found.state === 'not-yet'; found = await file.search()) {
      file.land(found.from, found.to);
      const at = random.below(bytes.length);
      if (asked % 2 === 0) file.land(at, at + random.below(50));
      asked += 1;
    }
    t.ok(asked <= 8, `${asked} times`);
    t.equal((await file.search()).state, 'found');
  }
});

t.test('what is no MP4 is said at once, and why', async (t) => {
  const cases: readonly (readonly [name: string, code: string, bytes: Buffer])[] = [
    ['nothing', 'truncated', Buffer.alloc(0)],
    ['seven bytes', 'truncated', Buffer.alloc(7)],
    ['text', 'not-mp4', Buffer.from('#EXTM3U\n#EXTINF:10,\nother.ts\n')],
    ['zeros', 'not-mp4', Buffer.alloc(1000)],
    ['another container', 'not-mp4', Buffer.concat([Buffer.from('1a45dfa3', 'hex'), Buffer.alloc(100)])],
    ['no index', 'truncated', encode(ftyp, box('mdat', [zeros(100)]))],
    ['media up to the end', 'truncated', Buffer.concat([encode(ftyp), Buffer.from('000000006d646174', 'hex'), encode(moov)])],
    ['a box beyond the end', 'truncated', Buffer.concat([encode(ftyp), Buffer.from('7fffffff6d646174', 'hex')])],
    ['a box of 2^64', 'truncated', Buffer.concat([encode(ftyp), Buffer.from('000000016d646174ffffffffffffffff', 'hex')])],
    ['a box smaller than its head', 'invalid', Buffer.concat([encode(ftyp), Buffer.from('000000046d646174', 'hex'), encode(moov)])],
    ['an index cut off', 'truncated', last.subarray(0, -1)],
  ];
  for (const [name, code, bytes] of cases) {
    const file = arriving(bytes);
    file.land(0, bytes.length);
    t.match(await file.search(), { state: 'not-mp4', error: { name: 'Mp4Error', code } }, name);
    await t.rejects(parseMovie(memorySource(bytes)), { name: 'Mp4Error', code }, name);
  }
});

t.test('an index that nobody would read is refused before it is read', async (t) => {
  const size = 200 << 20;
  const head = encode(ftyp, u32(size - 16), ascii('moov'));
  const source: RangeSource = {
    size,
    read: async (at, length) => {
      if (length > 8192) throw new Error(`${length} bytes are read`);
      return Buffer.concat([head.subarray(at), Buffer.alloc(length)]).subarray(0, length);
    },
  };
  await t.rejects(parseMovie(source), { name: 'Mp4Error', code: 'limit' });
});

t.test('a million boxes of nothing cost few reads, and no patience', async (t) => {
  const file = arriving(Buffer.concat([encode(ftyp), Buffer.alloc(8_000_000, encode(box('free', []))), encode(moov)]));
  file.land(0, 8_000_000);
  const startedAt = performance.now();
  t.match(await file.search(), { state: 'not-mp4', error: { code: 'limit' } });
  t.ok(performance.now() - startedAt < 2000);
  t.ok(file.reads() < 1000, `${file.reads()} reads`);
});

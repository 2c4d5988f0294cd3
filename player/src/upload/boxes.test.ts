import t from 'tap';
import { Random } from '../../../test/support/random.ts';
import { wantedFirst } from './boxes.ts';

/** The header alone. */
const box = (type: string, size: number): Buffer => {
  const out = Buffer.alloc(8);
  out.writeUInt32BE(size);
  out.write(type, 4, 'latin1');
  return out;
};
const large = (type: string, size: number): Buffer => {
  const out = Buffer.alloc(16);
  out.writeUInt32BE(1);
  out.write(type, 4, 'latin1');
  out.writeBigUInt64BE(BigInt(size), 8);
  return out;
};

/** A file of which only some places hold anything. */
const sparse = (size: number, places: [number, Buffer][]) => {
  const reads: [number, number][] = [];
  const read = async (from: number, to: number): Promise<Uint8Array> => {
    reads.push([from, to]);
    const out = new Uint8Array(to - from);
    for (const [at, bytes] of places) {
      for (const [index, byte] of bytes.entries()) {
        const place = at + index - from;
        if (place >= 0 && place < out.length) out[place] = byte;
      }
    }
    return out;
  };
  return { read, reads, size };
};

t.test('an index at the front needs one read', async (t) => {
  const { read, reads, size } = sparse(50_000_000, [[0, box('ftyp', 32)], [32, box('moov', 700_000)], [700_032, box('mdat', 1_000_000)]]);
  t.same(await wantedFirst(read, size), [{ from: 0, to: 16 }, { from: 32, to: 700_032 }]);
  t.equal(reads.length, 1);
});

t.test('an index behind the media is found by a few small reads, and the way to it comes along', async (t) => {
  const { read, reads, size } = sparse(40_000, [[0, box('ftyp', 24)], [24, box('wide', 8)], [32, box('mdat', 30_000)], [30_032, box('moov', 9_968)]]);
  t.same(await wantedFirst(read, size), [
    { from: 0, to: 16 },
    { from: 24, to: 40 },
    { from: 32, to: 48 },
    { from: 30_032, to: 40_000 },
  ]);
  t.ok(reads.length <= 2);
});

t.test('media of more than 4 GB have a size of 64 bits', async (t) => {
  const media = 9_000_000_000;
  const { read, reads, size } = sparse(media + 1_032, [[0, box('ftyp', 32)], [32, large('mdat', media)], [media + 32, box('moov', 1_000)]]);
  t.same((await wantedFirst(read, size)).at(-1), { from: media + 32, to: media + 1_032 });
  t.ok(reads.every(([from, to]) => to - from <= 4_096));
});

t.test('an index that claims more than the file has ends with it', async (t) => {
  const { read, size } = sparse(10_000, [[0, box('ftyp', 32)], [32, box('moov', 50_000)]]);
  t.same((await wantedFirst(read, size)).at(-1), { from: 32, to: 10_000 });
  const open = sparse(10_000, [[0, box('ftyp', 32)], [32, box('moov', 0)]]);
  t.same((await wantedFirst(open.read, open.size)).at(-1), { from: 32, to: 10_000 });
});

t.test('what has no index, or is no MP4, is sent from the front', async (t) => {
  const files: [string, number, [number, Buffer][]][] = [
    ['media without an end', 10_000, [[0, box('ftyp', 32)], [32, box('mdat', 0)]]],
    ['Matroska', 10_000, [[0, Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0, 0, 0, 0])]]],
    ['text', 10_000, [[0, Buffer.from('#EXTM3U\n#EXT-X-VERSION:3')]]],
    ['zeros', 10_000, []],
    ['one byte', 1, []],
    ['a box of 64 bits that is smaller than its header', 10_000, [[0, large('mdat', 4)]]],
    ['an index larger than any', 400_000_000, [[0, box('ftyp', 32)], [32, box('moov', 300_000_000)]]],
  ];
  for (const [name, size, places] of files) {
    const file = sparse(size, places.map(([at, bytes]) => [at, bytes]));
    t.same(await wantedFirst(file.read, file.size), [], name);
  }
});

t.test('of a million boxes only a few are looked at', async (t) => {
  const one = box('free', 8);
  const reads: [number, number][] = [];
  const read = async (from: number, to: number): Promise<Uint8Array> => {
    reads.push([from, to]);
    return Uint8Array.from({ length: to - from }, (_, index) => one[(from + index) % 8] ?? 0);
  };
  t.same(await wantedFirst(read, 8_000_000), []);
  t.ok(reads.length <= 12);
});

t.test('whatever the bytes say, it ends soon and names only what is in the file', async (t) => {
  const random = new Random(11);
  const valid = Buffer.concat([box('ftyp', 24), Buffer.alloc(16), box('free', 8), large('mdat', 64), Buffer.alloc(48), box('moov', 120), Buffer.alloc(112)]);
  for (let round = 0; round < 20_000; round++) {
    const bytes = random.mutate(valid);
    let reads = 0;
    const read = async (from: number, to: number) => (reads++, Uint8Array.from(bytes.subarray(from, to)));
    const spans = await wantedFirst(read, bytes.length);
    const inside = spans.every(({ from, to }) => from >= 0 && from < to && to <= bytes.length);
    if (!inside || reads > 12) t.fail(`${bytes.toString('hex')}: ${reads} reads, ${JSON.stringify(spans)}`);
  }
  t.pass('20,000 files');
});

import t from 'tap';
import { fuzz } from '../../test/support/random.ts';
import { ascii, box, encode, fullBox, u32, u64, zeros, type Part } from './box.ts';
import { CmafError } from './cmaf-error.ts';
import { fragment } from './fragment.ts';
import { initSegment } from './init.ts';
import { readFragments, readInit } from './reader.ts';

const avcC = Buffer.from('0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000668eae3cb22c0fdf8f800', 'hex');
const videoInit = initSegment({ kind: 'video', codec: 'h264', config: avcC, timescale: 90_000, width: 320, height: 180 });
const audioInit = initSegment({ kind: 'audio', codec: 'aac', config: Buffer.from('1190', 'hex'), timescale: 48_000, sampleRate: 48_000, channels: 2 });

const newerInits = [
  initSegment({ kind: 'video', codec: 'av1', config: Buffer.from('81000d000a0b000000043cfecc02f80240', 'hex'), timescale: 90_000, width: 320, height: 180 }),
  initSegment({ kind: 'video', codec: 'vp9', config: Buffer.from('000b820909090000', 'hex'), timescale: 90_000, width: 320, height: 180 }),
  initSegment({ kind: 'audio', codec: 'opus', config: Buffer.from('000201380000bb80000000', 'hex'), timescale: 48_000, sampleRate: 48_000, channels: 2 }),
];

/** A fragment from its parts, to put wrong ones in. */
const crafted = ({ tfhd = [u32(1)], tfhdFlags = 0x02_0000, trunFlags = 1, run = [] as Part[], count = 1, offset = 0, media = 8 } = {}): Buffer =>
  encode(
    box('moof', [
      fullBox('mfhd', 0, 0, [u32(1)]),
      box('traf', [
        fullBox('tfhd', 0, tfhdFlags, tfhd),
        fullBox('tfdt', 0, 0, [u32(77)]),
        fullBox('trun', 0, trunFlags, [u32(count), u32(offset), ...run]),
      ]),
    ]),
    box('mdat', [zeros(media)]),
  );
const mdatAt = 8 + 16 + 8 + 16 + 16 + 20 + 8;

t.test('a fragment may leave its defaults to trex', async (t) => {
  const bytes = crafted({ count: 2, offset: mdatAt });
  const [facts] = readFragments(bytes, { duration: 10, size: 4, flags: 0x0101_0000 });
  t.match(facts, { baseDecodeTime: 77, duration: 20 });
  t.same(facts?.samples.map((one) => [one.offset, one.size, one.key]), [[mdatAt, 4, false], [mdatAt + 4, 4, false]]); // prettier-ignore
});

t.test('a fragment that lies is refused, and says how', async (t) => {
  const sized = { tfhd: [u32(1), u32(4)], tfhdFlags: 0x02_0010, offset: mdatAt + 4 };
  t.equal(readFragments(crafted({ ...sized, count: 2 })).length, 1, 'an honest one');
  const cases: [string, Buffer, string][] = [
    ['a sample behind its mdat', crafted({ ...sized, count: 3 }), 'invalid'],
    ['a sample before its mdat', crafted({ ...sized, offset: 0 }), 'invalid'],
    ['2^32 samples', crafted({ ...sized, count: 0xffff_ffff }), 'limit'],
    ['2^32 samples of nothing', crafted({ count: 0xffff_ffff, offset: mdatAt }), 'limit'],
    ['samples of no size', crafted({ count: 1000, offset: mdatAt }), 'invalid'],
    ['rows that are not there', crafted({ trunFlags: 0x201, count: 9, offset: mdatAt }), 'truncated'],
    ['no default-base-is-moof', crafted({ tfhdFlags: 0 }), 'unsupported'],
    ['no mdat', crafted().subarray(0, mdatAt - 8), 'invalid'],
    ['cut in mdat', crafted().subarray(0, mdatAt + 3), 'truncated'],
    ['cut in a header', Buffer.concat([crafted(), Buffer.alloc(5)]), 'truncated'],
    ['a box smaller than its header', Buffer.from('0000000466726565', 'hex'), 'invalid'],
    ['a box up to the end of the file', Buffer.from('000000006d646174', 'hex'), 'invalid'],
    ['a size of 64 bits that is too large', Buffer.from('000000016d646174ffffffffffffffff', 'hex'), 'truncated'],
    ['two tracks', encode(box('moof', [fullBox('mfhd', 0, 0, [u32(1)]), box('traf', []), box('traf', [])]), box('mdat', [])), 'unsupported'],
  ]; // prettier-ignore
  for (const [name, bytes, code] of cases) t.throws(() => readFragments(bytes), { name: 'CmafError', code }, name);
});

t.test('a decode time above 2^53 is refused, not rounded', async (t) => {
  const tfdt = encode(fullBox('tfdt', 1, 0, [u64(2 ** 53 - 1)]));
  const bytes = Buffer.concat(fragment({ sequence: 1, baseDecodeTime: 2 ** 53 - 1, kind: 'audio', samples: [{ duration: 1, size: 1, key: true, compositionOffset: 0, data: Buffer.alloc(1) }] })); // prettier-ignore
  t.equal(readFragments(bytes)[0]?.baseDecodeTime, 2 ** 53 - 1);
  bytes[bytes.indexOf(tfdt) + 13] = 0x20;
  t.throws(() => readFragments(bytes), { code: 'limit' });
});

t.test('an init segment that is none of ours is refused in the same words', async (t) => {
  const replaced = (from: string, to: string) => Buffer.from(videoInit.toString('latin1').replace(from, to), 'latin1');
  const cases: [string, Buffer, string][] = [
    ['empty', Buffer.alloc(0), 'invalid'],
    ['cut', videoInit.subarray(0, 200), 'truncated'],
    ['two of it', Buffer.concat([videoInit, videoInit]), 'unsupported'],
    ['another codec', replaced('avc1', 'vvc1'), 'unsupported'],
    ['no mvex', replaced('mvex', 'free'), 'invalid'],
    ['no avcC', replaced('avcC', 'free'), 'invalid'],
    ['a fragment', crafted(), 'invalid'],
    ['only ftyp', encode(box('ftyp', [ascii('iso6'), u32(0)])), 'invalid'],
  ];
  for (const [name, bytes, code] of cases) t.throws(() => readInit(bytes), { name: 'CmafError', code }, name);
  const broken = Buffer.from(videoInit);
  broken[videoInit.indexOf('avcC') + 4] = 9;
  t.throws(() => readInit(broken), { name: 'CmafError', code: 'invalid', cause: { name: 'CodecError' } });
});

t.test('100,000 damaged init segments end in facts or in a CmafError', async (t) => {
  const { accepted, refused } = fuzz(readInit, CmafError, [videoInit, audioInit, ...newerInits], { longest: 400 });
  t.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});

t.test('100,000 damaged fragments end in facts that stay inside their bytes, or in a CmafError', async (t) => {
  const samples = Array.from({ length: 10 }, (_, i) => ({ duration: 1000, size: i, key: i === 0, compositionOffset: i - 5, data: Buffer.alloc(i) }));
  const long = Buffer.concat(fragment({ sequence: 1, baseDecodeTime: 2 ** 35, kind: 'video', samples }));
  const short = Buffer.concat(fragment({ sequence: 1, baseDecodeTime: 9, kind: 'audio', samples: samples.slice(3, 4) }));
  const { accepted, refused } = fuzz(
    (input) => {
      for (const one of readFragments(input)) {
        const outside = one.samples.some(({ offset, size }) => offset < one.mdatOffset + 8 || offset + size > input.length);
        if (outside || one.offset + one.size > input.length) throw new Error('outside');
      }
    },
    CmafError,
    [long, short, Buffer.concat([short, long])],
    { longest: 200 },
  );
  t.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});

import t from 'tap';
import type { TrackKind } from '../media/unit.ts';
import { fragment, type Sample } from './fragment.ts';
import { readFragments } from './reader.ts';

const sample = (size: number, rest: Partial<Sample> = {}): Sample => ({
  duration: 3000,
  size,
  key: false,
  compositionOffset: 0,
  data: Buffer.alloc(size, size),
  ...rest,
});
const write = (kind: TrackKind, samples: readonly Sample[], baseDecodeTime = 0, sequence = 1): Buffer[] =>
  fragment({ sequence, baseDecodeTime, kind, samples });

t.test('what was written is read back: sizes, times, flags, places', async (t) => {
  const samples = [
    sample(100, { key: true, compositionOffset: 3000 }),
    sample(20, { compositionOffset: -3000, duration: 3003 }),
    sample(30, { compositionOffset: -(2 ** 31) }),
    sample(0),
  ];
  const bytes = Buffer.concat(write('video', samples, 2 ** 40 + 7, 0xffff_ffff));
  const [facts, ...more] = readFragments(bytes);
  t.same(more, []);
  t.match(facts, { offset: 0, size: bytes.length, sequence: 0xffff_ffff, trackId: 1, baseDecodeTime: 2 ** 40 + 7, duration: 12_003 });
  t.same(
    facts?.samples.map(({ duration, size, key, cts }) => ({ duration, size, key, compositionOffset: cts })),
    samples.map(({ duration, size, key, compositionOffset }) => ({ duration, size, key, compositionOffset })),
  );
  for (const [i, { offset, size }] of (facts?.samples ?? []).entries()) {
    t.same(bytes.subarray(offset, offset + size), samples[i]?.data);
  }
});

t.test('media is handed on and never copied', async (t) => {
  const samples = [sample(10, { key: true }), sample(20)];
  const [header, ...media] = write('video', samples);
  t.same(media.map((data, i) => data === samples[i]?.data), [true, true]);
  t.equal(header?.toString('latin1', header.length - 4), 'mdat');
  t.equal(header?.readUInt32BE(header.length - 8), 8 + 30);
});

t.test('flags say where decoding can start', async (t) => {
  const flags = (kind: TrackKind, keys: readonly boolean[]) =>
    readFragments(Buffer.concat(write(kind, keys.map((key) => sample(1, { key })))))[0]?.samples.map((one) => one.flags);
  const [key, other] = [0x0200_0000, 0x0101_0000];
  t.same(flags('video', [true]), [key]);
  t.same(flags('video', [false]), [other]);
  t.same(flags('video', [true, false, false]), [key, other, other], 'a segment start');
  t.same(flags('video', [false, true, true]), [other, key, key]);
  t.same(flags('video', [false, true, false, true]), [other, key, other, key], 'key pictures in the middle');
  t.same(flags('audio', [false, false]), [key, key], 'every frame of sound is a start');
});

t.test('what all samples share stands once, so that headers stay small', async (t) => {
  const header = (samples: readonly Sample[], kind: TrackKind = 'video'): number => write(kind, samples)[0]?.length ?? 0;
  // moof 8, mfhd 16, traf 8, tfhd 24, tfdt 20, trun 20, mdat 8: then what differs.
  const fixed = 8 + 16 + 8 + 24 + 20 + 20 + 8;
  t.equal(header([sample(5)]), fixed + 4, 'one sample: its size is a default');
  t.equal(header([sample(5), sample(6)]), fixed + 2 * 4, 'sizes');
  t.equal(header([sample(5, { key: true }), sample(6)]), fixed + 4 + 2 * 4, 'first sample flags');
  t.equal(header([sample(5, { key: true }), sample(6, { compositionOffset: -1 })]), fixed + 4 + 2 * 8, 'composition offsets');
  t.equal(header([sample(5), sample(6, { duration: 1 })]), fixed - 4 + 2 * 8, 'durations');
  t.equal(header(Array.from({ length: 16 }, (_, i) => sample(i)), 'audio'), fixed + 16 * 4, 'sixteen frames of sound');
});

t.test('fragments one after the other are read one by one, with other boxes between them', async (t) => {
  const free = Buffer.from('0000000c66726565deadbeef', 'hex');
  const parts = [0, 1, 2].map((i) => Buffer.concat(write('audio', [sample(10 + i)], i * 3000, i + 1)));
  const facts = readFragments(Buffer.concat([free, ...parts.flatMap((part) => [part, free])]));
  t.same(facts.map((one) => [one.sequence, one.baseDecodeTime, one.size]), parts.map((part, i) => [i + 1, i * 3000, part.length]));
  t.equal(facts[1]?.offset, free.length * 2 + (parts[0]?.length ?? 0));
});

t.test('what no fragment can hold is refused', async (t) => {
  t.throws(() => write('video', []), { code: 'invalid' });
  t.throws(() => write('video', [{ ...sample(3), size: 4 }]), { code: 'invalid' });
  t.throws(() => write('video', [sample(3, { duration: -1 })]), { code: 'range' });
  t.throws(() => write('video', [sample(3, { duration: 0.5 })]), { code: 'range' });
  t.throws(() => write('video', [sample(3, { compositionOffset: 2 ** 31 })]), { code: 'range' });
  t.throws(() => write('video', [sample(3)], -1), { code: 'range' });
  t.throws(() => write('video', [sample(3)], 0, 2 ** 32), { code: 'range' });
});

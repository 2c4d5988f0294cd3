import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { encodeAvcConfig } from '../media/h264.ts';
import { adtsOf } from './adts.ts';
import { analyse, type Analysis } from './analyse.ts';
import { muxSegment, tsOrigin, type TsSegmentInput } from './mux.ts';
import { crc32 } from '../media/crc32.ts';

const sps = Buffer.from('6764000aacd942846840000003004000000c83c4896580', 'hex');
const pps = Buffer.from('68ebe3cb22c0', 'hex');
const avcC = encodeAvcConfig([sps], [pps]);
const lc48 = Buffer.from('1190', 'hex');

/** A slice whose bytes tell it from all others. */
const picture = (size: number, mark: number, type = 0x41): Buffer => {
  const data = Buffer.alloc(4 + size, mark);
  data.writeUInt32BE(size, 0);
  data[4] = type;
  return data;
};

const segment = (more: Partial<TsSegmentInput> = {}): TsSegmentInput => ({
  video: {
    avcC,
    samples: Array.from({ length: 60 }, (_, n) => ({ dts: n * 3000, pts: (n + 1) * 3000, key: n % 30 === 0, data: picture(n % 30 === 0 ? 20_000 : 600, n, n % 30 ? 0x41 : 0x65) })),
  },
  audio: { config: lc48, samples: Array.from({ length: 94 }, (_, n) => ({ pts: n * 1920, data: Buffer.alloc(100 + n, n) })) },
  end: 180_000,
  number: 1,
  version: 0,
  ...more,
});

const of = ({ units }: Analysis, pid: number): Analysis['units'] => units.filter((one) => one.pid === pid);
/** Frames of a PES packet: their sizes with headers. */
const adtsFrames = (data: Buffer): Buffer[] => {
  const frames: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const size = (data.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
    frames.push(data.subarray(at, at + size));
    at += size;
  }
  return frames;
};

t.test('a segment: tables first, then the key frame with all that decoding needs', async (t) => {
  const seen = analyse(muxSegment(segment()));
  t.same(seen.complaints, []);
  t.same([...seen.streams], [[0x100, { type: 0x1b, descriptors: '' }], [0x101, { type: 0x0f, descriptors: '' }]]);
  const [first, second] = of(seen, 0x100);
  t.equal(of(seen, 0x100).length, 60);
  t.match(first, { pts: tsOrigin + 3000, dts: tsOrigin, randomAccess: true });
  t.match(second, { pts: tsOrigin + 6000, dts: tsOrigin + 3000, randomAccess: false });
  const code = Buffer.from([0, 0, 0, 1]);
  const head = Buffer.concat([code, Buffer.from([9, 0xf0]), code, sps, code, pps, code, Buffer.from([0x65])]);
  t.same(first?.data.subarray(0, head.length), head);
  t.same(second?.data, Buffer.concat([code, Buffer.from([9, 0xf0]), code, picture(600, 1).subarray(4)]));
  t.equal(seen.clock[0]?.at, 2, 'the clock comes with the first packet behind the tables');
});

t.test('sound: whole frames behind ADTS headers, several in a PES packet', async (t) => {
  const sound = of(analyse(muxSegment(segment())), 0x101);
  const frames = sound.flatMap(({ data }) => adtsFrames(data));
  t.equal(frames.length, 94);
  frames.forEach((frame, n) => t.same(frame.subarray(7), Buffer.alloc(100 + n, n)));
  t.ok(sound.length < 30);
  t.equal(frames[0]?.toString('hex', 0, 3), 'fff14c', 'MPEG-4, no CRC, AAC-LC at 48 kHz');
  t.same(sound.slice(0, 3).map(({ pts }) => pts - tsOrigin), [0, 7680, 15_360]);
});

t.test('a hole in the sound ends a PES packet, so that what follows has a time of its own', async (t) => {
  const samples = [0, 1920, 30_000, 31_920].map((pts) => ({ pts, data: Buffer.alloc(50) }));
  const sound = of(analyse(muxSegment(segment({ audio: { config: lc48, samples } }))), 0x101);
  t.same(sound.map(({ pts }) => pts - tsOrigin), [0, 30_000]);
});

t.test('counters go on from segment to segment, whatever lies in them, and across rungs', async (t) => {
  const random = new Random(7);
  const counters = new Map<number, number>();
  for (let number = 1; number < 400; number += 1) {
    const count = 1 + random.below(40);
    const rate = 1000 + random.below(20_000);
    const samples = Array.from({ length: count }, (_, n) => ({ dts: n * rate, pts: n * rate + random.below(2) * rate, key: n === 0, data: picture(1 + random.below(4000), n) }));
    const frames = Array.from({ length: random.below(60) }, (_, n) => ({ pts: n * 1920 - random.below(2), data: random.bytes(random.below(300)) }));
    const input = segment({ video: { avcC, samples }, audio: { config: lc48, samples: frames }, end: count * rate, number });
    const seen = analyse(muxSegment(input), counters);
    if (seen.complaints.length > 0) t.same(seen.complaints, [], `segment ${number}`);
    if (of(seen, 0x100).length !== count) t.fail(`segment ${number} has lost pictures`);
    if (of(seen, 0x101).flatMap(({ data }) => adtsFrames(data)).length !== frames.length) t.fail(`segment ${number} has lost sound`);
  }
  t.equal(counters.get(0x100), 15);
  t.equal(counters.get(0x101), 15);
  t.equal(counters.get(0), 399 & 15);
});

t.test('sound alone carries the clock, and the clock goes on through slow pictures to the end', async (t) => {
  const alone = analyse(muxSegment(segment({ video: null })));
  t.same(alone.complaints, []);
  t.same([...alone.streams.keys()], [0x101]);
  t.equal(alone.units[0]?.randomAccess, true);
  t.equal(alone.units[1]?.randomAccess, false);

  const samples = [{ dts: 0, pts: 0, key: true, data: picture(9000, 1) }];
  const still = analyse(muxSegment(segment({ video: { avcC, samples }, end: 5 * 90_000 })));
  t.same(still.complaints, []);
  t.ok(still.clock.length > 50);
  t.ok((still.clock.at(-1)?.pcr ?? 0) + 45_000 - tsOrigin > 5 * 90_000 - 8_101);
});

t.test('times wrap at 33 bits, the clock with them', async (t) => {
  const base = 2 ** 33 - tsOrigin - 30_000;
  const { video, audio } = segment();
  const moved = segment({
    video: video && { avcC, samples: video.samples.map((one) => ({ ...one, dts: one.dts + base, pts: one.pts + base })) },
    audio: audio && { config: lc48, samples: audio.samples.map((one) => ({ ...one, pts: one.pts + base })) },
    end: base + 180_000,
  });
  const seen = analyse(muxSegment(moved));
  t.same(seen.complaints, []);
  t.same(of(seen, 0x100).slice(9, 12).map(({ dts }) => dts), [2 ** 33 - 3000, 0, 3000]);
  t.same(of(seen, 0x100).slice(8, 11).map(({ pts }) => pts), [2 ** 33 - 3000, 0, 3000]);
  const early = analyse(muxSegment(segment({ video: { avcC, samples: [{ dts: -1_000_000, pts: 0, key: true, data: picture(10, 1) }] }, audio: null, end: -990_000 })));
  t.equal(early.units[0]?.dts, 2 ** 33 - 100_000, 'before the origin too');
});

t.test('the clock is written to the last bit, and its reserved bits are ones', async (t) => {
  for (const dts of [0, 1, 4_321, 2 ** 32 - 900_000 + 45_001]) {
    const bytes = muxSegment(segment({ video: { avcC, samples: [{ dts, pts: dts, key: true, data: picture(10, 1) }] }, audio: null, end: dts + 1 }));
    t.equal(analyse(bytes).clock[0]?.pcr, dts + tsOrigin - 45_000);
    // The first packet behind the tables: header, adaptation field, PCR.
    t.equal(bytes.readUInt16BE(2 * 188 + 10) & 0x7fff, 0x7e00);
  }
});

t.test('the CRC is that of the standard', async (t) => {
  // The check value of CRC-32/MPEG-2.
  t.equal(crc32(Buffer.from('123456789')), 0x0376_e6e7);
});

t.test('decode times never lie behind presentation times, and always rise', async (t) => {
  const samples = [
    { dts: 100, pts: 90, key: true, data: picture(10, 1) },
    { dts: 100, pts: 3000, key: false, data: picture(10, 2) },
    { dts: 6000, pts: 50, key: false, data: picture(10, 3) },
  ];
  const { units } = analyse(muxSegment(segment({ video: { avcC, samples }, audio: null })));
  t.same(units.map(({ dts, pts }) => [dts - tsOrigin, pts - tsOrigin]), [[90, 90], [100, 3000], [101, 101]]);
});

t.test('pictures with delimiters of their own, empty units and lengths of two bytes become clean access units', async (t) => {
  const short = Buffer.from(avcC);
  short[4] = 0xfd;
  const data = Buffer.from('000209f00000000341aabb00020901', 'hex');
  const samples = [{ dts: 0, pts: 0, key: false, data }];
  const { units } = analyse(muxSegment(segment({ video: { avcC: short, samples }, audio: null })));
  t.equal(units[0]?.data.toString('hex'), `0000000109f000000001${sps.toString('hex')}00000001${pps.toString('hex')}0000000141aabb`);
});

t.test('HE-AAC: the header names the core, the table of the program names the profile', async (t) => {
  // AudioSpecificConfig of SBR over LC: 24 kHz core, heard at 48 kHz, stereo; then with PS over mono.
  for (const [config, descriptor, channels] of [['2b118800', '1c0158', 2], ['eb098800', '1c0160', 1]] as const) {
    const { header, descriptors, sampleRate } = adtsOf(Buffer.from(config, 'hex'));
    t.equal(sampleRate, 24_000);
    t.equal(header.readUInt8(2) >> 6, 1, 'AAC-LC');
    t.equal((header.readUInt8(2) >> 2) & 15, 6, '24 kHz');
    t.equal(((header.readUInt8(2) & 1) << 2) | (header.readUInt8(3) >> 6), channels);
    t.equal(Buffer.from(descriptors).toString('hex'), descriptor);
    const samples = Array.from({ length: 20 }, (_, n) => ({ pts: n * 3840, data: Buffer.alloc(90, n) }));
    const seen = analyse(muxSegment(segment({ video: null, audio: { config: Buffer.from(config, 'hex'), samples }, end: 76_800 })));
    t.same(seen.complaints, []);
    t.equal(seen.streams.get(0x101)?.descriptors, descriptor);
  }
});

t.test('what cannot be carried is said with a code', async (t) => {
  const refused = (code: string, more: Partial<TsSegmentInput>): void => void t.throws(() => muxSegment(segment(more)), { name: 'TsError', code });
  const frames = (data: Buffer, config = lc48): TsSegmentInput['audio'] => ({ config, samples: [{ pts: 0, data }] });
  refused('limit', { audio: frames(Buffer.alloc(9000)) });
  refused('unsupported', { audio: frames(Buffer.alloc(9), Buffer.from('1780181c90', 'hex')) });
  refused('invalid', { video: null, audio: { config: lc48, samples: [] } });
  refused('invalid', { audio: { config: lc48, samples: [{ pts: 9000, data: pps }, { pts: 0, data: pps }] } });
  for (const data of ['000000ff65', '0000', '00000005']) {
    refused('invalid', { video: { avcC, samples: [{ dts: 0, pts: 0, key: true, data: Buffer.from(data, 'hex') }] } });
  }
  refused('limit', { end: 2 ** 40 });
});

t.test('whatever the pictures hold, a segment is lawful or refused with a code', async (t) => {
  const random = new Random(3);
  const valid = picture(200, 5);
  let made = 0;
  for (let round = 0; round < 40_000; round += 1) {
    const data = random.mutate(valid);
    try {
      const samples = [{ dts: 0, pts: random.below(9000), key: true, data }];
      const bytes = muxSegment({ video: { avcC, samples }, audio: null, end: 3000, number: round, version: 0 });
      const { complaints } = analyse(round % 20 === 0 ? bytes : bytes.subarray(0, 376));
      if (complaints.length > 0) t.same(complaints, []);
      made += 1;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'TsError') throw error;
    }
  }
  t.ok(made > 1000, `${made} segments`);
});

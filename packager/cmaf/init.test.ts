import t from 'tap';
import { initSegment, type AudioInit, type VideoInit } from './init.ts';
import { readInit } from './reader.ts';

const avcC = Buffer.from('0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000668eae3cb22c0fdf8f800', 'hex');
const video: VideoInit = { kind: 'video', codec: 'h264', config: avcC, timescale: 90_000, width: 320, height: 180 };
const audio: AudioInit = { kind: 'audio', codec: 'aac', config: Buffer.from('1190', 'hex'), timescale: 48_000, sampleRate: 48_000, channels: 2 };

t.test('an init segment is read back as it was written', async (t) => {
  const common = { brands: ['iso6', 'iso6', 'cmfc', 'cmf2', 'mp41'], trackId: 1, language: 'und', editList: false, defaults: { duration: 0, size: 0, flags: 0 } };
  t.same(readInit(initSegment(video)), { ...video, ...common, rotation: 0, colour: null, pixelAspect: { width: 1, height: 1 }, codecString: 'avc1.64000D' });
  t.same(readInit(initSegment(audio)), { ...audio, ...common, codecString: 'mp4a.40.2' });
  t.equal(readInit(initSegment({ ...audio, language: 'kor' })).language, 'kor');
});

t.test('how a picture is turned and what its colours are is said, and pictures in HEVC are carried', async (t) => {
  for (const rotation of [0, 90, 180, 270] as const) t.match(readInit(initSegment({ ...video, rotation })), { rotation, width: 320, height: 180 });
  // {0 1, -1 0, moved to the right by what was its height}
  const quarter = '00000000 00010000 00000000 ffff0000 00000000 00000000 00b40000 00000000 40000000'.replaceAll(' ', '');
  t.ok(initSegment({ ...video, rotation: 90 }).includes(Buffer.from(quarter, 'hex')));
  const colour = { primaries: 9, transfer: 18, matrix: 9, fullRange: false };
  t.match(readInit(initSegment({ ...video, colour })), { colour });
  const pixelAspect = { width: 4, height: 3 };
  t.ok(initSegment({ ...video, pixelAspect }).includes(Buffer.from('00000010706173700000000400000003', 'hex')), 'pasp');
  const config = Buffer.from('0101600000009000000000005df000fcfdf8f800000f00', 'hex');
  t.match(readInit(initSegment({ ...video, codec: 'hevc', config })), { kind: 'video', codec: 'hevc', config, width: 320 });
});

t.test('AV1, VP9 and Opus are read back as they were written', async (t) => {
  const av1 = Buffer.from('81000d000a0b000000043cfecc02f80240', 'hex');
  t.match(readInit(initSegment({ ...video, codec: 'av1', config: av1 })), { codec: 'av1', config: av1, width: 320, codecString: 'av01.0.00M.08' });
  const vp9 = Buffer.from('000b820909090000', 'hex');
  t.match(readInit(initSegment({ ...video, codec: 'vp9', config: vp9 })), { codec: 'vp9', config: vp9, height: 180, colour: { transfer: 9 }, codecString: 'vp09.00.11.08.01.09.09.09.00' });
  const opus = Buffer.from('000201380000bb80000000', 'hex');
  t.match(readInit(initSegment({ ...audio, codec: 'opus', config: opus })), { codec: 'opus', config: opus, sampleRate: 48_000, channels: 2, codecString: 'Opus' });
});

t.test('the same track gives the same bytes', async (t) => {
  t.same(initSegment(video), initSegment({ ...video, config: Buffer.from(avcC) }));
});

t.test('every box has the size that its specification gives it', async (t) => {
  // ISO 14496-12 with version 1 of mvhd, tkhd and mdhd; hdlr with an empty name; stsd of one entry with avcC and pasp.
  const sizes = { mvhd: 120, tkhd: 104, mdhd: 44, hdlr: 33, dref: 28, stsd: 16 + 86 + (8 + avcC.length) + 16, stts: 16, stsc: 16, stsz: 20, stco: 16, trex: 32 };
  const sizeIn = (bytes: Buffer, type: string): number => bytes.readUInt32BE(bytes.indexOf(type) - 4);
  const written = initSegment(video);
  for (const [type, size] of Object.entries({ ...sizes, vmhd: 20, pasp: 16 })) t.equal(sizeIn(written, type), size, type);
  const heard = initSegment(audio);
  for (const [type, size] of Object.entries({ ...sizes, stsd: 16 + 36 + 39, smhd: 16, esds: 39 })) t.equal(sizeIn(heard, type), size, type);
});

t.test('descriptors, colour and pixel shape, byte for byte', async (t) => {
  const es = ['0319000000', '041140150000000000000000000000', '05021190', '060102'].join('');
  t.ok(initSegment(audio).includes(Buffer.from(`000000276573647300000000${es}`, 'hex')), 'esds');
  t.ok(initSegment(video).includes(Buffer.from('00000010706173700000000100000001', 'hex')), 'pasp');
});

t.test('shorter NAL lengths are announced as the four bytes that samples have', async (t) => {
  const two = Buffer.from(avcC);
  two[4] = 0xfd;
  t.same(initSegment({ ...video, config: two }), initSegment(video));
});

t.test('a long configuration has a descriptor size of two bytes', async (t) => {
  const config = Buffer.concat([audio.config, Buffer.alloc(200)]);
  t.same(readInit(initSegment({ ...audio, config })).config, config);
});

t.test('a rate that 16 bits cannot hold is left to the configuration', async (t) => {
  const config = Buffer.from('1010', 'hex');
  t.match(readInit(initSegment({ ...audio, config, timescale: 96_000, sampleRate: 96_000 })), { timescale: 96_000, sampleRate: 0 });
});

t.test('what no init segment can say is refused', async (t) => {
  t.throws(() => initSegment({ ...video, timescale: 0 }), { code: 'range' });
  t.throws(() => initSegment({ ...video, width: 70_000 }), { code: 'range' });
  t.throws(() => initSegment({ ...audio, language: 'Korean' }), { code: 'invalid' });
  t.throws(() => initSegment({ ...video, config: Buffer.alloc(3) }), { name: 'CodecError', code: 'truncated' });
});

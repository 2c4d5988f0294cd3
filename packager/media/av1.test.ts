import t from 'tap';
import { boxOf, ivfFrames } from '../../test/support/coded-frames.ts';
import { encoded, probe } from '../../test/support/encoded.ts';
import { fuzz } from '../../test/support/random.ts';
import { av1CodecString, encodeAv1Config, parseAv1Config } from './av1-config.ts';
import { normaliseAv1 } from './av1-picture.ts';
import { parseAv1Sequence } from './av1-sequence.ts';
import { CodecError } from './codec-error.ts';
import { pictureReader } from './picture.ts';

const aom = (size: string, pixels: string, ...options: string[]): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-frames:v', '8', '-pix_fmt', pixels],
  ...['-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime', '-g', '4', ...options],
];
const hdr = ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc', '-color_range', 'tv'];
const streams: Record<string, { readonly args: string[]; readonly codec: RegExp; readonly transfer: number | null }> = {
  'Main, an odd size': { args: aom('322x182', 'yuv420p'), codec: /^av01\.0\.\d\dM\.08$/, transfer: null },
  'Main of 10 bits, PQ': { args: aom('320x180', 'yuv420p10le', ...hdr), codec: /^av01\.0\.\d\dM\.10\.0\.110\.09\.16\.09\.0$/, transfer: 16 },
  'High, 4:4:4': { args: aom('320x180', 'yuv444p'), codec: /^av01\.1\.\d\dM\.08\.0\.000\.02\.02\.02\.0$/, transfer: null },
  'without colour': { args: aom('320x180', 'gray'), codec: /^av01\.0\.\d\dM\.08\.1\.110\./, transfer: null },
};

for (const [name, { args, codec, transfer }] of Object.entries(streams)) {
  t.test(`a sequence header of AV1 tells what ffprobe finds: ${name}`, async (t) => {
    const { streams: [found] } = (await probe(await encoded('mp4', args), '-show_streams')) as { streams: [Record<string, unknown>] }; // prettier-ignore
    const record = await boxOf('av1C', args);
    const { sequence, header } = parseAv1Config(record);
    if (!sequence || !header) return t.fail('no sequence header');
    t.same([sequence.width, sequence.height], [found['width'], found['height']]);
    t.equal(sequence.colour?.transfer ?? null, transfer);
    t.match(av1CodecString(sequence), codec);
    t.same(encodeAv1Config(header).subarray(0, 3), record.subarray(0, 3), 'the record is that of ffmpeg');
    t.same(parseAv1Config(encodeAv1Config(header)), { sequence, header });

    const frames = await ivfFrames(args);
    t.equal(frames.length, 8);
    const pictures = frames.map((frame) => normaliseAv1(frame, false));
    t.same(pictures.map(({ key }) => key), frames.map((_, index) => index % 4 === 0), 'key frames are told by what they are');
    t.ok(pictures.every(({ data, empty }, index) => !empty && data.length === (frames[index]?.length ?? 0) - 2), 'without delimiters');
    t.ok(pictures[0]?.sequence?.equals(header));
  });
}

t.test('a sequence header that is new is a configuration that is new', async (t) => {
  const [small = Buffer.alloc(0), next = Buffer.alloc(0)] = await ivfFrames(streams['without colour']?.args ?? []);
  const [large = Buffer.alloc(0)] = await ivfFrames(streams['Main, an odd size']?.args ?? []);
  const config = pictureReader('av1', null)(small).config;
  t.match(config, { kind: 'video', codec: 'av1' }, 'where nothing was announced, the picture brings it');
  const read = pictureReader('av1', config);
  t.equal(read(small).config, null);
  t.equal(read(next).config, null);
  t.match(read(large).config, { codec: 'av1' });
});

t.test('100,000 damaged headers and 100,000 damaged temporal units end in facts or in a CodecError', async (t) => {
  const records = await Promise.all(Object.values(streams).map(({ args }) => boxOf('av1C', args)));
  const headers = records.flatMap((record) => parseAv1Config(record).header ?? []);
  const shapes = fuzz((input) => {
    const { width, height } = parseAv1Sequence(input);
    if (!(width > 0 && height > 0 && width <= 16_384 && height <= 16_384)) throw new Error(`${width} x ${height}`);
    parseAv1Config(encodeAv1Config(input));
  }, CodecError, headers);
  t.ok(shapes.accepted > 1000 && shapes.refused > 1000, `${shapes.accepted} accepted, ${shapes.refused} refused`);
  fuzz((input) => parseAv1Config(input), CodecError, records);
  const units = (await ivfFrames(streams['without colour']?.args ?? [])).map((unit) => unit.subarray(0, 400));
  const read = pictureReader('av1', null);
  const pictures = fuzz((input) => {
    if (read(input).data.length > input.length) throw new Error('grew');
  }, CodecError, [...units, Buffer.from('12000a0100320100', 'hex')]);
  t.ok(pictures.accepted > 1000 && pictures.refused > 1000, `${pictures.accepted} accepted, ${pictures.refused} refused`);
});

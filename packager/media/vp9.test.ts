import t from 'tap';
import { boxOf, ivfFrames } from '../../test/support/coded-frames.ts';
import { fuzz } from '../../test/support/random.ts';
import { CodecError } from './codec-error.ts';
import { pictureReader } from './picture.ts';
import { pictureFacts } from './picture-facts.ts';
import { parseVp9Config, vp9CodecString, vp9ConfigFor, vp9ConfigOf } from './vp9-config.ts';
import { readVp9KeyFrame } from './vp9-frame.ts';

const vpx = (size: string, pixels: string, ...options: string[]): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-frames:v', '8', '-pix_fmt', pixels],
  ...['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '4', '-keyint_min', '4', ...options],
];
const streams: Record<string, { readonly args: string[]; readonly size: readonly [number, number]; readonly codec: string }> = {
  'profile 0': { args: vpx('322x182', 'yuv420p'), size: [322, 182], codec: 'vp09.00.11.08' },
  'profile 1, 4:4:4': { args: vpx('320x180', 'yuv444p'), size: [320, 180], codec: 'vp09.01.11.08.03.02.02.02.00' },
  'profile 2, 10 bits': { args: vpx('640x360', 'yuv420p10le'), size: [640, 360], codec: 'vp09.02.21.10' },
};

for (const [name, { args, size, codec }] of Object.entries(streams)) {
  t.test(`a key frame of VP9 tells its shape, and the record the rest: ${name}`, async (t) => {
    const box = await boxOf('vpcC', args);
    const record = vp9ConfigOf(box);
    t.same(vp9ConfigOf(record), record, 'with and without the head of its box');
    t.equal(vp9CodecString(parseVp9Config(record)), codec);
    const frames = await ivfFrames(args);
    const [first, second] = frames.map(readVp9KeyFrame);
    if (!first) return t.fail('no key frame');
    t.same([first.width, first.height], size);
    t.equal(second, null);
    t.same(frames.map((frame) => readVp9KeyFrame(frame) !== null), frames.map((_, index) => index % 4 === 0));
    t.equal(vp9ConfigFor(first, record), record, 'the two agree');
    const { profile, bitDepth } = parseVp9Config(vp9ConfigFor(first, null));
    t.same({ profile, bitDepth }, { profile: first.profile, bitDepth: first.bitDepth }, 'and it can be made without one');
  });
}

t.test('how large pictures are is known with the first key frame, and another size is another configuration', async (t) => {
  const [small = Buffer.alloc(0), next = Buffer.alloc(0)] = await ivfFrames(streams['profile 0']?.args ?? []);
  const [large = Buffer.alloc(0)] = await ivfFrames(streams['profile 2, 10 bits']?.args ?? []);
  const announced = { kind: 'video', codec: 'vp9', config: vp9ConfigOf(await boxOf('vpcC', streams['profile 0']?.args ?? [])) } as const;
  t.equal(pictureFacts(announced).size, null);
  const { config } = pictureReader('vp9', announced)(small);
  t.match(config, { size: { width: 322, height: 182 } });
  if (!config) return;
  t.same(config.config, announced.config);
  const read = pictureReader('vp9', config);
  t.match(read(small), { key: true, empty: false, config: null });
  t.match(read(next), { key: false, empty: false, config: null });
  const changed = read(large).config;
  t.match(changed, { size: { width: 640, height: 360 } });
  t.match(changed && pictureFacts(changed).codecString, 'vp09.02.21.10');
});

t.test('100,000 damaged frames and 100,000 damaged records end in facts or in a CodecError', async (t) => {
  const frames = await Promise.all(Object.values(streams).map(async ({ args }) => (await ivfFrames(args)).slice(0, 2)));
  const heads = frames.flat().map((frame) => frame.subarray(0, 24));
  const read = pictureReader('vp9', null);
  const shapes = fuzz((input) => {
    const { config } = read(input);
    const size = config?.size;
    if (size && !(size.width > 0 && size.height > 0 && size.width <= 16_384 && size.height <= 16_384)) throw new Error('size');
    if (config) pictureFacts(config);
  }, CodecError, heads);
  t.ok(shapes.accepted > 1000 && shapes.refused > 1000, `${shapes.accepted} accepted, ${shapes.refused} refused`);
  const records = fuzz((input) => vp9CodecString(parseVp9Config(vp9ConfigOf(input))), CodecError, [await boxOf('vpcC', streams['profile 0']?.args ?? [])]);
  t.ok(records.accepted > 1000 && records.refused > 1000, `${records.accepted} accepted, ${records.refused} refused`);
});

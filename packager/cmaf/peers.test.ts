/** Clips of x264 and ffmpeg's AAC, packaged by us, judged by ffmpeg, ffprobe and mp4box. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile, Log, MP4BoxBuffer, type Movie, type Sample as Mp4Sample } from 'mp4box';
import t from 'tap';
import { decodeErrors, encoded, probe, run, scratch } from '../../test/support/encoded.ts';
import { readFlv } from '../../test/support/flv.ts';
import { parseAudioSpecificConfig } from '../media/aac.ts';
import { normaliseAvc, parseAvcConfig, parseSps } from '../media/h264.ts';
import { fragment, type Sample } from './fragment.ts';
import { initSegment } from './init.ts';
import { readFragments, readInit } from './reader.ts';

const frames = 60;
const ticks = 3000;
const timescale = 90_000;
const source = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=30:duration=${frames / 30}`];
const sound = ['-f', 'lavfi', '-i', `sine=440:duration=${frames / 30}:sample_rate=48000`, '-ac', '2', '-c:a', 'aac'];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '30'];

t.before(() => mkdir(scratch, { recursive: true }));
t.teardown(() => rm(scratch, { recursive: true }));

type Packaged = { readonly init: Buffer; readonly parts: readonly Buffer[]; readonly samples: readonly Sample[] };

/** Splits samples into fragments of `count`, the first of them at `base`. */
const package_ = (kind: 'video' | 'audio', init: Buffer, samples: readonly Sample[], count: number, base: number): Packaged => {
  const parts: Buffer[] = [];
  let baseDecodeTime = base;
  for (let at = 0; at < samples.length; at += count) {
    const some = samples.slice(at, at + count);
    parts.push(Buffer.concat(fragment({ sequence: parts.length + 1, baseDecodeTime, kind, samples: some })));
    baseDecodeTime += some.reduce((sum, { duration }) => sum + duration, 0);
  }
  return { init, parts, samples };
};

const clip = async (options: readonly string[]) => {
  const path = await encoded('flv', [...source, ...sound, ...x264, ...options]);
  const { avcConfig, aacConfig, units } = readFlv(await readFile(path));
  if (!avcConfig || !aacConfig) throw new Error('the clip has no configuration');
  return { path, avcConfig, aacConfig, units };
};

/** Milliseconds back onto the grid of frames, and the reorder delay taken out. */
const packageVideo = async (options: readonly string[], base = 0): Promise<Packaged & { path: string }> => {
  const { path, avcConfig, units } = await clip(options);
  const [sps] = parseAvcConfig(avcConfig).sps;
  const { width, height } = parseSps(sps ?? Buffer.alloc(0));
  const pictures = units.filter(({ kind }) => kind === 'video');
  const frame = (ms: number) => Math.round((ms * 30) / 1000);
  const delay = frame((pictures[0]?.pts ?? 0) - (pictures[0]?.dts ?? 0));
  const samples = pictures.map(({ dts, pts, data: wire }): Sample => {
    const { data, idr } = normaliseAvc(wire, 4);
    const compositionOffset = (frame(pts - dts) - delay) * ticks;
    return { duration: ticks, size: data.length, key: idr, compositionOffset, data };
  });
  const init = initSegment({ kind: 'video', codec: 'h264', config: avcConfig, timescale, width, height });
  return { path, ...package_('video', init, samples, 10, base) };
};

const packageAudio = async (base = 0): Promise<Packaged> => {
  const { aacConfig, units } = await clip(['-bf', '0']);
  const { sampleRate, channels } = parseAudioSpecificConfig(aacConfig);
  const samples = units
    .filter(({ kind }) => kind === 'audio')
    .map(({ data }): Sample => ({ duration: 1024, size: data.length, key: true, compositionOffset: 0, data }));
  const init = initSegment({ kind: 'audio', codec: 'aac', config: aacConfig, timescale: sampleRate, sampleRate, channels });
  return package_('audio', init, samples, 16, base);
};

const save = async (name: string, { init, parts }: Packaged): Promise<string> => {
  const path = join(scratch, `${name}.mp4`);
  await writeFile(path, [init, ...parts]);
  return path;
};

const kinds: Record<string, { options: string[]; negative: boolean }> = {
  'without B-frames': { options: ['-bf', '0'], negative: false },
  'with a pyramid of three B-frames': { options: ['-bf', '3', '-x264-params', 'b-pyramid=normal:b-adapt=0'], negative: true },
  'in slices, with delimiters and in-band parameter sets': { options: ['-bf', '2', '-x264-params', 'slices=4:aud=1:repeat-headers=1'], negative: true }, // prettier-ignore
};

type Packets = { packets: { pts: number; dts: number; flags: string; size: string }[] };

for (const [name, { options, negative }] of Object.entries(kinds)) {
  t.test(`ffmpeg decodes H.264 ${name}: every frame, every time stamp, every pixel`, async (t) => {
    const base = 2 ** 33 + 90_000;
    const packaged = await packageVideo(options, base);
    t.equal(packaged.samples.length, frames);
    t.equal(packaged.samples.some(({ compositionOffset }) => compositionOffset < 0), negative, 'negative composition offsets');
    const path = await save('video', packaged);
    t.equal(await decodeErrors(['-xerror', '-i', path]), '', 'not one error');

    const { packets } = (await probe(path, '-show_packets')) as Packets;
    // Against negative offsets ffmpeg moves all pts of a fragmented file by the largest of them.
    const shift = -Math.min(...packaged.samples.map(({ compositionOffset }) => compositionOffset));
    t.same(packets.map(({ dts }) => dts), packaged.samples.map((_, i) => base + i * ticks), 'dts');
    t.same(packets.map(({ pts }) => pts - shift), packaged.samples.map((one, i) => base + i * ticks + one.compositionOffset), 'pts');
    t.same(packets.map(({ pts }) => pts - shift).sort((a, b) => a - b), packaged.samples.map((_, i) => base + i * ticks), 'no gap');
    t.same(packets.map(({ flags }) => flags.startsWith('K')), packaged.samples.map(({ key }) => key), 'key frames');
    t.same(packets.map(({ size }) => Number(size)), packaged.samples.map(({ size }) => size), 'sizes');

    const picture = (input: string) => run(['-i', input, '-map', '0:v', '-vsync', '0', '-f', 'framehash', '-']);
    const hashes = (listing: Buffer) => listing.toString().split('\n').filter((line) => line.startsWith('0,')).map((line) => line.split(',').at(-1)); // prettier-ignore
    const ours = hashes(await picture(path));
    t.equal(ours.length, frames);
    t.same(ours, hashes(await picture(packaged.path)), 'the pictures are those of the source');
  });
}

t.test('ffmpeg decodes AAC, and hears what the source has', async (t) => {
  const base = 2 ** 34;
  const packaged = await packageAudio(base);
  const path = await save('audio', packaged);
  t.equal(await decodeErrors(['-xerror', '-i', path]), '');
  const { packets } = (await probe(path, '-show_packets')) as Packets;
  t.same(packets.map(({ pts }) => pts), packaged.samples.map((_, i) => base + i * 1024));
  const { path: original } = await clip(['-bf', '0']);
  const pcm = (input: string) => run(['-i', input, '-map', '0:a', '-f', 's16le', '-']);
  t.same(await pcm(path), await pcm(original));
});

t.test('any fragment plays behind the init segment, as after a seek', async (t) => {
  const packaged = await packageVideo(['-bf', '2']);
  const from = packaged.parts.slice(3); // 10 frames a fragment, a key frame every 30
  const path = await save('seek', { ...packaged, parts: from });
  t.equal(await decodeErrors(['-xerror', '-i', path]), '');
  const { packets } = (await probe(path, '-show_packets')) as Packets;
  t.equal(packets[0]?.dts, 30 * ticks);
  t.equal(packets.length, 30);
});

t.test('pixel shape and colour of the SPS stand in the sample entry', async (t) => {
  const colour = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];
  const packaged = await packageVideo(['-bf', '0', '-vf', 'setsar=4/3', ...colour]);
  const path = await save('colour', packaged);
  const { streams } = (await probe(path, '-show_streams')) as { streams: unknown[] };
  t.match(streams[0], { width: 320, height: 180, sample_aspect_ratio: '4:3', color_space: 'bt709', color_range: 'tv', codec_tag_string: 'avc1' });
  // BT.709 is 1 in each of the three tables of ISO 23091-2.
  t.ok(packaged.init.includes(Buffer.from('00000013636f6c726e636c7800010001000100', 'hex')), 'colr');
  t.ok(packaged.init.includes(Buffer.from('00000010706173700000000400000003', 'hex')), 'pasp');
});

/** What mp4box makes of an init segment and its fragments. */
const judge = (bytes: Buffer): { info: Movie; samples: Mp4Sample[]; tfdt: number[]; errors: string[] } => {
  const errors: string[] = [];
  // It says to the log alone what it finds odd.
  for (const level of ['error', 'warn'] as const) Log[level] = (module, message) => void errors.push(`${module}: ${message}`);
  const file = createFile(true);
  file.onError = (module, message) => errors.push(`${module}: ${message}`);
  const copy = new Uint8Array(bytes).buffer;
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(copy, 0), true);
  file.flush();
  const tfdt = file.moofs.map((moof) => moof.trafs[0]?.tfdt.baseMediaDecodeTime ?? -1);
  return { info: file.getInfo(), samples: file.getTrackSamplesInfo(1), tfdt, errors };
};

t.test('mp4box agrees on codec, sizes, times and key frames', async (t) => {
  const video = await packageVideo(['-bf', '3'], 2 ** 33);
  const audio = await packageAudio(2 ** 33);
  for (const packaged of [video, audio]) {
    const bytes = Buffer.concat([packaged.init, ...packaged.parts]);
    const { info, samples, tfdt, errors } = judge(bytes);
    const facts = readInit(packaged.init);
    const fragments = readFragments(bytes);
    t.same(errors, []);
    t.equal(info.tracks.length, 1);
    t.match(info.tracks[0], { id: 1, timescale: facts.timescale, language: 'und', type: facts.kind });
    t.equal(info.tracks[0]?.codec.toLowerCase(), facts.codecString.toLowerCase());
    if (facts.kind === 'video') t.match(info.tracks[0]?.video, { width: facts.width, height: facts.height });
    if (facts.kind === 'audio') t.match(info.tracks[0]?.audio, { sample_rate: facts.sampleRate, channel_count: facts.channels });
    t.same(tfdt, fragments.map(({ baseDecodeTime }) => baseDecodeTime));
    let dts = 2 ** 33;
    const expected = packaged.samples.map(({ duration, size, key, compositionOffset }) => {
      const row = { dts, cts: dts + compositionOffset, duration, size, is_sync: key };
      dts += duration;
      return row;
    });
    t.same(samples.map(({ dts, cts, duration, size, is_sync }) => ({ dts, cts, duration, size, is_sync })), expected);
    t.same(samples.map(({ offset, size }) => bytes.subarray(offset, offset + size)), packaged.samples.map(({ data }) => data));
  }
});

/** Slice headers, measured by ffmpeg's own reading of them: streams of real encoders, and crafted ones for what those never write. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { encoded, scratch } from '../../test/support/encoded.ts';
import { Random } from '../../test/support/random.ts';
import { fragment } from '../cmaf/fragment.ts';
import { initSegment } from '../cmaf/init.ts';
import { CodecError } from './codec-error.ts';
import { craftStream } from './h264-crafted.ts';
import { encodeAvcConfig } from './h264-encode.ts';
import { nalType, rbsp, typeOf } from './h264-nal.ts';
import { SliceHeaders } from './h264-slice.ts';

const execute = promisify(execFile);
const noOpenH264 = await execute('gst-inspect-1.0', ['--exists', 'openh264enc']).then(() => false as const, () => 'GStreamer has no OpenH264 here' as const);

t.before(() => mkdir(scratch, { recursive: true }));
t.teardown(() => rm(scratch, { recursive: true, force: true }));

/** NAL units of a byte stream (ISO 14496-10, annex B). */
const unitsOf = (stream: Buffer): Buffer[] => {
  const starts: number[] = [];
  for (let at = stream.indexOf('000001', 0, 'hex'); at >= 0; at = stream.indexOf('000001', at + 3, 'hex')) starts.push(at + 3);
  return starts.map((start, index) => {
    let end = (starts[index + 1] ?? stream.length + 3) - 3;
    while (end > start && stream[end - 1] === 0) end -= 1;
    return stream.subarray(start, end);
  });
};

/** Each field that ffmpeg has read, in any header, alone and with what it said: `field_pic_flag`, `field_pic_flag 1`. */
type Seen = Set<string>;

/** Bits of every slice header in the order of the stream, its unit's first byte included, as ffmpeg reads them. */
const traced = async (path: string, seen: Seen): Promise<number[]> => {
  const args = ['-hide_banner', '-nostdin', '-i', path, '-c', 'copy', '-copyinkf', '-bsf:v', 'trace_headers', '-f', 'null', '-'];
  const { stderr } = await execute(process.env['FFMPEG_PATH'] ?? 'ffmpeg', args, { maxBuffer: 256 << 20 });
  const lengths: number[] = [];
  let isSlice = false;
  // What the demuxer traces to find out what it has comes before the first packet.
  for (const line of stderr.slice(stderr.indexOf('] Packet: ')).split('\n')) {
    const said = /^\[trace_headers @ \w+\] (.*)$/.exec(line)?.[1];
    if (said === undefined) continue;
    const [, at, name, bits, value] = /^(\d+)\s+(\w+)\S*\s+([01]*) = (-?\d+)$/.exec(said) ?? [];
    if (bits !== undefined) {
      seen.add(`${name}`).add(`${name} ${value}`);
      if (isSlice) lengths[lengths.length - 1] = Number(at) + bits.length;
    } else {
      isSlice = said === 'Slice Header';
      if (isSlice) lengths.push(0);
    }
  }
  return lengths;
};

/** The least of the unit whose payload has so many bits: emulation prevention is counted by taking it out, again and again. */
const bytesOf = (nal: Buffer, bits: number): number => {
  const wanted = Math.ceil(bits / 8) - 1;
  let length = wanted;
  while (rbsp(nal, length).length < wanted) length += 1;
  return length;
};

const isSlice = (nal: Buffer): boolean => typeOf(nal) === nalType.slice || typeOf(nal) === nalType.idr;

const configOf = (units: readonly Buffer[]): Buffer => {
  const sets = (type: number): Buffer[] => units.filter((nal) => typeOf(nal) === type);
  return encodeAvcConfig(unique(sets(nalType.sps)), unique(sets(nalType.pps)));
};

const compare = async (t: Test, units: readonly Buffer[], path: string, seen: Seen): Promise<number> => {
  const headers = new SliceHeaders(configOf(units));
  const slices = units.filter(isSlice);
  const expected = await traced(path, seen);
  t.equal(slices.length, expected.length, 'as many slices');
  t.same(slices.map((nal) => headers.length(nal)), slices.map((nal, at) => bytesOf(nal, expected[at] ?? 0)));
  return slices.length;
};

const unique = (sets: readonly Buffer[]): Buffer[] => sets.filter((set, at) => sets.findIndex((other) => other.equals(set)) === at);

const film = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=1,noise=alls=12:allf=t,fade=in:0:15'];
const x264 = (params: string, ...more: string[]): string[] => [...film, ...more, '-c:v', 'libx264', '-preset', 'medium', '-x264-params', `threads=1:keyint=20:${params}`];

const streams: readonly (readonly [string, string[]])[] = [
  ['Baseline, CAVLC', x264('', '-profile:v', 'baseline')],
  ['Main, CABAC, weighted prediction of fades', x264('weightp=2:bframes=0', '-profile:v', 'main')],
  ['Main, CAVLC, B-frames', x264('cabac=0:bframes=2', '-profile:v', 'main')],
  ['High, B-pyramid, weighted B', x264('bframes=5:b-pyramid=normal:weightb=1:b-adapt=2')],
  ['High, B-pyramid kept strict', x264('bframes=5:b-pyramid=strict')],
  ['sixteen references, changed in order', x264('ref=16:bframes=3:b-pyramid=normal:weightp=2:mixed-refs=1')],
  ['open GOPs', x264('open-gop=1:bframes=3')],
  ['only key frames', x264('keyint=1')],
  ['four slices a picture', x264('slices=4:weightp=2')],
  ['slices of 300 bytes', x264('slice-max-size=300')],
  ['slices of a row', x264('slice-max-mbs=20:bframes=2')],
  ['no deblocking', x264('no-deblock=1')],
  ['deblocking told slice by slice', x264('deblock=-2,3')],
  ['interlaced, top first', x264('interlaced=1:tff=1:bframes=2:weightp=1')],
  ['interlaced, bottom first, CAVLC', x264('interlaced=1:bff=1:cabac=0')],
  ['frames marked as fields', x264('fake-interlaced=1:pic-struct=1')],
  ['constant rate with its timing', x264('nal-hrd=cbr:vbv-maxrate=500:vbv-bufsize=500:bitrate=500:aud=1')],
  ['keys that are spread over pictures', x264('intra-refresh=1')],
  ['4:2:2 of ten bits', x264('bframes=2', '-pix_fmt', 'yuv422p10le')],
  ['4:4:4, every sample in one plane', x264('bframes=2:weightp=2', '-pix_fmt', 'yuv444p')],
  ['grey', x264('weightp=2', '-pix_fmt', 'gray')],
  ['a lossless picture', x264('qp=0', '-profile:v', 'high444')],
  ['red, green and blue', [...film, '-c:v', 'libx264rgb', '-preset', 'medium', '-x264-params', 'threads=1:keyint=20:bframes=2:weightp=2']],
];

/** OpenH264, which browsers have for calls, by way of GStreamer. */
const openH264 = (profile: string, more: string, pattern = 'ball'): string[] => [
  ...['-q', 'videotestsrc', 'num-buffers=30', `pattern=${pattern}`, '!', 'video/x-raw,format=I420,width=320,height=180,framerate=30/1'],
  ...['!', 'openh264enc', 'gop-size=15', 'multi-thread=1', ...more.split(' '), '!', `video/x-h264,stream-format=byte-stream,profile=${profile}`],
];
const ofOpenH264: readonly (readonly [string, string[]])[] = [
  ['constrained Baseline', openH264('constrained-baseline', 'rate-control=off')],
  ['of a screen, with changes of scene', openH264('main', 'usage-type=screen scene-change-detection=true rate-control=off', 'smpte')],
  ['High, four slices, deblocked each by itself', openH264('high', 'slice-mode=n-slices num-slices=4 deblocking=not-slice-boundaries')],
  ['slices of 400 bytes, not deblocked', openH264('main', 'slice-mode=auto max-slice-size=400 deblocking=off rate-control=off', 'snow')],
];

const byEncoders: Seen = new Set();
const crafted: Seen = new Set();

t.test('streams of x264', async (t) => {
  for (const [name, args] of streams) {
    await t.test(name, async (t) => {
      const path = await encoded('h264', args);
      t.ok((await compare(t, unitsOf(await readFile(path)), path, byEncoders)) >= 20);
    });
  }
});

t.test('streams of OpenH264', { skip: noOpenH264 }, async (t) => {
  for (const [at, [name, args]] of ofOpenH264.entries()) {
    await t.test(name, async (t) => {
      const path = join(scratch, `openh264-${at}.h264`);
      await execute('gst-launch-1.0', [...args, '!', 'filesink', `location=${path}`]);
      t.ok((await compare(t, unitsOf(await readFile(path)), path, byEncoders)) >= 20);
    });
  }
});

/** In a container that says how large the pictures are: nobody can decode these. */
const filmOf = (units: readonly Buffer[]): Buffer => {
  const init = initSegment({ kind: 'video', codec: 'h264', config: configOf(units), timescale: 30, width: 320, height: 180 });
  const samples = units.filter(isSlice).map((nal, at) => {
    const data = Buffer.concat([Buffer.alloc(4), nal]);
    data.writeUInt32BE(nal.length);
    return { duration: 1, size: data.length, key: at === 0, compositionOffset: 0, data };
  });
  return Buffer.concat([init, ...fragment({ kind: 'video', sequence: 1, baseDecodeTime: 0, samples })]);
};

t.test('what encoders hardly write: long references, fields, slice groups, switching pictures, every order, planes apart', async (t) => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const units = unitsOf(craftStream(new Random(seed), 30));
    const path = join(scratch, `crafted-${seed}.mp4`);
    await writeFile(path, filmOf(units));
    await compare(t, units, path, crafted);
  }
});

t.test('all that a slice header may say was said in one of them', async (t) => {
  t.ok(streams.length + ofOpenH264.length >= 20);
  const said: readonly (readonly [string, Seen, readonly string[]])[] = [
    ['CAVLC and CABAC', byEncoders, ['entropy_coding_mode_flag 0', 'entropy_coding_mode_flag 1', 'cabac_init_idc 0']],
    ['profiles', byEncoders, ['profile_idc 66', 'profile_idc 77', 'profile_idc 100', 'profile_idc 122', 'profile_idc 244']],
    ['fields in frames, macroblock by macroblock', byEncoders, ['frame_mbs_only_flag 0', 'mb_adaptive_frame_field_flag 1', 'field_pic_flag 0']],
    ['fields alone', crafted, ['field_pic_flag 1', 'bottom_field_flag 0', 'bottom_field_flag 1']],
    ['weights', byEncoders, ['weighted_pred_flag 1', 'luma_weight_l0_flag 1', 'weighted_bipred_idc 2']],
    ['weights of B slices, of colours', crafted, ['luma_weight_l1_flag 1', 'chroma_weight_l0_flag 1', 'chroma_weight_l1_flag 1']],
    ['many slices', byEncoders, ['first_mb_in_slice 0', 'first_mb_in_slice 20']],
    ['references: how many, in which order, and which go', byEncoders, ['num_ref_idx_active_override_flag 1', 'ref_pic_list_modification_flag_l0 1', 'modification_of_pic_nums_idc 0', 'adaptive_ref_pic_marking_mode_flag 1', 'memory_management_control_operation 1']],
    ['long references', crafted, ['long_term_reference_flag 1', 'modification_of_pic_nums_idc 2', ...[2, 3, 4, 5, 6].map((operation) => `memory_management_control_operation ${operation}`)]],
    ['deblocking', byEncoders, ['disable_deblocking_filter_idc 0', 'disable_deblocking_filter_idc 1']],
    ['orders of pictures', crafted, ['pic_order_cnt_lsb', 'delta_pic_order_cnt_bottom', 'delta_pic_order_cnt']],
    ['switching pictures, planes apart, redundant pictures, slice groups', crafted, ['slice_type 3', 'slice_type 4', 'colour_plane_id 2', 'redundant_pic_cnt 1', 'slice_group_change_cycle 1']],
  ];
  for (const [what, seen, fields] of said) t.same(fields.filter((field) => !seen.has(field)), [], what);
});

t.test('what is damaged is refused, or has a length within the unit', async (t) => {
  const units = unitsOf(await readFile(await encoded('h264', x264('ref=16:bframes=3:b-pyramid=normal:weightp=2:mixed-refs=1'))));
  const headers = new SliceHeaders(configOf(units));
  const slices = units.filter(isSlice).map((nal) => nal.subarray(0, 300));
  const random = new Random(264);
  let [read, refused] = [0, 0];
  for (let round = 0; round < 100_000; round += 1) {
    const damaged = Buffer.from(slices[random.below(slices.length)] ?? []);
    for (let hits = 1 + random.below(4); hits > 0; hits -= 1) damaged[1 + random.below(24)] = random.below(256);
    const nal = damaged.subarray(0, 1 + random.below(damaged.length));
    try {
      const length = headers.length(nal);
      if (length > nal.length) t.fail(`a header of ${length} bytes in a unit of ${nal.length}`);
      read += 1;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      refused += 1;
    }
  }
  t.ok(read > 1000 && refused > 1000, `${read} were read, ${refused} refused`);
  t.throws(() => headers.length(Buffer.from([0x02, 0xff])), { code: 'unsupported' }, 'a partition of a slice');
});

t.test('a set that cannot be read keeps nobody from slices of others, and is what is said of its own', async (t) => {
  const units = unitsOf(await readFile(await encoded('h264', x264('slices=4:weightp=2'))));
  const sets = (type: number): Buffer[] => unique(units.filter((nal) => typeOf(nal) === type));
  const [sps, pps, slices] = [sets(nalType.sps), sets(nalType.pps), units.filter(isSlice)];
  const whole = new SliceHeaders(encodeAvcConfig(sps, pps));
  const lengths = slices.map((nal) => whole.length(nal));
  // Its number would be beyond all that there may be.
  const broken = Buffer.from([nalType.pps, 0, 0, 0, 1]);
  const beside = new SliceHeaders(encodeAvcConfig(sps, [...pps, broken]));
  t.same(slices.map((nal) => beside.length(nal)), lengths);
  const alone = new SliceHeaders(encodeAvcConfig(sps, [broken]));
  t.throws(() => slices.map((nal) => alone.length(nal)), { name: 'CodecError', message: /^(?!a slice names)/ });
});

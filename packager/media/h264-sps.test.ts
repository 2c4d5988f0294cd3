import { readFile } from 'node:fs/promises';
import t from 'tap';
import { encoded, probe } from '../../test/support/encoded.ts';
import { fuzz } from '../../test/support/random.ts';
import { BitWriter } from './bits.ts';
import { CodecError } from './codec-error.ts';
import { nalType, typeOf } from './h264-nal.ts';
import { encodeAvcConfig, parseAvcConfig, parseSps } from './h264.ts';

/** NAL units of an Annex B file. */
const split = (file: Buffer): Buffer[] => {
  const starts: number[] = [];
  for (let at = file.indexOf('000001', 0, 'hex'); at >= 0; at = file.indexOf('000001', at + 3, 'hex')) starts.push(at);
  return starts.map((start, i) => {
    let end = starts[i + 1] ?? file.length;
    while (end > start + 3 && i + 1 < starts.length && file[end - 1] === 0) end -= 1; // zero_byte of a 4-byte start code
    return file.subarray(start + 3, end);
  });
};

const parameterSets = async (path: string) => {
  const nals = split(await readFile(path));
  return {
    sps: nals.filter((nal) => typeOf(nal) === nalType.sps).slice(0, 1),
    pps: nals.filter((nal) => typeOf(nal) === nalType.pps).slice(0, 1),
  };
};

type Probed = {
  streams: [
    {
      profile: string;
      level: number;
      width: number;
      height: number;
      pix_fmt: string;
      r_frame_rate: string;
      has_b_frames: number;
      field_order?: string;
      sample_aspect_ratio?: string;
      color_space?: string;
      color_transfer?: string;
      color_primaries?: string;
      color_range?: string;
    },
  ];
};

const profileName = (profile: number, compatibility: number): string => {
  const intra = (compatibility & 0x10) !== 0 ? ' Intra' : '';
  if (profile === 66) return (compatibility & 0x40) !== 0 ? 'Constrained Baseline' : 'Baseline';
  const names: Record<number, string> = {
    77: 'Main',
    100: 'High',
    110: `High 10${intra}`,
    122: `High 4:2:2${intra}`,
    244: 'High 4:4:4 Predictive',
  };
  return names[profile] ?? String(profile);
};

/** By chroma_format_idc; ffmpeg decodes monochrome of 8 bits into 4:2:0 with empty chroma. */
const pixels = ['yuv420p', 'yuv420p', 'yuv422p', 'yuv444p'];
const source = (size: string, rate = '30') => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`, '-frames:v', '6'];
const x264 = (...options: string[]) => ['-c:v', 'libx264', '-preset', 'veryfast', ...options];

const streams: Record<string, string[]> = {
  'constrained baseline': [...source('176x144', '15'), ...x264('-profile:v', 'baseline', '-pix_fmt', 'yuv420p')],
  'main, 29.97, B-frames': [...source('426x240', '30000/1001'), ...x264('-profile:v', 'main', '-pix_fmt', 'yuv420p', '-bf', '3')],
  'high, cropped to 1080 lines': [...source('1920x1080', '60'), ...x264('-profile:v', 'high', '-pix_fmt', 'yuv420p')],
  'high, interlaced, cropped': [...source('1920x1080', '25'), ...x264('-flags', '+ilme+ildct', '-x264-params', 'tff=1', '-pix_fmt', 'yuv420p')],
  'odd crop on all sides': [...source('322x182'), ...x264('-pix_fmt', 'yuv420p')],
  'anamorphic PAL': [...source('720x576', '25'), '-vf', 'setsar=16/11', ...x264('-pix_fmt', 'yuv420p')],
  'a pixel shape of its own': [...source('320x240'), '-vf', 'setsar=37/36', ...x264('-pix_fmt', 'yuv420p')],
  'HRD and picture structure': [...source('640x360'), ...x264('-pix_fmt', 'yuv420p', '-b:v', '400k', '-maxrate', '400k', '-bufsize', '400k', '-x264-params', 'nal-hrd=cbr:pic-struct=1')],
  'BT.709 limited': [...source('640x360'), ...x264('-pix_fmt', 'yuv420p', '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv')],
  'BT.2020 PQ, full range, 10 bit': [...source('640x360'), ...x264('-pix_fmt', 'yuv420p10le', '-colorspace', 'bt2020nc', '-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-color_range', 'pc')],
  '4:2:2 10 bit, cropped': [...source('322x182'), ...x264('-pix_fmt', 'yuv422p10le')],
  '4:2:2 10 bit, intra only, AVC-Intra class 100': [...source('1920x1080', '25'), ...x264('-pix_fmt', 'yuv422p10le', '-x264-params', 'avcintra-class=100:tff=1', '-flags', '+ilme+ildct')],
  '4:4:4 lossless, cropped by single pixels': [...source('321x181'), ...x264('-pix_fmt', 'yuv444p', '-qp', '0')],
  'monochrome': [...source('322x182'), ...x264('-pix_fmt', 'gray')],
  'scaling matrices': [...source('320x180'), ...x264('-pix_fmt', 'yuv420p', '-x264-params', 'cqm=jvt')],
  'no reordering, no VUI restrictions': [...source('320x180'), ...x264('-pix_fmt', 'yuv420p', '-tune', 'zerolatency')],
}; // prettier-ignore

const spsOf = async (args: readonly string[]): Promise<Buffer> => {
  const { sps } = await parameterSets(await encoded('h264', args));
  const [first] = sps;
  if (!first) throw new Error('ffmpeg wrote no SPS');
  return first;
};

for (const [name, args] of Object.entries(streams)) {
  t.test(`an SPS tells what ffprobe finds: ${name}`, async (t) => {
    const path = await encoded('h264', args);
    const { streams: [found] } = (await probe(path, '-show_streams')) as Probed; // prettier-ignore
    const sps = parseSps(await spsOf(args));
    t.equal(sps.width, found.width);
    t.equal(sps.height, found.height);
    t.equal(profileName(sps.profile, sps.compatibility), found.profile);
    t.equal(sps.level, found.level);
    const deep = sps.bitDepth > 8 ? `${sps.bitDepth}le` : '';
    t.match(found.pix_fmt.replace('yuvj', 'yuv'), `${pixels[sps.chromaFormat]}${deep}`);
    const [ticks = 0, unit = 1] = found.r_frame_rate.split('/').map(Number);
    t.ok(sps.frameRate !== null && Math.abs(sps.frameRate - ticks / unit) < 0.001, `${sps.frameRate} fps`);
    // AVC-Intra may hold fields, but these pictures are frames, and the probe looks at pictures.
    t.equal(sps.interlaced, args.includes('+ilme+ildct'));
    if (found.field_order !== 'progressive' && found.field_order) t.equal(sps.interlaced, true);
    if (sps.maxNumReorderFrames !== null) t.equal(sps.maxNumReorderFrames, found.has_b_frames);
    if (sps.sar) t.equal(`${sps.sar.width}:${sps.sar.height}`, found.sample_aspect_ratio);
    if (found.color_range) t.equal(sps.colour?.fullRange, found.color_range === 'pc');
    const coded: Record<string, number> = { bt709: 1, bt2020: 9, bt2020nc: 9, smpte2084: 16 };
    if (found.color_space && coded[found.color_space]) t.equal(sps.colour?.matrix, coded[found.color_space]);
    if (found.color_transfer) t.equal(sps.colour?.transfer, coded[found.color_transfer]);
    if (found.color_primaries) t.equal(sps.colour?.primaries, coded[found.color_primaries]);
  });
}

t.test('a record made of bare parameter sets is the one that ffmpeg makes of them', async (t) => {
  const args = streams['main, 29.97, B-frames'] ?? [];
  const high = streams['4:2:2 10 bit, cropped'] ?? [];
  for (const one of [args, high]) {
    const { sps, pps } = await parameterSets(await encoded('h264', one));
    const record = encodeAvcConfig(sps, pps);
    const mp4 = await readFile(await encoded('mp4', one));
    t.ok(mp4.includes(record), 'byte for byte in the mp4 of the same stream');
    t.same(parseAvcConfig(record).sps, sps);
  }
  t.throws(() => encodeAvcConfig([], []), { code: 'invalid' });
});

/** An SPS of ones own: the fields that x264 never writes. */
const write = (fields: (out: { ue: (value: number) => void; bits: (value: number, count: number) => void }) => void, profile: number): Buffer => {
  const out = new BitWriter().bits(0x67, 8).bits(profile, 8).bits(0, 8).bits(30, 8);
  const ue = (value: number) => {
    const length = Math.floor(Math.log2(value + 1));
    out.bits(0, length).bits(value + 1, length + 1);
  };
  fields({ ue, bits: (value, count) => void out.bits(value, count) });
  out.bits(1, 1);
  // Emulation prevention, as any encoder has to write it.
  const escaped: number[] = [];
  for (const byte of out.bytes()) {
    if (byte <= 3 && escaped.at(-1) === 0 && escaped.at(-2) === 0) escaped.push(3);
    escaped.push(byte);
  }
  return Buffer.from(escaped);
};

t.test('picture order type 1, scaling lists and fields without VUI are read over correctly', async (t) => {
  const sps = write(({ ue, bits }) => {
    for (const value of [0, 1, 0, 0]) ue(value); // id, 4:2:0, 8 bit, 8 bit
    bits(0, 1);
    bits(1, 1); // a scaling matrix
    for (let list = 0; list < 8; list += 1) {
      bits(list % 2, 1);
      if (list % 2 === 1) {
        for (let i = 0; i < 3; i += 1) ue(3); // three steps of +2
        ue(2 * 14); // -14 leads to 0: the rest repeats
      }
    }
    ue(0);
    ue(1); // picture order type 1
    bits(0, 1);
    for (const value of [0, 0, 3, 1, 2, 3]) ue(value);
    ue(2);
    bits(0, 1);
    ue(44); // 720 wide
    ue(17); // 576 in fields
    bits(0b001, 3); // fields, no adaptive coding, direct 8x8
    bits(0, 2); // no cropping, no VUI
  }, 100);
  t.match(parseSps(sps), { width: 720, height: 576, interlaced: true, sar: null, frameRate: null, colour: null, maxNumReorderFrames: null });
});

t.test('order type 2 promises that nothing is reordered', async (t) => {
  const sps = write(({ ue, bits }) => {
    for (const value of [0, 0, 2, 1]) ue(value);
    bits(0, 1);
    ue(19);
    ue(14);
    bits(0b11, 2);
    bits(0, 2);
  }, 66);
  t.match(parseSps(sps), { width: 320, height: 240, maxNumReorderFrames: 0 });
});

t.test('sizes beyond every level and cropping that leaves nothing are refused', async (t) => {
  const sized = (width: number, height: number, crop: number) =>
    write(({ ue, bits }) => {
      for (const value of [0, 0, 2, 1]) ue(value);
      bits(0, 1);
      ue(width / 16 - 1);
      ue(height / 16 - 1);
      bits(0b11, 2);
      bits(1, 1);
      for (let side = 0; side < 4; side += 1) ue(crop);
      bits(0, 1);
    }, 66);
  t.match(parseSps(sized(64, 64, 4)), { width: 48, height: 48 });
  t.throws(() => parseSps(sized(32_768, 64, 0)), { code: 'limit' });
  t.throws(() => parseSps(sized(64, 64, 16)), { code: 'invalid' });
  t.throws(() => parseSps(Buffer.from([0x68, 1, 2, 3])), { code: 'invalid' });
  t.throws(() => parseSps(Buffer.alloc(5000, 0x67)), { code: 'limit' });
});

t.test('100,000 damaged SPS end in facts or in a CodecError', async (t) => {
  const valid = await Promise.all(Object.values(streams).map(spsOf));
  const { accepted, refused } = fuzz((input) => {
    const { width, height } = parseSps(input);
    if (!(width > 0 && height > 0 && width <= 16_384 && height <= 16_384)) throw new Error(`${width} x ${height}`);
  }, CodecError, valid);
  t.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});

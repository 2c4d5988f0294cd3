import { readFile } from 'node:fs/promises';
import t from 'tap';
import { encoded, probe } from '../../test/support/encoded.ts';
import { fuzz } from '../../test/support/random.ts';
import { CodecError } from './codec-error.ts';
import { hevcCodecString, parseHevcConfig } from './hevc-config.ts';
import { parseHevcSps } from './hevc-sps.ts';

const x265 = (size: string, pixels: string, params: string, ...options: string[]): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-frames:v', '8', ...options, '-pix_fmt', pixels],
  ...['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', `log-level=error:${params}`, '-tag:v', 'hvc1'],
];

const streams: Record<string, readonly string[]> = {
  'Main, cropped': x265('322x182', 'yuv420p', 'keyint=8'),
  'Main 10, PQ': x265('320x180', 'yuv420p10le', 'colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=full'),
  '4:2:2 of 10 bits': x265('322x182', 'yuv422p10le', 'keyint=8'),
  '4:4:4': x265('321x181', 'yuv444p', 'keyint=8'),
  'anamorphic, with scaling lists': x265('320x180', 'yuv420p', 'scaling-list=default:colorprim=bt709:transfer=bt709:colormatrix=bt709', '-vf', 'setsar=4/3'),
  'in temporal layers, with many references': x265('320x180', 'yuv420p', 'temporal-layers=3:bframes=7:rc-lookahead=20:ref=6:b-adapt=0:transfer=arib-std-b67'),
}; // prettier-ignore

/** hvcC of a small file of ours: no need for boxes here. */
const configOf = async (args: readonly string[]): Promise<Buffer> => {
  const file = await readFile(await encoded('mp4', args));
  const at = file.indexOf('hvcC');
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
};

type Probed = { streams: [Record<string, string | number | undefined>] };
const codes: Record<string, number> = { bt709: 1, bt2020: 9, bt2020nc: 9, smpte2084: 16, 'arib-std-b67': 18 };

for (const [name, args] of Object.entries(streams)) {
  t.test(`an SPS of HEVC tells what ffprobe finds: ${name}`, async (t) => {
    const { streams: [found] } = (await probe(await encoded('mp4', args), '-show_streams')) as Probed; // prettier-ignore
    const config = parseHevcConfig(await configOf(args));
    const [nal] = config.sps;
    const sps = parseHevcSps(nal ?? Buffer.alloc(0));
    t.same([sps.width, sps.height], [found['width'], found['height']]);
    const deep = sps.bitDepth > 8 ? `${sps.bitDepth}le` : '';
    t.equal(`${['gray', 'yuv420p', 'yuv422p', 'yuv444p'][sps.chromaFormat]}${deep}`, String(found['pix_fmt']).replace('yuvj', 'yuv'));
    t.same([sps.chromaFormat, sps.bitDepth], [config.chromaFormat, config.bitDepth]);
    t.equal(sps.sar ? `${sps.sar.width}:${sps.sar.height}` : '1:1', found['sample_aspect_ratio']);
    const transfer = codes[String(found['color_transfer'])];
    if (transfer !== undefined) t.equal(sps.colour?.transfer, transfer);
    const primaries = codes[String(found['color_primaries'])];
    if (primaries !== undefined) t.equal(sps.colour?.primaries, primaries);
    if (sps.colour) t.equal(sps.colour.fullRange, found['color_range'] === 'pc');
    t.match(hevcCodecString(config), new RegExp(`^hvc1\\.\\d+\\.[0-9A-F]+\\.[LH]${found['level']}(\\.[0-9A-F]+){0,6}$`));
  });
}

t.test('100,000 damaged SPS and 100,000 damaged configurations end in facts or in a CodecError', async (t) => {
  const configs = await Promise.all(Object.values(streams).map(configOf));
  const sets = configs.flatMap((config) => parseHevcConfig(config).sps);
  const shapes = fuzz((input) => {
    const { width, height } = parseHevcSps(input);
    if (!(width > 0 && height > 0 && width <= 16_384 && height <= 16_384)) throw new Error(`${width} x ${height}`);
  }, CodecError, sets);
  t.ok(shapes.accepted > 1000 && shapes.refused > 1000, `${shapes.accepted} accepted, ${shapes.refused} refused`);
  const records = fuzz((input) => hevcCodecString(parseHevcConfig(input)), CodecError, configs);
  t.ok(records.accepted > 1000 && records.refused > 1000, `${records.accepted} accepted, ${records.refused} refused`);
});

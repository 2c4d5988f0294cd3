import { readFile } from 'node:fs/promises';
import t from 'tap';
import { boxOf } from '../../test/support/coded-frames.ts';
import { encoded } from '../../test/support/encoded.ts';
import { ffmpeg } from '../../test/support/ffmpeg.ts';
import { fuzz } from '../../test/support/random.ts';
import { CodecError } from './codec-error.ts';
import { unitsOf } from './h264-nal.ts';
import { hevcCodecString, parseHevcConfig } from './hevc-config.ts';
import { encodeHevcConfig } from './hevc-encode.ts';
import { normaliseHevc } from './hevc-picture.ts';
import { aloneAgain, pictureReader } from './picture.ts';

const args = (size: string, params: string): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-frames:v', '12', '-pix_fmt', 'yuv420p'],
  ...['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', `log-level=error:keyint=4:min-keyint=4:bframes=2:${params}`, '-tag:v', 'hvc1'],
];
const small = args('320x180', 'open-gop=0:aud=1:repeat-headers=1');
const open = args('320x180', 'open-gop=1:repeat-headers=1');
const large = args('640x360', 'open-gop=0:repeat-headers=1');

const wrap = (nals: readonly Buffer[]): Buffer =>
  Buffer.concat(nals.flatMap((nal) => [Buffer.from([0, nal.length >> 16, (nal.length >> 8) & 255, nal.length & 255]), nal]));
/** Pictures of a raw stream: a delimiter, parameter sets or another first slice begins the next one. */
const picturesOf = async (clip: readonly string[]): Promise<Buffer[]> => {
  const raw = await readFile(await encoded('hevc', clip));
  const starts: number[] = [];
  for (let at = raw.indexOf('\0\0\x01', 0, 'latin1'); at >= 0; at = raw.indexOf('\0\0\x01', at + 3, 'latin1')) starts.push(at + 3);
  const nals = starts.map((start, index) => {
    let end = (starts[index + 1] ?? raw.length + 3) - 3;
    while (end > start && raw[end - 1] === 0) end -= 1;
    return raw.subarray(start, end);
  });
  const pictures: Buffer[][] = [];
  let sliced = true;
  for (const nal of nals) {
    const coded = ((nal[0] ?? 0) >> 1) < 32;
    if (sliced) pictures.push([]);
    pictures.at(-1)?.push(nal);
    sliced = coded;
  }
  return pictures.filter((one) => one.length > 0).map(wrap);
};

t.test('parameter sets and delimiters are taken out of the pictures, and key pictures are told by their type', async (t) => {
  const pictures = (await picturesOf(small)).map(normaliseHevc);
  t.same(pictures.map(({ key }) => key), pictures.map((_, index) => index % 4 === 0));
  t.ok(pictures.every(({ empty }) => !empty));
  const [first] = pictures;
  if (!first?.parameterSets) return t.fail('no parameter sets');
  t.same([first.parameterSets.vps.length, first.parameterSets.sps.length, first.parameterSets.pps.length], [1, 1, 1]);
  const again = normaliseHevc(first.data);
  t.equal(again.data, first.data, 'what has none is not copied');
  t.equal(again.parameterSets, null);
  const made = parseHevcConfig(encodeHevcConfig(first.parameterSets));
  const theirs = parseHevcConfig(await boxOf('hvcC', small));
  t.same(made.sps, theirs.sps);
  t.same([made.level, made.bitDepth, made.chromaFormat, made.lengthSize], [theirs.level, theirs.bitDepth, theirs.chromaFormat, theirs.lengthSize]);
  t.equal(hevcCodecString(made), hevcCodecString(theirs));
});

t.test('an open GOP begins with a key picture, too', async (t) => {
  const keys = (await picturesOf(open)).map(normaliseHevc).filter(({ key }) => key);
  t.same(keys.map(({ data }) => aloneAgain('hevc', data) === data), [true, false, false]);
});

t.test('the key picture of an open GOP comes again and again in the middle of its group, as one that stands alone: ffmpeg decodes every picture', async (t) => {
  const sent = await picturesOf(open);
  const read = sent.map(normaliseHevc);
  const at = read.findIndex(({ key }, index) => key && index > 0);
  const again = aloneAgain('hevc', read[at]?.data ?? Buffer.alloc(0)) ?? Buffer.alloc(0);
  t.match(normaliseHevc(again), { key: true, empty: false });
  t.equal(aloneAgain('hevc', again), again, 'which it is then');
  const errorsWith = async (standing: Buffer): Promise<{ errors: string; pictures: number }> => {
    const sets = normaliseHevc(sent[0] ?? Buffer.alloc(0)).parameterSets;
    const first = wrap([...(sets?.vps ?? []), ...(sets?.sps ?? []), ...(sets?.pps ?? [])]);
    const stream = [first, ...read.slice(0, at + 2).map(({ data }) => data), standing, standing, standing];
    const bytes = Buffer.concat(stream.flatMap((data) => [...unitsOf(data)].flatMap((nal) => [Buffer.from([0, 0, 0, 1]), nal])));
    const { stderr, stdout } = await ffmpeg(['-err_detect', 'explode', '-f', 'hevc', '-i', 'pipe:0', '-f', 'framehash', '-'], { input: bytes });
    return { errors: stderr, pictures: stdout.toString().split('\n').filter((line) => line.startsWith('0,')).length };
  };
  t.same(await errorsWith(again), { errors: '', pictures: at + 5 });
  t.not((await errorsWith(read[at]?.data ?? Buffer.alloc(0))).errors, '', 'as it was, it cannot');
});

t.test('other parameter sets in mid-stream are another configuration', async (t) => {
  const [first = Buffer.alloc(0), next = Buffer.alloc(0)] = await picturesOf(small);
  const [other = Buffer.alloc(0)] = await picturesOf(large);
  const { config } = pictureReader('hevc', null)(first);
  t.match(config, { kind: 'video', codec: 'hevc' });
  const read = pictureReader('hevc', config);
  t.equal(read(first).config, null, 'the same ones again are nothing');
  t.equal(read(next).config, null);
  t.match(read(other).config, { codec: 'hevc' });
});

t.test('100,000 damaged pictures end in a sample or in a CodecError', async (t) => {
  const models = (await picturesOf(small)).map((data) => data.subarray(0, 300));
  const read = pictureReader('hevc', null);
  const short = wrap([Buffer.from('2601af', 'hex'), Buffer.from('0201', 'hex')]);
  const { accepted, refused } = fuzz((input) => {
    if (read(input).data.length > input.length) throw new Error('grew');
  }, CodecError, [...models, short, short]);
  t.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});

import t from 'tap';
import { encodedFlv } from '../../test/support/encoded.ts';
import { fuzz } from '../../test/support/random.ts';
import { CodecError } from './codec-error.ts';
import { avcCodecString, configWithLength4, parseAvcConfig, parseSps } from './h264.ts';

const sps = Buffer.from('6764000dacd941419f9f0110000003001000000303c0f1429960', 'hex');
const pps = Buffer.from('68eae3cb22c0', 'hex');
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

/** A record with everything in its place, unless the test says otherwise. */
const record = ({ head = [1, 100, 0, 13, 0xff, 0xe1], spsLength = sps.length, tail = Buffer.from('fdf8f800', 'hex') } = {}): Buffer =>
  Buffer.concat([Buffer.from(head), u16(spsLength), sps, Buffer.from([1]), u16(pps.length), pps, tail]);

t.test('a record is read with its extension', async (t) => {
  t.same(parseAvcConfig(record()), {
    profile: 100,
    compatibility: 0,
    level: 13,
    lengthSize: 4,
    sps: [sps],
    pps: [pps],
    extension: { chromaFormat: 1, bitDepthLuma: 8, bitDepthChroma: 8, spsExtensions: [] },
  });
});

t.test('old muxers leave the extension out, and Main never has one', async (t) => {
  t.equal(parseAvcConfig(record({ tail: Buffer.alloc(0) })).extension, null);
  t.equal(parseAvcConfig(record({ head: [1, 77, 0, 13, 0xff, 0xe1] })).extension, null);
});

t.test('the codec string is that of the SPS, with leading zeros and in capitals', async (t) => {
  t.equal(avcCodecString(parseAvcConfig(record())), 'avc1.64000D');
  t.equal(avcCodecString(parseAvcConfig(record({ head: [1, 66, 0xc0, 30, 0xff, 0xe1] }))), 'avc1.64000D');
});

t.test('what is wrong with a record is said in a code', async (t) => {
  const cases: [string, Buffer, string][] = [
    ['empty', Buffer.alloc(0), 'truncated'],
    ['another version', record({ head: [0, 100, 0, 13, 0xff, 0xe1] }), 'unsupported'],
    ['lengths of 3 bytes', record({ head: [1, 100, 0, 13, 0xfe, 0xe1] }), 'invalid'],
    ['no SPS', Buffer.from([1, 100, 0, 13, 0xff, 0xe0, 0]), 'invalid'],
    ['no PPS', Buffer.concat([Buffer.from([1, 100, 0, 13, 0xff, 0xe1]), u16(sps.length), sps, Buffer.from([0])]), 'invalid'],
    ['an SPS longer than the record', record({ spsLength: 500 }), 'truncated'],
    ['an SPS cut short', record({ spsLength: 4 }), 'truncated'],
    ['a PPS in the place of the SPS', Buffer.concat([Buffer.from([1, 100, 0, 13, 0xff, 0xe1]), u16(pps.length), pps, Buffer.from([0])]), 'invalid'],
    ['cut in the PPS', record().subarray(0, 38), 'truncated'],
    ['Annex B in its place', Buffer.concat([Buffer.from([0, 0, 0, 1]), sps, Buffer.from([0, 0, 0, 1]), pps]), 'unsupported'],
    ['larger than anything real', Buffer.concat([record(), Buffer.alloc(20_000)]), 'limit'],
  ]; // prettier-ignore
  for (const [name, config, code] of cases) t.throws(() => parseAvcConfig(config), { name: 'CodecError', code }, name);
});

t.test('only the length size changes when a record is brought to lengths of 4', async (t) => {
  const two = record({ head: [1, 100, 0, 13, 0xfd, 0xe1] });
  t.equal(parseAvcConfig(two).lengthSize, 2);
  t.same(configWithLength4(two), record());
  t.equal(two[4], 0xfd, 'what came in is left alone');
  const four = record();
  t.equal(configWithLength4(four), four, 'no copy when there is nothing to change');
});

t.test('the sequence header that ffmpeg sends is read down to its SPS', async (t) => {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p'];
  const { avcConfig } = await encodedFlv([...source, '-profile:v', 'high']);
  const config = parseAvcConfig(avcConfig ?? Buffer.alloc(0));
  t.match(parseSps(config.sps[0] ?? Buffer.alloc(0)), { width: 320, height: 180, frameRate: 30 });
});

t.test('100,000 damaged records end in facts or in a CodecError', async (t) => {
  const valid = [record(), record({ tail: Buffer.alloc(0) }), record({ head: [1, 77, 0, 13, 0xfd, 0xe1] })];
  const { accepted, refused } = fuzz(
    (input) => {
      const config = parseAvcConfig(input);
      const held = [...config.sps, ...config.pps].reduce((sum, set) => sum + set.length, 0);
      if (held > input.length) throw new Error(`${held} bytes out of ${input.length}`);
      avcCodecString(config);
    },
    CodecError,
    valid,
  );
  t.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});

import t from 'tap';
import { encodedFlv } from '../../test/support/encoded.ts';
import { fuzz } from '../../test/support/random.ts';
import { CodecError } from './codec-error.ts';
import { normaliseAvc } from './h264.ts';
import { aloneAgain } from './picture.ts';

/** Units behind their lengths. */
const wrap = (lengthSize: 1 | 2 | 4, ...nals: readonly Buffer[]): Buffer =>
  Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.alloc(lengthSize);
      length.writeUIntBE(nal.length, 0, lengthSize);
      return [length, nal];
    }),
  );
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const idr = hex('6588840021ff');
const p = hex('419a021234'); // first_mb 0, slice type 5
const i = hex('4188801234'); // first_mb 0, slice type 7
const sps = hex('6764000dacd941419f9f01');
const pps = hex('68eae3cb22c0');
const aud = hex('0910');
const filler = hex('0cffff80');
const endOfSequence = hex('0a');
const userData = hex('0605041122334480');
const recovery = hex('060601c480'); // recovery_frame_cnt 0
const gradual = hex('0606016080'); // recovery_frame_cnt 2

t.test('a picture in order is passed on as the same buffer', async (t) => {
  const data = wrap(4, userData, idr);
  const picture = normaliseAvc(data, 4);
  t.equal(picture.data, data);
  t.match(picture, { idr: true, recoveryPoint: false, empty: false, parameterSets: { sps: [], pps: [] } });
});

t.test('delimiters, parameter sets, filler and end marks go, SEI stays', async (t) => {
  const picture = normaliseAvc(wrap(4, aud, sps, pps, hex('6d00'), hex('6f00'), userData, idr, filler, endOfSequence, hex('0b')), 4);
  t.same(picture.data, wrap(4, userData, idr));
  t.same(picture.parameterSets, { sps: [sps], pps: [pps] });
  t.equal(picture.idr, true);
});

t.test('lengths of 1 and 2 bytes become 4', async (t) => {
  t.same(normaliseAvc(wrap(1, idr), 1).data, wrap(4, idr));
  t.same(normaliseAvc(wrap(2, p, p), 2).data, wrap(4, p, p));
});

t.test('units of length 0 are padding', async (t) => {
  t.same(normaliseAvc(wrap(4, Buffer.alloc(0), p, Buffer.alloc(0)), 4).data, wrap(4, p));
});

t.test('without a slice a picture is empty', async (t) => {
  for (const data of [Buffer.alloc(0), wrap(4, aud), wrap(4, sps, pps), wrap(4, userData), wrap(4, Buffer.alloc(0))]) {
    t.match(normaliseAvc(data, 4), { empty: true, idr: false });
  }
});

t.test('a recovery point counts when it is at this picture and the picture is I', async (t) => {
  const found = (...nals: readonly Buffer[]): boolean => normaliseAvc(wrap(4, ...nals), 4).recoveryPoint;
  t.equal(found(recovery, i), true);
  t.equal(found(aud, userData, recovery, i, i), true);
  t.equal(found(hex('060501aa0601c480'), i), true, 'as the second message of one unit');
  t.equal(found(recovery, p), false, 'P');
  t.equal(found(gradual, i), false, 'gradual refresh');
  t.equal(found(i), false, 'no message');
  t.equal(found(recovery, idr), false, 'IDR needs none');
  t.equal(found(hex('060609c480'), i), false, 'a message that is longer than its unit');
  t.equal(found(hex('0606ffffff'), i), false, 'a size that does not end');
});

t.test('lengths that lie are refused', async (t) => {
  const cases: [string, Buffer, number, string][] = [
    ['longer than the picture', hex('000000ff65888400'), 4, 'truncated'],
    ['longer by one', hex('00000003419a'), 4, 'truncated'],
    ['2^32 - 1', hex('ffffffff65'), 4, 'truncated'],
    ['cut in a length', Buffer.concat([wrap(4, p), hex('0000')]), 4, 'truncated'],
    ['forbidden bit', wrap(4, hex('e588')), 4, 'invalid'],
    ['lengths of 3 bytes', wrap(4, p), 3, 'invalid'],
    ['a flood of units', Buffer.concat(Array.from({ length: 20_000 }, () => hex('0141'))), 1, 'limit'],
    ['a flood of parameter sets', Buffer.concat(Array.from({ length: 300 }, () => wrap(1, pps))), 1, 'limit'],
  ];
  for (const [name, data, size, code] of cases) {
    t.throws(() => normaliseAvc(data, size), { name: 'CodecError', code }, name);
  }
});

const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=2', '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '15'];

t.test('key pictures of x264 are found as IDR, and as recovery points in open GOPs', async (t) => {
  for (const [options, keys, idrs] of [
    [['-x264-params', 'scenecut=0:aud=1:repeat-headers=1'], 4, 4],
    [['-x264-params', 'scenecut=0:open-gop=1'], 4, 1],
    [['-x264-params', 'scenecut=0:intra-refresh=1'], 1, 1],
  ] as const) {
    const { units } = await encodedFlv([...source, ...options]);
    const pictures = units.map((unit) => normaliseAvc(unit.data, 4));
    const name = options[1];
    t.equal(pictures.length, 60, name);
    t.equal(pictures.filter((picture) => picture.idr).length, idrs, `IDR: ${name}`);
    t.equal(pictures.filter(({ data }) => aloneAgain('h264', data) === data).length, idrs, name);
    t.equal(pictures.filter((picture) => picture.idr || picture.recoveryPoint).length, keys, `key pictures: ${name}`);
  }
});

t.test('100,000 damaged pictures end in a picture or in a CodecError', async (t) => {
  const valid = [wrap(4, aud, sps, pps, recovery, i), wrap(4, userData, idr, filler), wrap(4, recovery, p, p), wrap(2, p, i), wrap(1, idr)];
  const { units } = await encodedFlv([...source, '-x264-params', 'scenecut=0:open-gop=1']);
  valid.push(...units.slice(0, 20).map((unit) => unit.data.subarray(0, 2000)));
  for (const lengthSize of [1, 2, 4] as const) {
    const { accepted, refused } = fuzz(
      (input) => {
        const once = normaliseAvc(input, lengthSize);
        // What was made is in order: nothing is left to change.
        const again = normaliseAvc(once.data, 4);
        if (again.data !== once.data || again.idr !== once.idr || again.empty !== once.empty) throw new Error('not settled');
      },
      CodecError,
      valid,
      { seed: lengthSize, count: 40_000 },
    );
    t.ok(accepted > 500 && refused > 500, `${accepted} accepted, ${refused} refused`);
  }
});

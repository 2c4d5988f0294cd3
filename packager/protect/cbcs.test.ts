/** cbcs, taken off again by ffmpeg: the same pictures and the same sound. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createDecipheriv, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encoded, run, scratch } from '../../test/support/encoded.ts';
import { boxes } from '../cmaf/box-reader.ts';
import { readFragments } from '../cmaf/reader-fragments.ts';
import { CodecError } from '../media/codec-error.ts';
import { isVcl, typeOf } from '../media/h264-nal.ts';
import { SliceHeaders } from '../media/h264-slice.ts';
import { aes128, aes128Elsewhere, aes128Size } from './aes-128.ts';
import { CbcsCipher } from './cbcs-cipher.ts';
import { cbcsFragments, type CbcsTrack } from './cbcs-fragment.ts';
import { cbcsInit } from './cbcs-init.ts';
import { ours } from './signals.ts';
import { subsamplesOf } from './subsamples.ts';

t.before(() => mkdir(scratch, { recursive: true }));
t.teardown(() => rm(scratch, { recursive: true, force: true }));

const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const kid = Buffer.from('f0e0d0c0b0a090807060504030201000', 'hex');
const iv = Buffer.from('a1b2c3d4e5f60718293a4b5c6d7e8f90', 'hex');

const fragmented = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof+omit_tfhd_offset', '-use_editlist', '0'];
const pictures = (...more: string[]): string[] => ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30:duration=2,noise=alls=10:allf=t', '-c:v', 'libx264', '-g', '30', ...more, ...fragmented];

type Parts = { readonly init: Buffer; readonly segments: readonly Buffer[] };

const partsOf = async (path: string): Promise<Parts> => {
  const bytes = await readFile(path);
  const top = boxes(bytes);
  const first = top.findIndex(({ type }) => type === 'moof');
  const begin = top[first]?.at ?? 0;
  const segments = top.flatMap((one, at) => (one.type === 'moof' ? [bytes.subarray(one.at, top[at + 1]?.end)] : []));
  return { init: bytes.subarray(0, begin), segments };
};

const avcC = (init: Buffer): Buffer => {
  const at = init.indexOf('avcC', 0, 'latin1');
  return init.subarray(at + 4, at - 4 + init.readUInt32BE(at - 4));
};

const md5 = async (bytes: Buffer, name: string, ...args: string[]): Promise<string> => {
  const path = join(scratch, `${name}.mp4`);
  await writeFile(path, bytes);
  return (await run([...args, '-i', path, '-f', 'framemd5', '-'])).toString();
};

/** What is said of the first frame, where it can be decoded at all. */
const firstFrame = async (bytes: Buffer, under: Buffer): Promise<string> => {
  const path = join(scratch, 'first.mp4');
  await writeFile(path, bytes);
  const said = await run(['-decryption_key', under.toString('hex'), '-i', path, '-frames', '1', '-f', 'framemd5', '-']).catch(() => '');
  return said.toString().split('\n').find((line) => line !== '' && !line.startsWith('#')) ?? '';
};

/** Each segment by itself: of several at once ffmpeg 5.1 does not keep the lists apart. */
const compare = async (t: Test, { init, segments }: Parts, track: CbcsTrack): Promise<void> => {
  const coded = cbcsInit(init, { kid, iv, signals: ours });
  for (const [index, segment] of segments.entries()) {
    const protectedBytes = cbcsFragments(segment, track);
    const clear = await md5(Buffer.concat([init, segment]), `clear-${index}`);
    const whole = Buffer.concat([coded, protectedBytes]);
    t.equal(await md5(whole, `coded-${index}`, '-decryption_key', key.toString('hex')), clear, `segment ${index}`);
    if (index > 0) continue;
    const wrong = await firstFrame(whole, kid);
    t.ok(wrong === '' || !clear.includes(wrong), 'and not with another key');
  }
};

const streams: readonly (readonly [string, string[]])[] = [
  ['pictures with B-frames', pictures('-bf', '3')],
  ['several slices a picture, CAVLC', pictures('-x264-params', 'slices=5:cabac=0')],
  ['slices that are too small to be protected', pictures('-x264-params', 'slice-max-size=60', '-s', '96x64', '-t', '1')],
  ['fields', pictures('-x264-params', 'interlaced=1:weightp=1')],
  ['pictures of more than 64 KiB in the clear: padding in front of them', pictures('-x264-params', 'nal-hrd=cbr:filler=1:vbv-maxrate=20000:vbv-bufsize=2000:bitrate=20000:aud=1')],
];

t.test('pictures', async (t) => {
  for (const [name, args] of streams) {
    await t.test(name, async (t) => {
      const parts = await partsOf(await encoded('mp4', args));
      t.ok(parts.segments.length >= 1);
      await compare(t, parts, { cipher: new CbcsCipher(key, iv), headers: new SliceHeaders(avcC(parts.init)) });
    });
  }
});

t.test('sound', async (t) => {
  const path = await encoded('mp4', ['-f', 'lavfi', '-i', 'sine=440:duration=3', '-c:a', 'aac', '-frag_duration', '1000000', ...fragmented]);
  await compare(t, await partsOf(path), { cipher: new CbcsCipher(key, iv), headers: null });
});

t.test('the same fragment is the same bytes whatever was encrypted before it', async (t) => {
  const { init, segments } = await partsOf(await encoded('mp4', pictures('-bf', '3')));
  const headers = new SliceHeaders(avcC(init));
  const cipher = new CbcsCipher(key, iv);
  const [first = Buffer.alloc(0)] = segments;
  const alone = cbcsFragments(first, { cipher: new CbcsCipher(key, iv), headers });
  for (const segment of segments) cbcsFragments(segment, { cipher, headers });
  t.ok(cbcsFragments(first, { cipher, headers }).equals(alone));
  t.ok(Buffer.concat(segments.map((segment) => cbcsFragments(segment, { cipher, headers }))).equals(cbcsFragments(Buffer.concat(segments), { cipher, headers })), 'parts are the segment, byte for byte');
});

t.test('a pattern of one block in ten, begun anew for each range', (t) => {
  const cipher = new CbcsCipher(key, iv);
  for (const size of [15, 16, 159, 160, 175, 176, 1000]) {
    const clear = randomBytes(size + 7);
    const bytes = Buffer.from(clear);
    cipher.pattern(bytes, 7, bytes.length);
    const decipher = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
    for (let at = 7; at + 16 <= bytes.length; at += 160) decipher.update(bytes.subarray(at, at + 16)).copy(bytes, at);
    t.ok(bytes.equals(clear), `${size} bytes`);
  }
  t.end();
});

const sampleBytes = (segments: readonly Buffer[]): Buffer[] =>
  segments.flatMap((segment) => readFragments(segment).flatMap(({ samples }) => samples.map(({ offset, size }) => segment.subarray(offset, offset + size))));

/** How much of a picture is protected, and how many slices it has that could be. */
const covered = (picture: Buffer, headers: Pick<SliceHeaders, 'length'>): { readonly share: number; readonly slices: number } => {
  const list = subsamplesOf(picture, headers);
  if (list.length > 42 || list.some(({ clear }) => clear > 0xffff)) throw new RangeError('this fits no box');
  if (list.reduce((sum, one) => sum + one.clear + one.protected, 0) !== picture.length) throw new RangeError('the list is not of all bytes');
  let slices = 0;
  for (let at = 0; at < picture.length; at += 4 + picture.readUInt32BE(at)) slices += Number(isVcl(typeOf(picture.subarray(at + 4))));
  return { share: list.reduce((sum, one) => sum + one.protected, 0) / picture.length, slices };
};

const manySlices: readonly (readonly [string, { readonly size: string; readonly pad?: string; readonly params: string; readonly slices: number; readonly bytes: number }])[] = [
  ['a picture of megabytes in eight slices', { size: '2560x1440', params: 'slices=8:qp=1', slices: 8, bytes: 0xffff * 42 }],
  ['slices that the list holds just so', { size: '640x640', params: 'slices=40:qp=10', slices: 40, bytes: 100_000 }],
  ['more than the list holds, and half of them next to nothing', { size: '1280x512', pad: ',pad=1280:1024', params: 'slices=64:qp=10:cabac=0', slices: 64, bytes: 200_000 }],
];

t.test('of large pictures in many slices nearly all is protected', async (t) => {
  for (const [name, { size, pad = '', params, slices, bytes }] of manySlices) {
    await t.test(name, async (t) => {
      const args = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=5:duration=0.2,noise=alls=60:allf=t${pad}`, '-c:v', 'libx264', '-preset', 'veryfast', '-x264-params', `keyint=1:${params}`, ...fragmented];
      const parts = await partsOf(await encoded('mp4', args));
      const headers = new SliceHeaders(avcC(parts.init));
      const pictures = sampleBytes(parts.segments);
      t.equal(pictures.length, 1);
      for (const picture of pictures) {
        t.ok(picture.length > bytes, `${picture.length} bytes`);
        const found = covered(picture, headers);
        t.equal(found.slices, slices);
        t.ok(found.share > 0.9, `${found.share} of it`);
      }
      await compare(t, parts, { cipher: new CbcsCipher(key, iv), headers });
    });
  }
});

const slice = (bytes: number): Buffer => {
  const nal = Buffer.alloc(4 + bytes, 0x55);
  nal.writeUInt32BE(bytes);
  nal[4] = 0x41;
  return nal;
};
const eightBytes = { length: () => 8 };

t.test('a picture with more slices than the list can hold: the largest, or none of it is served', (t) => {
  const large = Array.from({ length: 40 }, () => slice(3000));
  const small = Array.from({ length: 60 }, () => slice(30));
  t.ok(covered(Buffer.concat([...small, ...large]), eightBytes).share > 0.9);
  t.ok(covered(Buffer.concat(large.flatMap((one, at) => [one, small[at] ?? one])), eightBytes).share > 0.9);
  const filler = Buffer.concat([Buffer.from([0, 3, 0, 0, 0x0c]), Buffer.alloc(0x2ffff)]);
  const padded = Buffer.concat([...small.slice(0, 41), filler, slice(200_000)]);
  const list = subsamplesOf(padded, eightBytes);
  t.ok(list.length <= 42 && list.at(-1)?.protected === 199_992, 'what is clear takes entries, and the least slices give theirs up');
  for (const [what, picture] of [
    ['a hundred alike', Buffer.concat(Array.from({ length: 100 }, () => slice(40)))],
    ['as many as a list, and some more', Buffer.concat(Array.from({ length: 48 }, () => slice(5000)))],
    ['next to nothing but filler', Buffer.concat([...Array.from({ length: 15 }, () => filler), slice(5000)])],
  ] as const) t.throws(() => subsamplesOf(picture, eightBytes), { name: 'ProtectError', code: 'unsupported' }, what);
  t.throws(() => subsamplesOf(Buffer.from([0, 0, 1, 0, 5]), eightBytes), { code: 'damaged' });
  const unread = { length: (): number => { throw new CodecError('invalid', 'no such set'); } };
  t.throws(() => subsamplesOf(slice(40), unread), { name: 'ProtectError', code: 'unsupported', cause: { name: 'CodecError' } });
  t.end();
});

t.test('other media is refused', async (t) => {
  const { init } = await partsOf(await encoded('mp4', ['-f', 'lavfi', '-i', 'sine=440:duration=1', '-c:a', 'libopus', '-strict', '-2', ...fragmented]));
  t.throws(() => cbcsInit(init, { kid, iv, signals: ours }), { code: 'unsupported' });
});

t.test('AES-128 of whole files is undone by anybody', async (t) => {
  for (const size of [0, 1, 15, 16, 17, 100_000]) {
    const clear = randomBytes(size);
    const coded = aes128(clear, key, iv);
    t.equal(coded.length, aes128Size(size));
    t.ok((await aes128Elsewhere(clear, key, iv)).equals(coded), 'in whichever thread');
    const decipher = createDecipheriv('aes-128-cbc', key, iv);
    t.ok(Buffer.concat([decipher.update(coded), decipher.final()]).equals(clear));
  }
});

t.test('fragments that lists were put into are read as what they were', async (t) => {
  const { init, segments } = await partsOf(await encoded('mp4', pictures('-bf', '3')));
  const [first = Buffer.alloc(0)] = segments;
  const coded = cbcsFragments(first, { cipher: new CbcsCipher(key, iv), headers: new SliceHeaders(avcC(init)) });
  const plain = (bytes: Buffer) => readFragments(bytes).flatMap(({ samples }) => samples.map(({ duration, size, cts, key: isKey }) => ({ duration, size, cts, isKey })));
  t.same(plain(coded), plain(first));
});

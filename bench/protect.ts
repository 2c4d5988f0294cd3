/**
 * How fast media is protected when nobody has asked for it before: segments of a real picture in `cbcs` and AES-128, beside
 * the cipher alone over as many bytes, which is what OpenSSL can do here.
 *
 *     node bench/protect.ts
 */
import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { boxes } from '../packager/cmaf/box-reader.ts';
import { readInit } from '../packager/cmaf/reader.ts';
import { SliceHeaders } from '../packager/media/h264-slice.ts';
import { aes128 } from '../packager/protect/aes-128.ts';
import { CbcsCipher } from '../packager/protect/cbcs-cipher.ts';
import { cbcsFragments } from '../packager/protect/cbcs-fragment.ts';
import { encoded, scratch } from '../test/support/encoded.ts';

const rounds = 30;
const key = randomBytes(16);
const iv = randomBytes(16);

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const measure = (name: string, bytes: number, work: () => void): number => {
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const from = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(from);
    took.push((user + system) / 1000);
  }
  const speed = bytes / 1e3 / median(took.slice(rounds >> 2));
  console.log(`${name.padEnd(46)} ${(bytes / 1e6).toFixed(1).padStart(6)} MB  ${speed.toFixed(0).padStart(6)} MB/s`);
  return speed;
};

await mkdir(scratch, { recursive: true });
try {
  const path = await encoded('mp4', [
    ...['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30:duration=12,noise=alls=12:allf=t', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '60'],
    ...['-b:v', '8M', '-maxrate', '8M', '-bufsize', '8M', '-x264-params', 'slices=4', '-movflags', '+frag_keyframe+empty_moov+default_base_moof+omit_tfhd_offset', '-use_editlist', '0'],
  ]);
  const bytes = await readFile(path);
  const top = boxes(bytes);
  const first = top.findIndex(({ type }) => type === 'moof');
  const init = readInit(bytes.subarray(0, top[first]?.at));
  const segments = top.flatMap((one, at) => (one.type === 'moof' ? [bytes.subarray(one.at, top[at + 1]?.end)] : []));
  const size = segments.reduce((sum, { length }) => sum + length, 0);
  const headers = new SliceHeaders(init.config);
  const peer = measure('the cipher alone (AES-128-CBC)', size, () => {
    for (const segment of segments) createCipheriv('aes-128-cbc', key, iv).update(segment);
  });
  const whole = measure('AES-128', size, () => {
    for (const segment of segments) aes128(segment, key, iv);
  });
  const pattern = measure('cbcs, four slices a picture', size, () => {
    for (const segment of segments) cbcsFragments(segment, { cipher: new CbcsCipher(key, iv), headers });
  });
  const sound = randomBytes(size);
  const frames = measure('cbcs, frames of sound (341 bytes)', size, () => {
    const cipher = new CbcsCipher(key, iv);
    for (let at = 0; at + 341 <= sound.length; at += 341) cipher.whole(sound, at, at + 341);
  });
  console.log(`to the cipher alone: AES-128 ${(whole / peer).toFixed(2)}, cbcs ${(pattern / peer).toFixed(2)}, sound ${(frames / peer).toFixed(2)}`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Chapters out of files that people make, and out of what nobody should. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encoded } from '../../test/support/encoded.ts';
import { Random } from '../../test/support/random.ts';
import { systemClock } from '../clock.ts';
import type { Container } from '../media/sniff.ts';
import { chaptersIn, readChapters } from './chapters.ts';
import { findPrograms } from './programs.ts';
import { inputName, makeJobPlace, Sandbox } from './sandbox.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-chapters-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');

const film = await encoded('mp4', ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=5:duration=6', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']);
const listed = join(folder, 'chapters.txt');
await writeFile(listed, ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=6000\ntitle=둘\n');

let count = 0;
const found = async (container: Container, file: string): Promise<unknown> => {
  const place = await makeJobPlace(join(folder, `job-${(count += 1)}`));
  await copyFile(file, join(place.work, inputName));
  return chaptersIn({ sandbox, place, container, signal: new AbortController().signal });
};
const withChapters = (name: string, ...args: readonly string[]): string => {
  const out = join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', film, '-i', listed, '-map', '0', '-map_metadata', '1', '-map_chapters', '1', '-c', 'copy', ...args, out]);
  return out;
};
const both = [{ startMs: 0, endMs: 2_000, title: 'One' }, { startMs: 2_000, endMs: 6_000, title: '둘' }];

t.test('a track of chapters, a list of chapters (chpl), and those of Matroska', async (t) => {
  t.same(await found('mp4', withChapters('track.mp4')), both);
  t.same(await found('matroska', withChapters('film.mkv')), both);
  t.same(await found('mp4', film), []);
  // As older programs write it, without a track: 100 ns since the beginning, and a title.
  const chapter = (seconds: number, title: string): Buffer => {
    const head = Buffer.alloc(9);
    head.writeBigUInt64BE(BigInt(seconds * 1e7));
    head[8] = Buffer.byteLength(title);
    return Buffer.concat([head, Buffer.from(title)]);
  };
  const box = (type: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(body.length + 8);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, body]);
  };
  const chpl = box('chpl', Buffer.concat([Buffer.from('010000000000000002', 'hex'), chapter(0, 'One'), chapter(2, '둘')]));
  const bytes = await readFile(film);
  const at = bytes.indexOf('moov') - 4;
  const size = bytes.readUInt32BE(at);
  const moov = Buffer.concat([bytes.subarray(at, at + size), box('udta', chpl)]);
  moov.writeUInt32BE(moov.length);
  // It lies behind the media, so nothing of that moves.
  t.ok(at > bytes.indexOf('mdat'));
  const old = join(folder, 'chpl.mp4');
  await writeFile(old, Buffer.concat([bytes.subarray(0, at), moov, bytes.subarray(at + size)]));
  t.match(await found('mp4', old), [{ startMs: 0, title: 'One' }, { startMs: 2_000, title: '둘' }]);
  const damaged = join(folder, 'damaged.mp4');
  await writeFile(damaged, bytes.subarray(0, 500));
  t.same(await found('mp4', damaged), [], 'what cannot be read has none');
});

t.test('what ffprobe repeats of a file is taken for what it is, or not at all', async (t) => {
  const of = (...chapters: unknown[]): unknown => readChapters(JSON.stringify({ chapters }));
  t.same(of({ start_time: '1.2345', end_time: '2', tags: { title: ' a\n\tb\u0000 ' } }), [{ startMs: 1_235, endMs: 2_000, title: 'a b' }]);
  t.same(of({ start_time: '1' }, { start_time: '3', end_time: 'x', tags: { title: 7 } }), [{ startMs: 1_000, endMs: 1_000, title: null }, { startMs: 3_000, endMs: 3_000, title: null }]);
  t.same(of({ start_time: '-1' }, { start_time: 1 }, { start_time: '1e3' }, { start_time: '999999999' }, {}, null, 'x', [{ start_time: '1' }]), []);
  t.match(of({ start_time: '0', end_time: '1', tags: { title: '가'.repeat(5_000) } }), [{ title: '가'.repeat(200) }]);
  for (const text of ['', '{', 'null', '[]', '{"chapters":{}}', '{"chapters":7}']) t.same(readChapters(text), [], text);
});

t.test('whatever it says, nothing is thrown and nothing is beyond reason', async (t) => {
  const random = new Random(3);
  const whole = JSON.stringify({ chapters: Array.from({ length: 20 }, (_, index) => ({ start_time: `${index}.5`, end_time: `${index + 1}.5`, tags: { title: `c${index}` } })) });
  for (let round = 0; round < 3_000; round += 1) {
    const bytes = Buffer.from(whole);
    for (let change = 1 + random.below(6); change > 0; change -= 1) bytes[random.below(bytes.length)] = random.below(256);
    for (const { startMs, endMs, title } of readChapters(bytes.toString())) {
      if (!(startMs >= 0 && startMs <= 604_800_000 && endMs >= 0 && endMs <= 604_800_000 && (title === null || (title.length > 0 && title.length <= 400 && !/[\p{Cc}]/u.test(title))))) t.fail(`${startMs} ${endMs} ${title}`);
    }
  }
});

import { readFile } from 'node:fs/promises';
import t from 'tap';
import { memorySource } from '../../test/support/byte-sources.ts';
import { encoded } from '../../test/support/encoded.ts';
import { toTheEnd } from '../progressive/steps.ts';
import { judgeGops } from './judge-gops.ts';
import { judgeMovie } from './judge.ts';
import { Mp4Error, type Movie, type MovieVideo, type RangeSource } from './movie.ts';
import { parseMovie } from './parse.ts';
import { plainEdit, pretendMovie, type PretendTrack } from './pretend-movie.ts';
import type { Verdict } from './verdict.ts';

const picture = (seconds = 3, size = '160x90') => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30:duration=${seconds}`];
const tone = (seconds = 3) => ['-f', 'lavfi', '-i', `sine=440:duration=${seconds}:sample_rate=48000`];
const x264 = (params: string, pixels = 'yuv420p') => ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', pixels, '-x264-params', params];
const x265 = (params: string, pixels = 'yuv420p') => ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', pixels, '-x265-params', `log-level=error:${params}`];

const judged = async (extension: string, args: readonly string[]): Promise<Verdict> => {
  const source = memorySource(await readFile(await encoded(extension, args)));
  return judgeMovie(await parseMovie(source), source);
};

/** What becomes of each track, and why. */
const uses = ({ tracks }: Verdict) => tracks.map(({ use, reasons }) => [use, ...reasons.map(({ code }) => code)]);

const clips: Record<string, readonly [uses: string[][], args: readonly string[]]> = {
  'B-frames in closed groups, and AAC': [[['standard'], ['standard']], [...picture(), ...tone(), ...x264('keyint=30:bframes=3:b-pyramid=normal'), '-c:a', 'aac']],
  fields: [[['standard']], [...picture(3, '160x96'), ...x264('keyint=30:tff=1'), '-flags', '+ilme+ildct']],
  'parameter sets in every key frame': [[['standard']], [...picture(), ...x264('keyint=15:repeat-headers=1:aud=1')]],
  'nothing but sound': [[['standard']], [...tone(), '-c:a', 'aac']],
  'eight seconds from key frame to key frame': [[['standard']], [...picture(17, '64x48'), ...x264('keyint=240:scenecut=0')]],
  'twelve seconds': [[['encode', 'key-interval']], [...picture(13, '64x48'), ...x264('keyint=360:scenecut=0')]],
  'open groups of pictures': [[['encode', 'open-gop', 'not-idr']], [...picture(), ...x264('keyint=20:open-gop=1:bframes=3:b-adapt=0')]],
  'ten bits': [[['encode', 'pixels']], [...picture(), ...x264('keyint=30', 'yuv420p10le')]],
  '4:2:2 of ten bits': [[['encode', 'pixels']], [...picture(), ...x264('keyint=30', 'yuv422p10le')]],
  '4:4:4': [[['encode', 'pixels']], [...picture(), ...x264('keyint=30', 'yuv444p')]],
  'another codec in the picture': [[['encode', 'codec'], ['standard']], [...picture(), ...tone(), '-c:v', 'mpeg4', '-c:a', 'aac']],
  'another codec in the sound': [[['standard'], ['encode', 'codec']], [...picture(), ...tone(), ...x264('keyint=30'), '-c:a', 'ac3']],
  'HEVC in closed groups': [[['carried']], [...picture(), ...x265('keyint=30:open-gop=0')]],
  'HEVC of ten bits': [[['carried']], [...picture(), ...x265('keyint=30:open-gop=0', 'yuv420p10le')]],
  'HEVC in open groups': [[['encode', 'open-gop']], [...picture(), ...x265('keyint=20:min-keyint=20:open-gop=1:bframes=3:b-adapt=0')]],
  'HEVC of 4:2:2': [[['encode', 'pixels']], [...picture(), ...x265('keyint=30:open-gop=0', 'yuv422p10le')]],
}; // prettier-ignore

for (const [name, [expected, args]] of Object.entries(clips)) {
  t.test(`${name}: ${expected.map((one) => one.join(', ')).join('; ')}`, async (t) => {
    const verdict = await judged('mp4', args);
    t.same(uses(verdict), expected);
    t.equal(verdict.final, true);
    for (const { reasons } of verdict.tracks) for (const { message } of reasons) t.match(message, /^[A-Z].*\.$/);
  });
}

t.test('words and uncompressed sound in QuickTime are nothing to show, and work', async (t) => {
  const verdict = await judged('mov', [...picture(), ...tone(), ...x264('keyint=30'), '-c:a', 'pcm_s16le', '-timecode', '01:00:00:00']);
  t.same(uses(verdict), [['standard'], ['encode', 'codec'], ['none']]);
});

const clip = async (): Promise<Buffer> => readFile(await encoded('mp4', [...picture(), ...x264('keyint=15:repeat-headers=1:aud=1')]));

t.test('parameter sets inside of pictures must be those of the header', async (t) => {
  const bytes = Buffer.from(await clip());
  // The level in the header's set (behind a length and four bytes): the ones in the pictures stay as they are.
  const sps = bytes.lastIndexOf('avcC') + 4 + 8;
  bytes[sps + 3] = 0x33;
  const source = memorySource(bytes);
  t.same(uses(await judgeMovie(await parseMovie(source), source)), [['encode', 'parameters-change']]);
});

t.test('what a writer calls a key frame must be one', async (t) => {
  const bytes = Buffer.from(await clip());
  const movie = await parseMovie(memorySource(bytes));
  const [track] = movie.tracks as MovieVideo[];
  const { offset = new Float64Array(0) } = track?.samples.rows(45, 46) ?? {};
  // Behind the delimiter (6 bytes) and two sets: the first unit of the picture becomes a slice of a common one.
  let at = (offset[0] ?? 0);
  while ((bytes[at + 4] ?? 0) % 32 !== 5) at += 4 + bytes.readUInt32BE(at);
  bytes[at + 4] = 0x61;
  t.same(uses(await judgeMovie(movie, memorySource(bytes))), [['encode', 'not-idr']]);
});

t.test('short lengths of NAL units are no standard', async (t) => {
  const bytes = Buffer.from(await clip());
  bytes[bytes.lastIndexOf('avcC') + 4 + 4] = 0xfd;
  const source = memorySource(bytes);
  t.same(uses(await judgeMovie(await parseMovie(source), source)), [['encode', 'nal-lengths']]);
});

t.test('while a file arrives, the verdict is about what is there, and says that it is not final', async (t) => {
  const bytes = await readFile(await encoded('mp4', [...picture(17, '64x48'), ...x264('keyint=60'), '-movflags', 'faststart']));
  const whole = memorySource(bytes);
  const movie = await parseMovie(whole);
  const partly = (landed: number): RangeSource => ({
    size: bytes.length,
    read: async (at, length) => {
      if (at + length > landed) throw new Mp4Error('not-yet', 'not there');
      return whole.read(at, length);
    },
  });
  t.match(await judgeMovie(movie, partly(bytes.length / 2)), { final: false, tracks: [{ use: 'standard' }] });
  t.match(await judgeMovie(movie, partly(bytes.length)), { final: true, tracks: [{ use: 'standard' }] });
});

const oneSecond = 1000;
const groups = (track: Partial<PretendTrack> & Pick<PretendTrack, 'samples'>): string[] => {
  const { movie } = pretendMovie([{ kind: 'video', timescale: oneSecond, ...track }]);
  return toTheEnd(judgeGops(movie.tracks[0] as MovieVideo)).map(({ code }) => code);
};
/** A picture a second. */
const slow = (count: number, keyEvery: number, more: object = {}) =>
  Array.from({ length: count }, (_, n) => ({ dts: n * oneSecond, duration: oneSecond, size: 10, key: n % keyEvery === 0, ...more }));

t.test('a group of pictures may last ten seconds and have 16 MiB, to the last one', async (t) => {
  t.same(groups({ samples: slow(40, 10) }), []);
  t.same(groups({ samples: slow(44, 11) }), ['key-interval']);
  t.same(groups({ samples: slow(41, 30) }), ['key-interval']);
  t.same(groups({ samples: slow(11, 20) }), ['key-interval'], 'one key frame, and then nothing but the end');
  const ntsc = slow(40, 10).map((one) => ({ ...one, dts: one.dts * 1.001, duration: 1001 }));
  t.same(groups({ samples: ntsc }), [], 'ten seconds as television counts them');
  t.same(groups({ samples: slow(40, 4, { size: 4 << 20 }) }), [], '16 MiB');
  t.same(groups({ samples: slow(40, 4, { size: (4 << 20) + 1 }) }), ['gop-size']);
});

t.test('what is shown begins with a key frame, wherever it is in the file', async (t) => {
  const samples = slow(40, 4);
  const begins = (from: number, length: number | null = null) => groups({ samples, edit: plainEdit(from, 0, length) });
  t.same(begins(0), []);
  t.same(begins(8 * oneSecond), []);
  t.same(begins(8 * oneSecond + 400), [], 'in the middle of its time');
  t.same(begins(9 * oneSecond), ['begins-inside']);
  t.same(begins(40 * oneSecond), ['begins-inside'], 'behind everything');
  t.same(groups({ samples: slow(40, 4).slice(1) }), ['begins-inside']);
  // The long group at the end is not shown.
  t.same(groups({ samples: [...slow(8, 4), ...slow(20, 30).map((one) => ({ ...one, dts: one.dts + 8 * oneSecond }))] }), ['key-interval']);
  t.same(groups({ samples: [...slow(8, 4), ...slow(20, 30).map((one) => ({ ...one, dts: one.dts + 8 * oneSecond }))], edit: plainEdit(0, 0, 12 * oneSecond) }), []);
  t.same(groups({ samples, edit: { kind: 'complex', why: 'two pieces' } }), ['edit-list']);
});

t.test('pictures keep to their own side of a key frame', async (t) => {
  const base = slow(12, 4);
  const moved = (index: number, cts: number) => groups({ samples: base.map((one, i) => (i === index ? { ...one, cts } : one)) });
  t.same(moved(5, -1500), ['open-gop'], 'shown ahead of the key frame that it follows');
  t.same(moved(3, 1500), ['open-gop'], 'shown after the next one');
  t.same(moved(6, 900), []);
});

t.test('a hole in the sound is told, and the last frame may last as long as it likes', async (t) => {
  const frames = (hole: number, at: number): Movie => {
    let dts = 0;
    const samples = Array.from({ length: 50 }, (_, i) => {
      const duration = i === at ? 1024 + hole : 1024;
      dts += duration;
      return { dts: dts - duration, duration };
    });
    return pretendMovie([{ kind: 'audio', timescale: 48_000, samples }]).movie;
  };
  const source = memorySource(Buffer.alloc(0));
  t.same(uses(await judgeMovie(frames(48_000, 20), source)), [['encode', 'sound-gaps']]);
  t.same(uses(await judgeMovie(frames(2400, 20), source)), [['standard']]);
  t.same(uses(await judgeMovie(frames(480_000, 49), source)), [['standard']]);
});

/** One ffmpeg for the rungs of a live stream: every picture of the source on every rung, at its time, and an end that is a value. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { clip } from '../../test/support/clips.ts';
import { encoded } from '../../test/support/encoded.ts';
import { decodeStamps } from '../../test/support/ffmpeg.ts';
import { sourceClip, type SourceClip, type SourcePicture } from '../../test/support/source-pictures.ts';
import { FakeClock, systemClock } from '../clock.ts';
import { avcCodecString, parseAvcConfig, parseSps } from '../media/h264.ts';
import { nutFrameHead, nutHead, type NutStream } from '../nut/writer.ts';
import { pictureChoice } from './live-choice.ts';
import type { LiveRung } from './live-command.ts';
import { LiveEncoder, type LivePicture, type LiveSpan } from './live-encoder.ts';
import { findPrograms } from './programs.ts';
import { makeJobPlace, Sandbox } from './sandbox.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-live-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const programs = await findPrograms();
const sandbox = await Sandbox.open({ programs, clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const place = await makeJobPlace(join(folder, 'live'));

const rungOf = (height: number, more: Partial<LiveRung> = {}): LiveRung => ({
  ...{ width: Math.round((height * 16) / 18) * 2, height, preset: 'ultrafast', bitRate: 1_500_000, maxRate: 2_000_000, buffer: 2_000_000 },
  ...{ level: 31, frameRate: { numerator: 30, denominator: 1 }, cap: null, after: null },
  ...more,
});
const rungs = [rungOf(180), rungOf(144)];

const stamped = await clip({ width: 320, height: 180, fps: 30, gop: 240, audio: false });
const fast = await clip({ width: 320, height: 180, fps: 60, gop: 480, audio: false });
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '1M', '-sc_threshold', '0', '-video_track_timescale', '90000'];
/** Two seconds of it, encoded in another way. */
const variant = async (from: string, ...args: string[]): Promise<SourceClip> => sourceClip(await encoded('mp4', ['-i', from, '-t', '2', ...args]));

type Out = { encoder: LiveEncoder; pictures: LivePicture[][]; configs: Buffer[]; until(enough: (pictures: LivePicture[][]) => boolean): Promise<void> };

const start = (source: Omit<SourceClip, 'pictures'>, chosen: readonly LiveRung[], more: Partial<LiveSpan> = {}): Out => {
  const pictures: LivePicture[][] = chosen.map(() => []);
  const configs: Buffer[] = [];
  const waiters = new Set<() => void>();
  const encoder = new LiveEncoder({
    ...{ sandbox, place, clock: systemClock, source: { ...source, sar: null, colour: null }, rungs: chosen, hungMs: 30_000 },
    configured: (rung, config) => (configs[rung] = config),
    picture: (rung, one) => {
      pictures[rung]?.push(one);
      for (const waiter of waiters) waiter();
    },
    ...more,
  });
  const until = (enough: (pictures: LivePicture[][]) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!enough(pictures)) return;
        waiters.delete(look);
        resolve();
      };
      waiters.add(look);
      look();
      void encoder.ended.then(({ how, words }) => reject(new Error(`it ended (${how}) before there was enough: ${words}`)));
    });
  return { encoder, pictures, configs, until };
};

const feedAll = (encoder: LiveEncoder, pictures: readonly SourcePicture[]): void => {
  for (const picture of pictures) if (!encoder.feed(picture)) throw new Error('a picture was not taken');
};

const inOrder = (pictures: readonly SourcePicture[]): SourcePicture[] => pictures.toSorted((a, b) => a.pts - b.pts);
const placesOf = (pictures: readonly Omit<LivePicture, 'data'>[]): [number, boolean][] => pictures.map(({ pts, key }) => [pts, key]);

/** The number in every picture, in the order in which they are shown. */
let files = 0;
const numbersIn = async (stream: Omit<NutStream, 'timescale'>, pictures: readonly LivePicture[]): Promise<(number | null)[]> => {
  const path = join(folder, `${(files += 1)}.nut`);
  await writeFile(path, Buffer.concat([nutHead({ ...stream, timescale: 90_000 }, 0), ...pictures.flatMap(({ pts, key, data }) => [nutFrameHead(pts, key, data.length), data])]));
  const { stamps, errors } = await decodeStamps(`file:${path}`, { width: 320, height: 180 }, { before: ['-seekable', '0'] });
  if (errors) throw new Error(errors);
  return stamps;
};

/** The pid of what is behind the walls. */
const ffmpegOf = (pid: number): number => {
  if (/\0pipe:3\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1')) && readFileSync(`/proc/${pid}/comm`, 'latin1') === 'ffmpeg\n') return pid;
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ');
  if (!child) throw new Error('no ffmpeg');
  return ffmpegOf(Number(child));
};
const aliveInGroup = async (group: number): Promise<number> => {
  const stats = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')));
  return stats.filter((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === group).length;
};
const openFiles = (): number => readdirSync('/proc/self/fd').length;

const openHevc = (): Promise<SourceClip> => variant(stamped.file, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=20:min-keyint=20:bframes=3:open-gop=1', '-tag:v', 'hvc1', '-video_track_timescale', '90000'); // prettier-ignore

const kinds: Record<string, () => Promise<SourceClip>> = {
  'a steady rate with B-frames': () => variant(stamped.file, ...x264, '-bf', '2', '-g', '30'),
  'a B-pyramid': () => variant(stamped.file, ...x264, '-bf', '3', '-g', '20', '-x264-params', 'b-pyramid=normal:b-adapt=0'),
  'a rate that varies': () => variant(stamped.file, '-vf', "select='not(mod(n,7))+not(mod(n,5))+not(mod(n,2))'", '-fps_mode', 'vfr', ...x264, '-bf', '2', '-g', '12'),
  'open GOPs, whose key pictures only say that one may begin there': () => variant(stamped.file, ...x264, '-bf', '2', '-g', '15', '-x264-params', 'open-gop=1'),
  'GOPs of all lengths, down to one picture': () => variant(stamped.file, ...x264, '-bf', '2', '-g', '300', '-forced-idr', '1', '-force_key_frames', '0.1,0.1333,0.1667,0.5,1.4,1.9'),
  'HEVC that begins anew at pictures with others ahead of them': () => openHevc(),
}; // prettier-ignore

for (const [name, source] of Object.entries(kinds)) {
  t.test(`${name}: every rung has every picture once, at its time, with a key picture where the source has one`, async (t) => {
    const { pictures: fed, ...stream } = await source();
    const out = start(stream, rungs);
    feedAll(out.encoder, fed);
    out.encoder.end();
    t.same(await out.encoder.ended, { how: 'drained', words: '' });
    const expected = inOrder(fed);
    const numbers = await numbersIn(stream, fed);
    t.notOk(numbers.includes(null));
    for (const [rung, { width, height }] of rungs.entries()) {
      const pictures = out.pictures[rung] ?? [];
      t.same(placesOf(pictures), placesOf(expected));
      const config = out.configs[rung] ?? Buffer.alloc(0);
      t.equal(avcCodecString(parseAvcConfig(config)), 'avc1.64001F');
      t.match(parseSps(parseAvcConfig(config).sps[0] ?? Buffer.alloc(0)), { width, height, colour: { matrix: 6 } });
      t.same(await numbersIn({ codec: 'h264', config, width, height, reorder: 0 }, pictures), numbers);
    }
  });
}

t.test('a show that is joined in the middle of an open GOP: what is shown before time 0 is taken, and left out', async (t) => {
  const { pictures: all, ...stream } = await openHevc();
  const second = all.findIndex(({ key }, at) => key && at > 0);
  const origin = all[second]?.pts ?? 0;
  const fed = all.slice(second).map((picture) => ({ ...picture, pts: picture.pts - origin }));
  t.ok(fed.some(({ pts }) => pts < 0));
  const { encoder, pictures } = start(stream, rungs.map((rung) => ({ ...rung, after: -1 }))); // prettier-ignore
  feedAll(encoder, fed);
  t.equal(encoder.feed({ pts: -31 * 90_000, key: false, data: Buffer.alloc(3) }), false, 'nothing is shown so much earlier');
  encoder.end();
  t.same(await encoder.ended, { how: 'drained', words: '' });
  for (const rung of pictures) t.same(placesOf(rung), placesOf(inOrder(fed).filter(({ pts }) => pts >= 0)));
});

t.test('a cap on the rate: the rung has the pictures that are chosen here, among them every key picture', async (t) => {
  const { pictures: fed, ...stream } = await variant(fast.file, ...x264, '-bf', '2', '-g', '600', '-forced-idr', '1', '-force_key_frames', '0.35,1');
  const out = start(stream, [rungOf(180), rungOf(144, { cap: 30 })]);
  feedAll(out.encoder, fed);
  out.encoder.end();
  t.equal((await out.encoder.ended).how, 'drained');
  const all = inOrder(fed);
  t.same(placesOf(out.pictures[0] ?? []), placesOf(all));
  const chosen = pictureChoice(30);
  t.same(placesOf(out.pictures[1] ?? []), placesOf(all.filter(({ pts, key }) => chosen(pts, key)))); // prettier-ignore
  t.ok(Math.abs((out.pictures[1]?.length ?? 0) - 61) <= 1, `${out.pictures[1]?.length} pictures in two seconds`);
});

t.test('an encoder that begins again in the middle of a GOP gives exactly what is missing, and begins with a key picture', async (t) => {
  const { pictures: fed, ...stream } = await variant(fast.file, ...x264, '-bf', '2', '-g', '40');
  const capped = [rungOf(180), rungOf(144, { cap: 30 })];
  const first = start(stream, capped);
  feedAll(first.encoder, fed.slice(0, 70));
  await first.until((pictures) => pictures.every((rung, at) => rung.length > (at === 0 ? 50 : 28)));
  first.encoder.kill();
  const had = first.pictures.map((rung) => [...rung]);
  const last = had.map((rung) => rung.at(-1)?.pts ?? 0);
  t.equal((await first.encoder.ended).how, 'killed');
  t.same(first.pictures, had, 'nothing comes out of one that was ended');
  const key = fed.findLastIndex(({ key: starts }, at) => starts && at < 70);
  const second = start(stream, capped.map((rung, at) => ({ ...rung, after: last[at] ?? null })));
  feedAll(second.encoder, fed.slice(key));
  second.encoder.end();
  t.equal((await second.encoder.ended).how, 'drained');
  const choice = pictureChoice(30);
  const expected = [inOrder(fed), inOrder(fed).filter((one) => choice(one.pts, one.key))];
  for (const [rung, pictures] of expected.entries()) {
    const more = second.pictures[rung] ?? [];
    t.equal(more[0]?.key, true);
    t.same([...(had[rung] ?? []), ...more].map(({ pts }) => pts), pictures.map(({ pts }) => pts)); // prettier-ignore
  }
});

t.test('one that begins where nothing is missing gives nothing, and that is no fault', async (t) => {
  const { pictures: fed, ...stream } = await variant(stamped.file, ...x264, '-bf', '2', '-g', '30');
  const { encoder, pictures } = start(stream, rungs.map((rung) => ({ ...rung, after: Math.max(...fed.map(({ pts }) => pts)) }))); // prettier-ignore
  feedAll(encoder, fed);
  encoder.end();
  t.same(await encoder.ended, { how: 'drained', words: '' });
  t.same(pictures, [[], []]);
});

t.test('progress says what went in, what came out, what waits and what it cost', { skip: process.platform !== 'linux' }, async (t) => {
  const { pictures: fed, ...stream } = await variant(stamped.file, ...x264, '-bf', '2', '-g', '30');
  const { encoder, until } = start(stream, rungs);
  t.match(encoder.progress(), { picturesIn: 0, rungs: [{ picturesOut: 0, lag: 0, waitingMs: 0 }, { picturesOut: 0, lag: 0, waitingMs: 0 }] });
  feedAll(encoder, fed);
  await until((pictures) => pictures.every((rung) => rung.length > 50));
  const { picturesIn, rungs: told, coreSeconds } = encoder.progress();
  t.equal(picturesIn, 60);
  for (const { picturesOut, lag, waitingMs } of told) {
    t.ok(picturesOut > 50);
    t.ok(lag >= 0 && lag < 10 * 3_000, `${lag} ticks`);
    t.ok(waitingMs >= 0);
  }
  t.ok(coreSeconds !== null && coreSeconds > 0, `${coreSeconds} s of a core`);
  encoder.kill();
  await encoder.ended;
  t.equal(encoder.progress().coreSeconds, null);
});

t.test('ffmpeg that is killed ends in a value, and leaves neither processes nor pipes', { skip: process.platform !== 'linux' }, async (t) => {
  const { pictures: fed, ...stream } = await variant(stamped.file, ...x264, '-bf', '2', '-g', '30');
  const before = openFiles();
  const { encoder, until } = start(stream, rungs);
  feedAll(encoder, fed.slice(0, 40));
  await until((pictures) => pictures.every((rung) => rung.length > 10));
  const group = encoder.pid ?? 0;
  process.kill(ffmpegOf(group), 'SIGKILL');
  const { how, words } = await encoder.ended;
  t.equal(how, 'crashed');
  t.match(words, /SIGKILL|137/);
  t.equal(encoder.feed({ pts: 0, key: true, data: Buffer.alloc(3) }), false);
  encoder.end();
  encoder.kill();
  // Those behind the one that was killed are on their way out.
  for (let look = 0; look < 100 && (await aliveInGroup(group)) > 0; look += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(await aliveInGroup(group), 0);
  t.equal(openFiles(), before);
});

t.test('one that stands still is ended, and takes no more than its queue meanwhile', { skip: process.platform !== 'linux' }, async (t) => {
  const { pictures: fed, ...stream } = await variant(stamped.file, ...x264, '-bf', '2', '-g', '30');
  const clock = new FakeClock();
  const { encoder, until } = start(stream, rungs, { clock, hungMs: 5_000, queueBytes: 1_000_000 });
  feedAll(encoder, fed.slice(0, 30));
  await until((pictures) => pictures.every((rung) => rung.length > 10));
  process.kill(ffmpegOf(encoder.pid ?? 0), 'SIGSTOP');
  let taken = 0;
  for (let at = 0; at < 200; at += 1) if (encoder.feed({ pts: 2_000_000 + at * 3_000, key: false, data: Buffer.alloc(20_000) })) taken += 1;
  t.ok(taken > 40 && taken < 100, `${taken} pictures of 20 kB`);
  t.ok(encoder.progress().queuedBytes <= 1_000_000);
  clock.advance(4_000);
  t.match(encoder.progress().rungs, [{ waitingMs: 4_000 }, { waitingMs: 4_000 }]);
  t.not(encoder.progress().coreSeconds, null, 'not yet');
  clock.advance(2_000);
  t.equal((await encoder.ended).how, 'hung');
});

t.test('garbage ends its own encoder, with words, and no other', async (t) => {
  const { pictures: fed, ...stream } = await variant(stamped.file, ...x264, '-bf', '2', '-g', '30');
  const good = start(stream, rungs);
  const bad = start(stream, rungs);
  for (const [at, picture] of fed.entries()) {
    good.encoder.feed(picture);
    bad.encoder.feed({ pts: picture.pts, key: at % 10 === 0, data: Buffer.alloc(400, at + 1) });
  }
  good.encoder.end();
  bad.encoder.end();
  const ended = await bad.encoder.ended;
  t.equal(ended.how, 'crashed');
  t.match(ended.words, /\w{4}/);
  t.equal((await good.encoder.ended).how, 'drained');
  t.same(good.pictures.map((rung) => rung.length), [60, 60]); // prettier-ignore
});

t.test('where no program can be started, that is its end', async (t) => {
  const { pictures: fed, ...stream } = await variant(stamped.file, ...x264, '-bf', '2', '-g', '30');
  const none = { piped: () => ({ file: join(folder, 'no-such-program'), args: [], cwd: folder, env: {} }) };
  const { encoder } = start(stream, rungs, { sandbox: none });
  for (const picture of fed) encoder.feed(picture);
  const { how, words } = await encoder.ended;
  t.equal(how, 'crashed');
  t.match(words, /ENOENT/);
});

t.test('fields become whole pictures, each at its own time', async (t) => {
  const source = await variant(stamped.file, ...x264, '-vf', 'setfield=tff', '-flags', '+ildct+ilme', '-x264-params', 'tff=1', '-g', '20', '-bf', '2');
  const { encoder, pictures } = start(source, rungs, { source: { ...source, sar: null, colour: null, interlaced: true } });
  feedAll(encoder, source.pictures);
  encoder.end();
  t.match(await encoder.ended, { how: 'drained' });
  for (const rung of pictures) t.same(placesOf(rung), placesOf(inOrder(source.pictures)));
});

t.test('more light than a rung can show is made less, and said to be no more', async (t) => {
  const source = await variant(stamped.file, '-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', '-tag:v', 'hvc1', '-x265-params', 'log-level=error:keyint=20:scenecut=0:open-gop=0:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc', '-video_track_timescale', '90000');
  for (const transfer of [16, 18]) {
    const { encoder, pictures, configs } = start(source, [rungOf(144)], { source: { ...source, sar: null, colour: { primaries: 9, transfer, matrix: 9, fullRange: false } } });
    feedAll(encoder, source.pictures);
    encoder.end();
    t.match(await encoder.ended, { how: 'drained' });
    t.same(placesOf(pictures[0] ?? []), placesOf(inOrder(source.pictures)));
    const [set] = configs[0] ? parseAvcConfig(configs[0]).sps : [];
    t.match(set && parseSps(set).colour, { primaries: 1, transfer: 1, matrix: 1 });
  }
});

/** A whole track of sound by the real ffmpeg: in step with its source to the sample, on its segments, and the same bytes every time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encoded } from '../../../test/support/encoded.ts';
import { mustFfmpeg } from '../../../test/support/ffmpeg.ts';
import { offsetBetween, opusConfig, opusOf } from '../../../test/support/opus-packets.ts';
import { systemClock } from '../../clock.ts';
import { fragment } from '../../cmaf/fragment.ts';
import { initSegment } from '../../cmaf/init.ts';
import { readFragments } from '../../cmaf/reader.ts';
import { MemoryLog } from '../../log/memory-log.ts';
import { nodeDisk } from '../../log/node-disk.ts';
import { openTrackLogReader } from '../../log/open.ts';
import { LogError, type TrackLogReader } from '../../log/types.ts';
import { soundFacts } from '../../media/sound-facts.ts';
import type { AudioConfig } from '../../media/unit.ts';
import { virtualEpoch } from '../../mp4/virtual-facts.ts';
import { VirtualTrackLog } from '../../mp4/virtual-log.ts';
import type { SoundMake } from '../../pipeline/work.ts';
import { findPrograms } from '../programs.ts';
import { EncodeError } from '../runs.ts';
import { makeJobPlace, Sandbox } from '../sandbox.ts';
import { openMovie, planCalmly } from '../shelve.ts';
import { soundMake, storedSound } from './sound-fit.ts';
import { soundCuts } from './sound-cuts.ts';
import { makeSound, type MadeSound } from './sound.ts';

const folder = await mkdtemp(join(tmpdir(), 'millrace-track-sound-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
if (!sandbox) throw new Error('ffmpeg does not run here');
const place = await makeJobPlace(join(folder, 'job'));

/** On the left, noise that coders keep the shape of: most of it is low. On the right, one that takes all the bits that there are. */
const noise = (rate: number): string[] => {
  const of = (color: string, amplitude: number): string => `anoisesrc=color=${color}:seed=11:sample_rate=${rate}:duration=9:amplitude=${amplitude}`;
  return ['-f', 'lavfi', '-i', `${of('brown', 0.5)}[low];${of('white', 0.4)}[busy];[low][busy]amerge=inputs=2,aformat=channel_layouts=stereo`];
};

/** The sound of an MP4 as the server reads it, on the grid of its pictures where it has any. */
const virtual = async (t: Test, path: string): Promise<TrackLogReader> => {
  const open = await openMovie(nodeDisk, path);
  t.teardown(() => open.close());
  const plan = (await planCalmly(open.movie)).tracks.find(({ track }) => track.kind === 'audio');
  if (!plan) throw new Error('no sound');
  return new VirtualTrackLog(plan, open.source, virtualEpoch(plan, { run: 'r1', wallClock: 1_000 }));
};

let made = 0;
const make = async (t: Test, source: TrackLogReader, more: Partial<Parameters<typeof makeSound>[0]> = {}): Promise<{ log: TrackLogReader; told: MadeSound; heard: SoundMake }> => {
  const stored = storedSound(source.snapshot());
  const heard = more.make ?? (stored && soundMake(stored));
  if (!heard) throw new Error('there is nothing to make of it');
  made += 1;
  const into = join(folder, `log${made}`);
  const told = await makeSound({ sandbox, place, disk: nodeDisk, clock: systemClock, source, make: heard, folder: into, signal: new AbortController().signal, progress: () => undefined, ...more });
  const log = await openTrackLogReader({ disk: nodeDisk, folder: into });
  t.teardown(() => log.close());
  return { log, told, heard };
};

const bytesOf = async (log: TrackLogReader, epoch?: number): Promise<Buffer[]> => {
  const { first, end, entry } = log.snapshot();
  const all = await log.readChecked(first, end);
  return all.filter((_, at) => epoch === undefined || entry(first + at).epoch === epoch);
};

/** Mono, 48 kHz, from media time zero on: what a player that believes every time would hear. */
const heardOf = async (log: TrackLogReader, epoch = 0): Promise<Float32Array> => {
  const facts = log.snapshot().epochs.find((one) => one.epoch === epoch);
  const input = Buffer.concat([facts?.init ?? Buffer.alloc(0), ...(await bytesOf(log, epoch))]);
  const filter = 'aresample=async=1:min_hard_comp=0.0005:max_soft_comp=0:first_pts=0,aresample=48000,pan=mono|c0=c0';
  const { stdout } = await mustFfmpeg(['-f', 'mp4', '-copyts', '-i', 'pipe:0', '-af', filter, '-f', 'f32le', 'pipe:1'], { input });
  return new Float32Array(stdout.buffer, stdout.byteOffset, stdout.length >> 2);
};

const rate = 48_000;
/** At places a third of a second apart, but for those of which nothing is to be heard. */
const isInStep = (t: Test, source: Float32Array, made: Float32Array, silent: readonly (readonly [number, number])[] = []): void => {
  let places = 0;
  for (let at = 4_800; at + 9_600 < Math.min(source.length, made.length); at += 16_000) {
    if (silent.some(([from, to]) => at > from * rate - 8_000 && at < to * rate + 3_000)) continue;
    const { offset, alike } = offsetBetween(source, made, at, 4_800, 240);
    places += 1;
    t.ok(Math.abs(offset) <= 4 && alike > 0.95, `at ${(at / rate).toFixed(2)} s: ${offset} samples apart, ${alike.toFixed(4)} alike`);
  }
  t.ok(places >= 10, `${places} places`);
};

/** Every frame where the one before ends, and every segment within a frame of the source's. */
const liesOn = async (t: Test, source: TrackLogReader, log: TrackLogReader, { sampleRate }: SoundMake): Promise<void> => {
  const segments = segmentsOf(source);
  const made = segmentsOf(log);
  t.equal(log.snapshot().end, made.length, 'one fragment a segment');
  t.same(made.map(({ gap, epoch }) => [gap, epoch]), segments.map(({ gap, epoch }) => [gap, epoch]));
  const far = made.map(({ start }, index) => Math.abs(start - (segments[index]?.start ?? 0)));
  t.ok(Math.max(...far) <= (0.51 * 1024) / sampleRate, `${Math.max(...far)} s off the grid`);
  let end = 0;
  for (const [at, bytes] of (await bytesOf(log)).entries()) {
    const { dts, duration, gap, epoch } = log.snapshot().entry(at);
    if (at > 0 && log.snapshot().entry(at - 1).epoch === epoch) t.equal(dts, end, `segment ${at} begins where the one before ends`);
    end = dts + duration;
    if (gap) continue;
    const [found, ...more] = readFragments(bytes);
    t.match(found, { baseDecodeTime: dts, duration, sequence: at + 1 });
    t.equal(more.length, 0);
    t.ok(found?.samples.every((sample) => sample.duration === 1024 && sample.cts === 0));
  }
};

type Segment = { readonly start: number; readonly gap: boolean; readonly epoch: number };
/** What is missing of a segment that is there otherwise is silence. */
const segmentsOf = (log: TrackLogReader): Segment[] => {
  const { first, end, entry, epochs } = log.snapshot();
  const segments: Segment[] = [];
  for (let seq = first; seq < end; seq += 1) {
    const { dts, gap, epoch, segmentStart } = entry(seq);
    const last = segments.at(-1);
    if (last && !segmentStart) segments[segments.length - 1] = { ...last, gap: last.gap && gap };
    else segments.push({ start: dts / (epochs.find((one) => one.epoch === epoch)?.timescale ?? 1), gap, epoch });
  }
  return segments;
};

/** The same log but for how its media is read. */
const readBy = (log: TrackLogReader, readChecked: TrackLogReader['readChecked']): TrackLogReader => ({
  snapshot: () => log.snapshot(),
  read: (from, to) => log.read(from, to),
  readHeads: (from, to, bytes) => log.readHeads(from, to, bytes),
  close: () => log.close(),
  readChecked,
});

const pictures = ['-f', 'lavfi', '-i', 'color=size=32x32:rate=25:duration=9'];
/** Ten times what is heard of it needs, and nothing else that would be a reason. */
const loud = ['-c:v', 'libx264', '-g', '60', '-preset', 'ultrafast', '-c:a', 'aac', '-b:a', '500k', '-ac', '2'];

for (const rate of [44_100, 96_000]) {
  t.test(`AAC of more bits than anybody hears, ${rate} Hz: in step, on its segments`, async (t) => {
    const source = await virtual(t, await encoded('mp4', [...pictures, ...noise(rate), ...loud, '-shortest']));
    const { log, told, heard } = await make(t, source);
    t.same(heard, { channels: 2, sampleRate: rate === 96_000 ? 48_000 : rate, bitRate: 128_000 });
    t.ok(told.averageBandwidth < 200_000 && told.bandwidth >= told.averageBandwidth, `${told.averageBandwidth} bit/s`);
    t.equal(told.timescale, heard.sampleRate);
    await liesOn(t, source, log, heard);
    isInStep(t, await heardOf(source), await heardOf(log));
  });
}

t.test('sound that begins late begins late, behind a hole as the source has one', async (t) => {
  const late = await encoded('mp4', [...pictures, '-itsoffset', '3.3', ...noise(48_000), ...loud]);
  const source = await virtual(t, late);
  t.ok(segmentsOf(source)[0]?.gap);
  const { log, heard } = await make(t, source);
  await liesOn(t, source, log, heard);
  const first = (await bytesOf(log)).find((bytes) => bytes.length > 0);
  const was = (await bytesOf(source)).find((bytes) => bytes.length > 0);
  t.equal(readFragments(first ?? Buffer.alloc(0))[0]?.baseDecodeTime, readFragments(was ?? Buffer.alloc(0))[0]?.baseDecodeTime, 'to the sample');
  isInStep(t, await heardOf(source), await heardOf(log), [[0, 3.4]]);
});

t.test('channels that are laid out in a way of their own become stereo, and around the listener six', async (t) => {
  for (const [layout, channels] of [['quad', 2], ['5.1(side)', 6]] as const) {
    const path = await encoded('mp4', [...noise(48_000), '-t', '6', '-af', `aformat=channel_layouts=${layout}`, '-c:a', 'aac', '-b:a', '200k']);
    const source = await virtual(t, path);
    const { log, heard } = await make(t, source);
    t.equal(heard.channels, channels, layout);
    await liesOn(t, source, log, heard);
    const init = log.snapshot().epochs[0]?.init ?? Buffer.alloc(0);
    const { stdout } = await mustFfmpeg(['-f', 'mp4', '-i', 'pipe:0', '-f', 'f32le', 'pipe:1'], { input: Buffer.concat([init, ...(await bytesOf(log))]) });
    t.equal(stdout.length, source.snapshot().end === 0 ? 0 : Math.ceil((6 * 48_000) / 1024) * 1024 * channels * 4, `${layout}: all of it`);
  }
});

/** A recording: Opus, in segments of a second, parts of a fifth; what `missing` says is declared not to be there, or just is not. */
type Missing = { readonly from: number; readonly to: number; readonly declared: boolean };
const recording = async (epochs: readonly (readonly Missing[])[], at = 3_600 * 48_000): Promise<MemoryLog> => {
  const log = new MemoryLog();
  const packets = await opusOf(20);
  const config: AudioConfig = opusConfig();
  const { codecString } = soundFacts(config);
  let zero = at;
  for (const [epoch, missing] of epochs.entries()) {
    const init = initSegment({ ...config, timescale: 48_000, sampleRate: 48_000, channels: 2 });
    await log.beginEpoch({ epoch, timescale: 48_000, wallClock: 1_000 * epoch, start: zero, reorderDelay: 0, codecString, run: `r${epoch}`, init });
    for (let from = 0; from < packets.length; from += 10) {
      const second = from / 50;
      const some = packets.slice(from, from + 10);
      const dts = zero + from * 960;
      const facts = { dts, firstPts: dts, duration: 960 * some.length, key: true, segmentStart: from % 50 === 0 };
      const hole = missing.find((one) => second >= one.from && second < one.to);
      if (hole?.declared) await log.append({ ...facts, gap: true }, []);
      if (hole) continue;
      const samples = some.map(({ data, samples: duration }) => ({ data, duration, size: data.length, key: true, compositionOffset: 0 }));
      await log.append({ ...facts, gap: false }, fragment({ sequence: from, baseDecodeTime: dts, kind: 'audio', samples }));
    }
    zero += packets.length * 960 + 12_345;
  }
  return log;
};

t.test('a hole that an epoch ends with ends where the next epoch begins, not a frame into it', async (t) => {
  const log = new MemoryLog();
  let dts = 0;
  for (const [seq, [duration, gap]] of ([[96_300, false], [48_000, true], [32_358, true], [96_000, false]] as const).entries()) {
    if (seq === 0 || seq === 3) await log.beginEpoch({ epoch: seq, timescale: 48_000, wallClock: 0, start: dts, reorderDelay: 0, codecString: 'opus', run: 'r', init: Buffer.alloc(0) });
    await log.append({ dts, firstPts: dts, duration, key: true, segmentStart: true, gap }, gap ? [] : [Buffer.alloc(1)]);
    dts += duration;
  }
  const [one, other] = soundCuts(log.snapshot(), 48_000).map(({ cuts }) => cuts.map(({ start, end, gap }) => ({ start, end, gap })));
  t.same(one, [{ start: 0, end: 95 * 1024, gap: false }, { start: 95 * 1024, end: 144_300, gap: true }, { start: 144_300, end: 176_658, gap: true }], 'what is heard is kept whole');
  t.match(other, [{ start: 176_658, gap: false }]);
});

t.test('a recording of Opus: each of its epochs, its declared holes, and those that nobody declared', async (t) => {
  const log = await recording([[{ from: 2, to: 4, declared: true }], [{ from: 1.2, to: 1.6, declared: false }, { from: 3, to: 3.4, declared: true }], [{ from: 4, to: 6, declared: true }]], 0);
  const { log: made, heard } = await make(t, log);
  t.same(heard, { channels: 2, sampleRate: 48_000, bitRate: 128_000 });
  await liesOn(t, log, made, heard);
  t.same(made.snapshot().epochs.map(({ epoch, wallClock, start, run }) => ({ epoch, wallClock, start, run })), log.snapshot().epochs.map(({ epoch, wallClock, start, run }) => ({ epoch, wallClock, start, run })));
  for (const [epoch, silent] of [[0, [[2, 4]]], [1, [[1.2, 1.6], [3, 3.4]]], [2, [[4, 6]]]] as const) {
    const zero = log.snapshot().epochs[epoch]?.start ?? 0;
    const [was, is] = [await heardOf(log, epoch), await heardOf(made, epoch)];
    isInStep(t, was.subarray(zero), is.subarray(zero), silent);
  }
});

t.test('the same bytes every time, an hour into the show as well', async (t) => {
  const log = await recording([[{ from: 2, to: 4, declared: true }]]);
  const [one, other] = [await make(t, log), await make(t, log)];
  t.ok(Buffer.concat(await bytesOf(one.log)).equals(Buffer.concat(await bytesOf(other.log))));
  t.same(one.told, other.told);
});

t.test('told to stop, it stops at once; and progress comes to its end meanwhile', async (t) => {
  const log = await recording([[], []]);
  const stop = new AbortController();
  const told: number[] = [];
  const error = await make(t, log, { signal: stop.signal, progress: (done) => (told.push(done), stop.abort()) }).catch((error: unknown) => error);
  t.match(error, { code: 'unwanted', recoverable: true });
  t.ok(error instanceof EncodeError);
  t.ok(told.length === 1 && (told[0] ?? 0) > 0.2 && (told[0] ?? 1) < 1, `${told}`);
  const early = await make(t, log, { signal: AbortSignal.abort() }).catch((error: unknown) => error);
  t.match(early, { code: 'unwanted' });
});

t.test('a fragment that no longer can be read is a hole, and a log that nobody understands is broken', async (t) => {
  const whole = await recording([[]], 0);
  const torn = readBy(whole, async (from, to) => {
    if (from <= 8 && to > 8) throw new LogError('corrupt', 'fragment 8 is damaged');
    return whole.read(from, to);
  });
  const { log } = await make(t, torn);
  isInStep(t, await heardOf(whole), await heardOf(log), [[1.6, 1.8]]);
  const nonsense = readBy(whole, async () => [Buffer.from('00000008moof')]);
  t.match(await make(t, nonsense).catch((error: unknown) => error), { code: 'broken', recoverable: false });
  const away = readBy(whole, () => Promise.reject(new LogError('io', 'no disk')));
  t.match(await make(t, away).catch((error: unknown) => error), { code: 'encode-failed', recoverable: true });
});

t.test('an ffmpeg that dies is told apart from one that is not content', async (t) => {
  const log = await recording([[]], 0);
  for (const [script, recoverable] of [['kill -9 $$', true], ['exit 3', false]] as const) {
    const piped: Sandbox['piped'] = () => ({ file: '/bin/sh', args: ['-c', script], cwd: folder, env: {} });
    t.match(await make(t, log, { sandbox: { piped } }).catch((error: unknown) => error), { code: 'encode-failed', recoverable }, script);
  }
});

/** Shows of ffmpeg's, played back as MPEG-TS: judged by ffprobe, by playlist parsers, and by the rules of ISO 13818-1. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { encoded, probe, run, scratch } from '../../test/support/encoded.ts';
import { Random } from '../../test/support/random.ts';
import { CmafError } from '../cmaf/cmaf-error.ts';
import { CodecError } from '../media/codec-error.ts';
import { analyse } from '../mpegts/analyse.ts';
import { clipFile, clipOf, record, type Recorded } from '../mpegts/recorded.ts';
import { TsError } from '../mpegts/ts-error.ts';
import { readByM3u8Parser, readMedia, readMultivariant } from './judges.ts';
import { PretendStream } from './pretend-stream.ts';
import { parseTsName, tsSegmentName } from './ts-names.ts';
import { readTsSegment, tsSegment, tsSegmentPlan, type TsSegmentPlan } from './ts-segment.ts';
import { tsMediaPlaylist, tsMultivariant } from './ts.ts';

await mkdir(scratch, { recursive: true });
t.teardown(() => rm(scratch, { recursive: true, force: true }));

const usualFile = await clipFile(10, 'keyint=60:min-keyint=60:scenecut=0:bframes=2:b-pyramid=normal');
const usual = await clipOf(usualFile);

const planOf = ({ snapshot }: Recorded, track: string, msn: number): TsSegmentPlan => {
  const plan = tsSegmentPlan(snapshot, track, msn);
  if (plan.kind !== 'media') throw new Error(`segment ${msn} is ${plan.kind}`);
  return plan;
};

const segmentsOf = async (recorded: Recorded, track: string): Promise<Buffer[]> => {
  const { segments } = readByM3u8Parser(tsMediaPlaylist(recorded.snapshot, track)).manifest;
  const out: Buffer[] = [];
  for (const { uri } of segments) {
    const name = parseTsName(uri ?? '');
    if (!name) throw new Error(`${uri} is no name`);
    out.push(await readTsSegment(planOf(recorded, track, name.msn), recorded.log));
  }
  return out;
};

const save = async (name: string, bytes: readonly Buffer[]): Promise<string> => {
  const path = join(scratch, name);
  await writeFile(path, bytes);
  return path;
};

const hashes = async (path: string): Promise<(string | undefined)[]> =>
  (await run(['-i', path, '-map', '0:v', '-vsync', '0', '-f', 'framehash', '-']))
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('0,'))
    .map((line) => line.split(',').at(-1));

/** What ffmpeg says, warnings too, when it demultiplexes and decodes all of it. */
const warnings = async (path: string): Promise<string> =>
  (await promisify(execFile)('ffmpeg', ['-v', 'warning', '-i', path, '-f', 'null', '-'])).stderr;

const lawful = (t: Test, segments: readonly Buffer[]): ReturnType<typeof analyse>[] => {
  const counters = new Map<number, number>();
  const seen = segments.map((bytes) => analyse(bytes, counters));
  t.same(seen.flatMap(({ complaints }) => complaints), []);
  // The clock goes on over the borders of segments as it does inside them.
  const clock = seen.flatMap((one) => one.clock.map(({ pcr }) => pcr));
  t.same(clock.filter((pcr, index) => index > 0 && (pcr <= (clock[index - 1] ?? 0) || pcr - (clock[index - 1] ?? 0) > 9_000)), []);
  for (const { units, clock: own } of seen) {
    const first = own[0]?.pcr ?? 0;
    t.ok(units.every(({ dts, pts }) => pts >= dts && dts > first), 'everything arrives before it is decoded');
  }
  return seen;
};

type Packets = { packets: { stream_index: number; pts: number; dts: number; flags: string }[] };

t.test('a show with B-frames: every picture, every stamp, every pixel, all of the sound, not a warning', async (t) => {
  const recorded = await record([{ clip: usual }]);
  const segments = await segmentsOf(recorded, 'v0');
  t.equal(segments.length, 5);
  const seen = lawful(t, segments);
  t.ok(seen.every(({ units }) => units.find(({ pid }) => pid === 0x100)?.randomAccess));
  const path = await save('usual.ts', segments);
  t.equal(await warnings(path), '');
  t.same(await hashes(path), await hashes(usualFile));

  const { packets } = (await probe(path, '-show_packets', '-select_streams', 'v')) as Packets;
  const shown = packets.map(({ pts }) => pts).sort((a, b) => a - b);
  t.equal(shown.length, 300);
  t.ok(shown.every((pts, n) => Math.abs(pts - 900_000 - n * 3000) <= 90), 'pictures lie where they were, to a millisecond');
  t.ok(packets.every(({ dts, pts }, n) => dts <= pts && dts > (packets[n - 1]?.dts ?? 0)));
  t.equal(packets.filter(({ flags }) => flags.startsWith('K')).length, 5);

  const sound = (await probe(path, '-show_packets', '-select_streams', 'a')) as Packets;
  const sent = usual.units.filter(({ kind }) => kind === 'audio').length;
  t.ok(sent - sound.packets.length <= 1, 'the first frame of sound may lie before the first picture');
  const times = sound.packets.map(({ pts }) => pts);
  t.ok(times.every((pts, n) => n === 0 || Math.abs(pts - (times[n - 1] ?? 0) - 1920) <= 1), 'without a gap between segments');
});

t.test('any segment plays alone', async (t) => {
  const recorded = await record([{ clip: usual }]);
  const path = await save('third.ts', [await readTsSegment(planOf(recorded, 'v0', 3), recorded.log)]);
  t.equal(await warnings(path), '');
  t.same(await hashes(path), (await hashes(usualFile)).slice(120, 180));
});

t.test('the same segment is the same bytes, and a restart changes none of them', async (t) => {
  const [first, again] = await Promise.all([record([{ clip: usual }]), record([{ clip: usual }])]);
  t.same(await segmentsOf(first, 'v0'), await segmentsOf(again, 'v0'));
});

t.test('sound alone, and pictures alone', async (t) => {
  const sound = await record([{ clip: usual, only: 'audio' }]);
  const heard = await segmentsOf(sound, 'a0');
  lawful(t, heard);
  const path = await save('sound.ts', heard);
  t.equal(await warnings(path), '');
  t.match(tsMultivariant(sound.snapshot), /CODECS="mp4a\.40\.2"\na0\/whole\.m3u8\n$/);
  const { streams } = (await probe(path, '-show_streams')) as { streams: { codec_name: string; sample_rate: string }[] };
  t.match(streams, [{ codec_name: 'aac', sample_rate: '48000' }]);

  const pictures = await record([{ clip: usual, only: 'video' }]);
  const seen = await segmentsOf(pictures, 'v0');
  lawful(t, seen);
  const silent = await save('silent.ts', seen);
  t.equal(await warnings(silent), '');
  t.equal((await hashes(silent)).length, 300);
});

t.test('several epochs: a discontinuity, a table of a new version, and another size of picture', async (t) => {
  const other = await clipOf(await clipFile(4, 'keyint=60:scenecut=0:bframes=0', ['-s', '320x180', '-profile:v', 'main']));
  const recorded = await record([{ clip: usual, until: 5_000 }, { clip: other }]);
  const text = tsMediaPlaylist(recorded.snapshot, 'v0');
  const { manifest, complaints } = readByM3u8Parser(text);
  t.same(complaints, []);
  t.same(manifest.discontinuityStarts, [3]);
  t.equal(manifest.endList, true);
  const segments = await segmentsOf(recorded, 'v0');
  t.same(segments.map((bytes) => analyse(bytes).version), [0, 0, 0, 1, 1]);
  for (const [index, part] of [segments.slice(0, 3), segments.slice(3)].entries()) {
    lawful(t, part);
    const path = await save(`epoch${index}.ts`, part);
    t.equal(await warnings(path), '');
    t.equal((await hashes(path)).length, [150, 120][index]);
  }
});

t.test('long GOPs, key frames at any time, and sound in 44.1 kHz', async (t) => {
  const clips = [
    await clipFile(16, 'keyint=250:scenecut=0:bframes=2'),
    await clipFile(8, 'keyint=60:min-keyint=1:bframes=3', ['-force_key_frames', '0.5,1.1,3.3,3.5,3.7', '-ar', '44100']),
  ];
  for (const [index, file] of clips.entries()) {
    const recorded = await record([{ clip: await clipOf(file) }], { latency: 'ultra' });
    const segments = await segmentsOf(recorded, 'v0');
    lawful(t, segments);
    const path = await save(`odd${index}.ts`, segments);
    t.equal(await warnings(path), '');
    t.same(await hashes(path), await hashes(file));
  }
});

t.test('a layout of channels that has no number travels inside the frames', async (t) => {
  const file = await encoded('flv', ['-f', 'lavfi', '-i', 'aevalsrc=sin(440*t)|sin(550*t)|sin(660*t):c=2.1:s=48000:d=4', '-c:a', 'aac']);
  const recorded = await record([{ clip: await clipOf(file) }]);
  const path = await save('layout.ts', await segmentsOf(recorded, 'a0'));
  t.equal(await warnings(path), '');
  const { streams } = (await probe(path, '-show_streams')) as { streams: unknown[] };
  t.match(streams, [{ codec_name: 'aac', channels: 3 }]);
});

t.test('the playlist of a live show lists what can be multiplexed, under the numbers of the other playlists', async (t) => {
  const stream = new PretendStream().segments(8).part();
  const text = tsMediaPlaylist(stream.snapshot(), 'v0');
  const { manifest, complaints } = readByM3u8Parser(text);
  t.same(complaints, []);
  t.notMatch(text, /PART|MAP|SERVER-CONTROL|ENDLIST/);
  t.match(manifest, { version: 3, targetDuration: 2, mediaSequence: 1, independentSegments: true });
  t.same(manifest.segments.map(({ uri }) => uri), [1, 2, 3, 4, 5, 6, 7, 8].map((msn) => tsSegmentName(stream.run, msn)));
  t.same(manifest.segments.map(({ programDateTime }) => programDateTime), Array.from({ length: 8 }, (_, n) => Date.UTC(2026, 0, 1) + n * 2000));
  t.equal(readMedia(text).version, 3);

  // The sound of segment 8 is not closed yet.
  const snapshot = stream.snapshot();
  const behind = { ...snapshot, tracks: snapshot.tracks.map((track) => (track.kind === 'video' ? track : { ...track, endSegment: 7, open: null })) };
  t.notMatch(tsMediaPlaylist(behind, 'v0'), /-8\.ts/);
  t.same(tsSegmentPlan(behind, 'v0', 8), { kind: 'not-yet' });
  t.match(tsSegmentPlan(snapshot, 'v0', 8), { kind: 'media', video: { track: 'v0', from: 42, to: 48 }, audio: { track: 'a0', from: 42, to: 48 }, end: 8 * 180_000 });
  t.same(tsSegmentPlan(snapshot, 'v0', 9), { kind: 'not-yet' });
  t.same([0, 10].map((msn) => tsSegmentPlan(snapshot, 'v0', msn).kind), ['unknown', 'unknown']);
  t.same(tsSegmentPlan(snapshot, 'v7', 1), { kind: 'unknown' });
  t.throws(() => tsMediaPlaylist(snapshot, 'v7'), { name: 'RangeError' });
});

t.test('a window that slides keeps numbers and discontinuities; holes are told; a cut is obeyed', async (t) => {
  const stream = new PretendStream().segments(3).epoch().segments(2).epoch().segments(2);
  stream.part(1, true).close().segments(1);
  const timelines = (): (string | undefined)[] => readMedia(tsMediaPlaylist(stream.snapshot(), 'v0'), { shortSegments: true }).segments.map((one) => `${one.mediaSequenceNumber}:${one.discontinuitySequence}`);
  const all = timelines();
  t.same(all, ['1:0', '2:0', '3:0', '4:1', '5:1', '6:2', '7:2', '8:2', '9:2']);
  for (const keep of [7, 6, 4, 1]) {
    stream.keep(keep);
    t.same(timelines(), all.slice(-keep));
  }
  t.same(tsSegmentPlan(stream.snapshot(), 'v0', 8), { kind: 'gap' });
  t.match(tsMediaPlaylist(new PretendStream().segment().part(1, true).close().snapshot(), 'v0'), /VERSION:8\n[^]*#EXT-X-GAP\n.*\n.*-2\.ts/);
  const cut = new PretendStream().segments(10).end();
  cut.cut = { inMicros: 5_000_000, outMicros: 14_000_000 };
  t.match(tsMediaPlaylist(cut.snapshot(), 'v0').match(/-\d+\.ts/g), ['-3.ts', '-4.ts', '-5.ts', '-6.ts', '-7.ts']);
  t.match(tsMediaPlaylist(new PretendStream().snapshot(), 'v0'), '#EXT-X-MEDIA-SEQUENCE:1\n');
});

t.test('what can be chosen from: every rung with its sound, and true bit rates', async (t) => {
  const recorded = await record([{ clip: usual }]);
  const { variants } = readMultivariant(tsMultivariant(recorded.snapshot, { base: '../../video/ts/' }));
  t.match(variants, [{ uri: '../../video/ts/v0/whole.m3u8', resolution: { width: 160, height: 90 }, frameRate: 30 }]);
  t.match(variants[0]?.codecs, /^avc1\.64.*,mp4a\.40\.2$/);
  const segments = await segmentsOf(recorded, 'v0');
  const peak = Math.max(...segments.map((bytes) => (bytes.length * 8) / 2));
  t.ok(peak <= (variants[0]?.bandwidth ?? 0), `${peak} of ${variants[0]?.bandwidth}`);
  const rungs = [1080, 480].map((height, n) => ({ id: `v${n}`, kind: 'video', timescale: 90_000, partTicks: 30_000, height }) as const);
  const ladder = new PretendStream({ tracks: rungs }).segments(1).snapshot();
  t.equal(readMultivariant(tsMultivariant(ladder)).variants.length, 2);
  t.same(readMultivariant(tsMultivariant(ladder, { maxHeight: 480 })).variants.map(({ uri }) => uri), ['v1/index.m3u8']);
});

t.test('one segment has one name', async (t) => {
  t.same(parseTsName(tsSegmentName('run1234567', 12)), { run: 'run1234567', msn: 12 });
  for (const name of ['run1234567-012.ts', 'run1234567-1.m4s', 'run-1.ts', 'run1234567-1-0.ts', 'run1234567--1.ts', `${'a'.repeat(70)}-1.ts`]) t.equal(parseTsName(name), null, name);
});

t.test('whatever a log gives, a segment is made or refused with a code', async (t) => {
  const recorded = await record([{ clip: usual, until: 4_000 }]);
  const plan = planOf(recorded, 'v0', 1);
  const read = async (of: TsSegmentPlan['video']): Promise<Buffer[]> => (of ? recorded.log(of.track).read(of.from, of.to) : []);
  const [video, audio] = [await read(plan.video), await read(plan.audio)];
  const random = new Random(21);
  let made = 0;
  for (let round = 0; round < 5_000; round += 1) {
    const damaged = (fragments: readonly Buffer[]): Buffer[] => {
      const at = random.below(fragments.length);
      const [head = Buffer.alloc(0)] = fragments.slice(at, at + 1);
      // Mostly the boxes: damaged media passes through, and is the decoder's business.
      return fragments.map((one, index) => (index === at ? Buffer.concat([random.mutate(head.subarray(0, 400)), head.subarray(400)]) : one)).slice(0, 2);
    };
    try {
      tsSegment(plan, { video: damaged(video), audio: damaged(audio), reorderDelay: 6000 });
      made += 1;
    } catch (error) {
      if (!(error instanceof TsError || error instanceof CmafError || error instanceof CodecError)) throw error;
    }
  }
  t.ok(made > 100, `${made} made`);
});

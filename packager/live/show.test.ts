import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readFlv, type FlvClip } from '../../test/support/flv.ts';
import { FakeClock } from '../clock.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { rtmpClock, type AccessUnit } from '../media/unit.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import type { Latency } from './policy.ts';
import { LiveRun, type RunFacts } from './run.ts';
import { Show } from './show.ts';

mkdirSync('.cache', { recursive: true });
const folder = mkdtempSync(join('.cache', 'show-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const clip = (name: string, seconds: number, x264: string, more: string[] = []): FlvClip => {
  const file = join(folder, `${name}.flv`);
  const made = spawnSync('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=30:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-x264-params', x264, '-c:a', 'aac', '-b:a', '64k', ...more, file],
  ]);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return readFlv(readFileSync(file));
};
const usual = clip('usual', 10, 'keyint=60:min-keyint=60:scenecut=0:bframes=2:b-pyramid=normal');

type Stage = { show: Show; logs: Map<string, MemoryLog>; facts: () => RunFacts; faults: unknown[]; clock: FakeClock };
const stage = (latency: Latency = 'low', earlier?: { facts: RunFacts; logs: Map<string, MemoryLog> }): Stage => {
  const clock = new FakeClock();
  const logs = earlier?.logs ?? new Map<string, MemoryLog>();
  const faults: unknown[] = [];
  const fault = (error: unknown): void => void faults.push(error);
  let facts = earlier?.facts;
  const show = new Show({
    clock,
    wish: { latency, dvrSeconds: 0, captions: [] },
    fault,
    ...(earlier && { run: new LiveRun({ facts: earlier.facts, logs, clock, onFault: fault }) }),
    open: async (shape) => {
      facts = { video: 'video', run: 'run12345', ...shape };
      for (const { id } of shape.tracks) logs.set(id, new MemoryLog());
      return new LiveRun({ facts, logs, clock, onFault: fault });
    },
  });
  return {
    show,
    logs,
    faults,
    clock,
    facts: () => {
      if (!facts) throw new Error('the gate never opened');
      return facts;
    },
  };
};

const shown = ({ show }: Stage): PresentationSnapshot => {
  if (!show.run) throw new Error('the gate never opened');
  return show.run.snapshot();
};

type Pushing = { from?: number; until?: number; shift?: number; only?: 'video' | 'audio' };
const push = ({ show, clock }: Stage, { avcConfig, aacConfig, units }: FlvClip, { from = 0, until = Infinity, shift = 0, only }: Pushing = {}): void => {
  show.begin(rtmpClock);
  if (avcConfig && only !== 'audio') show.track({ kind: 'video', codec: 'h264', config: avcConfig });
  if (aacConfig && only !== 'video') show.track({ kind: 'audio', codec: 'aac', config: aacConfig });
  let last = 0;
  for (const unit of units) {
    if (unit.dts < from || unit.dts >= until || (only && unit.kind !== only)) continue;
    clock.advance(Math.max(0, unit.dts - last));
    last = Math.max(last, unit.dts);
    show.write(moved(unit, shift));
  }
};
const moved = (unit: AccessUnit, shift: number): AccessUnit => ({ ...unit, dts: (unit.dts + shift + 2 ** 32) % 2 ** 32, pts: (unit.pts + shift + 2 ** 32) % 2 ** 32 });

const segmentsOf = (track: TrackSnapshot): TrackSnapshot['segments'] => track.segments.slice(0, track.endSegment);
/** What must hold of everything that a run ever lists. */
const lawful = (t: Test, snapshot: PresentationSnapshot): void => {
  const counts = snapshot.tracks.map(({ endSegment }) => endSegment);
  t.equal(new Set(counts).size, 1, 'every track has the same segments');
  for (const track of snapshot.tracks) {
    let end = 0;
    let epoch = -1;
    for (const segment of segmentsOf(track)) {
      if (segment.epoch === epoch) t.equal(segment.start, end, 'media time has no holes inside an epoch');
      else t.ok(segment.start >= end && segment.start - end <= track.timescale / 5, 'an epoch starts where the last one ended');
      epoch = segment.epoch;
      end = segment.start + segment.duration;
      t.ok(Math.round(segment.duration / track.timescale) <= snapshot.policy.targetDuration, 'EXTINF rounds to at most TARGETDURATION');
      const target = track.partTarget;
      if (target === null) continue;
      segment.parts.forEach((part, index) => {
        const seconds = part.duration / track.timescale;
        t.ok(seconds <= target, `${track.id}: a part of ${seconds} s is at most ${target} s`);
        const last = index === segment.parts.length - 1;
        if (!last && !segment.parts[index + 1]?.gap) t.ok(seconds >= 0.85 * target, `${track.id}: a part of ${seconds} s is at least 85 % of ${target} s`);
      });
    }
  }
};

const decoded = async (logs: Map<string, MemoryLog>, id: string, epoch?: number): Promise<{ pts: number[]; errors: string }> => {
  const log = logs.get(id);
  if (!log) throw new Error('no such log');
  const { first, end, epochs, entry } = log.snapshot();
  const pts: number[] = [];
  let errors = '';
  for (const facts of epochs) {
    if (epoch !== undefined && facts.epoch !== epoch) continue;
    const seqs = [];
    for (let seq = first; seq < end; seq += 1) if (entry(seq).epoch === facts.epoch) seqs.push(seq);
    const data = await log.read(seqs[0] ?? 0, (seqs.at(-1) ?? 0) + 1);
    const file = join(folder, 'decode.mp4');
    writeFileSync(file, Buffer.concat([facts.init, ...data]));
    const run = spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'frame=pts', '-of', 'csv=p=0', file]);
    errors += run.stderr.toString();
    pts.push(...run.stdout.toString().split('\n').filter(Boolean).map((line) => Number.parseInt(line, 10)));
  }
  return { pts, errors };
};

t.test('what ffmpeg encoded comes out of the logs frame for frame, in lawful parts and segments', async (t) => {
  const it = stage();
  push(it, usual);
  t.ok(await it.show.finish());
  t.same(it.faults, []);
  const snapshot = shown(it);
  lawful(t, snapshot);
  t.equal(snapshot.policy.targetDuration, 2);
  t.equal(snapshot.tracks[0]?.endSegment, 5);
  t.match(snapshot.tracks[0]?.epochs[0], { codecString: /^avc1\.64/, width: 160, height: 90, frameRate: 30 });
  t.ok((snapshot.policy.partHoldBack ?? 9) <= 1.04, `hold-back ${snapshot.policy.partHoldBack}`);
  const { pts, errors } = await decoded(it.logs, 'v0');
  t.equal(errors, '');
  t.equal(pts.length, 300);
  // ffmpeg adds the largest negative composition offset of a file to every pts: only distances can be judged.
  const [origin = 0] = pts.sort((a, b) => a - b);
  t.ok(
    pts.every((at, frame) => Math.abs(at - origin - frame * 3000) <= 90),
    'every frame is within a millisecond of where it was',
  );
  const sound = await decoded(it.logs, 'a0');
  t.equal(sound.errors, '');
  // The first frame of sound may lie before the first picture.
  const sent = usual.units.filter(({ kind }) => kind === 'audio').length;
  t.ok(sound.pts.length === sent || sound.pts.length === sent - 1, `${sound.pts.length} of ${sent} frames of sound`);
});

t.test('sound that is told of behind the first pictures, as in MPEG-TS, is in the first epoch', async (t) => {
  const it = stage();
  it.show.begin(rtmpClock);
  const [video, audio] = [usual.avcConfig, usual.aacConfig];
  if (!video || !audio) throw new Error('a clip without configurations');
  it.show.track({ kind: 'video', codec: 'h264', config: video });
  let told = false;
  for (const unit of usual.units) {
    if (unit.kind === 'audio' && unit.dts < 300) continue;
    if (unit.kind === 'audio' && !told) it.show.track({ kind: 'audio', codec: 'aac', config: audio });
    told ||= unit.kind === 'audio';
    it.clock.advance(1000 / 77);
    it.show.write(unit);
  }
  t.ok(await it.show.finish());
  t.same(it.faults, []);
  const snapshot = shown(it);
  lawful(t, snapshot);
  t.same(snapshot.tracks.map(({ epochs }) => epochs.length), [1, 1]);
});

for (const latency of ['ultra', 'standard'] as const) {
  t.test(`latency ${latency} keeps the law`, async (t) => {
    const it = stage(latency);
    push(it, usual);
    await it.show.finish();
    const snapshot = shown(it);
    lawful(t, snapshot);
    t.equal(snapshot.tracks[0]?.partTarget === null, latency === 'standard');
  });
}

t.test('a publisher that returns goes on in a new epoch, without a hole in media time', async (t) => {
  const it = stage();
  push(it, usual, { until: 4_700 });
  await it.show.pause();
  const before = it.show.run?.snapshot();
  t.equal(before?.tracks[0]?.open, null, 'nothing hangs open while nobody sends');
  push(it, usual, { from: 100, shift: 1_000_000 });
  await it.show.finish();
  const snapshot = shown(it);
  lawful(t, snapshot);
  t.same(snapshot.epochs.map(({ epoch }) => epoch), [0, 1]);
  t.equal(snapshot.tracks[0]?.segments[3]?.epoch, 1);
  t.equal((await decoded(it.logs, 'v0')).errors, '');
});

t.test('time stamps cross the wrap of 32 bits without a new epoch', async (t) => {
  const it = stage();
  push(it, usual, { shift: -5_000 });
  await it.show.finish();
  const snapshot = shown(it);
  lawful(t, snapshot);
  t.equal(snapshot.epochs.length, 1);
  t.equal((await decoded(it.logs, 'v0')).pts.length, 300);
});

t.test('an epoch cut off behind a P picture ends when that has been shown, and the next one overlaps nothing', async (t) => {
  for (const until of [4_700, 4_734, 4_767, 4_801]) {
    const it = stage();
    push(it, usual, { until });
    await it.show.pause();
    push(it, usual, { from: 0, shift: 1_000_000 });
    await it.show.finish();
    const all = (await decoded(it.logs, 'v0')).pts;
    const first = (await decoded(it.logs, 'v0', 0)).pts;
    const second = (await decoded(it.logs, 'v0', 1)).pts;
    t.equal(first.length + second.length, all.length);
    t.ok(Math.min(...second) > Math.max(...first), `cut at ${until} ms`);
  }
});

t.test('pictures alone, and sound alone, are shows too', async (t) => {
  for (const only of ['video', 'audio'] as const) {
    const it = stage();
    push(it, usual, { only });
    t.ok(await it.show.finish());
    const snapshot = shown(it);
    lawful(t, snapshot);
    t.same(snapshot.tracks.map(({ kind }) => kind), [only]);
    t.equal((await decoded(it.logs, only === 'video' ? 'v0' : 'a0')).errors, '');
  }
});

t.test('sound that stops is followed by silence, and sound that comes back by itself', async (t) => {
  const it = stage();
  const units = usual.units.filter(({ kind, dts }) => kind === 'video' || dts < 3_000 || dts > 7_000);
  push(it, { ...usual, units });
  await it.show.finish();
  const snapshot = shown(it);
  lawful(t, snapshot);
  t.equal(snapshot.epochs.length, 1);
  const { pts, errors } = await decoded(it.logs, 'a0');
  t.equal(errors, '');
  t.ok(Math.abs(pts.length - 469) <= 2, `${pts.length} frames of sound`);
});

t.test('a GOP longer than the target is cut without a key frame, and nobody is promised otherwise', async (t) => {
  const it = stage();
  push(it, clip('long-gop', 20, 'keyint=250:scenecut=0:bframes=2'));
  await it.show.finish();
  const snapshot = shown(it);
  lawful(t, snapshot);
  t.equal(snapshot.policy.targetDuration, 6);
  t.equal(snapshot.policy.independentSegments, false);
  t.equal((await decoded(it.logs, 'v0')).pts.length, 600);
});

t.test('key frames that come at any time still make lawful segments', async (t) => {
  const it = stage();
  push(it, clip('scenes', 12, 'keyint=60:min-keyint=1:bframes=3', ['-vf', "hue=h='floor(t*1.7)*60'", '-force_key_frames', '0.5,1.1,3.3,3.5,3.7,8.1']));
  await it.show.finish();
  const snapshot = shown(it);
  lawful(t, snapshot);
  t.equal((await decoded(it.logs, 'v0')).pts.length, 360);
});

t.test('a new configuration in mid-stream begins an epoch with an init of its own', async (t) => {
  const it = stage();
  const other = clip('other', 6, 'keyint=60:scenecut=0:bframes=0', ['-s', '320x180', '-profile:v', 'main']);
  push(it, usual, { until: 6_000 });
  if (other.avcConfig) it.show.track({ kind: 'video', codec: 'h264', config: other.avcConfig });
  for (const unit of other.units) it.show.write(moved(unit, 6_000));
  await it.show.finish();
  const snapshot = shown(it);
  lawful(t, snapshot);
  t.same(snapshot.tracks[0]?.epochs.map(({ width }) => width), [160, 320]);
  t.equal((await decoded(it.logs, 'v0')).errors, '');
  t.equal((await decoded(it.logs, 'v0', 1)).pts.length, 180);
});

t.test('parameter sets inside the pictures are configurations too', async (t) => {
  const it = stage();
  const [first, ...rest] = clip('other2', 4, 'keyint=60:scenecut=0:bframes=0', ['-s', '320x180']).units.filter(({ kind }) => kind === 'video');
  const { avcConfig } = clip('other3', 1, 'keyint=60:scenecut=0:bframes=0', ['-s', '320x180']);
  push(it, usual, { until: 4_000 });
  if (!first || !avcConfig) return t.bailout('no clip');
  // avcC: 6 bytes, then sps (u16 length), count, pps (u16 length).
  const spsSize = avcConfig.readUInt16BE(6);
  const ppsSize = avcConfig.readUInt16BE(9 + spsSize);
  const nal = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, bytes.length >> 8, bytes.length & 255]), bytes]);
  const sets = Buffer.concat([nal(avcConfig.subarray(8, 8 + spsSize)), nal(avcConfig.subarray(11 + spsSize, 11 + spsSize + ppsSize))]);
  it.show.write(moved({ ...first, data: Buffer.concat([sets, first.data]) }, 4_000));
  for (const unit of rest) it.show.write(moved(unit, 4_000));
  await it.show.finish();
  const snapshot = shown(it);
  t.same(snapshot.tracks[0]?.epochs.map(({ width }) => width), [160, 320]);
  t.equal((await decoded(it.logs, 'v0')).errors, '');
});

t.test('a track that players were not told of asks for a new run', async (t) => {
  const it = stage();
  push(it, usual, { only: 'video', until: 6_000 });
  await it.show.pause();
  it.show.begin(rtmpClock);
  t.equal(usual.aacConfig && it.show.track({ kind: 'audio', codec: 'aac', config: usual.aacConfig }), 'new-run');
});

t.test('a restarted server goes on with the same run, level in all tracks', async (t) => {
  const first = stage();
  push(first, usual, { until: 5_000 });
  await first.show.room();
  await first.show.run?.settled();
  // Killed here: what is in the logs is all there is, and sound may lack the last segment.
  const again = stage('low', { facts: first.facts(), logs: first.logs });
  await again.show.run?.alignTracks();
  push(again, usual);
  await again.show.finish();
  const snapshot = shown(again);
  t.equal(new Set(snapshot.tracks.map(({ endSegment }) => endSegment)).size, 1);
  t.same(snapshot.epochs.map(({ epoch }) => epoch), [0, 1]);
  t.equal((await decoded(again.logs, 'v0')).errors, '');
});

t.test('a show of one picture, and one without any key frame, end without harm', async (t) => {
  const short = stage();
  push(short, usual, { until: 20 });
  t.ok(await short.show.finish());
  t.equal(short.show.run?.snapshot().tracks[0]?.endSegment, 1);
  const none = stage();
  push(none, usual, { from: 40, until: 1_900 });
  t.notOk(await none.show.finish());
});

t.test('bytes that are no picture are the sender\'s error', async (t) => {
  const it = stage();
  push(it, usual, { until: 3_000 });
  t.throws(() => it.show.write({ kind: 'video', dts: 3_000, pts: 3_000, key: true, data: Buffer.from('ffffffff00', 'hex') }), { name: 'CodecError' });
  t.throws(() => it.show.track({ kind: 'video', codec: 'h264', config: Buffer.from('01') }), { name: 'CodecError' });
});

t.test('its newest key picture is kept for whoever wants it alone, wherever in a segment it lies', async (t) => {
  const it = stage();
  t.equal(it.show.newestKey, null);
  const source = clip('long-gop', 20, 'keyint=250:scenecut=0:bframes=2');
  push(it, source, { until: 9_000 });
  await it.show.pause();
  const keys = source.units.filter(({ kind, key, dts }) => kind === 'video' && key && dts < 9_000);
  t.equal(keys.length, 2, 'the second comes when the second segment has long begun');
  t.same(it.show.newestKey?.data, keys.at(-1)?.data);
  t.match(it.show.newestKey?.config, { codec: 'h264', config: source.avcConfig });
});

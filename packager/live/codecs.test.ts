/** Shows of AV1, VP9 and Opus out of coded frames, with everything that such a codec makes different. */
import t, { type Test } from 'tap';
import { boxOf, ivfFrames } from '../../test/support/coded-frames.ts';
import { FakeClock } from '../clock.ts';
import { readInit } from '../cmaf/reader.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { rtmpClock, type AudioConfig, type VideoConfig } from '../media/unit.ts';
import { vp9ConfigOf } from '../media/vp9-config.ts';
import type { PresentationSnapshot } from '../snapshot.ts';
import { picture as avcPicture, videoConfig as avc } from './pretend-sender.ts';
import { LiveRun, type RunFacts } from './run.ts';
import { Show } from './show.ts';

const made = (size: string, ...codec: string[]): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-frames:v', '90', '-pix_fmt', 'yuv420p', ...codec, '-g', '30'];
const vpx = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-keyint_min', '30', '-b:v', '200k'];
const vp9Args = made('160x90', ...vpx);
const largeArgs = made('320x180', ...vpx);
const av1Args = made('160x90', '-c:v', 'libsvtav1', '-preset', '12', '-svtav1-params', 'scd=0');
const vp9: VideoConfig = { kind: 'video', codec: 'vp9', config: vp9ConfigOf(await boxOf('vpcC', vp9Args)) };
const av1: VideoConfig = { kind: 'video', codec: 'av1', config: await boxOf('av1C', av1Args) };
const opus: AudioConfig = { kind: 'audio', codec: 'opus', config: Buffer.from('000201380000bb80000000', 'hex') };
const frames = { vp9: await ivfFrames(vp9Args), large: await ivfFrames(largeArgs), av1: await ivfFrames(av1Args) };

type Earlier = { readonly facts: RunFacts; readonly logs: Map<string, MemoryLog> };
const stage = (earlier?: Earlier) => {
  const clock = new FakeClock();
  const logs = earlier?.logs ?? new Map<string, MemoryLog>();
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const kept: { facts: RunFacts | null } = { facts: earlier?.facts ?? null };
  const show = new Show({
    clock,
    wish: { latency: 'low', dvrSeconds: 0, captions: [] },
    fault: onFault,
    ...(earlier && { run: new LiveRun({ facts: earlier.facts, logs, clock, onFault }) }),
    open: async (shape) => {
      const facts = { video: 'video', run: 'run12345', ...shape };
      kept.facts = facts;
      for (const { id } of shape.tracks) logs.set(id, new MemoryLog());
      return new LiveRun({ facts, logs, clock, onFault });
    },
  });
  const snapshot = (): PresentationSnapshot => {
    if (!show.run) throw new Error('the gate never opened');
    return show.run.snapshot();
  };
  /** Thirty pictures a second, and packets of Opus of these lengths (ms) in turn. */
  const send = (pictures: readonly Buffer[], { from = 0, lasts = [20], sound = true } = {}): void => {
    let heard = from;
    let turn = 0;
    for (const [index, data] of pictures.entries()) {
      const dts = from + Math.round((index * 1000) / 30);
      for (; sound && heard <= dts; turn += 1) {
        const ms = lasts[turn % lasts.length] ?? 20;
        show.write({ kind: 'audio', dts: heard, pts: heard, key: true, data: packet(ms) });
        heard += ms;
      }
      show.write({ kind: 'video', dts, pts: dts, key: true, data }); // what the sender says of keys is not believed
      clock.advance(33);
    }
  };
  return { show, logs, faults, clock, snapshot, send, kept };
};
/** CELT: 20 ms in each frame, or 10 where it is one of those. */
const packet = (ms: number): Buffer => (ms === 10 ? Buffer.from('f4fffe', 'hex') : Buffer.concat([Buffer.from([0xff, ms / 20]), Buffer.alloc(20, 1)]));
const ticks = (snapshot: PresentationSnapshot, id: string): number => {
  const track = snapshot.tracks.find((one) => one.id === id);
  return track ? track.segments.slice(0, track.endSegment).reduce((sum, { duration }) => sum + duration, 0) : 0;
};

/** RTMP's milliseconds: the last picture lasts as long as the one before it, 33 or 34 of them. */
const nearly = (t: Test, ticks: number, wanted: number): void => void t.ok(Math.abs(ticks - wanted) <= 180, `${ticks} ticks of pictures`);

for (const [name, config, pictures, codecString] of [
  ['AV1', av1, frames.av1, /^av01\.0\.\d\dM\.08$/],
  ['VP9', vp9, frames.vp9, /^vp09\.00\.\d\d\.08$/],
] as const) {
  t.test(`a show of ${name} and Opus has every picture and all of its sound`, async (t) => {
    const it = stage();
    it.show.begin(rtmpClock);
    it.show.track(config);
    it.show.track(opus);
    it.send(pictures);
    await it.show.finish();
    t.same(it.faults, []);
    const snapshot = it.snapshot();
    t.match(snapshot.tracks, [
      { kind: 'video', codec: config.codec, timescale: 90_000, epochs: [{ codecString, width: 160, height: 90, frameRate: 30 }] },
      { kind: 'audio', codec: 'opus', timescale: 48_000, epochs: [{ codecString: 'Opus', channels: 2 }] },
    ]);
    t.equal(snapshot.policy.targetDuration, 2, 'key frames are told by what they are: two of them make a segment');
    t.equal(snapshot.tracks[0]?.endSegment, 2);
    nearly(t, ticks(snapshot, 'v0'), 270_000);
    t.ok(Math.abs(ticks(snapshot, 'a0') - 144_000) <= 960, `${ticks(snapshot, 'a0')} samples of sound`);
    t.match(readInit(snapshot.tracks[0]?.epochs[0]?.init ?? Buffer.alloc(0)), { codec: config.codec, width: 160, height: 90 });
  });
}

t.test('packets of Opus are as long as they say, whatever came before', async (t) => {
  const it = stage();
  it.show.begin(rtmpClock);
  it.show.track(vp9);
  it.show.track(opus);
  it.send(frames.vp9, { lasts: [20, 60, 10, 120] });
  await it.show.finish();
  t.same(it.faults, []);
  t.ok(Math.abs(ticks(it.snapshot(), 'a0') - 144_000) <= 5760, `${ticks(it.snapshot(), 'a0')} samples of sound`);
  t.equal(it.snapshot().epochs.length, 1);
});

t.test('sound that is missing is filled with silence', async (t) => {
  const it = stage();
  it.show.begin(rtmpClock);
  it.show.track(vp9);
  it.show.track(opus);
  it.send(frames.vp9);
  it.send(frames.vp9, { from: 3000, sound: false });
  await it.show.finish();
  t.equal(it.snapshot().epochs.length, 1);
  t.ok(Math.abs(ticks(it.snapshot(), 'a0') - 288_000) <= 960);
  t.same(it.snapshot().tracks[1]?.segments.filter(({ gap }) => gap), []);
});

t.test('pictures of another size go on behind a discontinuity', async (t) => {
  const it = stage();
  it.show.begin(rtmpClock);
  it.show.track(vp9);
  it.show.track(opus);
  it.send(frames.vp9);
  it.send(frames.large, { from: 3000 });
  await it.show.finish();
  t.match(it.snapshot().tracks[0]?.epochs, [{ width: 160, height: 90 }, { width: 320, height: 180 }]);
  nearly(t, ticks(it.snapshot(), 'v0'), 540_000);
});

t.test('a show goes on after a restart with what its logs know of it, without one word of its sender about the sound', async (t) => {
  const it = stage();
  it.show.begin(rtmpClock);
  it.show.track(vp9);
  it.show.track(opus);
  it.send(frames.vp9);
  await it.show.pause();
  if (!it.kept.facts) return t.fail('the gate never opened');
  const again = stage({ facts: it.kept.facts, logs: it.logs });
  again.show.begin(rtmpClock);
  t.equal(again.show.track(vp9), 'ok', 'the record does not know the size; the first key picture does');
  again.send(frames.vp9, { sound: false });
  await again.show.finish();
  t.same(again.faults, []);
  t.match(again.snapshot().tracks[0]?.epochs, [{ width: 160 }, { width: 160 }]);
  nearly(t, ticks(again.snapshot(), 'v0'), 540_000);
  t.match(again.snapshot().tracks[1]?.epochs, [{ codecString: 'Opus' }, { codecString: 'Opus' }]);
});

t.test('another codec in mid-stream needs a run of its own', async (t) => {
  const it = stage();
  it.show.begin(rtmpClock);
  it.show.track(vp9);
  it.show.track(opus);
  it.send(frames.vp9);
  await it.show.room();
  t.equal(it.show.track(av1), 'new-run');
  t.equal(it.show.track(avc), 'new-run');
  t.equal(it.show.track({ kind: 'audio', codec: 'aac', config: Buffer.from('1190', 'hex') }), 'new-run');
  await it.show.finish();
});

t.test('what is no picture and no packet of its codec costs its sender the session, and the show nothing', async (t) => {
  const it = stage();
  it.show.begin(rtmpClock);
  it.show.track(av1);
  it.show.track(opus);
  it.send(frames.av1);
  await it.show.room();
  t.throws(() => it.show.write({ kind: 'audio', dts: 3000, pts: 3000, key: true, data: Buffer.from('fb00', 'hex') }), { name: 'CodecError' });
  t.throws(() => it.show.write({ kind: 'video', dts: 3000, pts: 3000, key: true, data: Buffer.from('8a00', 'hex') }), { name: 'CodecError' });
  t.throws(() => it.show.track({ ...av1, config: Buffer.from('0104', 'hex') }), { name: 'CodecError' });
  t.throws(() => it.show.track({ ...opus, config: Buffer.from('0104', 'hex') }), { name: 'CodecError' });
  await it.show.finish();
  t.same(it.faults, []);
  nearly(t, ticks(it.snapshot(), 'v0'), 270_000);
});

t.test('pictures of H.264 that were sent by mistake are refused by a show of VP9', async (t) => {
  const it = stage();
  it.show.begin(rtmpClock);
  it.show.track(vp9);
  t.throws(() => it.show.write(avcPicture(0, true)), { name: 'CodecError' });
});

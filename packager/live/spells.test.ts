/** What happens to one track while the other goes on: late, gone for a while, never there, or with a clock that begins again. */
import t from 'tap';
import { FakeClock } from '../clock.ts';
import { readFragments } from '../cmaf/reader.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { rtmpClock, type AccessUnit, type TrackConfig } from '../media/unit.ts';
import type { PresentationSnapshot } from '../snapshot.ts';
import { broken, type Leniency } from './laws.ts';
import { audioConfig, picture, sound, units, videoConfig } from './pretend-sender.ts';
import { LiveRun, type RunFacts } from './run.ts';
import { Show } from './show.ts';

/** AAC Main: a sound of which no silence is known. */
const unknownSilence: TrackConfig = { kind: 'audio', codec: 'aac', config: Buffer.from('0990', 'hex') };
const both: readonly TrackConfig[] = [videoConfig, audioConfig()];

class Stage {
  readonly clock = new FakeClock();
  readonly faults: unknown[] = [];
  readonly logs = new Map<string, MemoryLog>();
  readonly show: Show;
  /** Stamp of what was sent last: the clock goes by them. */
  #last: number | null = null;

  constructor(earlier?: { facts: RunFacts; logs: Map<string, MemoryLog> }) {
    const fault = (error: unknown): void => void this.faults.push(error);
    this.show = new Show({
      clock: this.clock,
      wish: { latency: 'low', dvrSeconds: 0, captions: [] },
      fault,
      ...(earlier && { run: new LiveRun({ ...earlier, clock: this.clock, onFault: fault }) }),
      open: async (shape) => {
        for (const { id } of shape.tracks) this.logs.set(id, new MemoryLog());
        return new LiveRun({ facts: { video: 'video', run: 'run12345', ...shape }, logs: this.logs, clock: this.clock, onFault: fault });
      },
    });
  }

  begin(configs = both): void {
    this.show.begin(rtmpClock);
    for (const config of configs) this.show.track(config);
  }

  /** What came of it: the last answer of the show that was not 'ok', or that. */
  async send(sent: readonly AccessUnit[]): Promise<'ok' | 'new-run'> {
    let answer: 'ok' | 'new-run' = 'ok';
    for (const [index, unit] of sent.entries()) {
      const last = this.#last ?? unit.dts;
      if (unit.dts > last && unit.dts - last < 100_000) this.clock.advance(unit.dts - last);
      this.#last = unit.dts;
      if (this.show.write(unit) === 'new-run') answer = 'new-run';
      if (index % 200 === 0) await this.show.room();
    }
    await this.show.run?.settled();
    return answer;
  }

  get snapshot(): PresentationSnapshot {
    if (this.faults.length > 0) throw this.faults[0];
    if (!this.show.run) throw new Error('the gate never opened');
    return this.show.run.snapshot();
  }

  async end(): Promise<PresentationSnapshot> {
    await this.show.finish();
    return this.snapshot;
  }

  /** Every sample of a track, in order: when it is shown or heard (s of media time), and what it is. */
  async samples(id: 'v0' | 'a0'): Promise<{ at: number; data: Buffer }[]> {
    const log = this.logs.get(id);
    const timescale = this.snapshot.tracks.find((track) => track.id === id)?.timescale ?? Number.NaN;
    if (!log) return [];
    const { first, end } = log.snapshot();
    return samplesOf(Buffer.concat(await log.read(first, end)), timescale);
  }
}

const samplesOf = (bytes: Buffer, timescale: number): { at: number; data: Buffer }[] =>
  readFragments(bytes).flatMap(({ baseDecodeTime, samples }) => {
    let dts = baseDecodeTime;
    return samples.map(({ cts, duration, offset, size }) => {
      const at = (dts + cts) / timescale;
      dts += duration;
      return { at, data: bytes.subarray(offset, offset + size) };
    });
  });

const without = (sent: readonly AccessUnit[], gone: AccessUnit['kind'], from: number, until: number): AccessUnit[] =>
  sent.filter(({ kind, dts }) => kind !== gone || dts < from || dts >= until);
const farthestApart = (times: readonly number[]): number => Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)));
const heard = (samples: readonly { data: Buffer }[]): number => samples.filter(({ data }) => data.length === 20).length;

t.test('pictures that stop while the sound goes on: the last key picture stands in, and every frame of sound is heard', async (t) => {
  const stage = new Stage();
  stage.begin();
  const sent = without(units(40_000), 'video', 9_000, 29_000);
  t.equal(await stage.send(sent), 'ok');
  const during = stage.snapshot;
  t.equal(during.epochs.length, 1, 'no discontinuity');
  const snapshot = await stage.end();
  t.same(broken(snapshot, { shortParts: true }), []);
  const shown = await stage.samples('v0');
  t.ok(farthestApart(shown.map(({ at }) => at)) < 0.35, 'there is a picture in every part');
  t.ok(Math.abs((shown.at(-1)?.at ?? 0) - 40) < 0.1);
  t.ok(shown.filter(({ at }) => at > 10 && at < 29).every(({ data }) => data[4] === 0x65), 'whole ones');
  t.equal(heard(await stage.samples('a0')), sent.filter(({ kind }) => kind === 'audio').length);
});

t.test('sound is never more than some seconds ahead of what is shown while the pictures are away', async (t) => {
  const stage = new Stage();
  stage.begin();
  const sent = without(units(40_000), 'video', 9_000, 90_000);
  for (const unit of sent) {
    await stage.send([unit]);
    const end = stage.show.run?.endMicros;
    if (unit.kind === 'audio' && end !== undefined && unit.dts > 12_000) t.ok(end / 1000 > unit.dts - 1_500, `${unit.dts} ms: ${end}`);
  }
});

t.test('pictures that come back in the middle of a group are shown from the next key picture on', async (t) => {
  const stage = new Stage();
  stage.begin();
  // Back at 15 s; the next key picture is at 16 s.
  await stage.send(without(units(22_000), 'video', 8_000, 15_000));
  const snapshot = await stage.end();
  t.equal(snapshot.epochs.length, 1);
  t.same(broken(snapshot, { shortParts: true }), []);
  const shown = await stage.samples('v0');
  t.ok(shown.filter(({ at }) => at > 8.01 && at < 15.99).every(({ data }) => data[4] === 0x65));
  t.equal(shown.filter(({ at }) => at > 15.99).length, 180);
});

t.test('the key picture of an open GOP does not stand in, but the last that stands alone; and what leans on those that were not sent is left out', async (t) => {
  const stage = new Stage();
  stage.begin();
  // One IDR in six seconds, the size of which tells it; the others are I pictures, shown behind two that come after them.
  const open = units(24_000).map((unit) => {
    if (unit.kind !== 'video') return unit;
    const frame = Math.round((unit.dts * 30) / 1000);
    if (frame % 180 === 0) return picture(unit.dts, true, { bytes: 500 + frame, cts: 66 });
    const cts = frame % 60 === 0 ? 166 : frame % 60 < 3 ? 33 : 66;
    return { ...picture(unit.dts, false, { cts, bytes: frame % 60 === 0 ? 400 : frame % 60 < 3 ? 40 : 300 }), key: frame % 60 === 0 };
  });
  await stage.send(without(open, 'video', 11_000, 19_990));
  const snapshot = await stage.end();
  t.same(snapshot.epochs.length, 1);
  const shown = await stage.samples('v0');
  const standing = shown.filter(({ at }) => at > 11.2 && at < 19.7);
  t.ok(standing.length > 20 && standing.every(({ data }) => data.length === 504 + 180), `${standing.length} times the IDR of the sixth second`);
  const after = shown.slice(shown.findLastIndex(({ data }) => data.length === 504 + 180) + 1).map(({ data }) => data.length - 4);
  t.same(after.slice(0, 3), [400, 300, 300], 'the two before the key picture are not there');
  t.equal(shown.filter(({ data }) => data.length === 44).length, 2 * 7, 'of no other key picture');
});

t.test('where no picture stands alone, none stands in', async (t) => {
  const stage = new Stage();
  stage.begin();
  const open = units(12_000).map((unit) => (unit.kind === 'video' ? { ...picture(unit.dts, false), key: unit.key } : unit));
  const sent = without(open, 'video', 5_000, 12_000);
  t.equal(await stage.send(sent), 'ok');
  await stage.end();
  t.equal((await stage.samples('v0')).length, sent.filter(({ kind }) => kind === 'video').length);
});

t.test('a publisher whose pictures never stand alone comes back with sound alone: the show goes on, and is seen again when it has a picture', async (t) => {
  const stage = new Stage();
  stage.begin();
  const open = (sent: readonly AccessUnit[]): AccessUnit[] => sent.map((unit) => (unit.kind === 'video' ? { ...picture(unit.dts, false), key: unit.key } : unit));
  await stage.send(open(units(6_000)));
  await stage.show.pause();
  stage.begin();
  t.equal(await stage.send(open(without(units(14_000, { shift: 700_000 }), 'video', 0, 708_000))), 'ok');
  const snapshot = await stage.end();
  t.equal(snapshot.epochs.length, 2);
  t.same(broken(snapshot, { shortParts: true }), []);
  t.equal((await stage.samples('v0')).length, 180 + 180, 'from its next key picture on');
});

t.test('a key picture that is too large to be repeated does not stand in: sound alone fills no disk', async (t) => {
  const stage = new Stage();
  stage.begin();
  const huge = units(12_000).map((unit) => (unit.kind === 'video' && unit.key ? picture(unit.dts, true, { bytes: 2_200_000 }) : unit));
  const sent = without(huge, 'video', 5_000, 12_000);
  await stage.send(sent);
  await stage.end();
  t.equal((await stage.samples('v0')).length, sent.filter(({ kind }) => kind === 'video').length);
});

t.test('sound in a hurry fills no disk either: what stands in goes by the clock', async (t) => {
  const stage = new Stage();
  stage.begin();
  await stage.send(units(6_000));
  const before = (await stage.samples('v0')).length;
  await stage.send(Array.from({ length: 20_000 }, () => sound(6_000, 3)));
  const added = (await stage.samples('v0')).length - before;
  t.ok(added <= 60, `${added} pictures stand for the 10 s that sound may be ahead`);
});

t.test('sound of unknown silence that comes late, in a burst, goes on behind the hole that was declared for it', async (t) => {
  for (const late of [3_000, 8_000]) {
    const stage = new Stage();
    stage.begin([videoConfig, unknownSilence]);
    const all = units(24_000);
    const held = (unit: AccessUnit): boolean => unit.kind === 'audio' && unit.dts >= 8_000 && unit.dts < 8_000 + late;
    const burst = all.filter(held);
    const rest = all.filter((unit) => !held(unit));
    const at = rest.findIndex((unit) => unit.dts >= 8_000 + late);
    await stage.send([...rest.slice(0, at), ...burst, ...rest.slice(at)]);
    t.same(broken(await stage.end(), { shortParts: true }), [], `${late} ms late`);
  }
});

t.test('a sender that changes its codec before anything is shown is taken at its last word', async (t) => {
  const stage = new Stage();
  stage.begin();
  await stage.send(units(300));
  stage.show.track({ kind: 'audio', codec: 'opus', config: Buffer.from('000201380000bb80000000', 'hex') });
  await stage.send(units(6_000, { from: 300 }).map((unit) => (unit.kind === 'audio' ? { ...unit, data: Buffer.from([0xfc, 0xff, 0xfe]) } : unit)));
  t.same(stage.snapshot.tracks.map(({ codec }) => codec), ['h264', 'opus']);
});

t.test('a publisher that comes back with sound alone is heard, behind one discontinuity, and seen again when it has a picture', async (t) => {
  const stage = new Stage();
  stage.begin();
  await stage.send(units(6_000));
  await stage.show.pause();
  stage.begin();
  await stage.send(units(20_000, { shift: 700_000, only: 'audio' }));
  t.equal(stage.snapshot.epochs.length, 2);
  const before = stage.snapshot.epochs[1]?.wallClock ?? 0;
  t.ok(before > 0 && Math.abs(stage.clock.wall() - before - 20_000) < 1_000, 'its clock is that of its first sound');
  await stage.send(units(6_000, { from: 20_000, shift: 700_000 }));
  const snapshot = await stage.end();
  t.equal(snapshot.epochs.length, 3);
  t.same(broken(snapshot, { shortParts: true }), []);
  t.ok(farthestApart((await stage.samples('v0')).map(({ at }) => at)) < 0.4);
  const frames = heard(await stage.samples('a0'));
  t.ok(frames > 1_500 - 15, `${frames} of 1,500 frames of sound: some at the seams are left out`);
});

t.test('sound alone, from a publisher that comes back after a restart, is a show of its own: no picture of before is known', async (t) => {
  const first = new Stage();
  first.begin();
  await first.send(units(6_000));
  const facts = first.show.run?.facts;
  if (!facts) throw new Error('the gate never opened');
  const again = new Stage({ facts, logs: first.logs });
  again.begin();
  t.equal(await again.send(units(4_500, { only: 'audio' })), 'ok');
  t.equal(await again.send(units(2_000, { from: 4_500, only: 'audio' })), 'new-run');
});

t.test('a picture that was announced and never comes is waited for, and then the show is sound alone', async (t) => {
  const stage = new Stage();
  stage.begin();
  await stage.send(units(5_500, { only: 'audio' }));
  t.equal(stage.show.run, null);
  t.equal(await stage.send(units(6_000, { from: 5_500, only: 'audio' })), 'ok');
  t.same(stage.snapshot.tracks.map(({ id }) => id), ['a0']);
  t.equal(heard(await stage.samples('a0')) > 400, true, 'from its first frame');
  t.equal(await stage.send([picture(11_500, false)]), 'ok', 'what needs other pictures begins nothing');
  t.equal(await stage.send([picture(11_533, true)]), 'new-run', 'and with a picture it is another show');
});

t.test('sound that comes seconds before the first picture is beside it, or left out', async (t) => {
  for (const lead of [1_000, 3_000, 5_000]) {
    const stage = new Stage();
    stage.begin();
    await stage.send(units(12_000).filter(({ kind, dts }) => kind === 'audio' || dts >= lead).map((unit) => (unit.kind === 'video' ? { ...unit, key: (unit.dts - lead) % 2_000 < 33 } : unit)));
    const snapshot = await stage.end();
    t.same(broken(snapshot), [], `${lead} ms`);
    t.same(snapshot.tracks.map(({ kind }) => kind), ['video', 'audio']);
    t.equal(snapshot.epochs.length, 1);
  }
});

t.test('sound of which no silence is known goes and comes: nobody waits for it, and tracks keep the same numbers', async (t) => {
  const stage = new Stage();
  stage.begin([videoConfig, unknownSilence]);
  const sent = units(40_000);
  const [during, after] = [without(sent, 'audio', 9_000, 29_000).filter(({ dts }) => dts < 28_000), sent.filter(({ dts }) => dts >= 28_000)];
  await stage.send(during);
  const [video, audio] = stage.snapshot.tracks;
  t.ok((video?.endSegment ?? 0) >= 12);
  t.ok((video?.endSegment ?? 0) - (audio?.endSegment ?? 0) <= 1, 'the sound is where the picture is');
  await stage.send(after);
  t.same(broken(await stage.end(), { shortParts: true }), []);
});

t.test('sound that was announced, of which no silence is known, and that never comes', async (t) => {
  const stage = new Stage();
  stage.begin([videoConfig, unknownSilence]);
  await stage.send(units(20_000, { only: 'video' }));
  const [video, audio] = stage.snapshot.tracks;
  t.ok((video?.endSegment ?? 0) - (audio?.endSegment ?? 0) <= 1);
  t.same(broken(await stage.end()), []);
});

const turning = (bits: number, sent: readonly AccessUnit[]): AccessUnit[] => sent.map((unit) => ({ ...unit, dts: unit.dts % 2 ** bits, pts: unit.pts % 2 ** bits }));

t.test('stamps that turn over are no jump, whether after 31 bits or 32, with pictures, without, and in the first seconds', async (t) => {
  for (const bits of [31, 32]) {
    for (const before of [1_000, 5_000]) {
      for (const only of [undefined, 'video', 'audio'] as const) {
        const stage = new Stage();
        stage.begin(both.filter(({ kind }) => !only || kind === only));
        await stage.send(turning(bits, units(20_000, { shift: 2 ** bits - before, ...(only && { only }) })));
        const snapshot = await stage.end();
        const what = `${bits} bits, ${before} ms before, ${only ?? 'both'}`;
        t.equal(snapshot.epochs.length, 1, what);
        t.same(broken(snapshot), [], what);
        const end = Math.max(...snapshot.tracks.map(({ segments, timescale }) => ((segments.at(-1)?.start ?? 0) + (segments.at(-1)?.duration ?? 0)) / timescale));
        t.ok(Math.abs(end - 20) < 0.1, `${what}: ${end} s`);
      }
    }
  }
});

t.test('decode times that lie behind their pictures, as some encoders have them, begin with the epoch', async (t) => {
  const stage = new Stage();
  stage.begin();
  await stage.send(units(8_000).map((unit) => (unit.kind === 'video' ? picture(unit.dts + 1_000, unit.key, { cts: -80 }) : sound(unit.dts + 920))));
  const snapshot = await stage.end();
  t.same(broken(snapshot), []);
  t.equal(snapshot.tracks[0]?.segments[0]?.start, 0);
  const shown = await stage.samples('v0');
  t.equal(shown[0]?.at, 0);
  t.ok(shown.every(({ at }, frame) => Math.abs(at - frame / 30) < 0.002));
});

const uneven = (steps: readonly number[], ms: number, keyEvery: number): AccessUnit[] => {
  const pictures: AccessUnit[] = [];
  for (let at = 0, count = 0, key = Number.NEGATIVE_INFINITY; at < ms; at += steps[count % steps.length] ?? 33, count += 1) {
    const isKey = at - key >= keyEvery;
    if (isKey) key = at;
    pictures.push(picture(at, isKey));
  }
  return [...pictures, ...units(ms, { only: 'audio' })].sort((a, b) => a.dts - b.dts);
};

t.test('a screen share, at one to five pictures a second or whenever something moves, is one epoch with every picture in it', async (t) => {
  const shares: Record<string, readonly [readonly number[], number, Leniency]> = {
    'one a second': [[1_000], 4_000, {}],
    'two a second': [[500], 2_000, {}],
    'five a second': [[200], 2_000, {}],
    'whenever something moves': [[33, 33, 34, 700, 33, 1_600, 33, 33, 100, 1_900], 2_000, { longestPicture: 1.9, shortParts: true }],
    'a picture that stands for a long time now and then': [[...Array.from({ length: 150 }, () => 33), 2_100], 2_000, { longestPicture: 2.1, shortParts: true }],
  };
  for (const [what, [steps, keyEvery, leniency]] of Object.entries(shares)) {
    const stage = new Stage();
    stage.begin();
    const sent = uneven(steps, 60_000, keyEvery);
    await stage.send(sent);
    const snapshot = await stage.end();
    t.equal(snapshot.epochs.length, 1, what);
    t.same(broken(snapshot, leniency).slice(0, 3), [], what);
    t.equal((await stage.samples('v0')).length, sent.filter(({ kind }) => kind === 'video').length, what);
  }
});

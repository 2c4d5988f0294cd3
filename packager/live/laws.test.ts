/** The laws of live, held against senders of every kind: rates, GOPs, reordering, skew, loss, outages, jumps. */
import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { FakeClock } from '../clock.ts';
import { MemoryLog } from '../log/memory-log.ts';
import { rtmpClock, type AccessUnit, type TrackConfig } from '../media/unit.ts';
import type { PresentationSnapshot } from '../snapshot.ts';
import { broken, type Leniency } from './laws.ts';
import type { Latency } from './policy.ts';
import { audioConfig, picture, sound, videoConfig } from './pretend-sender.ts';
import { LiveRun } from './run.ts';
import { Show } from './show.ts';

type Sent = { readonly at: number; readonly unit: AccessUnit };
type Source = {
  readonly latency?: Latency;
  readonly fps?: number;
  readonly gop?: number;
  readonly seconds?: number;
  /** Reordering: composition offset of every picture, frames. */
  readonly reorder?: number;
  readonly sampleRate?: 48_000 | 44_100 | 16_000;
  /** ms by which the stamps of sound are later than those of the pictures beside it. */
  readonly skew?: number;
  readonly firstStamp?: number;
  readonly pictures?: (frame: number, sent: Sent) => Sent | null;
  readonly sounds?: (frame: number, sent: Sent) => Sent | null;
  /** Which frames are key frames, if not every `gop`-th. */
  readonly key?: (frame: number) => boolean;
};

const frequency = { 48_000: 3, 44_100: 4, 16_000: 8 } as const;

const sentBy = (source: Source): Sent[] => {
  const { fps = 30, gop = 2 * fps, seconds = 20, reorder = 0, sampleRate = 48_000, skew = 0, firstStamp = 0 } = source;
  const all: Sent[] = [];
  for (let frame = 0; frame < seconds * fps; frame += 1) {
    const at = Math.round((frame * 1000) / fps);
    const key = source.key?.(frame) ?? frame % gop === 0;
    const sent = { at, unit: picture(at + firstStamp, key, { cts: Math.round((reorder * 1000) / fps) }) };
    all.push(...[source.pictures ? source.pictures(frame, sent) : sent].filter((one) => one !== null));
  }
  for (let frame = 0; (frame * 1024) / sampleRate < seconds; frame += 1) {
    const at = Math.round((frame * 1_024_000) / sampleRate);
    const sent = { at, unit: sound(at + firstStamp + skew) };
    all.push(...[source.sounds ? source.sounds(frame, sent) : sent].filter((one) => one !== null));
  }
  return all.sort((a, b) => a.at - b.at);
};

class Stage {
  readonly clock = new FakeClock();
  readonly faults: unknown[] = [];
  readonly show: Show;

  constructor(latency: Latency = 'low') {
    const fault = (error: unknown): void => void this.faults.push(error);
    this.show = new Show({
      clock: this.clock,
      wish: { latency, dvrSeconds: 0, captions: [] },
      fault,
      open: async (shape) => {
        const logs = new Map(shape.tracks.map(({ id }) => [id, new MemoryLog()] as const));
        return new LiveRun({ facts: { video: 'video', run: 'run12345', ...shape }, logs, clock: this.clock, onFault: fault });
      },
    });
  }

  async send(sent: readonly Sent[], configs: readonly TrackConfig[]): Promise<void> {
    this.show.begin(rtmpClock);
    for (const config of configs) this.show.track(config);
    let last = sent[0]?.at ?? 0;
    let units = 0;
    for (const { at, unit } of sent) {
      this.clock.advance(Math.max(0, at - last));
      last = Math.max(last, at);
      this.show.write(unit);
      units += 1;
      if (units % 500 === 0) await this.show.room();
    }
  }

  async end(): Promise<PresentationSnapshot> {
    await this.show.finish();
    if (this.faults.length > 0) throw this.faults[0];
    if (!this.show.run) throw new Error('the gate never opened');
    return this.show.run.snapshot();
  }
}

const shown = async (source: Source): Promise<PresentationSnapshot> => {
  const stage = new Stage(source.latency);
  await stage.send(sentBy(source), [videoConfig, audioConfig(frequency[source.sampleRate ?? 48_000])]);
  return stage.end();
};

const lawful = (name: string, source: Source, leniency: Leniency = {}): void => {
  t.test(name, async (t) => {
    const snapshot = await shown(source);
    t.same(broken(snapshot, leniency).slice(0, 8), []);
    t.ok((snapshot.tracks[0]?.endSegment ?? 0) > 0, 'and there is something to see');
  });
};

for (const latency of ['ultra', 'low', 'standard'] as const) {
  for (const sampleRate of [48_000, 44_100, 16_000] as const) {
    lawful(`${latency}, sound at ${sampleRate} Hz`, { latency, sampleRate });
  }
}
for (const fps of [1, 2, 3, 5, 10, 15, 23.976, 25, 29.97, 50, 60]) lawful(`${fps} pictures a second`, { fps, gop: Math.round(fps * 2) });
for (const gop of [1, 7, 30, 61, 75, 121, 180, 186, 250]) lawful(`a key frame every ${gop} pictures of 30 a second`, { gop });
for (const reorder of [2, -2]) lawful(`pictures shown ${reorder} pictures after they are decoded`, { reorder });
for (const skew of [-2_000, -400, 400, 2_000, 5_000, 20_000, -20_000]) lawful(`sound ${skew} ms from its picture`, { skew }, { shortParts: Math.abs(skew) > 3_000 });
lawful('sound that runs on when the pictures have stopped', { pictures: (frame, sent) => (frame < 200 ? sent : null) });
for (let at = 200; at < 212; at += 1) {
  lawful(`pictures that stop for a long time while sound runs on, ${at} pictures in`, { seconds: 60, pictures: (frame, sent) => (frame < at || frame > 1_500 ? sent : null) });
}
lawful('sound that never comes', { sounds: () => null });
lawful('one picture in a hundred is missing', { pictures: (frame, sent) => (frame % 100 === 57 ? null : sent) }, { longestPicture: 0.067, shortParts: true });
for (const stall of [0.5, 1, 1.5, 2, 2.5, 2.9]) {
  for (const at of [65, 95, 118]) {
    const gone = (frame: number): boolean => frame > at && frame < at + stall * 30;
    lawful(`${stall} s without a picture, ${at} pictures in`, { pictures: (frame, sent) => (gone(frame) ? null : sent) }, { longestPicture: stall + 0.034, shortParts: true });
  }
}
lawful('every stamp comes twice', { fps: 60, pictures: (frame, { at, unit }) => ({ at, unit: picture(Math.floor(frame / 2) * 33, unit.key) }) }, { shortParts: true });
lawful('key frames with the same stamp', { key: (frame) => frame % 60 < 2, pictures: (_frame, { at, unit }) => ({ at, unit: picture(Math.floor(at / 67) * 67, unit.key) }) }, { shortParts: true, longestPicture: 0.068 });
lawful('stamps that wrap after 32 bits', { firstStamp: 2 ** 32 - 7_000 });
lawful('stamps that wrap after 31 bits', { firstStamp: 2 ** 31 - 7_000 });
lawful('a jump of an hour', { pictures: (frame, { at, unit }) => ({ at, unit: { ...unit, dts: unit.dts + (frame > 250 ? 3_600_000 : 0), pts: unit.pts + (frame > 250 ? 3_600_000 : 0) } }) }, { shortParts: true });

t.test('and of three hundred senders drawn by lot', async (t) => {
  const random = new Random(20_260_101);
  const pick = <Value>(values: readonly Value[]): Value => {
    const value = values[random.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  };
  for (let round = 0; round < 300; round += 1) {
    const fps = pick([5, 12.5, 15, 24, 25, 29.97, 30, 50, 60]);
    const source = {
      latency: pick(['ultra', 'low', 'standard'] as const),
      fps,
      gop: 1 + random.below(Math.ceil(fps * 9)),
      reorder: random.below(6) - 2,
      sampleRate: pick([48_000, 44_100, 16_000] as const),
      skew: pick([0, 0, random.below(1_000) - 500, random.below(12_000) - 6_000]),
      firstStamp: pick([0, random.u32(), 2 ** 32 - random.below(20_000)]),
    };
    const loss = pick([0, 0, 3, 20]);
    const kept = <One>(_frame: number, sent: One): One | null => (random.below(100) < loss ? null : sent);
    const stage = new Stage(source.latency);
    for (let session = 0; session < 1 + random.below(3); session += 1) {
      const sent = sentBy({ ...source, seconds: 1 + random.below(14), ...(loss > 0 && { pictures: kept, sounds: kept }) });
      await stage.send(sent, [videoConfig, audioConfig(frequency[source.sampleRate])]);
      await stage.show.pause();
      stage.clock.advance(random.below(50_000));
    }
    if (!stage.show.run) continue;
    const faults = broken(await stage.end(), { shortParts: true, longestPicture: 8 });
    if (faults.length > 0) return t.fail(JSON.stringify({ round, source, loss, faults: faults.slice(0, 5) }));
  }
  t.pass('all lawful');
});

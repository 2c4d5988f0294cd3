/** For tests of ladders: a show with rungs, and an encoder that hands every picture back. */
import type { Test } from 'tap';
import { FakeClock } from '../clock.ts';
import { MemoryLog } from '../log/memory-log.ts';
import type { PlacedUnit } from '../media/timeline.ts';
import { rtmpClock, type AccessUnit } from '../media/unit.ts';
import { videoEpoch } from './epoch-tracks.ts';
import { Ladder, type LadderState } from './ladder.ts';
import type { EncoderAsk, LadderTrouble, StartEncoder } from './ladder-epoch.ts';
import { audioConfig, videoConfig } from './pretend-sender.ts';
import { LiveRun, type RunFacts, type RunTrack } from './run.ts';
import { Show } from './show.ts';

const rungOf = (source: RunTrack, id: string, height: number): RunTrack => ({
  ...source,
  ...{ id, codec: 'h264', bandwidth: height * 2000, averageBandwidth: height * 1500 },
  rung: { width: height * 2, height, mostPictures: null, frameRate: 30, bitRate: height * 1500, preset: 'veryfast', level: 31, codecString: 'avc1.64001f' },
});

/** An encoder that hands every picture back, in the order in which they are shown, some of them later. */
class PretendEncoder {
  readonly ask: EncoderAsk;
  readonly late: () => number;
  readonly #in: PlacedUnit[] = [];
  isDead = false;
  isStuck = false;
  hasEnded = false;
  /** When the first picture that it was given is shown. */
  first: number | null = null;

  constructor(ask: EncoderAsk, late: () => number) {
    this.ask = ask;
    this.late = late;
  }
  picture(unit: PlacedUnit): void {
    if (this.isDead || this.hasEnded) throw new Error('a picture for an encoder that is over');
    this.first ??= unit.pts;
    this.#in.push(unit);
    this.#in.sort((a, b) => a.pts - b.pts);
    this.#out(this.late());
  }
  #out(left: number): void {
    while (!this.isStuck && !this.isDead && this.#in.length > left) {
      const [unit] = this.#in.splice(0, 1);
      if (!unit) return;
      for (const { track, from } of this.ask.rungs) {
        if (unit.pts < from) continue;
        this.ask.made(track.id, { ...videoEpoch(0, videoConfig, 0, 30), codecString: track.rung?.codecString ?? '' });
        this.ask.picture(track.id, { pts: unit.pts, key: unit.key, data: Buffer.from(`${track.id} ${unit.pts}`) });
      }
    }
  }
  end(): void {
    this.hasEnded = true;
    void this.#drain();
  }
  /** What is inside still comes out, one picture after the other, while the next encoder is at work. */
  async #drain(): Promise<void> {
    while (this.#in.length > 0) {
      for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
      if (this.isStuck || this.isDead) return;
      this.#out(this.#in.length - 1);
    }
    this.ask.over('drained', '');
  }
  kill(): void {
    this.isDead = true;
  }
  crash(): void {
    this.isDead = true;
    this.ask.over('failed', 'killed');
  }
}

export type Stage = {
  readonly clock: FakeClock;
  readonly show: Show;
  readonly encoders: PretendEncoder[];
  readonly troubles: LadderTrouble[];
  /** Of holes. */
  readonly late: LadderTrouble[];
  state: LadderState | null;
  ladder: Ladder | null;
  room: (tracks: readonly RunTrack[]) => boolean;
  /** No encoder can be started. */
  unable: boolean;
  /** Of how many rungs it was asked whether there is room for them; it holds the cores of the last that it said yes to. */
  asked: number[];
  stuck: boolean;
  logs: Map<string, MemoryLog>;
};

const fault = (error: unknown): never => {
  throw error;
};

export const stage = (late: () => number = () => 3, heights = [480, 240]): Stage => {
  const clock = new FakeClock();
  const encoders: PretendEncoder[] = [];
  const troubles: LadderTrouble[] = [];
  const holes: LadderTrouble[] = [];
  const start: StartEncoder = (ask) => {
    if (made.unable) throw new Error('spawn ENOMEM');
    const encoder = new PretendEncoder(ask, late);
    encoder.isStuck = made.stuck;
    encoders.push(encoder);
    return encoder;
  };
  const made: Stage = {
    ...{ clock, encoders, troubles, late: holes, state: null, ladder: null, room: () => true, unable: false, asked: [], stuck: false, logs: new Map() },
    show: new Show({
      clock,
      wish: { latency: 'low', dvrSeconds: 0, captions: [] },
      fault,
      open: async (shape) => {
        const [source, ...others] = shape.tracks;
        if (!source) throw new Error('no tracks');
        const facts: RunFacts = { video: 'video', run: 'firstrun', ...shape, tracks: [source, ...heights.map((height, index) => rungOf(source, `v${index + 1}`, height)), ...others] };
        for (const { id } of facts.tracks) made.logs.set(id, new MemoryLog());
        return new LiveRun({ facts, logs: made.logs, clock, onFault: fault });
      },
      ladder: (run) => {
        const tracks = run.facts.tracks.filter(({ rung }) => rung);
        made.ladder = new Ladder({
          ...{ clock, run: { beginRung: run.beginRung.bind(run), writeRung: run.writeRung.bind(run) }, tracks, start, keeps: () => undefined },
          room: (wanted) => (made.asked.push(wanted.length), made.room(wanted)),
          changed: (state) => (made.state = state),
          trouble: (trouble) => (trouble.kind === 'late' ? holes : troubles).push(trouble),
        });
        return made.ladder;
      },
    }),
  };
  return made;
};

export const sleep = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
};

/** By the clock: what is due comes when it is due. */
export const send = async ({ show, clock }: Stage, sent: readonly AccessUnit[], each: (index: number) => void = () => undefined): Promise<void> => {
  show.begin(rtmpClock);
  show.track(videoConfig);
  show.track(audioConfig());
  const first = Math.min(...sent.map(({ dts }) => dts));
  let at = 0;
  for (const [index, unit] of sent.entries()) {
    const due = unit.dts - first;
    if (due > at) {
      clock.advance(due - at);
      at = due;
      await new Promise(setImmediate);
    }
    show.write(unit);
    each(index);
  }
  await sleep();
};

export const runOf = ({ show }: Stage): LiveRun => show.run ?? fault(new Error('the gate never opened'));

/** [start, end, is a hole] of each segment. */
export const segments = (run: LiveRun, id: string): unknown[] =>
  run.snapshot().tracks.filter((track) => track.id === id).flatMap((track) => track.segments.map(({ start, duration, gap, epoch, msn }) => ({ msn, epoch, start, duration, gap })));

export const sameSegments = (t: Test, run: LiveRun, ids: readonly string[], name = ''): void => {
  for (const id of ids) t.same(segments(run, id), segments(run, 'v0'), `${name}${id} has the segments of the source`);
};

/** Whatever is a hole. */
export const sameTimes = (t: Test, run: LiveRun, ids: readonly string[]): void => {
  const times = (id: string): unknown[] => segments(run, id).map((segment) => ({ ...(segment as object), gap: false }));
  for (const id of ids) t.same(times(id), times('v0'));
};

/** What was encoded, in the order of the log. */
export const picturesOf = async ({ logs }: Stage, id: string): Promise<string[]> => {
  const log = logs.get(id);
  if (!log) throw new Error(id);
  const { end } = log.snapshot();
  const bytes = Buffer.concat(await log.read(0, end)).toString('latin1');
  return [...bytes.matchAll(new RegExp(`${id} \\d+`, 'g'))].map(([text]) => text);
};

/** Segments of it that are holes. */
export const holesOf = (run: LiveRun, id: string): number => segments(run, id).filter((segment) => (segment as { gap: boolean }).gap).length;

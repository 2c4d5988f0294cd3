import t, { type Test } from 'tap';
import { Random } from '../../test/support/random.ts';
import { FakeClock } from '../clock.ts';
import { spans } from '../dash/spans.ts';
import { mediaPlaylist } from '../hls/media.ts';
import { multivariantPlaylist } from '../hls/multivariant.ts';
import { MemoryLog } from '../log/memory-log.ts';
import type { PlacedUnit } from '../media/timeline.ts';
import { rtmpClock, type AccessUnit } from '../media/unit.ts';
import { broken } from './laws.ts';
import { Ladder, type LadderState } from './ladder.ts';
import type { EncoderAsk, LadderTrouble, StartEncoder } from './ladder-epoch.ts';
import { videoEpoch } from './epoch-tracks.ts';
import { audioConfig, picture, units, videoConfig } from './pretend-sender.ts';
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

  constructor(ask: EncoderAsk, late: () => number) {
    this.ask = ask;
    this.late = late;
  }
  picture(unit: PlacedUnit): void {
    if (this.isDead || this.hasEnded) throw new Error('a picture for an encoder that is over');
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
    if (this.isStuck) return;
    this.#out(0);
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

type Stage = {
  readonly clock: FakeClock;
  readonly show: Show;
  readonly encoders: PretendEncoder[];
  readonly troubles: LadderTrouble[];
  /** Of holes. */
  readonly late: LadderTrouble[];
  state: LadderState | null;
  ladder: Ladder | null;
  room: boolean;
  /** Of how many rungs it was asked whether there is room for them; it holds the cores of the last that it said yes to. */
  asked: number[];
  stuck: boolean;
  logs: Map<string, MemoryLog>;
};

const fault = (error: unknown): never => {
  throw error;
};

const stage = (late: () => number = () => 3, heights = [480, 240]): Stage => {
  const clock = new FakeClock();
  const encoders: PretendEncoder[] = [];
  const troubles: LadderTrouble[] = [];
  const holes: LadderTrouble[] = [];
  const start: StartEncoder = (ask) => {
    const encoder = new PretendEncoder(ask, late);
    encoder.isStuck = made.stuck;
    encoders.push(encoder);
    return encoder;
  };
  const made: Stage = {
    ...{ clock, encoders, troubles, late: holes, state: null, ladder: null, room: true, asked: [], stuck: false, logs: new Map() },
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
          room: (wanted) => (made.asked.push(wanted.length), made.room),
          changed: (state) => (made.state = state),
          trouble: (trouble) => (trouble.kind === 'late' ? holes : troubles).push(trouble),
        });
        return made.ladder;
      },
    }),
  };
  return made;
};

const sleep = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
};

/** By the clock: what is due comes when it is due. */
const send = async ({ show, clock }: Stage, sent: readonly AccessUnit[], each: (index: number) => void = () => undefined): Promise<void> => {
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

const runOf = ({ show }: Stage): LiveRun => show.run ?? fault(new Error('the gate never opened'));

/** [start, end, is a hole] of each segment. */
const segments = (run: LiveRun, id: string): unknown[] =>
  run.snapshot().tracks.filter((track) => track.id === id).flatMap((track) => track.segments.map(({ start, duration, gap, epoch, msn }) => ({ msn, epoch, start, duration, gap })));

const sameSegments = (t: Test, run: LiveRun, ids: readonly string[], name = ''): void => {
  for (const id of ids) t.same(segments(run, id), segments(run, 'v0'), `${name}${id} has the segments of the source`);
};

/** Whatever is a hole. */
const sameTimes = (t: Test, run: LiveRun, ids: readonly string[]): void => {
  const times = (id: string): unknown[] => segments(run, id).map((segment) => ({ ...(segment as object), gap: false }));
  for (const id of ids) t.same(times(id), times('v0'));
};

/** What was encoded, in the order of the log. */
const picturesOf = async ({ logs }: Stage, id: string): Promise<string[]> => {
  const log = logs.get(id);
  if (!log) throw new Error(id);
  const { end } = log.snapshot();
  const bytes = Buffer.concat(await log.read(0, end)).toString('latin1');
  return [...bytes.matchAll(new RegExp(`${id} \\d+`, 'g'))].map(([text]) => text);
};

t.test('rungs have the numbers, times and parts of the source, over reconnects', async (t) => {
  const made = stage();
  await send(made, units(9_000));
  await made.show.pause();
  await send(made, units(7_000, { shift: 40_000, fps: 25, gop: 50 }));
  await made.show.finish();
  const run = runOf(made);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
  sameSegments(t, run, ['v1', 'v2']);
  t.equal((await picturesOf(made, 'v1')).length, 270 + 175);
  t.equal((await picturesOf(made, 'v2')).length, 270 + 175);
  t.equal(made.encoders.length, 2, 'one encoder for each epoch');
  const text = multivariantPlaylist(run.snapshot());
  t.equal(text.match(/CODECS="avc1.64001f,mp4a/g)?.length, 2);
  t.notMatch(mediaPlaylist(run.snapshot(), 'v1'), 'GAP');
});

t.test('an encoder that dies is replaced, and no picture is missing', async (t) => {
  const random = new Random(4);
  const made = stage(() => 3 + random.below(3));
  let deaths = 0;
  await send(made, units(30_000), (index) => {
    if (index > 300 && index % 400 === 0) {
      deaths += 1;
      made.encoders.at(-1)?.crash();
    }
  });
  await made.show.finish();
  const run = runOf(made);
  t.ok(deaths > 4, `${deaths} deaths`);
  sameSegments(t, run, ['v1', 'v2']);
  const pictures = await picturesOf(made, 'v1');
  t.equal(new Set(pictures).size, 900);
  t.equal(pictures.length, 900);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('one that hangs is killed; what it owes meanwhile is a hole with the number of the source', async (t) => {
  const made = stage();
  await send(made, units(30_000), (index) => {
    const encoder = made.encoders.at(-1);
    if (index === 500 && encoder) encoder.isStuck = true;
  });
  await made.show.finish();
  const run = runOf(made);
  t.match(made.troubles, [{ kind: 'hung' }]);
  t.equal(made.encoders[0]?.isDead, true);
  const own = segments(run, 'v0');
  t.equal(segments(run, 'v1').length, own.length);
  t.ok(segments(run, 'v1').filter((segment) => (segment as { gap: boolean }).gap).length <= 2);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('one that cannot keep up loses its top rung, and gets it back when there is room', async (t) => {
  let isSlow = false;
  const made: Stage = stage(() => (isSlow ? 60 : 3));
  await send(made, units(90_000), (index) => {
    if (index === 600) isSlow = true;
    if (made.troubles.length > 0) isSlow = false;
  });
  t.match(made.troubles, [{ kind: 'slow' }]);
  t.same(made.encoders.map(({ ask }) => ask.rungs.map(({ track }) => track.id)), [['v1', 'v2'], ['v2'], ['v1', 'v2']]);
  t.same(made.ladder?.state.shed, []);
  await made.show.finish();
  const run = runOf(made);
  const gaps = segments(run, 'v1').filter((segment) => (segment as { gap: boolean }).gap);
  t.ok(gaps.length > 8 && gaps.length < 14, `${gaps.length} holes`);
  t.ok(segments(run, 'v2').filter((segment) => (segment as { gap: boolean }).gap).length <= 2, 'the other goes on');
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('one that hangs time and again has too much to do; several that are shed at once come back at once', async (t) => {
  const made = stage();
  const stuckFrom = 600;
  await send(made, units(90_000), (index) => {
    const isBusy = index > stuckFrom && index < 2_400;
    made.stuck = isBusy;
    const encoder = made.encoders.at(-1);
    if (encoder && encoder.isStuck !== isBusy && isBusy) encoder.isStuck = true;
  });
  const kinds = made.troubles.map(({ kind }) => kind);
  t.same(kinds.slice(0, 2), ['hung', 'slow'], 'once it may have been bad luck');
  t.ok(made.encoders.length < 8, `${made.encoders.length} encoders`);
  t.same(made.ladder?.state.shed, [], 'the load is gone, and everything is back');
  await made.show.finish();
  const run = runOf(made);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('a machine without a free core has rungs that are holes', async (t) => {
  const made = stage();
  made.room = false;
  await send(made, units(10_000));
  await made.show.finish();
  const run = runOf(made);
  t.equal(made.encoders.length, 0);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  const text = mediaPlaylist(run.snapshot(), 'v1');
  t.notMatch(text, 'EXT-X-MAP', 'there is nothing to decode');
  t.match(text, 'EXT-X-GAP');
  t.match(multivariantPlaylist(run.snapshot()), /RESOLUTION=960x480,FRAME-RATE=30.000/, 'and players are told of them');
});

for (const [why, late] of [
  ['takes long to start', (made: Stage, isLate: boolean) => ((made.stuck = isLate), isLate || made.encoders.forEach((encoder) => (encoder.isStuck = false)))],
  ['has no room at first', (made: Stage, isLate: boolean) => (made.room = !isLate)],
] as const) {
  t.test(`an encoder that ${why} has holes at the beginning, and pictures from a key picture on`, async (t) => {
    const made = stage();
    const listed: string[] = [];
    const look = (): void => void (made.show.run && listed.push(mediaPlaylist(made.show.run.snapshot(), 'v1')));
    await send(made, (late(made, true), units(40_000)), (index) => {
      if (index === 600) late(made, false);
      if (index % 100 === 0) look();
    });
    const run = runOf(made);
    await run.settled();
    look();
    const own = segments(run, 'v1') as { msn: number; gap: boolean }[];
    const from = own.findIndex(({ gap }) => !gap);
    t.ok(from > 0 && from < own.length - 5, `${from} of ${own.length} are holes`);
    t.same(own.slice(from).filter(({ gap }) => gap), [], 'and none after that');
    t.ok((await picturesOf(made, 'v1')).length > 300);
    const text = listed.at(-1) ?? '';
    t.equal(text.match(/EXT-X-MAP/g)?.length, 1);
    const opening = text.slice(text.indexOf('#EXT-X-MAP')).split('\n').slice(0, 2).join(' ');
    t.match(opening, /^#EXT-X-MAP:URI="[^"]+" #EXT-X-PROGRAM-DATE-TIME/);
    t.equal(text.slice(0, text.indexOf('#EXT-X-MAP')).match(/#EXTINF/g)?.length, from, 'ahead of the first that is none');
    t.notMatch(text, '#EXT-X-DISCONTINUITY\n', 'it is the epoch of the source');
    // What was listed of holes is never changed.
    const closed = (one: string): string => one.slice(one.indexOf('#EXT-X-PROGRAM-DATE-TIME'), Math.max(0, one.lastIndexOf('#EXT-X-PROGRAM-DATE-TIME'))).replaceAll(/#EXT-X-PART:.*\n/g, '');
    for (const one of listed) t.ok(closed(text).startsWith(closed(one)));
    t.same(spans(run.snapshot()).map(({ id }) => id), ['e0', `e0-${from + 1}`], 'in DASH it is there from a Period of its own on');
    // A later start finds what was told last.
    const stored = made.logs.get('v1')?.snapshot().epochs ?? [];
    t.same(stored.map(({ epoch, init }) => [epoch, init.length > 0]), [[0, true]]);
    await made.show.finish();
    t.same(broken(run.snapshot(), { shortParts: true }), []);
    sameTimes(t, run, ['v1', 'v2']);
  });
}

t.test('an encoder that never says anything costs the rungs, and nothing else', async (t) => {
  const made = stage();
  made.stuck = true;
  await send(made, units(20_000));
  await Promise.all([made.show.finish(), sleep().then(() => made.clock.advance(3_000))]);
  const run = runOf(made);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.ok(made.encoders.length > 1);
  t.match(made.late[0], { words: /^v1, v2: / }, 'and whoever runs the server hears of the holes');
  t.ok(made.encoders.every(({ isDead }) => isDead), 'none is left behind');
});

t.test('B pictures, groups of any length, and encoders that die whenever they like', async (t) => {
  const random = new Random(21);
  for (let round = 0; round < 20; round += 1) {
    const made = stage(() => 3 + random.below(4), [360]);
    const sent: AccessUnit[] = [];
    const frames = 300 + random.below(300);
    for (let frame = 0, left = 0; frame < frames; left -= 1) {
      const isKey = left <= 0;
      if (isKey) left = 12 + random.below(90);
      const group = isKey ? 1 : Math.min(3, frames - frame);
      const order = group === 3 ? [2, 0, 1] : Array.from({ length: group }, (_, one) => one);
      for (const [index, one] of order.entries()) sent.push(picture((frame + index) * 33, isKey && index === 0, { cts: (one - index + 2) * 33 }));
      frame += group;
    }
    const audio = units(frames * 33, { only: 'audio' });
    const all = [...sent, ...audio].sort((a, b) => a.dts - b.dts);
    await send(made, all, () => {
      if (random.below(200) === 0) made.encoders.at(-1)?.crash();
    });
    await made.show.finish();
    const run = runOf(made);
    t.equal(segments(run, 'v1').length, segments(run, 'v0').length, `round ${round}`);
    t.same(broken(run.snapshot(), { shortParts: true, longestPicture: 0.2 }), [], `round ${round}`);
  }
});

t.test('whoever comes back does not wait for an encoder that is not done with what he sent before', async (t) => {
  const made = stage();
  await send(made, units(9_000));
  for (const encoder of made.encoders) encoder.isStuck = true;
  await made.show.pause();
  await send(made, units(7_000, { shift: 40_000 }));
  t.equal(made.encoders[0]?.isDead, true, 'it had its time');
  await made.show.finish();
  const run = runOf(made);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.equal((await picturesOf(made, 'v1')).filter((text) => Number(text.slice(3)) >= 9 * 90_000).length, 210, 'and all that comes now is encoded');
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('a line that is lost every moment gets no more encoders than a few', async (t) => {
  const made = stage();
  made.stuck = true;
  await send(made, units(4_000));
  for (let round = 1; round < 8; round += 1) {
    await made.show.pause();
    await send(made, units(200, { shift: round * 20_000 }));
  }
  const on = made.encoders.filter(({ isDead }) => !isDead).length;
  t.ok(made.encoders.length >= 8 && on <= 4, `${on} of ${made.encoders.length} encoders`);
  await Promise.all([made.show.finish(), sleep().then(() => made.clock.advance(700))]);
  t.ok(made.encoders.every(({ isDead }) => isDead));
});

t.test('a show that ends gives its cores back at once, and waits for a stuck encoder less than a second', async (t) => {
  const made = stage();
  await send(made, units(9_000));
  for (const encoder of made.encoders) encoder.isStuck = true;
  t.same(made.asked, [2]);
  const finished = made.show.finish();
  await sleep();
  t.same(made.asked, [2, 0], 'the next show is planned meanwhile');
  t.equal(made.encoders[0]?.isDead, false, 'what is in the encoder may still come');
  made.clock.advance(700);
  await finished;
  const run = runOf(made);
  t.equal(run.snapshot().state, 'ended');
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.ok(made.asked.slice(1).every((count) => count === 0), 'and it asks for none again');
});

t.test('so it does where the line was lost a moment before', async (t) => {
  const made = stage();
  await send(made, units(9_000));
  for (const encoder of made.encoders) encoder.isStuck = true;
  await made.show.pause();
  const finished = made.show.finish();
  await sleep();
  made.clock.advance(700);
  await finished;
  t.equal(runOf(made).snapshot().state, 'ended');
});

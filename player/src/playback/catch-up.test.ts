import t from 'tap';
import { createPace, type Pace } from './catch-up.ts';

/** A line that brings parts: how late each comes, seconds. */
type Line = { readonly part: number; readonly lateBy: (part: number) => number };

type Watched = { speeds: number[]; stalls: number; latencies: number[]; jumps: number; pace: Pace };

/** Small, repeatable noise between 0 and 1. */
const noise = (seed: number): number => {
  const value = Math.sin(seed * 12.9898) * 43_758.5453;
  return value - Math.floor(value);
};

/**
 * A show in parts, and a media element that plays it as it is told, in steps of 10 ms; decisions come as `timeupdate`
 * does, four times a second. The edge is known as hls.js knows it: the end of the last part, and its age.
 */
const watch = (line: Line, { behind, seconds, pace = createPace() }: { behind: number; seconds: number; pace?: Pace }): Watched => {
  const target = 3 * line.part;
  const arrival = (part: number): number => (part + 1) * line.part + line.lateBy(part);
  const begin = 100 * line.part;
  const found: Watched = { speeds: [], stalls: 0, latencies: [], jumps: 0, pace };
  let parts = 100;
  let arrivedAt = begin;
  let playhead = begin - target - behind;
  let speed = 1;
  let waiting = false;
  for (let step = 1; step <= seconds * 100; step++) {
    const now = begin + step / 100;
    for (; arrival(parts) <= now; parts++) arrivedAt = now;
    const edge = parts * line.part;
    const next = playhead + speed / 100;
    if (next <= edge) {
      playhead = next;
      waiting = false;
    } else if (!waiting) {
      waiting = true;
      found.stalls += 1;
      speed = 1;
      pace.stalled(now * 1000);
    }
    if (step % 25 !== 0) continue;
    const latency = edge + (now - arrivedAt) - playhead;
    found.latencies.push(now - playhead);
    if (waiting) continue;
    const wanted = pace.next({ at: now * 1000, latency, target, buffered: edge - playhead });
    if (wanted.jump) {
      found.jumps += 1;
      playhead = edge + (now - arrivedAt) - target - pace.extra();
      pace.rest();
    } else if (wanted.speed !== speed) {
      speed = wanted.speed;
      found.speeds.push(speed);
    }
  }
  return found;
};

const calm = (part: number): Line => ({ part, lateBy: () => 0.03 });
const last = (values: readonly number[]): number => values.at(-1) ?? Number.NaN;

t.test('near its place a viewing is left alone, also where parts come unevenly', async (t) => {
  for (const behind of [0, 0.1, 0.14]) t.same(watch(calm(1 / 3), { behind, seconds: 300 }).speeds, [], `${behind} s`);
  const uneven: Line = { part: 1 / 3, lateBy: (part) => noise(part) * 0.2 };
  const seen = watch(uneven, { behind: 0.1, seconds: 300 });
  t.ok(seen.speeds.length <= 2, `${seen.speeds.length} changes of speed`);
  t.equal(seen.stalls, 0);
});

t.test('what the beginning cost is made up for once, and then the speed stays', async (t) => {
  for (const part of [1 / 3, 0.2]) {
    const seen = watch(calm(part), { behind: 0.5, seconds: 300 });
    t.same(seen.speeds, [1.05, 1]);
    t.ok(last(seen.latencies) < 3 * part + 0.15, `${last(seen.latencies)} s`);
    t.equal(seen.stalls, 0);
  }
});

t.test('further behind it hurries more, and far behind it jumps', async (t) => {
  t.same(watch(calm(1 / 3), { behind: 2.5, seconds: 120 }).speeds, [1.1, 1.05, 1]);
  const far = watch(calm(1 / 3), { behind: 30, seconds: 60 });
  t.equal(far.jumps, 1);
  t.ok(last(far.latencies) < 1.2);
});

t.test('nothing is hurried with less than a part in hand', async (t) => {
  const pace = createPace();
  for (let at = 0; at < 5000; at += 250) t.same(pace.next({ at, latency: 3, target: 1, buffered: 0.3 }), { speed: 1, jump: false });
});

t.test('too near, as where the picture comes back after an outage, it falls back slowly', async (t) => {
  const seen = watch(calm(1 / 3), { behind: -0.6, seconds: 120 });
  t.same(seen.speeds, [0.95, 1]);
  t.ok(last(seen.latencies) > 0.9, `${last(seen.latencies)} s`);
  t.equal(seen.stalls, 0);
});

t.test('on a line with late parts it stands further back, and stalls no more; when the line is calm it comes back', async (t) => {
  // One part in nine is more than a second late.
  const slow: Line = { part: 1 / 3, lateBy: (part) => (part % 9 === 0 ? 1.1 : 0.03) };
  const first = watch(slow, { behind: 0.1, seconds: 60 });
  t.ok(first.stalls >= 1 && first.stalls <= 4, `${first.stalls} stalls while it learns`);
  t.ok(first.pace.extra() > 0.3);
  const behind = last(first.latencies) - 1;
  const then = watch(slow, { behind, seconds: 55, pace: createPaceLike(first.stalls) });
  t.ok(then.stalls <= 1, `${then.stalls} stalls where it has learned`);
  const after = watch(calm(1 / 3), { behind, seconds: 600, pace: createPaceLike(first.stalls) });
  t.equal(after.pace.extra(), 0);
  t.ok(last(after.latencies) < 1.2, `${last(after.latencies)} s`);
  t.ok(after.speeds.length <= 2 * (first.stalls + 1), `${after.speeds.length} changes of speed in ten minutes`);
});

/** One that has run dry so often just now. */
const createPaceLike = (stalls: number): Pace => {
  const pace = createPace();
  for (let n = 0; n < stalls; n++) pace.stalled(0);
  return pace;
};

t.test('a line that cannot bear less is asked ever less often', async (t) => {
  const pace = createPace();
  const moment = { latency: 1.4, target: 1, buffered: 1 };
  let at = 0;
  const calmUntilForgiven = (): number => {
    const from = at;
    while (pace.extra() > 0) pace.next({ ...moment, at: (at += 250) });
    return at - from;
  };
  pace.stalled(at);
  pace.next({ ...moment, at });
  const first = calmUntilForgiven();
  pace.stalled((at += 5000));
  const second = calmUntilForgiven();
  pace.stalled((at += 5000));
  const third = calmUntilForgiven();
  t.ok(Math.abs(first - 60_000) <= 500 && Math.abs(second - 120_000) <= 500 && Math.abs(third - 240_000) <= 500, `${first} ${second} ${third}`);
});

t.test('who pauses or goes elsewhere is measured anew', async (t) => {
  const pace = createPace();
  for (let at = 0; at <= 1000; at += 250) pace.next({ at, latency: 1.5, target: 1, buffered: 1 });
  t.equal(pace.next({ at: 1250, latency: 1.5, target: 1, buffered: 1 }).speed, 1.05);
  pace.rest();
  t.equal(pace.next({ at: 1500, latency: 1.5, target: 1, buffered: 1 }).speed, 1);
});

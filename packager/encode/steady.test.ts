import t from 'tap';
import type { MovieAudio } from '../mp4/movie.ts';
import { pretendMovie, type PretendSample } from '../mp4/pretend-movie.ts';
import { steadySound } from './steady.ts';

/** Frames as a container of milliseconds tells them: `at` seconds, rounded. */
const track = (seconds: readonly number[], rate = 48_000): MovieAudio => {
  const ticks = seconds.map((time) => Math.round((Math.round(time * 1000) * rate) / 1000));
  const samples: PretendSample[] = ticks.map((dts, index) => ({ dts, duration: (ticks[index + 1] ?? dts + 1024) - dts, size: 10 + index, key: true }));
  const found = pretendMovie([{ kind: 'audio', timescale: rate, samples }]).movie.tracks[0];
  if (found?.kind !== 'audio') throw new Error('no sound');
  return { ...found, sampleRate: rate };
};
const timesOf = ({ samples }: MovieAudio): number[] => [...samples.rows(0, samples.count).dts];
const frames = (count: number, rate: number, from = 0, length = 1024): number[] => Array.from({ length: count }, (_, index) => from + (index * length) / rate);

t.test('what milliseconds have shaken lies end to end again', (t) => {
  for (const rate of [48_000, 44_100, 32_000]) {
    const steady = steadySound(track(frames(1000, rate), rate));
    t.same(timesOf(steady), Array.from({ length: 1000 }, (_, index) => index * 1024), `${rate}`);
    const { duration, size } = steady.samples.rows(0, 1000);
    t.ok(duration.every((ticks) => ticks === 1024));
    t.equal(size[999], 1009);
    t.equal(steady.samples.duration, 1_024_000);
  }
  t.end();
});

t.test('a hole stays a hole, and what comes behind it lies end to end as well', (t) => {
  const steady = steadySound(track([...frames(500, 48_000), ...frames(500, 48_000, 20)]));
  const times = timesOf(steady);
  t.equal(times[499], 499 * 1024);
  t.equal(times[500], 20 * 48_000);
  t.equal(times[999], 20 * 48_000 + 499 * 1024);
  t.equal(steady.samples.rows(499, 500).duration[0], 20 * 48_000 - 499 * 1024);
  t.end();
});

t.test('rows are the same whichever are asked for', (t) => {
  const { samples } = steadySound(track(frames(300, 44_100, 1.5), 44_100));
  const all = samples.rows(0, 300);
  for (const [from, to] of [[0, 1], [7, 40], [299, 300], [100, 100]] as const) {
    const { count, dts, duration } = samples.rows(from, to);
    t.equal(count, to - from);
    t.same([...dts], [...all.dts.slice(from, to)]);
    t.same([...duration], [...all.duration.slice(from, to)]);
  }
  t.end();
});

t.test('frames of no length that sound has are left alone', (t) => {
  for (const odd of [track(frames(100, 48_000, 0, 700)), track([0])]) t.equal(steadySound(odd), odd);
  const other = { ...track(frames(100, 48_000)), sampleRate: 24_000 };
  t.equal(steadySound(other), other);
  t.end();
});

t.test('times that run backwards do not', (t) => {
  const times = timesOf(steadySound(track([...frames(50, 48_000), ...frames(50, 48_000, 0.5)])));
  t.ok(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0)));
  t.end();
});

import t from 'tap';
import { WallDrift } from './wall-drift.ts';

/** Segments of 2 s, from a clock that runs `share` faster than ours, announced up to `lateMs` late. */
const slews = (share: number, segments: number, lateMs = 0): number[] => {
  const drift = new WallDrift();
  return Array.from({ length: segments }, (_, n) => {
    const late = lateMs * (((n * 7919) % 13) / 12);
    return drift.slew(n, 2_000 * n, 1e12 + 2_000 * n * (1 + share) + late);
  });
};

t.test('dates follow the wall clock, in steps of a quarter of a second', async (t) => {
  for (const share of [0.0002, -0.0002]) {
    const seen = slews(share, 2_000);
    const end = seen.at(-1) ?? 0;
    t.ok(Math.abs(end - share * 4e6) < 260, `${share * 4e6} ms of drift, ${end} ms of slew`);
    const steps = seen.slice(1).map((slew, n) => Math.abs(slew - (seen[n] ?? 0))).filter((step) => step > 0);
    t.equal(steps.length, 3);
    t.ok(steps.every((step) => step >= 250 && step < 252), steps.join());
  }
});

t.test('lateness moves nothing, and neither does a drift that is small', async (t) => {
  t.ok(slews(0, 500, 300).every((slew) => slew === 0));
  t.ok(slews(0.00005, 2_000, 300).every((slew) => slew === 0));
});

t.test('whoever sends faster than time goes by is no clock to be followed', async (t) => {
  const seen = slews(-0.9, 2_000);
  t.ok(seen.every((slew, n) => Math.abs(slew) <= n), `${seen.at(-1)} ms`);
  t.ok(seen.slice(1).every((slew, n) => Math.abs(slew - (seen[n] ?? 0)) < 252));
});

t.test('all tracks get the same answer for a segment', async (t) => {
  const drift = new WallDrift();
  t.equal(drift.slew(5, 10_000, 1e12), drift.slew(5, 10_000, 1e12 + 9_000));
});

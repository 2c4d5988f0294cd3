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

t.test('dates follow the wall clock, never by more than 0.05 %', async (t) => {
  const seen = slews(0.0002, 2_000);
  const end = seen.at(-1) ?? 0;
  t.ok(Math.abs(end - 800) < 15, `800 ms of drift, ${end} ms of slew`);
  seen.slice(1).forEach((slew, n) => t.ok(Math.abs(slew - (seen[n] ?? 0)) <= 1));
});

t.test('lateness alone moves nothing', async (t) => {
  t.ok(slews(0, 500, 300).every((slew) => Math.abs(slew) <= 1));
});

t.test('all tracks get the same answer for a segment', async (t) => {
  const drift = new WallDrift();
  t.equal(drift.slew(5, 10_000, 1e12), drift.slew(5, 10_000, 1e12 + 9_000));
});

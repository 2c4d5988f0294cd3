import t from 'tap';
import { pictureChoice } from './live-choice.ts';

/** Times of a second at this rate, counted in milliseconds by their sender and moved to 90 kHz. */
const inMilliseconds = (rate: number): number[] => Array.from({ length: Math.floor(rate) }, (_, at) => Math.round((at * 1000) / rate) * 90);
const chosen = (cap: number | null, times: readonly number[], keys: readonly number[] = [0]): number[] => {
  const choice = pictureChoice(cap);
  return times.filter((pts, at) => choice(pts, keys.includes(at)));
};

t.test('without a cap every picture is chosen', (t) => {
  t.equal(chosen(null, inMilliseconds(120)).length, 120);
  t.end();
});

for (const [rate, cap, left] of [[60, 30, 30], [59.94, 30, 30], [50, 30, 25], [120, 30, 30], [30, 30, 30], [29.97, 30, 29], [25, 30, 25], [60, 15, 15], [48, 30, 24]] as const) {
  t.test(`of ${rate} a second, ${left} are left under a cap of ${cap}, evenly apart`, (t) => {
    const times = chosen(cap, inMilliseconds(rate));
    t.equal(times.length, left);
    const steps = times.slice(1).map((pts, at) => pts - (times[at] ?? 0));
    t.ok(Math.max(...steps) - Math.min(...steps) <= 180, `${Math.min(...steps)} to ${Math.max(...steps)} ticks`);
    t.end();
  });
} // prettier-ignore

t.test('key pictures are always chosen, and nothing behind one depends on what was before it', (t) => {
  const times = inMilliseconds(60);
  const whole = chosen(30, times, [0, 7, 8, 31]);
  for (const key of [0, 7, 8, 31]) t.ok(whole.includes(times[key] ?? -1));
  const choice = pictureChoice(30);
  t.same(times.slice(31).filter((pts, at) => choice(pts, at === 0)), whole.filter((pts) => pts >= (times[31] ?? 0))); // prettier-ignore
  t.end();
});

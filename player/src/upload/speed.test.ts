import t from 'tap';
import { Speed } from './speed.ts';

const steady = (speed: Speed, from: number, to: number, bytesPerSecond: number): void => {
  for (let at = from; at < to; at += 100) speed.add(bytesPerSecond / 10, at);
};

t.test('the first seconds say nothing, then it is what moves', async (t) => {
  const speed = new Speed();
  speed.begin(1_000);
  steady(speed, 1_000, 3_500, 500_000);
  t.equal(speed.at(3_500), null);
  steady(speed, 3_500, 21_000, 500_000);
  const now = speed.at(21_000) ?? 0;
  t.ok(Math.abs(now - 500_000) < 20_000, String(now));
});

t.test('a line that has changed is told within seconds, and one that stands has no speed', async (t) => {
  const speed = new Speed();
  speed.begin(0);
  steady(speed, 0, 60_000, 1_000_000);
  steady(speed, 60_000, 68_100, 100_000);
  const now = speed.at(68_100) ?? 0;
  t.ok(now < 110_000, String(now));
  t.equal(speed.at(90_000), null);
});

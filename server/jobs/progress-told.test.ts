import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { ProgressTold } from './progress-told.ts';

t.test('the first is passed on at once, then the newest twice a second, and the last is never missing', async (t) => {
  const clock = new FakeClock();
  const passed: number[] = [];
  const told = new ProgressTold(clock, async (done) => void passed.push(done));
  for (let step = 0; step <= 100; step += 1) {
    told.say(step / 100);
    await turn();
    clock.advance(20);
    await turn();
  }
  t.ok(passed.length >= 4 && passed.length <= 6, `${passed.length} in two seconds`);
  t.equal(passed[0], 0);
  clock.advance(500);
  await turn();
  t.equal(passed.at(-1), 1);
  const before = passed.length;
  clock.advance(5_000);
  await turn();
  t.equal(passed.length, before, 'nothing more was said');
  told.say(0.5);
  t.equal(passed.length, before + 1, 'after a pause it is passed on at once');
});

t.test('it is not passed on faster than it is taken, nor when the job is over', async (t) => {
  const clock = new FakeClock();
  const passed: number[] = [];
  const taken: (() => void)[] = [];
  const told = new ProgressTold(clock, (done) => new Promise((resolve) => (passed.push(done), taken.push(resolve))));
  for (const done of [0.1, 0.2, 0.3]) {
    told.say(done);
    clock.advance(1_000);
    await turn();
  }
  t.same(passed, [0.1]);
  taken[0]?.();
  await turn();
  clock.advance(500);
  await turn();
  t.same(passed, [0.1, 0.3]);
  told.say(0.4);
  told.stop();
  taken[1]?.();
  await turn();
  clock.advance(1_000);
  told.say(0.5);
  await turn();
  t.same(passed, [0.1, 0.3]);
});

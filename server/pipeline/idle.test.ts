import t, { type Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { quiet } from '../catalog/testing.ts';
import { IdleRungs } from './idle.ts';

const hour = 3_600_000;
const day = 24 * hour;

const begin = (t: Test, idle: (since: number) => string[]) => {
  const clock = new FakeClock();
  const done: string[] = [];
  const asks: number[] = [];
  const store = {
    idle: async (since: number) => {
      asks.push(clock.wall() - since);
      return idle(since);
    },
    drop: async (video: string) => video !== 'busy',
  };
  const errors: unknown[] = [];
  const sweeper = new IdleRungs({ clock, log: { ...quiet, error: (facts: object) => errors.push(facts) }, store, usual: 'eager', days: 30, dropped: (video) => done.push(video) });
  t.teardown(() => sweeper.stop());
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 60_000) {
      clock.advance(60_000);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  sweeper.start();
  return { done, asks, errors, pass, sweeper };
};

t.test('every hour, whoever has been asked for by nobody in so many days loses his spare rungs', async (t) => {
  const { done, asks, pass, sweeper } = begin(t, () => ['film', 'busy', 'show']);
  await pass(4 * 60_000);
  t.same(asks, [], 'a server that has just started has better to do');
  await pass(2 * 60_000);
  t.same(done, ['film', 'show'], 'and not what is in use');
  await pass(2 * hour);
  t.same(asks, [30 * day, 30 * day, 30 * day]);
  await sweeper.stop();
  await pass(2 * hour);
  t.equal(asks.length, 3);
});

t.test('one time that fails is not the last', async (t) => {
  let turn = 0;
  const { done, errors, pass } = begin(t, () => {
    turn += 1;
    if (turn === 1) throw new Error('no disk');
    return ['film'];
  });
  await pass(2 * hour);
  t.equal(errors.length, 1);
  t.same(done.slice(0, 1), ['film']);
});

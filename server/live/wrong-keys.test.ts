import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { WrongKeys } from './wrong-keys.ts';

t.test('a few mistakes are free, then each costs a longer wait, and all is forgotten in the end', async (t) => {
  const clock = new FakeClock();
  const keys = new WrongKeys(clock);
  for (let tries = 0; tries < 9; tries += 1) keys.failed('a');
  t.equal(keys.waitSeconds('a'), 0);
  keys.failed('a');
  t.equal(keys.waitSeconds('a'), 1);
  clock.advance(1_000);
  t.equal(keys.waitSeconds('a'), 0);
  keys.failed('a');
  t.equal(keys.waitSeconds('a'), 2);
  t.equal(keys.waitSeconds('b'), 0);
  clock.advance(11 * 60_000);
  keys.failed('a');
  t.equal(keys.waitSeconds('a'), 0);
});

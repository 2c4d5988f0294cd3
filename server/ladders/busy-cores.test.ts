import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { BusyCores } from './busy-cores.ts';

t.test('cores are told from one look to the next, and not of an encoder that is over', async (t) => {
  const clock = new FakeClock();
  let cost: number | null = 0.1;
  const busy = new BusyCores(clock, () => cost);
  t.equal(busy.now(), null, 'it has just begun');
  clock.advance(4_000);
  cost = 3;
  t.equal(busy.now(), 0.75);
  clock.advance(1_000);
  cost = 9;
  t.equal(busy.now(), 0.75, 'too soon to say anything new');
  clock.advance(4_000);
  t.equal(busy.now(), 1.2);
  cost = null;
  t.equal(busy.now(), null);
});

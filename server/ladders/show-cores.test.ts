import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { createCoreBudget } from '../../packager/encode/budget.ts';
import { planRungs } from '../../packager/live/ladder-plan.ts';
import { PromisedCores } from './show-cores.ts';

const source = { width: 1280, height: 720, frameRate: 30, standard: true };
const plan = () => planRungs([{ height: 480, bitRate: 1_000_000, preset: 'veryfast', mostPictures: null }], source);

t.test('cores are held from the plan on, and then by the show', async (t) => {
  const [clock, budget] = [new FakeClock(), createCoreBudget(2.25)];
  const promised = new PromisedCores(clock, budget);
  const rungs = plan();
  promised.promise(rungs, source, 1.5);
  t.equal(budget.free, 0.5, 'nobody else is promised them');
  const cores = promised.of(rungs[0], 'video1');
  t.equal(budget.free, 0.5, 'not once more');
  t.equal(budget.leases[0]?.ask.name, 'video1');
  t.same(cores.source, source);
  clock.advance(60_000);
  t.equal(budget.free, 0.5, 'for as long as it lasts');
  t.equal(cores.take(1), true);
  t.equal(budget.free, 0.5, 'what was shed for want of cores is nobody else’s');
  t.equal(cores.take(3), false, 'what is not there');
  t.equal(budget.free, 0.5, 'what is held stays');
  cores.take(0);
  t.equal(budget.free, 2);
});

t.test('a show that does not come about gives them back', async (t) => {
  const [clock, budget] = [new FakeClock(), createCoreBudget(2.25)];
  const promised = new PromisedCores(clock, budget);
  promised.promise(plan(), source, 1.5);
  promised.promise([], source, 0);
  clock.advance(15_000);
  t.equal(budget.free, 2);
});

t.test('behind a restart nobody was promised anything', async (t) => {
  const [clock, budget] = [new FakeClock(), createCoreBudget(2.25)];
  const cores = new PromisedCores(clock, budget).of(plan()[0], 'video1');
  t.equal(cores.source, null);
  t.equal(cores.take(2), true);
  t.equal(budget.leases[0]?.ask.name, 'video1');
});

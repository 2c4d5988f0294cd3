import t from 'tap';
import { createCoreBudget, type CoreAsk } from './budget.ts';

const ask = (rank: CoreAsk['rank'], cores: number, yields: string[] = [], name: string = rank): CoreAsk => ({ rank, cores, name, yield: () => yields.push(name) });

t.test('VOD gets what is free, and no more', async (t) => {
  const budget = createCoreBudget(2);
  t.equal(budget.total, 1.75);
  const first = budget.take(ask('vod', 1));
  t.ok(first);
  t.equal(budget.take(ask('vod', 1)), null);
  t.ok(budget.take(ask('vod', 0.75)));
  t.equal(budget.free, 0);
  let told = 0;
  budget.onFree(() => (told += 1));
  first?.release();
  first?.release();
  t.equal(told, 1);
  t.equal(budget.free, 1);
});

t.test('live takes what VOD holds: the youngest is asked to stop, and only as many as it needs', async (t) => {
  const budget = createCoreBudget(4.25);
  const asked: string[] = [];
  budget.take(ask('vod', 2, asked, 'old'));
  budget.take(ask('vod', 2, asked, 'young'));
  t.ok(budget.take(ask('live', 1.5, asked)));
  t.same(asked, ['young']);
  t.ok(budget.take(ask('live', 0.5, asked)));
  t.same(asked, ['young'], 'what the young one gives back is enough for both');
  t.ok(budget.take(ask('live', 2, asked)));
  t.same(asked, ['young', 'old']);
  t.equal(budget.take(ask('live', 0.1, asked)), null, 'live does not push live out');
});

t.test('a lease can grow and shrink within what is there', async (t) => {
  const budget = createCoreBudget(2.25);
  const lease = budget.take(ask('live', 1));
  t.notOk(lease?.resize(2.5));
  t.ok(lease?.resize(2));
  t.equal(budget.free, 0);
  t.ok(lease?.resize(0.5));
  t.equal(budget.free, 1.5);
  t.equal(budget.take(ask('vod', Number.NaN)), null);
});

import t, { type Test } from 'tap';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeClock } from '../../packager/clock.ts';
import { createCoreBudget } from '../../packager/encode/budget.ts';
import type { Sandbox } from '../../packager/encode/sandbox.ts';
import { carefulCost, type CoreCost } from '../../packager/live/ladder-cost.ts';
import { createLog } from '../log.ts';
import { Machine } from './machine.ts';
import { pretendFfmpeg } from './pretend-ffmpeg.ts';

/** A machine whose ffmpeg costs so much; what it was equipped and priced with, in their order. */
const stage = async (t: Test, data: string, secondsOf: () => number) => {
  await mkdir(join(data, 'jobs'), { recursive: true });
  const { sandbox, runs } = pretendFfmpeg(secondsOf);
  const [clock, budget, said, lines] = [new FakeClock(), createCoreBudget(2.25), new Array<readonly [string, CoreCost]>(), new Array<string>()];
  const ladders = {
    presets: ['veryfast'],
    equip: async (_: Sandbox, guess: CoreCost) => void said.push(['equip', guess]),
    price: (cost: CoreCost) => void said.push(['price', cost]),
  };
  const machine = new Machine({ ladders, budget, cores: 2, data, clock, log: createLog('info', { write: (line) => void lines.push(line) }) });
  t.teardown(() => machine.stop());
  return { clock, budget, said, lines, runs, machine, equip: () => machine.equip(sandbox as Sandbox), kept: () => existsSync(join(data, 'machine.json')) };
};

t.test('ladders can be had before they are measured, and the next start measures nothing', async (t) => {
  const data = t.testdir();
  const first = await stage(t, data, () => 1);
  await first.equip();
  t.same(first.said[0], ['equip', carefulCost]);
  t.equal(first.said[1]?.[0], 'price');
  t.ok(first.kept());
  t.match(first.lines.join(''), 'has been measured');

  const second = await stage(t, data, () => 1);
  await second.equip();
  t.equal(second.runs.length, 0);
  t.same(second.said.map(([what, cost]) => [what, cost]), [['equip', first.said[1]?.[1]], ['price', first.said[1]?.[1]]]);
});

t.test('what was measured beside a show counts until it can be measured again', async (t) => {
  const on = await stage(t, t.testdir(), () => 1);
  const lease = on.budget.take({ rank: 'live', cores: 1, name: 'a show', yield: () => undefined });
  await on.equip();
  t.equal(on.said.length, 2, 'it is priced');
  t.notOk(on.kept());
  lease?.release();
  const before = on.runs.length;
  on.clock.advance(10 * 60_000);
  while (!on.kept()) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(on.runs.length, 2 * before);
});

t.test('a machine that is never idle is measured ever more seldom', async (t) => {
  const on = await stage(t, t.testdir(), () => 1);
  on.budget.take({ rank: 'live', cores: 1, name: 'a show for ever', yield: () => undefined });
  await on.equip();
  const measures = (): number => on.lines.filter((line) => line.includes('has been measured')).length;
  const next = async (minutes: number): Promise<void> => {
    const before = measures();
    on.clock.advance(minutes * 60_000 - 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.equal(measures(), before, `not within ${minutes} minutes`);
    on.clock.advance(1);
    while (measures() === before) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  for (const minutes of [10, 20, 40, 80]) await next(minutes);
});

t.test('where it cannot be measured the guess stays, and the log says why', async (t) => {
  const on = await stage(t, t.testdir(), () => 0);
  await on.equip();
  t.same(on.said, [['equip', carefulCost]]);
  t.match(on.lines.join(''), /could not be measured: live ladders are planned by a careful guess\. ffmpeg ended with 1/);
  t.notOk(on.kept());
});

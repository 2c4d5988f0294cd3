import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import type { DiskLevel } from '../../packager/log/watermarks.ts';
import { DiskWatch } from './disk-watch.ts';

t.test('each mark is told once, and room that cannot be told changes nothing', async (t) => {
  let used: number | Error = 0.5;
  const levels: DiskLevel[] = [];
  const said: string[] = [];
  const say = (_facts: unknown, words: string): void => void said.push(words);
  const watch = new DiskWatch({
    disk: { space: async () => (used instanceof Error ? Promise.reject(used) : { free: 1_000 * (1 - used), total: 1_000 }) },
    folder: '/data',
    marks: { warn: 0.85, refuse: 0.92, stop: 0.97, hysteresis: 0.02 },
    clock: new FakeClock(),
    log: { info: say, warn: say, error: say } as never,
    changed: (level) => levels.push(level),
  });
  await watch.start();
  t.teardown(() => watch.stop());
  for (used of [0.86, 0.86, 0.93, new Error('gone'), 0.98, 0.5]) await watch.look();
  t.same(levels, ['warn', 'refuse', 'stop', 'ok']);
  t.equal(said.length, 5);
});

import t from 'tap';
import { diskLevel, mayGoOnRecording, mayTakeMore } from './watermarks.ts';
import type { DiskLevel } from './watermarks.ts';

const used = (percent: number) => ({ free: 100 - percent, total: 100 });

t.test('each level begins at its mark', async (t) => {
  const levels = [50, 84, 85, 91, 92, 96, 97, 100].map((percent) => diskLevel(used(percent), 'ok'));
  t.strictSame(levels, ['ok', 'ok', 'warn', 'warn', 'refuse', 'refuse', 'stop', 'stop']);
});

t.test('a level is left only a little below its mark', async (t) => {
  const path: DiskLevel[] = [];
  let level: DiskLevel = 'ok';
  for (const percent of [92, 91, 90.5, 89, 97, 96, 94, 84, 82]) path.push((level = diskLevel(used(percent), level)));
  t.strictSame(path, ['refuse', 'refuse', 'refuse', 'warn', 'stop', 'stop', 'refuse', 'warn', 'ok']);
});

t.test('marks can be set, and a disk without size is full', async (t) => {
  const marks = { warn: 0.5, refuse: 0.6, stop: 0.7, hysteresis: 0 };
  t.equal(diskLevel(used(60), 'ok', marks), 'refuse');
  t.equal(diskLevel(used(59), 'refuse', marks), 'warn');
  t.equal(diskLevel({ free: 0, total: 0 }, 'ok'), 'stop');
});

t.test('what each level allows', async (t) => {
  const allowed = (level: DiskLevel) => [mayTakeMore(level), mayGoOnRecording(level)];
  t.strictSame(allowed('warn'), [true, true]);
  t.strictSame(allowed('refuse'), [false, true]);
  t.strictSame(allowed('stop'), [false, false]);
});

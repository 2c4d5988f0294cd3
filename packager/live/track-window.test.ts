import t from 'tap';
import { FragmentTable } from '../log/table.ts';
import { TrackWindow } from './track-window.ts';

const rows = 20_000;
const table = new FragmentTable();
for (let row = 0; row < rows; row += 1) {
  const start = row % 6 === 0;
  const facts = { dts: row * 30_000, firstPts: row * 30_000, duration: 30_000, key: start, segmentStart: start, gap: false, lost: false, size: 10, crc: 1 };
  // Epoch 1 begins in the middle of what would be a segment.
  table.push({ ...facts, epoch: row < 9_000 + 3 ? 0 : 1 }, 'stored', { extent: 0, offset: 0 });
}
const log = table.snapshot(table.end, []);

t.test('segments begin where they were begun, where an epoch begins, and end with the log', async (t) => {
  const { segments, open } = TrackWindow.fromLog(log);
  t.equal(open, null);
  t.equal(segments.length, Math.ceil(rows / 6) + 1);
  t.same(segments.slice(1_500, 1_502).map(({ msn, epoch, parts }) => [msn, epoch, parts.length]), [[1_501, 0, 3], [1_502, 1, 3]]);
  t.equal(segments.at(-1)?.parts.length, rows % 6);
});

t.test('a long log gives the same, and lets others have their turn', async (t) => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  t.teardown(() => clearImmediate(timer));
  const { segments } = await TrackWindow.fromLongLog(log);
  t.ok(turns >= 3, `${turns} turns`);
  t.same(segments, TrackWindow.fromLog(log).segments);
});

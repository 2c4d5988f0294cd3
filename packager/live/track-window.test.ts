import t from 'tap';
import { FragmentTable } from '../log/table.ts';
import { TrackWindow } from './track-window.ts';

const pictures = { timescale: 90_000 };
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
  const { segments, open } = TrackWindow.fromLog(log, pictures, 0);
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
  const window = await TrackWindow.fromLongLog(log, pictures, 0);
  t.ok(turns >= 3, `${turns} turns`);
  t.same(window, TrackWindow.fromLog(log, pictures, 0));
});

t.test('a live playlist lists what was promised, less than a segment more, and never slides back', async (t) => {
  for (const seconds of [0, 60, 61, 600, 43_200]) {
    const window = new TrackWindow(pictures, seconds);
    const promised = Math.max(60, seconds) * 90_000;
    let before = 0;
    for (let seq = 0; seq < log.end; seq += 1) {
      const entry = log.entry(seq);
      if (entry.segmentStart) window.closeSegment();
      window.add(entry);
      const { segments, liveStart } = window;
      const listed = segments.slice(liveStart).reduce((sum, { duration }) => sum + duration, 0);
      const first = segments[liveStart]?.duration ?? 0;
      const right = liveStart >= before && (liveStart === 0 || listed >= promised) && listed - first < promised;
      if (!right) return t.fail(`${seconds} s: from ${liveStart}, ${listed} ticks listed`);
      before = liveStart;
      if (seq === 2_000) seq = log.end - 2_000;
    }
    t.equal(before > 0, seconds < 6_000, `${seconds} s: ${before}`);
  }
});

t.test('what the encoder of a rung has not finished is a hole, and its parts stay; of sound that ends there is what there was', (t) => {
  const cut = new FragmentTable();
  const row = { firstPts: 0, duration: 30_000, key: true, lost: false, crc: 1, epoch: 0 };
  for (const [index, gap] of [false, false, true, false].entries()) {
    cut.push({ ...row, dts: index * 30_000, segmentStart: index % 3 === 0, gap, size: gap ? 0 : 10 }, 'stored', { extent: 0, offset: 0 });
  }
  const gaps = (rung?: object): boolean[] => TrackWindow.fromLog(cut.snapshot(cut.end, []), { ...pictures, rung }, 0).segments.map(({ gap }) => gap);
  t.same(gaps({}), [true, false]);
  t.same(gaps(), [false, false]);
  t.end();
});

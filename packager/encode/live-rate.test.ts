import t from 'tap';
import { rateBounds, segmentPeak } from './live-rate.ts';

t.test('no segment has more than players are told, whatever its pictures cost', async (t) => {
  for (const bitRate of [350_000, 1_100_000, 2_500_000]) {
    const { maxRate, buffer } = rateBounds(bitRate);
    for (const seconds of [2, 3, 6]) t.ok(maxRate + buffer / seconds <= segmentPeak(bitRate), `${bitRate} over ${seconds} s`);
    t.ok(segmentPeak(bitRate) <= 2 * bitRate, 'and never twice the average');
  }
});

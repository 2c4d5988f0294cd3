import t from 'tap';
import { askedTimes, readTime, timesQuery, typedTime } from './time-param.ts';

t.test('times are read as people write them', async (t) => {
  t.equal(readTime('90'), 90);
  t.equal(readTime('90s'), 90);
  t.equal(readTime('1h2m3s'), 3723);
  t.equal(readTime('2m'), 120);
  t.equal(readTime('1M30'), 90);
  t.equal(readTime('1:30'), 90);
  t.equal(readTime('1:02:03.5'), 3723.5);
  t.equal(readTime('0'), 0);
});

t.test('anything else is no time', async (t) => {
  for (const text of [null, '', ' ', 'h', 'abc', '-5', '1e9', '1:2:3:4', 'NaN', '9'.repeat(21), '999999999999', '1h-2m'])
    t.equal(readTime(text), null, String(text));
});

t.test('an address says where to begin, or which piece to play', async (t) => {
  t.same(askedTimes('?t=1m5s'), { start: 65, in: null, out: null });
  t.same(askedTimes('?start=7'), { start: 7, in: null, out: null });
  t.same(askedTimes('?in=10&out=0:20'), { start: null, in: 10, out: 20 });
  t.same(askedTimes('?in=20&out=10'), { start: null, in: null, out: null }, 'a piece that ends before it begins is none');
});

t.test('what is written is read back', async (t) => {
  t.equal(timesQuery({ start: 83.9 }), '?t=83');
  t.equal(timesQuery({ start: 0.4 }), '', 'the beginning needs no words');
  t.same(askedTimes(timesQuery({ in: 10.04, out: 20.26 })), { start: null, in: 10, out: 20.3 });
  for (const time of [0, 5, 59.9, 60, 3599.95, 3600, 36_061.2]) t.equal(readTime(typedTime(time)), Math.round(time * 10) / 10, typedTime(time));
});

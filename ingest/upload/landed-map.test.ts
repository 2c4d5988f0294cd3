import t from 'tap';
import { Random } from '../../test/support/random.ts';
import { LandedMap } from './landed-map.ts';
import { unit } from './limits.ts';

t.test('parts in any order: bytes, ranges and gaps are those of the parts, the short last one too', async (t) => {
  const size = 20 * unit + 1000;
  const map = new LandedMap(size);
  t.same([map.bytes, map.ranges(9), map.missing(9), map.whole], [0, [], [[0, size]], false]);
  map.add(20 * unit, size);
  map.add(3 * unit, 5 * unit);
  map.add(3 * unit, 5 * unit);
  map.add(5 * unit, 6 * unit);
  t.equal(map.bytes, 3 * unit + 1000);
  t.same(map.ranges(9), [
    [3 * unit, 6 * unit],
    [20 * unit, size],
  ]);
  t.same(map.missing(1), [[0, 3 * unit]]);
  t.ok(map.has(3 * unit + 1, 6 * unit));
  t.ok(map.has(20 * unit + 999, size));
  t.notOk(map.has(3 * unit, 6 * unit + 1));
  t.notOk(map.has(size - 1, size + 1), 'nothing lies beyond the end');
  map.add(0, 3 * unit);
  map.add(6 * unit, 20 * unit);
  t.same([map.whole, map.missing(9), map.ranges(9)], [true, [], [[0, size]]]);
});

t.test('in order: a number says it', async (t) => {
  const map = new LandedMap(1000);
  map.addPrefix(10);
  map.addPrefix(5);
  t.same([map.bytes, map.prefix, map.ranges(9), map.missing(9)], [10, 10, [[0, 10]], [[10, 1000]]]);
  t.ok(map.has(0, 10) && map.has(10, 10) && !map.has(9, 11));
  map.addPrefix(1000);
  t.same([map.whole, map.missing(9)], [true, []]);
});

t.test('nothing that is no whole unit, or lies beyond the end, is claimed', async (t) => {
  const map = new LandedMap(3 * unit + 1);
  for (const [from, to] of [[1, unit], [0, unit - 1], [0, 4 * unit], [3 * unit, 3 * unit + 2]] as const) t.throws(() => map.add(from, to), RangeError);
  t.throws(() => map.addPrefix(3 * unit + 2), RangeError);
  t.equal(map.bytes, 0);
  t.equal(new LandedMap(3 * unit, Uint8Array.of(0xff)).bytes, 3 * unit, 'bits behind the last unit count for nothing');
});

t.test('whatever is added in whatever order, it says the same as a list of units', async (t) => {
  const random = new Random(7);
  for (let round = 0; round < 200; round += 1) {
    const units = 1 + random.below(70);
    const size = units * unit - random.below(unit);
    const map = new LandedMap(size);
    const list = new Set<number>();
    for (let count = random.below(40); count > 0; count -= 1) {
      const from = random.below(units);
      const to = Math.min(units, from + 1 + random.below(9));
      map.add(from * unit, Math.min(size, to * unit));
      for (let at = from; at < to; at += 1) list.add(at);
    }
    const expected: number[][] = [];
    for (let at = 0; at < units; at += 1) {
      const end = Math.min(size, (at + 1) * unit);
      if (list.has(at) && expected.at(-1)?.[1] === at * unit) expected.at(-1)?.splice(1, 1, end);
      else if (list.has(at)) expected.push([at * unit, end]);
    }
    t.same(map.ranges(1000), expected);
    const [landed, missing] = [map.ranges(1000), map.missing(1000)].map((ranges) => ranges.reduce((sum, [from, to]) => sum + to - from, 0));
    if (map.bytes !== landed || map.bytes + (missing ?? 0) !== size || map.copy().bytes !== map.bytes) t.fail(`round ${round}`);
  }
});

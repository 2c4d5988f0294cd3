import t from 'tap';
import { HotCache } from './cache.ts';
import { SingleFlight } from './single-flight.ts';

t.test('kept at the second offer, or at once for what is about to be asked for', async (t) => {
  const cache = new HotCache<string>(1 << 20);
  cache.offer('segment', 's', 100, false);
  t.equal(cache.get('segment'), undefined);
  cache.offer('segment', 's', 100, false);
  t.equal(cache.get('segment'), 's');
  cache.offer('part', 'p', 100, true);
  t.equal(cache.get('part'), 'p');
});

t.test('bytes stay below the bound, whatever is offered, and what is asked for outlives what is not', async (t) => {
  const bound = 200_000;
  const cache = new HotCache<number>(bound);
  let state = 7;
  const random = (below: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
  for (let hot = 0; hot < 5; hot++) cache.offer(`hot ${hot}`, hot, 1000, true);
  let kept = 0;
  for (let round = 0; round < 20_000; round++) {
    cache.offer(`cold ${round}`, round, random(60_000), true);
    if (cache.bytes > bound) t.fail(`${cache.bytes} bytes`);
    for (let hot = 0; hot < 5; hot++) if (cache.get(`hot ${hot}`) === hot) kept++;
  }
  t.equal(kept, 100_000, 'five hot entries through 20,000 cold ones');
  t.equal(cache.get('nothing'), undefined);
});

t.test('what is bigger than a quarter of the cache is not kept', async (t) => {
  const cache = new HotCache<string>(100_000);
  cache.offer('film', 'f', 30_000, true);
  t.equal(cache.size, 0);
});

t.test('concurrent misses share one computation, also when it fails', async (t) => {
  const flights = new SingleFlight<string>(8);
  let computed = 0;
  const compute = async (): Promise<string> => {
    computed++;
    await Promise.resolve();
    if (computed === 2) throw new Error('the disk');
    return 'bytes';
  };
  t.same(await Promise.all([1, 2, 3].map(() => flights.get('a', compute))), ['bytes', 'bytes', 'bytes']);
  t.equal(computed, 1);
  const failed = await Promise.allSettled([1, 2].map(() => flights.get('a', compute)));
  t.ok(failed.every(({ status }) => status === 'rejected'));
  t.equal(computed, 2);
  t.equal(await flights.get('a', compute), 'bytes', 'a failure is not kept');
});

t.test('only so many computations run at once, and all have their turn', async (t) => {
  const flights = new SingleFlight<number>(3);
  let running = 0;
  let most = 0;
  const all = Array.from({ length: 50 }, (_, n) =>
    flights.get(String(n), async () => {
      most = Math.max(most, ++running);
      await new Promise((turn) => setImmediate(turn));
      running--;
      if (n % 7 === 0) throw new Error('no');
      return n;
    }),
  );
  const done = await Promise.allSettled(all);
  t.equal(most, 3);
  t.equal(done.filter(({ status }) => status === 'fulfilled').length, 42);
});

import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { createCoreBudget } from '../../packager/encode/budget.ts';
import { quiet } from '../catalog/testing.ts';
import { Crew } from './crew.ts';
import type { JobQueue } from './queue.ts';
import { roomsOf, smallRoom } from './room.ts';

const job = (jobClass: string) => ({ class: jobClass, id: jobClass });
const noWay = (): void => undefined;

t.test('there are as many slots as cores, of equal size, and what is small finds room beside them all', (t) => {
  for (const cores of [1, 2, 3, 4, 16]) {
    const budget = createCoreBudget(cores);
    const { heavy: here, slots } = roomsOf(budget, { here: cores });
    const held = Array.from({ length: cores + 1 }, () => here.take(job('encode'), noWay));
    t.equal(slots, cores);
    t.equal(held.filter((one) => one !== null).length, cores);
    t.same(here.open(['encode', 'first']), []);
    t.ok(smallRoom(budget, { cores: 0.1, most: 2 }).take(job('inspect'), noWay), `of ${cores}`);
    held[0]?.release();
    t.same(here.open(['encode', 'first']), ['encode', 'first']);
  }
  t.end();
});

t.test('a part of a core is no slot, and less than one core is one', (t) => {
  t.equal(roomsOf(createCoreBudget(1.5), { here: 9 }).slots, 1);
  const half = roomsOf(createCoreBudget(0.5), { here: 9 });
  t.equal(half.slots, 1);
  t.ok(half.heavy.take(job('encode'), noWay));
  t.end();
});

t.test('what is long never has all slots, but where there is only one', (t) => {
  const { heavy: here } = roomsOf(createCoreBudget(2), { here: 2 });
  const first = here.take(job('rest'), noWay);
  t.ok(first);
  t.same(here.open(['rest', 'encode']), ['encode']);
  t.equal(here.take(job('rest'), noWay), null);
  first?.release();
  first?.release();
  t.same(here.open(['rest']), ['rest']);
  t.ok(roomsOf(createCoreBudget(1), { here: 1 }).heavy.take(job('rest'), noWay));
  t.end();
});

t.test('the server leaves to workers what it is told to, and keeps what nobody else can do', (t) => {
  const budget = createCoreBudget(4);
  const { heavy: here, workers } = roomsOf(budget, { here: 1 });
  t.ok(here.take(job('encode'), noWay));
  t.same(here.open(['encode', 'first']), ['first']);
  t.same(workers.open(['encode', 'first', 'rest']), ['encode']);
  t.ok(workers.take(job('encode'), noWay));
  t.same(roomsOf(createCoreBudget(4), { here: 0 }).heavy.open(['encode', 'rest']), ['rest']);
  t.end();
});

t.test('slots of the server and of workers are the same cores, and live takes them back', (t) => {
  const budget = createCoreBudget(2);
  const { heavy: here, workers } = roomsOf(budget, { here: 2 });
  const asked: string[] = [];
  const mine = here.take(job('encode'), () => asked.push('here'));
  const theirs = workers.take(job('encode'), () => asked.push('there'));
  t.ok(mine && theirs);
  t.equal(workers.take(job('encode'), noWay), null);
  let heard = 0;
  workers.onFree(() => (heard += 1));
  t.ok(budget.take({ rank: 'live', cores: 0.9, name: 'a ladder', yield: noWay }));
  t.same(asked, ['there'], 'the youngest first');
  theirs?.release();
  t.equal(heard, 1);
  t.same(workers.open(['encode']), [], 'what live has taken is nobody else\'s');
  t.end();
});

t.test('small things are few at once', (t) => {
  const room = smallRoom(createCoreBudget(2), { cores: 0.1, most: 1 });
  const one = room.take(job('picture'), noWay);
  t.same(room.open(['picture']), []);
  t.equal(room.take(job('picture'), noWay), null);
  one?.release();
  t.same(room.open(['picture']), ['picture']);

  const { heavy, pictures, workers } = roomsOf(createCoreBudget(2), { here: 2 });
  for (let count = 0; count < 2; count += 1) t.ok(heavy.take(job('encode'), noWay));
  t.same(workers.open(['encode', 'picture']), ['picture'], 'beside what is heavy');
  t.ok(workers.take(job('picture'), noWay));
  t.same(pictures.open(['picture']), [], 'one at a time in all processes');
  t.end();
});

t.test('while the disk is nearly full nothing begins that nobody waits for', (t) => {
  let isFull = true;
  const { heavy, pictures, workers } = roomsOf(createCoreBudget(2), { here: 2, mayWrite: () => !isFull });
  t.same(heavy.open(['first', 'rest', 'encode']), ['first', 'rest'], 'what was sent is taken in');
  t.same(pictures.open(['picture']), []);
  t.same(workers.open(['encode', 'picture']), []);
  t.equal(heavy.take(job('encode'), noWay), null);
  isFull = false;
  t.same(workers.open(['encode', 'picture']), ['picture', 'encode']);
  t.ok(heavy.take(job('encode'), noWay));
  t.end();
});

t.test('a server that leaves encodes to workers does not say that it takes them, and never asks for one', async (t) => {
  const budget = createCoreBudget(2);
  for (const [here, more] of [[2, ['encode']], [0, []]] as const) {
    const asked: string[] = [];
    const queue = { lease: async (classes: readonly string[]) => (asked.push(...classes), null) } as unknown as JobQueue;
    const crew = new Crew({ queue, budget, rooms: roomsOf(budget, { here }), encodes: here > 0, clock: new FakeClock(), log: { ...quiet, debug: () => undefined, fatal: () => undefined }, folder: '/nowhere' });
    const classes = ['inspect', 'light', 'captions', 'picture', 'first', 'rest', ...more];
    t.same(crew.classes, classes);
    crew.start();
    await crew.stop();
    t.same(asked.toSorted(), classes.toSorted());
  }
});

t.test('without ffmpeg nothing begins that is made behind a video, and what makes one playable does', (t) => {
  let converts = false;
  const { heavy, pictures, light, captions, workers } = roomsOf(createCoreBudget(2), { here: 2, mayConvert: () => converts });
  t.same(heavy.open(['first', 'rest', 'encode']), ['first']);
  t.same([pictures.open(['picture']), light.open(['light']), captions.open(['captions']), workers.open(['encode', 'picture'])], [[], [], [], []]);
  t.equal(light.take(job('light'), noWay), null);
  converts = true;
  t.same(heavy.open(['first', 'rest', 'encode']), ['first', 'rest', 'encode']);
  t.ok(pictures.take(job('picture'), noWay) && light.take(job('light'), noWay) && captions.take(job('captions'), noWay));
  t.end();
});

t.test('of what one found no room for none begins for a minute, in all processes; other work goes on', (t) => {
  const clock = new FakeClock();
  const { heavy, pictures, light, workers } = roomsOf(createCoreBudget(4), { here: 4, clock });
  workers.later?.('encode');
  t.same([heavy.open(['first', 'rest', 'encode']), workers.open(['encode', 'picture'])], [['first', 'rest'], ['picture']]);
  t.equal(heavy.take(job('encode'), noWay), null);
  workers.later?.('picture');
  t.same([pictures.open(['picture']), workers.open(['picture'])], [[], []]);
  t.notOk(light.later, 'each join sees for itself, and has written nothing');
  clock.advance(60_000);
  t.same(workers.open(['encode', 'picture']), ['picture', 'encode']);
  t.ok(heavy.take(job('encode'), noWay) && pictures.take(job('picture'), noWay));
  t.end();
});

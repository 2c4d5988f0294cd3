import t from 'tap';
import { catchUpSpeed } from './catch-up.ts';

/** Plays for a while at the speeds that are asked for, ten decisions a second. */
const watch = (behind: number, seconds: number, wobble = 0) => {
  let speed = 1;
  let changes = 0;
  let distance = behind;
  for (let n = 0; n < seconds * 10; n++) {
    const next = catchUpSpeed(speed, { behind: distance + (n % 2 === 0 ? wobble : -wobble), buffered: 1 });
    if (next !== speed) changes += 1;
    speed = next;
    distance -= (speed - 1) / 10;
  }
  return { distance, changes, speed };
};

t.test('near its place a viewing is left alone, also where the measure wobbles', async (t) => {
  t.same(watch(0.4, 60), { distance: 0.4, changes: 0, speed: 1 });
  t.equal(watch(0.3, 60, 0.15).changes, 0);
});

t.test('a late viewing comes back and then stays, with few changes of speed', async (t) => {
  const { distance, changes, speed } = watch(2.4, 60);
  t.ok(distance <= 0.11, `${distance} s behind at the end`);
  t.equal(speed, 1);
  t.equal(changes, 3, 'faster, a little faster, normal');
});

t.test('nothing is hurried with little in hand', async (t) => {
  t.equal(catchUpSpeed(1.1, { behind: 5, buffered: 0.5 }), 1);
});

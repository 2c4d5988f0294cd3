import t from 'tap';
import { FakeClock } from './clock.ts';

t.test('what falls due runs in order of time, and only when time moves', async (t) => {
  const clock = new FakeClock();
  const ran: string[] = [];
  clock.after(20, () => ran.push('late'));
  clock.after(10, () => {
    ran.push('early');
    clock.after(5, () => ran.push('chained'));
  });
  const cancel = clock.after(12, () => ran.push('cancelled'));
  t.same(ran, []);
  cancel();
  clock.advance(20);
  t.same(ran, ['early', 'chained', 'late']);
});

t.test('setting the wall clock leaves intervals alone', async (t) => {
  const clock = new FakeClock();
  const due: number[] = [];
  clock.after(100, () => due.push(clock.now()));
  clock.setWall(clock.wall() + 3_600_000);
  clock.advance(99);
  t.same(due, []);
  clock.advance(1);
  t.same(due, [100]);
});

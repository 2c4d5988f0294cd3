import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { FakePresentation } from './fake-presentation.ts';
import { Waiters, type WakeReason } from './waiters.ts';

const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
const parts = (count: number, deadlineMs = 6000) => ({
  key: `parts ${count}`,
  ready: (snapshot: ReturnType<FakePresentation['snapshot']>) => (snapshot.tracks[0]?.open?.count ?? 0) >= count,
  deadlineMs,
});

t.test('a crowd is answered in slices, so that other work has its turn in between', async (t) => {
  const waiters = new Waiters(new FakeClock());
  const presentation = new FakePresentation();
  let answered = 0;
  let asked = 0;
  const wish = { ...parts(1), ready: (snapshot: ReturnType<FakePresentation['snapshot']>) => (asked++, parts(1).ready(snapshot)) };
  for (let viewer = 0; viewer < 1000; viewer++) waiters.wait(presentation, wish, () => answered++);
  presentation.do((stream) => stream.part());
  t.equal(answered, 0, 'nobody in the turn of the publisher');
  const seen = new Set<number>();
  while (answered < 1000) {
    await turn();
    seen.add(answered);
  }
  t.ok([250, 500, 750, 1000].every((count) => seen.has(count)), [...seen].join());
  t.equal(asked, 1, 'one question for all of them');
  t.equal(waiters.count, 0);
});

t.test('several changes in one turn are one', async (t) => {
  const waiters = new Waiters(new FakeClock());
  const presentation = new FakePresentation();
  let asked = 0;
  waiters.wait(presentation, { key: 'x', deadlineMs: 1000, ready: () => (asked++, false) }, () => undefined);
  presentation.do((stream) => stream.part()).do((stream) => stream.part()).do((stream) => stream.close());
  await turn();
  t.equal(asked, 1);
});

t.test('deadlines are kept by one timer, each for its own', async (t) => {
  const clock = new FakeClock();
  const waiters = new Waiters(clock);
  const presentation = new FakePresentation();
  const heard: [string, WakeReason][] = [];
  waiters.wait(presentation, parts(1, 1000), (why) => heard.push(['first', why]));
  clock.advance(500);
  waiters.wait(presentation, parts(1, 1000), (why) => heard.push(['second', why]));
  waiters.wait(presentation, parts(2, 9000), (why) => heard.push(['third', why]));
  clock.advance(700);
  await turn();
  t.same(heard, [['first', 'late']]);
  presentation.do((stream) => stream.part());
  await turn();
  await turn();
  t.same(heard.slice(1), [['second', 'ready']]);
  t.equal(waiters.count, 1);
  clock.advance(10_000);
  await turn();
  t.same(heard.slice(2), [['third', 'late']]);
  t.equal(presentation.listeners, 0);
});

t.test('whoever gives up is not called, whether still waiting or just woken', async (t) => {
  const waiters = new Waiters(new FakeClock());
  const presentation = new FakePresentation();
  let called = 0;
  const leave = waiters.wait(presentation, parts(1), () => called++);
  leave();
  leave();
  t.equal(waiters.count, 0);
  t.equal(presentation.listeners, 0);
  const late = waiters.wait(presentation, parts(1), () => called++);
  presentation.do((stream) => stream.part());
  waiters.release();
  late();
  await turn();
  await turn();
  t.equal(called, 0);
  t.equal(waiters.count, 0);
});

import t from 'tap';
import { PretendStream } from '../hls/pretend-stream.ts';
import { progress } from './open-segment.ts';

t.test('a transfer gets every part once, in order, and is complete when the segment closes', async (t) => {
  const stream = new PretendStream().segments(2);
  const got: number[] = [];
  let complete = false;
  for (let step = 0; !complete; step++) {
    if (step < 5) stream.part();
    else stream.close();
    const now = progress(stream.snapshot(), 'v0', 3, got.length);
    if (now.kind !== 'open') throw new Error(now.kind);
    got.push(...now.ready.map(({ seq }) => seq));
    complete = now.complete;
  }
  t.same(got, [12, 13, 14, 15, 16]);
  t.same(progress(stream.snapshot(), 'v0', 3), { kind: 'closed' }, 'who asks now gets the whole');
});

t.test('who asks a moment ahead is held; further ahead there is nothing', async (t) => {
  const stream = new PretendStream().segments(2);
  t.same([2, 3, 4].map((msn) => progress(stream.snapshot(), 'v0', msn).kind), ['closed', 'soon', 'gone']);
  stream.part();
  t.same([3, 4, 5].map((msn) => progress(stream.snapshot(), 'v0', msn).kind), ['open', 'soon', 'gone']);
  t.equal(progress(stream.snapshot(), 'v9', 3).kind, 'gone');
});

t.test('what is held ends with the show, and what is under way ends whole', async (t) => {
  const stream = new PretendStream().segments(2).part();
  t.equal(progress(stream.snapshot(), 'v0', 3, 0).kind, 'open');
  stream.end();
  t.same(progress(stream.snapshot(), 'v0', 3, 1), { kind: 'open', ready: [], complete: true });
  t.equal(progress(stream.snapshot(), 'v0', 4).kind, 'gone');
});

t.test('without parts, and where a segment begins with a hole, nothing is sent ahead', async (t) => {
  t.equal(progress(new PretendStream({ latency: 'standard' }).segments(2).part().snapshot(), 'v0', 3).kind, 'gone');
  t.equal(progress(new PretendStream().segments(2).part(1, true).snapshot(), 'v0', 3).kind, 'gone');
});

import t from 'tap';
import { WaitingPictures } from './waiting-pictures.ts';

t.test('a rung lets those wait that are shown behind the last one that came out, whatever the order they went in', (t) => {
  const waiting = new WaitingPictures([-Infinity, 20]);
  for (const [at, pts] of [0, 30, 10, 20, 50, 40].entries()) waiting.feed(pts, at);
  t.equal(waiting.since(0, 0), 0);
  t.equal(waiting.since(0, 1), 2, 'the one at 10 was fed third');
  t.equal(waiting.since(1, 0), 1, 'this rung has those up to 20');
  waiting.out(0, 30);
  t.equal(waiting.since(0, 0), 5);
  t.equal(waiting.since(0, 2), null);
  t.equal(waiting.lag(0), 20);
  waiting.out(1, 50);
  t.equal(waiting.since(1, 0), null);
  t.equal(waiting.lag(1), 0);
  waiting.out(0, 50);
  t.same([waiting.lag(0), waiting.lag(1), waiting.since(0, 0)], [0, 0, null]);
  t.end();
});

t.test('it never grows beyond what an encoder is given up for', (t) => {
  const waiting = new WaitingPictures([-Infinity]);
  for (let pts = 0; pts < 20_000; pts += 1) waiting.feed(pts, pts);
  t.equal(waiting.since(0, 0), 20_000 - 8_192);
  t.end();
});

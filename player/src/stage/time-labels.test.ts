import t from 'tap';
import type { Moment } from '../playback/index.ts';
import { barKey, behindText, clockText, shareOf, spokenLength, timeAt, timeText } from './time-labels.ts';

const live: Moment = { live: true, window: { from: 100, to: 400 }, moves: true, at: 200, bufferedUntil: 230, edge: false, behind: 200 };
const recording: Moment = { ...live, live: false, window: { from: 0, to: 4000 }, behind: 0 };

t.test('a live show is read from its edge, a recording from its beginning', async (t) => {
  t.equal(timeText(live, 200), '-3:20');
  t.equal(timeText(live, 500), '-0:00');
  t.equal(timeText(recording, 3700), '1:01:40');
  t.equal(behindText(3.6), '-0:04');
});

t.test('shares and times are each other’s way back, and never leave the bar', async (t) => {
  t.equal(shareOf(live, 250), 0.5);
  t.equal(timeAt(live, 0.5), 250);
  t.equal(shareOf(live, 50), 0);
  t.equal(timeAt(live, 7), 400);
  t.equal(shareOf({ ...live, window: { from: 9, to: 9 } }, 9), 1, 'an empty window stands at its end');
});

t.test('keys on the bar step, page, and go to both ends', async (t) => {
  t.equal(barKey(live, 'ArrowLeft'), 195);
  t.equal(barKey(live, 'ArrowUp'), 205);
  t.equal(barKey(live, 'PageDown'), 140);
  t.equal(barKey({ ...live, at: 120 }, 'PageDown'), 100, 'not over the beginning');
  t.equal(barKey(live, 'Home'), 100);
  t.equal(barKey(live, 'End'), 400);
  t.equal(barKey(live, 'toString'), null);
  t.equal(barKey(live, 'Tab'), null);
});

t.test('lengths are spoken in both languages', async (t) => {
  t.equal(spokenLength('en', 3725), '1 hour 2 minutes 5 seconds');
  t.equal(spokenLength('en', 0), '0 seconds');
  t.equal(spokenLength('en', 120), '2 minutes');
  t.equal(spokenLength('ko', 200), '3분 20초');
  t.match(clockText('en', 0), /\d+:\d\d:\d\d [AP]M/);
});

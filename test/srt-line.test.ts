/** SRT over bad lines: what was lost comes again, in time; test/prove/srt.prove.ts does it for a minute. */
import t from 'tap';
import { overBadLine } from './support/bad-line.ts';
import { framesOf } from './support/srt-frames.ts';

const frames = await framesOf();
const bad = { loss: 0.02, reordering: 0.05, doubles: 0.01, delayMs: 150 };
const seconds = 12;
/** The latency is behind the sender, and so is its start. */
const atLeast = (seconds - 2) * 30;

t.test('2 % loss, 300 ms round trip, reordering and doubles: no picture is missing', async (t) => {
  const clear = overBadLine(t, frames, bad, seconds);
  const secret = overBadLine(t, frames, bad, seconds, 'correct-horse-battery');
  for (const [how, outcome] of [['clear', await clear], ['encrypted, with keys changed on the way', await secret]] as const) {
    t.comment(how, outcome);
    t.ok(outcome.lostOnLine > 10, `${how}: ${outcome.lostOnLine} packets were lost on the line`);
    t.match(outcome, { missing: 0, wrong: 0 }, how);
    t.ok(outcome.count >= atLeast, `${how}: ${outcome.count} pictures`);
    t.ok(outcome.statistics.recovered > 0, how);
    t.equal(outcome.statistics.dropped, 0, how);
  }
  t.ok((await secret).statistics.rekeyed > 0);
});

t.test('20 % loss on a short latency: pictures are missing, counted, and the show goes on', async (t) => {
  const bad = { loss: 0.2, delayMs: 400 };
  const clear = overBadLine(t, frames, bad, 8);
  // The sender (libsrt 1.5.1) aborts when its keys last no longer than a few round trips of 0.8 s: one change is in the middle.
  const secret = overBadLine(t, frames, bad, 8, 'correct-horse-battery', 600);
  for (const [how, outcome] of [['clear', await clear], ['encrypted, with a key changed on the way', await secret]] as const) {
    t.comment(how, outcome);
    t.equal(outcome.wrong, 0, `${how}: what is there is whole`);
    t.ok(outcome.count > 60, `${how}: ${outcome.count} pictures came`);
    t.ok(outcome.statistics.dropped > 0 && outcome.missing > 0, how);
    t.match(outcome.end, /announced|lost/, how);
  }
  t.ok((await secret).statistics.rekeyed > 0);
});

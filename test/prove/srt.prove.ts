/** A minute over a bad line, which the daily tests have only seconds for. */
import t from 'tap';
import { overBadLine } from '../support/bad-line.ts';
import { framesOf } from '../support/srt-frames.ts';

const frames = await framesOf();
const seconds = 60;
// Each has a server, a sender and a line of its own.
t.jobs = 2;

for (const passphrase of [null, 'correct-horse-battery']) {
  t.test(`2 % loss, 300 ms round trip, 5 % reordering, doubles, for a minute${passphrase ? ', encrypted, with keys changed on the way' : ''}`, { buffered: true }, async (t) => {
    const outcome = await overBadLine(t, frames, { loss: 0.02, reordering: 0.05, doubles: 0.01, delayMs: 150 }, seconds, passphrase);
    t.comment(outcome);
    t.match(outcome, { missing: 0, wrong: 0, statistics: { dropped: 0 } });
    // None is missing among those that came; how soon the first one does, and how many packets they are, the machine and the encoder say.
    t.ok(outcome.count >= (seconds - 10) * 30, `${outcome.count} pictures`);
    if (passphrase) t.ok(outcome.statistics.rekeyed >= 5, `${outcome.statistics.rekeyed} new keys`);
  });
}

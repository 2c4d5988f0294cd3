import t from 'tap';
import { EncoderWatch, type Verdict } from './encoder-watch.ts';

const frame = 3_000;
const plain = (at: number) => ({ pts: at * frame, dts: at * frame, key: at % 60 === 0 });

/** Looked at four times a second, with 30 pictures in each: `out` says up to which one came by then. */
const watched = (seconds: number, out: (at: number) => number, { burst = 0, every = 1 } = {}): Verdict[] => {
  const watch = new EncoderWatch(['v1', 'v2'], 0, 0);
  const verdicts: Verdict[] = [];
  let came = -1;
  for (let at = 0; at < burst; at += 1) watch.given(plain(at), 0);
  for (let at = 0; at < seconds * 30; at += 1) {
    const now = (at * 1000) / 30;
    if (at % every === 0) watch.given(plain(burst + at), now);
    for (const upTo = Math.min(burst + at, Math.floor(out(at))); came < upTo; ) {
      came += 1;
      if (came >= burst && (came - burst) % every !== 0) continue;
      watch.came('v1', came * frame, now);
      watch.came('v2', came * frame, now);
    }
    const verdict = at % 8 === 0 ? watch.judge(now) : null;
    if (verdict) verdicts.push(verdict);
  }
  return verdicts;
};

t.test('one that keeps up is left alone', async (t) => {
  t.same(watched(20, (at) => at - 3), []);
  t.same(watched(20, (at) => at - 20), [], 'also when it is always a little behind');
});

t.test('one that stands still hangs, and is not slow', async (t) => {
  const [verdict] = watched(10, (at) => Math.min(at, 90));
  t.match(verdict, { kind: 'hung' });
  t.equal(watched(5.9, (at) => Math.min(at, 90)).length, 0, 'for three seconds');
  t.match(watched(5, () => -1)[0], { kind: 'hung', words: /no picture/ });
});

t.test('one that falls behind is slow, and says by how much', async (t) => {
  const verdicts = watched(10, (at) => 0.7 * at);
  t.match(verdicts[0], { kind: 'slow', words: /^the encoder is \d{4} ms behind$/ });
  t.equal(watched(10, (at) => at - 40)[0]?.kind, 'slow', 'or stays behind');
});

t.test('one that was given seconds at once may take its time, as long as it gains on them', async (t) => {
  t.same(watched(20, (at) => 1.6 * at, { burst: 300 }), []);
  t.equal(watched(20, (at) => 1 * at, { burst: 300 })[0]?.kind, 'slow');
});

t.test('few pictures a second are no delay', async (t) => {
  t.same(watched(30, (at) => at, { every: 45 }), []);
});

t.test('a picture is due when those have been given that are shown before it', async (t) => {
  const watch = new EncoderWatch(['v1'], 2 * frame, 0);
  // One a second; the first, shown at 0, could have two before it.
  watch.given({ pts: 0, dts: 0, key: true }, 0);
  watch.given({ pts: 3 * frame, dts: frame, key: false }, 1_000);
  t.equal(watch.lagMs(1_900), 0);
  watch.given({ pts: frame, dts: 2 * frame, key: false }, 2_000);
  t.equal(watch.lagMs(2_500), 500);
  watch.came('v1', 0, 2_600);
  t.equal(watch.lagMs(2_700), 0);
  watch.ended(3_000);
  t.equal(watch.lagMs(3_100), 100, 'at the end there is nothing to wait for');
});

t.test('what is due is told in the order in which it is shown, however much is given at once', async (t) => {
  const watch = new EncoderWatch(['v1'], 2 * frame, 0);
  const most = 100_000;
  // Each P picture is decoded ahead of the B picture that is shown before it.
  for (let at = 0; at < most; at += 1) watch.given({ pts: (at % 2 === 0 ? at + 1 : at - 1) * frame, dts: at * frame, key: at === 0 }, at < most / 2 ? 1_000 : 2_000);
  t.equal(watch.lagMs(3_000), 2_000);
  watch.came('v1', (most / 2 - 3) * frame, 3_000);
  t.equal(watch.lagMs(3_000), 1_000, 'the last ones of the first half became due with the second');
  watch.came('v1', (most - 4) * frame, 3_000);
  t.equal(watch.lagMs(3_000), 1_000);
  watch.came('v1', (most - 3) * frame, 3_000);
  t.equal(watch.lagMs(3_000), 0, 'others may come to stand before the last two');
});

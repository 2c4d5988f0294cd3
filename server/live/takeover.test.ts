import t from 'tap';
import { contestedAgain, contestedBy, ruling, type Claim, type Holder } from './takeover.ts';

const silence = 2_000;
const claim: Claim = { address: '192.0.2.1', streamKeyId: 'key1', asked: 2 };
const holder: Holder = { ...claim, asked: 1, lastMedia: 100_000, sent: true, contestedUntil: Number.NEGATIVE_INFINITY };
const rule = (held: Partial<Holder>, claimed: Partial<Claim> = {}, now = 100_040): string => ruling({ ...holder, ...held }, { ...claim, ...claimed }, now, silence);

t.test('an encoder that is back takes its place at once; anybody else waits until it is silent', async (t) => {
  t.equal(rule({}), 'free');
  t.equal(rule({}, { address: '198.51.100.7' }), 'busy');
  t.equal(rule({}, { streamKeyId: 'key2' }), 'busy');
  t.equal(rule({}, { address: '198.51.100.7', streamKeyId: 'key2' }, 101_999), 'busy');
  t.equal(rule({}, { address: '198.51.100.7', streamKeyId: 'key2' }, 102_000), 'free');
  t.equal(rule({ asked: 3 }, {}, 200_000), 'busy', 'who asked before the one that is on has been given up by its encoder');
});

t.test('who comes back when one that threw out a sender is sending is another encoder', async (t) => {
  const contestedUntil = contestedBy(holder, claim, 100_040);
  t.equal(rule({ contestedUntil }), 'rival');
  t.equal(rule({ contestedUntil, lastMedia: 130_000 }, {}, 130_039), 'rival');
  t.equal(rule({ contestedUntil, lastMedia: 130_000 }, {}, 130_040), 'free', 'half a minute later it is anybody who has changed his mind');
  t.equal(rule({ contestedUntil }, {}, 102_000), 'free', 'a connection that is half open is silent, and nobody waits longer for it');
  t.equal(rule({ contestedUntil, sent: false }, {}, 104_999), 'rival', 'one that has just come may not have begun to send');
  t.equal(rule({ contestedUntil, sent: false }, {}, 105_000), 'free', 'and nobody waits longer for that');
  t.equal(rule({ contestedUntil }, { address: '198.51.100.7' }), 'busy', 'from elsewhere it is what it ever was');
});

t.test('nothing is contested that was free, silent, or sent nothing for long', async (t) => {
  t.equal(contestedBy(null, claim, 100_040), Number.NEGATIVE_INFINITY);
  t.equal(contestedBy(holder, claim, 102_000), Number.NEGATIVE_INFINITY);
  t.equal(contestedBy(holder, { ...claim, streamKeyId: 'key2' }, 100_040), Number.NEGATIVE_INFINITY);
  t.equal(contestedBy({ ...holder, sent: false }, claim, 105_000), Number.NEGATIVE_INFINITY);
});

/** Comes back as OBS does: after 2 s, and then after half as long again each time, up to a quarter of an hour. */
class Obs {
  at: number;
  #wait = 2_000;
  constructor(at: number) {
    this.at = at;
  }
  refused(): void {
    this.at += this.#wait;
    this.#wait = Math.min(900_000, this.#wait * 1.5);
  }
  letIn(): void {
    this.at = Number.POSITIVE_INFINITY;
    this.#wait = 2_000;
  }
  thrownOut(now: number): void {
    this.at = now + this.#wait;
    this.#wait *= 1.5;
  }
}

t.test('of two encoders that come back for ever, the second one stays for a day', async (t) => {
  const encoders = [new Obs(0), new Obs(3_600_000)] as const;
  let on = null as { readonly obs: Obs; held: Holder } | null;
  let takeovers = 0;
  let refusals = 0;
  for (let asked = 1; ; asked += 1) {
    const next: Obs = encoders[0].at <= encoders[1].at ? encoders[0] : encoders[1];
    const now = next.at;
    if (now > 25 * 3_600_000) break;
    const held: Holder | null = on && { ...on.held, lastMedia: now - 30 };
    const verdict = held ? ruling(held, { ...claim, asked }, now, silence) : 'free';
    if (verdict === 'free') {
      if (on) takeovers += 1;
      on?.obs.thrownOut(now);
      next.letIn();
      on = { obs: next, held: { ...claim, asked, lastMedia: now, sent: true, contestedUntil: contestedBy(held, claim, now) } };
    } else {
      refusals += 1;
      if (on) on.held = { ...on.held, contestedUntil: contestedAgain(now) };
      next.refused();
    }
  }
  t.equal(takeovers, 1);
  t.equal(on?.obs, encoders[1]);
  t.ok(refusals > 80);
});

t.test('two that are started again by a script, and take a while to begin, do not take turns either', async (t) => {
  for (const [restart, begins] of [[1_000, 1_500], [2_000, 2_500], [3_000, 3_500], [500, 4_500]] as const) {
    let on = { since: 0, contestedUntil: Number.NEGATIVE_INFINITY };
    let takeovers = 0;
    let asked = 1;
    // The other one always comes one restart after it was thrown out or refused.
    for (let now = restart; now < 3_600_000; now += restart) {
      const sent = now - on.since >= begins;
      const held: Holder = { ...claim, asked, lastMedia: sent ? now - 30 : on.since, sent, contestedUntil: on.contestedUntil };
      asked += 1;
      if (ruling(held, { ...claim, asked }, now, silence) === 'rival') {
        on.contestedUntil = contestedAgain(now);
      } else {
        takeovers += 1;
        on = { since: now, contestedUntil: contestedBy(held, claim, now) };
      }
    }
    t.equal(takeovers, 1, `back after ${restart} ms, sending after ${begins} ms`);
  }
});

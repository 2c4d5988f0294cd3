import t from 'tap';
import { mostLanes, UploadLine } from './line.ts';
import { unit } from './pieces.ts';

const never = new AbortController().signal;

const bench = () => {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  let online = true;
  let changes = 0;
  const clock = {
    now: () => now,
    later(milliseconds: number, run: () => void) {
      const timer = { at: now + milliseconds, run };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
  };
  const line = new UploadLine({ clock, random: () => 1, online: () => online }, () => changes++);
  /** Lets so much time pass, with everything that waits for a moment in it. */
  const pass = async (milliseconds: number): Promise<void> => {
    const end = now + milliseconds;
    for (;;) {
      const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      now = next.at;
      timers = timers.filter((other) => other !== next);
      next.run();
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
    now = end;
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  /** How many lanes are handed out when so many are wanted. */
  const want = (count: number, signal = never) => {
    const got: (() => void)[] = [];
    for (let i = 0; i < count; i++) line.lane(signal).then((release) => got.push(release), () => {});
    return got;
  };
  return { line, pass, want, now: () => now, goOffline: () => (online = false), changes: () => changes };
};

t.test('a good line carries three parts at once, and four when all goes well', async (t) => {
  const { line, pass, want } = bench();
  const got = want(10);
  await pass(0);
  t.equal(got.length, 3);
  for (let i = 0; i < 6; i++) line.succeeded(line.sizeFor(Infinity), 2_000);
  got.shift()?.();
  await pass(0);
  t.equal(got.length, 4);
});

t.test('parts grow while they are quick, shrink when they are slow, and never exceed what the upload allows', async (t) => {
  const { line } = bench();
  t.equal(line.sizeFor(32 * unit), unit, 'it begins small: the first bytes are to be playable soon');
  line.succeeded(unit, 100);
  t.equal(line.sizeFor(32 * unit), 2 * unit);
  line.succeeded(unit, 100);
  t.equal(line.sizeFor(32 * unit), 2 * unit, 'an older, smaller part proves nothing');
  for (const size of [2, 4, 8, 16]) line.succeeded(size * unit, 100);
  t.equal(line.sizeFor(32 * unit), 32 * unit);
  line.succeeded(32 * unit, 100);
  t.equal(line.sizeFor(32 * unit), 32 * unit);
  t.equal(line.sizeFor(20 * unit), 16 * unit, 'always a power of two');
  line.succeeded(32 * unit, 2_500);
  t.equal(line.sizeFor(32 * unit), 32 * unit);
  for (let i = 0; i < 4; i++) line.succeeded(32 * unit, 9_000);
  t.equal(line.sizeFor(32 * unit), 16 * unit, 'those that were slow together say it once');
  for (let i = 0; i < 20; i++) line.succeeded(line.sizeFor(32 * unit), 60_000);
  t.equal(line.sizeFor(32 * unit), unit);
});

t.test('what is under way is a few seconds of the line, whatever its speed, also after ten seconds in which it stood still', async (t) => {
  for (const [bytesPerSecond, longest] of [[60_000, 9], [250_000, 5], [2_500_000, 4], [12_500_000, 4]] as const) {
    const { line, pass, now } = bench();
    let parts: { readonly size: number; readonly since: number; readonly release: () => void; rest: number }[] = [];
    let wanted = 0;
    const step = async (bytes: number): Promise<void> => {
      for (; wanted < mostLanes; wanted++) {
        void line.lane(never).then((release) => {
          wanted -= 1;
          const size = line.sizeFor(32 * unit);
          parts.push({ size, rest: size, since: now(), release });
        });
      }
      await pass(50);
      for (const part of parts) part.rest -= bytes / parts.length;
      const landed = parts.filter(({ rest }) => rest <= 0);
      parts = parts.filter(({ rest }) => rest > 0);
      for (const { size, since, release } of landed) {
        line.succeeded(size, now() - since);
        release();
      }
    };
    /** The most that was under way in so many seconds, in seconds of the line. */
    const underWay = async (seconds: number): Promise<number> => {
      let most = 0;
      for (let at = 0; at < seconds; at += 0.05) {
        await step(bytesPerSecond / 20);
        most = Math.max(most, parts.reduce((sum, { size }) => sum + size, 0));
      }
      return most / bytesPerSecond;
    };
    const name = `${(bytesPerSecond * 8) / 1e6} Mbit/s`;
    t.ok((await underWay(10)) < Math.max(4, (3 * unit) / bytesPerSecond + 0.1), `${name}: from the beginning`);
    await underWay(60);
    t.ok((await underWay(120)) < longest, `${name}: after a minute`);
    for (let at = 0; at < 200; at++) await step(0);
    await underWay(30);
    t.ok((await underWay(120)) < longest, `${name}: after it stood still`);
    t.ok(parts.length >= 2, `${name}: while one is answered another one goes out`);
  }
});

t.test('a broken line is tried again ever more patiently, by one part at last, and at once when the network is back', async (t) => {
  const { line, pass, want, now, changes } = bench();
  const waits: number[] = [];
  for (let i = 0; i < 9; i++) {
    const brokeAt = now();
    line.failed(brokeAt);
    let calmAt = -1;
    void line.calm(never).then(() => (calmAt = now()));
    await pass(40_000);
    waits.push(calmAt - brokeAt);
  }
  t.same(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  t.equal(line.lanes, 1);
  t.equal(line.state, 'trying');
  line.failed(now());
  const got = want(2);
  await pass(100);
  t.equal(got.length, 0);
  line.retryNow();
  await pass(0);
  t.equal(got.length, 1);
  const before = changes();
  line.succeeded(unit, 10);
  t.equal(line.state, 'good');
  t.equal(changes(), before + 1);
});

t.test('parts that break together are one failure', async (t) => {
  const { line, pass } = bench();
  await pass(1_000);
  for (const startedAt of [200, 400, 600]) line.failed(startedAt);
  t.equal(line.lanes, 1);
  let calm = false;
  void line.calm(never).then(() => (calm = true));
  await pass(500);
  t.ok(calm, 'half a second, not two');
});

t.test('without a network it says so', async (t) => {
  const { line, goOffline } = bench();
  goOffline();
  t.equal(line.state, 'good', 'as long as bytes move, whatever the browser believes');
  line.failed(0);
  t.equal(line.state, 'offline');
});

t.test('Retry-After is honoured', async (t) => {
  const { line, pass, want } = bench();
  line.failed(0, { waitMs: 60_000 });
  const got = want(1);
  await pass(59_000);
  t.equal(got.length, 0);
  await pass(1_000);
  t.equal(got.length, 1);
});

t.test('a size that is refused is not tried again, and below the smallest there is nothing', async (t) => {
  const { line } = bench();
  for (const size of [1, 2]) line.succeeded(size * unit, 10);
  t.ok(line.refused(4 * unit));
  t.equal(line.sizeFor(32 * unit), 2 * unit);
  for (let i = 0; i < 5; i++) line.succeeded(2 * unit, 10);
  t.equal(line.sizeFor(32 * unit), 2 * unit);
  t.ok(line.refused(2 * unit));
  t.notOk(line.refused(unit));
});

t.test('a proxy that cuts what is too large for it is understood, an outage is not taken for one', async (t) => {
  const { line, pass, now } = bench();
  const proxy = async (most: number, rounds: number): Promise<number[]> => {
    const tried: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const size = line.sizeFor(32 * unit);
      tried.push(size / unit);
      await pass(40_000);
      if (size > most) line.failed(now(), { size });
      else line.succeeded(size, 10);
    }
    return tried;
  };
  t.same(await proxy(32 * unit, 2), [1, 2]);
  const outage = await proxy(0, 12);
  t.same([outage[0], outage.at(-1)], [4, 1]);
  t.same(await proxy(32 * unit, 6), [1, 2, 4, 8, 16, 32], 'everything goes again');
  const other = bench();
  const tried: number[] = [];
  for (let i = 0; i < 60; i++) {
    const size = other.line.sizeFor(32 * unit);
    tried.push(size / unit);
    await other.pass(40_000);
    if (size > 8 * unit) other.line.failed(other.now(), { size });
    else other.line.succeeded(size, 10);
  }
  t.same(tried.slice(0, 4), [1, 2, 4, 8]);
  t.equal(tried.filter((size) => size === 16).length, 4, 'twice two attempts');
  t.ok(tried.slice(-40).every((size) => size === 8));
});

t.test('whoever does not want a lane any more gets none', async (t) => {
  const { line, pass, want } = bench();
  const held = want(3);
  await pass(0);
  const controller = new AbortController();
  const nothing = want(2, controller.signal);
  const other = want(1);
  controller.abort();
  held[0]?.();
  held[0]?.();
  await pass(0);
  t.same([nothing.length, other.length], [0, 1], 'and a lane is given back once');
  t.equal(line.state, 'good');
});

/** One encoder after another: what is handed over where one ends, dies or cannot be started, and what is forgiven. */
import t from 'tap';
import { MOST_KEPT_PICTURES } from './ladder-epoch.ts';
import { broken } from './laws.ts';
import { holesOf, picturesOf, runOf, sameSegments, segments, send, sleep, stage, type Stage } from './pretend-ladder.ts';
import { units } from './pretend-sender.ts';


t.test('a rung that comes back costs those that are on nothing, though what was in their encoder comes late', async (t) => {
  let isSlow = false;
  const made: Stage = stage(() => (isSlow ? 40 : 9));
  await send(made, units(60_000), (index) => {
    if (index === 600) isSlow = true;
    if (made.troubles.length > 0) isSlow = false;
  });
  t.same(made.encoders.map(({ ask }) => ask.rungs.length), [2, 1, 2], 'one was shed, and came back');
  await made.show.finish();
  const run = runOf(made);
  t.equal(holesOf(run, 'v2'), 0);
  t.equal((await picturesOf(made, 'v2')).length, 1_800, 'every picture');
  t.equal(new Set(await picturesOf(made, 'v2')).size, 1_800, 'once');
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('where no encoder can be started the source goes on, and one is tried again, not all the time', async (t) => {
  const made = stage();
  made.unable = true;
  await send(made, units(30_000), (index) => {
    made.unable = made.troubles.length < 2 || (index > 700 && index < 1_200);
    if (index === 800) made.encoders.at(-1)?.crash();
  });
  await made.show.finish();
  const run = runOf(made);
  t.ok(made.troubles.length > 4 && made.troubles.length < 20, `${made.troubles.length} attempts`);
  t.ok(made.troubles.every(({ kind }) => kind === 'died'));
  t.match(made.troubles[0], { words: /ENOMEM/ });
  t.equal(made.encoders.length, 2);
  t.equal(segments(run, 'v1').length, segments(run, 'v0').length);
  t.ok(holesOf(run, 'v1') > 0 && holesOf(run, 'v1') < 7, `${holesOf(run, 'v1')} holes`);
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('one that dies is not started again where that cannot be done either', async (t) => {
  const made = stage();
  await send(made, units(20_000), (index) => {
    if (index === 700) {
      made.unable = true;
      made.encoders.at(-1)?.crash();
      made.unable = false;
    }
  });
  await made.show.finish();
  const run = runOf(made);
  t.same(made.troubles.map(({ kind }) => kind), ['died', 'died']);
  sameSegments(t, run, ['v1', 'v2']);
  t.equal(new Set(await picturesOf(made, 'v1')).size, 600, 'half a second later another makes up for it');
});

/** A rung comes back while the encoder before stands still with what it owes; then this happens to one of the two. */
const whileOneEnds = async (then: (made: Stage) => void): Promise<Stage> => {
  let [isSlow, isOver] = [false, false];
  const made: Stage = stage(() => (isSlow ? 40 : 9));
  await send(made, units(60_000), (index) => {
    if (index === 600) isSlow = true;
    if (made.troubles.length > 0) isSlow = false;
    const [, old, young] = made.encoders;
    if (old?.hasEnded && !isOver) {
      old.isStuck = true;
      if (young) then(made);
      isOver = young !== undefined;
    }
  });
  await made.show.finish();
  return made;
};

t.test('what the next encoder has made is handed on where the one that is ending hangs', async (t) => {
  const made = await whileOneEnds(() => undefined);
  t.same(made.troubles.map(({ kind }) => kind), ['slow', 'hung']);
  t.equal(made.encoders.length, 3);
  const run = runOf(made);
  t.ok(holesOf(run, 'v2') <= 2, `${holesOf(run, 'v2')} holes`);
  const last = segments(run, 'v2').slice(-14);
  t.notOk(last.some((segment) => (segment as { gap: boolean }).gap), 'nothing of what it made is missing');
  t.same(broken(run.snapshot(), { shortParts: true }), []);
});

t.test('the newest one is begun anew at once, though the one before it is still ending', async (t) => {
  const made = await whileOneEnds(({ encoders }) => encoders.at(-1)?.crash());
  t.same(made.troubles.map(({ kind }) => kind).slice(0, 2), ['slow', 'died']);
  t.equal(made.encoders.length, 4);
  const [, , third, fourth] = made.encoders;
  t.ok(third && fourth && (fourth.first ?? Infinity) <= (third.first ?? -Infinity), 'from the key picture on that the other began with, or an earlier one');
  t.ok(holesOf(runOf(made), 'v2') <= 2);
});

t.test('more pictures than anybody could make up for are not kept', async (t) => {
  const made = stage();
  // A group without an end.
  const sent = units(150_000, { gop: 1_000_000, only: 'video' });
  await send(made, sent, (index) => {
    if (index === MOST_KEPT_PICTURES + 300) made.encoders.at(-1)?.crash();
  });
  t.equal(made.encoders.length, 1, 'it waits for the next key picture');
  await Promise.all([made.show.finish(), sleep().then(() => made.clock.advance(3_000))]);
});

t.test('what came back and was carried is forgiven, also where there is no room for more', async (t) => {
  let isSlow = false;
  const made: Stage = stage(() => (isSlow ? 40 : 3), [720, 480, 240]);
  made.room = (rungs) => rungs.length < 3;
  const shedAt: number[] = [];
  const backAt: number[] = [];
  const begun = made.clock.now();
  await send(made, units(170_000, { fps: 20, gop: 20, only: 'video' }), (index) => {
    const second = index / 20;
    const many = made.encoders.at(-1)?.ask.rungs.length;
    if (many === 2 && backAt.length < shedAt.length) backAt.push((made.clock.now() - begun) / 1000);
    if (many === 1 && shedAt.length === backAt.length) shedAt.push((made.clock.now() - begun) / 1000);
    // Slow at the beginning, once it has come back, and much later.
    isSlow = many === 2 && (shedAt.length === 0 || (shedAt.length === 1 && backAt.length === 1) || (shedAt.length === 2 && second > 130));
  });
  await made.show.finish();
  const waits = backAt.map((at, index) => Math.round((at - (shedAt[index] ?? 0)) / 5) * 5);
  t.same(waits, [20, 40, 20], `shed at ${shedAt.join(', ')}, back at ${backAt.join(', ')}`);
});

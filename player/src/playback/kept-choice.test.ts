import t from 'tap';
import { keptChoice } from './kept-choice.ts';

/** hls.js, as far as it goes: a failure makes it free. */
const stage = () => {
  const played: number[] = [];
  const waiting: { ms: number; run: () => void }[] = [];
  let free = true;
  const choice = keptChoice(
    {
      isFree: () => free,
      play: (level) => {
        free = false;
        played.push(level);
      },
    },
    (ms, run) => {
      const one = { ms, run };
      waiting.push(one);
      return () => void waiting.splice(waiting.indexOf(one), 1);
    },
  );
  const choose = (level: number | null): void => {
    choice.choose(level);
    free = level === null;
  };
  const fail = (): void => {
    free = true;
    choice.failed();
  };
  const pass = (): number => {
    const next = waiting.shift();
    next?.run();
    return next?.ms ?? 0;
  };
  return { choice, choose, fail, pass, played, waiting };
};

t.test('a size that could not be had is tried again, later and later, and is what was chosen all the while', async (t) => {
  const { choice, choose, fail, pass, played } = stage();
  choose(1);
  const waits: number[] = [];
  for (let count = 0; count < 7; count += 1) {
    fail();
    fail();
    t.equal(choice.level(), 1);
    waits.push(pass());
  }
  t.same(waits, [4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  t.same(played, Array.from({ length: 7 }, () => 1));
});

t.test('what came back is soon tried again the next time', async (t) => {
  const { choice, choose, fail, pass } = stage();
  choose(1);
  for (let count = 0; count < 3; count += 1) {
    fail();
    pass();
  }
  choice.came(0);
  fail();
  t.equal(pass(), 32_000, 'another size says nothing');
  choice.came(1);
  fail();
  t.equal(pass(), 4_000);
});

t.test('whoever lets the player choose, or chooses something else, is not brought back', async (t) => {
  const { choice, choose, fail, waiting, played } = stage();
  fail();
  t.same(waiting, [], 'nothing was chosen');
  choose(1);
  choice.failed();
  t.same(waiting, [], 'it is played as it was chosen');
  fail();
  choose(null);
  t.same(waiting, []);
  choose(2);
  fail();
  choice.rest();
  t.same([waiting, played], [[], []]);
});

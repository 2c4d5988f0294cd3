import t, { type Test } from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { quiet } from '../catalog/testing.ts';
import { AskedVideos } from './asked.ts';

const minute = 60_000;

const begin = (t: Test, onDemand: (video: string) => boolean = () => true) => {
  const clock = new FakeClock();
  const writes: string[][] = [];
  const wanted: string[] = [];
  let broken = false;
  const store = {
    asked: async (videos: readonly string[]) => {
      writes.push([...videos]);
      if (broken) throw new Error('no disk');
      return videos.filter(onDemand);
    },
  };
  const asked = new AskedVideos({ clock, log: quiet, store, usual: 'on-demand', want: (video) => wanted.push(video) });
  t.teardown(() => asked.stop());
  /** What was begun by now is done. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { clock, asked, writes, wanted, settle, break: (is: boolean) => (broken = is) };
};

t.test('the first who asks has the rungs wanted at once; a crowd is written down once a minute', async (t) => {
  const { clock, asked, writes, wanted, settle } = begin(t, (video) => video !== 'eager');
  asked.asked('one');
  clock.advance(0);
  await settle();
  t.same(writes, [['one']]);
  t.same(wanted, ['one']);
  for (let second = 0; second < 50; second += 1) {
    for (const video of ['one', 'two', 'eager']) asked.asked(video);
    clock.advance(1_000);
  }
  await settle();
  t.equal(writes.length, 1);
  clock.advance(10_000);
  await settle();
  t.same(writes, [['one'], ['two', 'eager']], 'each once');
  t.same(wanted, ['one', 'two']);
  clock.advance(61 * minute);
  asked.asked('one');
  clock.advance(0);
  await settle();
  t.same(writes.at(-1), ['one'], 'an hour later it is noted again');
  t.same(wanted, ['one', 'two'], 'and wanted once in the life of a process');
});

t.test('what was dropped is wanted anew', async (t) => {
  const { clock, asked, wanted, settle } = begin(t);
  asked.asked('one');
  clock.advance(minute);
  await settle();
  asked.dropped('one');
  asked.asked('one');
  clock.advance(minute);
  await settle();
  t.same(wanted, ['one', 'one']);
});

t.test('a catalog that cannot be written costs nobody his rungs: the next who asks is noted again', async (t) => {
  const { clock, asked, wanted, settle, break: breakIt } = begin(t);
  breakIt(true);
  asked.asked('one');
  clock.advance(minute);
  await settle();
  t.same(wanted, []);
  breakIt(false);
  asked.asked('one');
  clock.advance(minute);
  await settle();
  t.same(wanted, ['one']);
});

t.test('a stop writes what is noted, and begins nothing', async (t) => {
  const { asked, writes, wanted } = begin(t);
  asked.asked('one');
  await asked.stop();
  t.same([writes, wanted], [[['one']], []]);
  asked.asked('two');
  await asked.stop();
  t.same(writes.flat(), ['one']);
});

t.test('of a hundred thousand videos no more is kept than of ten thousand', async (t) => {
  const { clock, asked, writes, settle } = begin(t);
  for (let video = 0; video < 100_000; video += 1) asked.asked(`video-${video}`);
  clock.advance(minute);
  for (let turn = 0; turn < 50; turn += 1) await settle();
  t.equal(writes.flat().length, 10_000);
  t.ok(writes.every(({ length }) => length <= 1_000));
});

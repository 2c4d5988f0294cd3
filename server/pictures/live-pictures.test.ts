/** When pictures of shows are made, when not, and what becomes of them; by a clock that is told. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FakeClock, systemClock } from '../../packager/clock.ts';
import type { Taken } from '../../packager/encode/take-picture.ts';
import { findPrograms } from '../../packager/encode/programs.ts';
import { Sandbox } from '../../packager/encode/sandbox.ts';
import type { KeyPicture } from '../../packager/live/key-picture.ts';
import type { VideoConfig } from '../../packager/media/unit.ts';
import { clip } from '../../test/support/clips.ts';
import { sourceClip } from '../../test/support/source-pictures.ts';
import { LivePictures, type ShowOnNow } from './live-pictures.ts';

const { codec, config, pictures: coded } = await sourceClip((await clip({ width: 320, height: 180, audio: false })).file);
const [data] = coded.map((picture) => picture.data);
if (!data) throw new Error('a clip without pictures');
const keyOf = (more: Partial<VideoConfig> = {}): KeyPicture => ({ config: { kind: 'video', codec, config, ...more }, data });

/** A show that goes on by a key picture when it is told to. */
class Pretended implements ShowOnNow {
  readonly video: string;
  key: KeyPicture | null = keyOf();
  constructor(video: string) {
    this.video = video;
  }
  next(): void {
    this.key = keyOf();
  }
}

const stage = (t: Test) => {
  const clock = new FakeClock();
  const on: Pretended[] = [];
  const asked: { signal: AbortSignal; answer: (taken: Taken) => void; fail: (error: Error) => void }[] = [];
  const told: { level: string; facts: Record<string, unknown> }[] = [];
  const budget = { free: 1 };
  const say = (level: string) => (facts: Record<string, unknown>) => void told.push({ level, facts });
  const pictures = new LivePictures({
    ...{ clock, budget, folder: 'nowhere', shows: () => on },
    log: { debug: say('debug'), warn: say('warn') } as never,
    take: (_, signal) => new Promise((answer, fail) => asked.push({ signal, answer, fail })),
  });
  t.teardown(async () => {
    for (const { answer } of asked) answer({ kind: 'unwanted' });
    await pictures.stop();
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 250) {
      clock.advance(Math.min(250, left));
      await turn();
      await turn();
    }
  };
  let count = 0;
  const jpeg = (): Taken => ({ kind: 'taken', jpeg: { bytes: Buffer.from(`picture ${(count += 1)}`), width: 640, height: 360 } });
  /** Answers what is being asked. */
  const answer = async (taken: Taken = jpeg()): Promise<void> => {
    asked.at(-1)?.answer(taken);
    await turn();
    await turn();
  };
  const textOf = (video: string): string | null => pictures.of(video)?.bytes.toString() ?? null;
  return { clock, on, asked, told, budget, pictures, pass, answer, textOf };
};

t.test('a show that has begun has a picture at once, another one five seconds later, and none when it is over', async (t) => {
  const { on, asked, pass, answer, textOf, pictures } = stage(t);
  const show = new Pretended('one');
  on.push(show);
  await pass(500);
  t.equal(asked.length, 1);
  t.equal(textOf('one'), null, 'not before it has been made');
  await answer();
  t.equal(textOf('one'), 'picture 1');
  const { version } = pictures.of('one') ?? {};
  t.match(version, /^[0-9a-f]{16}$/);
  show.next();
  await pass(4_000);
  t.equal(asked.length, 1, 'not more often');
  await pass(1_500);
  t.equal(asked.length, 2);
  t.equal(textOf('one'), 'picture 1', 'the old one stays until then');
  await answer();
  t.equal(textOf('one'), 'picture 2');
  t.not(pictures.of('one')?.version, version);
  on.length = 0;
  await pass(500);
  t.equal(textOf('one'), null);
  t.same(pictures.counts, { taken: 2, failed: 0 });
});

t.test('without a new key picture nothing is made; one that comes late is taken when it comes', async (t) => {
  const { on, asked, pass, answer, textOf } = stage(t);
  const show = new Pretended('one');
  show.key = null;
  on.push(show);
  await pass(3_000);
  t.equal(asked.length, 0, 'there is none yet');
  show.next();
  await pass(500);
  await answer();
  await pass(60_000);
  t.equal(asked.length, 1);
  show.next();
  await pass(500);
  await answer();
  t.equal(textOf('one'), 'picture 2');
});

t.test('one at a time, whoever waited for the longest first, and as long a rest as each took', async (t) => {
  const { on, asked, pass, answer, textOf } = stage(t);
  for (const video of ['one', 'two', 'three']) on.push(new Pretended(video));
  await pass(500);
  await pass(2_000);
  t.equal(asked.length, 1, 'the others wait for the first');
  await answer();
  await pass(1_500);
  t.equal(asked.length, 1, 'it took two seconds: so long is the rest');
  await pass(1_000);
  t.equal(asked.length, 2);
  await answer();
  await pass(1_500);
  await answer();
  t.same(['one', 'two', 'three'].map(textOf), ['picture 1', 'picture 2', 'picture 3']);
  for (const show of on) show.next();
  await pass(2_500);
  // The first is due, the others are not yet.
  t.equal(asked.length, 4);
  await answer();
  t.equal(textOf('one'), 'picture 4');
});

t.test('where no core is free for encoding pictures become rare, but for the first', async (t) => {
  const { on, asked, pass, answer, budget } = stage(t);
  budget.free = 0.05;
  const show = new Pretended('one');
  on.push(show);
  await pass(500);
  t.equal(asked.length, 1);
  await answer();
  show.next();
  await pass(28_000);
  t.equal(asked.length, 1);
  await pass(2_500);
  t.equal(asked.length, 2);
  await answer();
  show.next();
  await pass(5_000);
  t.equal(asked.length, 2);
  budget.free = 0.1;
  await pass(500);
  t.equal(asked.length, 3, 'as soon as there is room');
});

t.test('a show that cannot be decoded keeps what it had, is tried ever more rarely, and the others go on', async (t) => {
  const { on, asked, pass, answer, told, textOf } = stage(t);
  const bad = new Pretended('bad');
  on.push(bad);
  await pass(500);
  await answer();
  for (let second = 0, answered = 1; second < 300; second += 1) {
    bad.next();
    await pass(1_000);
    if (asked.length > answered) await answer({ kind: 'failed', words: 'Invalid data' });
    answered = asked.length;
  }
  const tries = asked.length - 1;
  t.ok(tries >= 6 && tries <= 9, `${tries} in five minutes`);
  t.equal(textOf('bad'), 'picture 1');
  t.ok(told.length >= 4 && told.length <= 6 && told.every(({ level }) => level === 'debug'), `told ${told.length} times`);
  on.push(new Pretended('good'));
  await pass(1_000);
  await answer();
  t.equal(textOf('good'), 'picture 2');
  // What works again is as good as any other.
  for (let second = 0; textOf('bad') === 'picture 1' && second < 70; second += 1) {
    bad.next();
    await pass(1_000);
    await answer();
  }
  const before = asked.length;
  bad.next();
  await pass(5_500);
  t.equal(asked.length, before + 1);
});

t.test('a head that cannot be read, and what nobody expected, are no end of it', async (t) => {
  const { on, asked, pass, answer, told, textOf, pictures } = stage(t);
  const show = new Pretended('one');
  on.push(show);
  show.key = keyOf({ config: Buffer.from('nonsense') });
  await pass(500);
  t.match(told, [{ level: 'debug', facts: { video: 'one', words: /./ } }]);
  show.key = keyOf({ codec: 'vp9', config: Buffer.from('010000000a820101010000000000', 'hex').subarray(0, 12) });
  await pass(6_000);
  t.equal(asked.length, 0, 'nobody has said how large it is');
  show.next();
  await pass(11_000);
  asked.at(-1)?.fail(new Error('a bug'));
  await pass(500);
  t.match(told.filter(({ level }) => level === 'warn'), [{ facts: { video: 'one' } }]);
  show.next();
  await pass(60_000);
  await answer();
  t.equal(textOf('one'), 'picture 1');
  t.same(pictures.counts, { taken: 1, failed: 3 });
});

t.test('a stop ends what is being made', async (t) => {
  const { on, asked, pass, answer, pictures } = stage(t);
  on.push(new Pretended('one'));
  await pass(500);
  const stopped = pictures.stop();
  t.ok(asked[0]?.signal.aborted);
  await answer({ kind: 'unwanted' });
  await stopped;
  await pass(10_000);
  t.equal(asked.length, 1);
});

t.test('nothing is made before there is somebody who decodes, and then by a real one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-pictures-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const clock = new FakeClock();
  const pictures = new LivePictures({ clock, folder, budget: { free: 1 }, shows: () => [new Pretended('one')], log: { debug: t.fail, warn: t.fail } as never });
  t.teardown(() => pictures.stop());
  clock.advance(10_000);
  t.equal(pictures.of('one'), null);
  const sandbox = await Sandbox.open({ programs: await findPrograms(), clock: systemClock, folder, gentle: false });
  if (!sandbox) throw new Error('ffmpeg does not run here');
  await pictures.equip(sandbox);
  clock.advance(500);
  while (pictures.of('one') === null && pictures.counts.failed === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  t.match(pictures.of('one'), { width: 320, height: 180 });
});

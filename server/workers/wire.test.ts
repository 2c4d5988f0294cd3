import t from 'tap';
import { fuzz, Random } from '../../test/support/random.ts';
import { LineReader, lineOf, mostBytes, WireError } from './lines.ts';
import { protocol, readAsk, readHello, readSaid, type Ask, type Hello, type Said } from './wire.ts';

const hello: Hello = { type: 'hello', protocol, version: '1.2.3', ffmpeg: '7.1', name: 'a worker', pid: 7, slots: 2, classes: ['encode'] };
const job = { id: 'abcdefgh12345678', key: 'a', class: 'encode', kind: 'chunk', payload: { deep: [1, { x: null }] }, attempts: 1, maxAttempts: 5 };
const ofJob = { n: 3, job: job.id, fence: 9 };
const asks: readonly Ask[] = [
  { type: 'lease', n: 1, classes: ['encode', 'picture'] },
  { type: 'heartbeat', ...ofJob },
  { type: 'progress', ...ofJob, done: 0.5 },
  { type: 'complete', ...ofJob, result: { bytes: 7 } },
  { type: 'complete', ...ofJob, result: null },
  { type: 'fail', ...ofJob, reason: 'no', recoverable: true, code: null },
  { type: 'release', ...ofJob },
];
const said = [
  { type: 'welcome', id: 'x', folder: 'jobs/w-x', leaseMs: 15_000 },
  { type: 'refused', said: 'no', final: true },
  { type: 'answer', n: 1, value: null },
  { type: 'answer', n: 2, value: false },
  { type: 'answer', n: 3, value: { job, fence: 1, cores: 0.7 } },
  { type: 'trouble', n: 4, said: 'oh' },
  { type: 'yield', job: job.id },
  { type: 'drop', job: job.id },
  { type: 'wake' },
  { type: 'bye' },
];
const line = (value: unknown): Buffer => Buffer.from(lineOf(value));
const one = (bytes: Buffer): unknown => new LineReader().push(bytes)[0];

t.test('what is said is understood, whichever way', (t) => {
  t.same(readHello(one(line(hello))), hello);
  for (const ask of asks) t.same(readAsk(one(line(ask))), ask, ask.type);
  for (const word of said) t.same(readSaid(one(line(word))), word as Said, word.type);
  t.same(readHello({ type: 'hello', protocol: protocol + 1, name: 7 }), { type: 'stranger', protocol: protocol + 1 }, 'whatever else it says');
  t.end();
});

t.test('lines come in any pieces, and several at once', (t) => {
  const all = Buffer.concat([...asks, ...said].map(line));
  const random = new Random(3);
  for (let turn = 0; turn < 200; turn += 1) {
    const reader = new LineReader();
    const values: unknown[] = [];
    for (let at = 0; at < all.length; ) {
      const end = Math.min(all.length, at + 1 + random.below(300));
      values.push(...reader.push(all.subarray(at, end)));
      at = end;
    }
    if (values.length !== asks.length + said.length) t.fail(`${values.length} lines`);
  }
  t.end();
});

t.test('a line that has no end is not waited for', (t) => {
  const reader = new LineReader();
  t.throws(() => {
    for (let sent = 0; sent <= mostBytes; sent += 65_536) reader.push(Buffer.alloc(65_536, 'x'));
  }, WireError);
  t.throws(() => lineOf('x'.repeat(mostBytes)), WireError);
  t.end();
});

t.test('what lacks something, or has it otherwise, is refused', (t) => {
  const wrong = [null, 7, 'x', [], {}, { type: 'nothing' }, { type: '__proto__' }, { ...asks[1], fence: 0 }, { ...asks[1], job: 'x'.repeat(41) }, { ...asks[2], done: 1.1 }, { ...asks[2], done: Number.NaN }, { type: 'complete', ...ofJob }, { ...asks[5], reason: 'x'.repeat(2_001) }];
  for (const value of wrong) t.throws(() => readAsk(value), WireError, JSON.stringify(value)?.slice(0, 40));
  for (const value of [{ ...hello, slots: 0 }, { ...hello, classes: 'encode' }, { ...hello, name: undefined }, { type: 'hello' }]) t.throws(() => readHello(value), WireError);
  for (const value of [{ ...job, id: '../../etc' }, { ...job, attempts: -1 }, { id: job.id }]) t.throws(() => readSaid({ type: 'answer', n: 1, value: { job: value, fence: 1, cores: 1 } }), WireError);
  t.end();
});

const readers = [readHello, readAsk, readSaid];
/** How many of them understand it; any error but the one is thrown on. */
const understood = (value: unknown): number =>
  readers.filter((read) => {
    try {
      read(value);
      return true;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return false;
    }
  }).length;

t.test('fuzz: nonsense on the line is refused in one way only', (t) => {
  const read = (bytes: Buffer): void => new LineReader(4096).push(Buffer.concat([bytes, Buffer.from('\n')])).forEach(understood);
  const { accepted, refused } = fuzz(read, WireError, [hello, ...asks, ...said].map((word) => Buffer.from(JSON.stringify(word))), { count: 40_000 });
  t.ok(accepted > 100 && refused > 1_000, `${accepted} were JSON, ${refused} were none`);
  t.end();
});

t.test('fuzz: words that have other things in them than they should are refused in one way only', (t) => {
  const random = new Random(5);
  const things: readonly unknown[] = [null, true, 0, -1, 1.5, Number.MAX_SAFE_INTEGER, 1e308, '', 'x', '\u0000', 'x'.repeat(3_000), [], [[]], ['encode', 7], {}, { job: {} }, { toString: 1 }];
  let [taken, refused] = [0, 0];
  for (let turn = 0; turn < 40_000; turn += 1) {
    const models: readonly { readonly type: string }[] = [hello, ...asks, ...said];
    const word: { [name: string]: unknown } = { ...models[random.below(models.length)] };
    const names = [...Object.keys(word), '__proto__', 'other'];
    for (let left = 1 + random.below(2); left > 0; left -= 1) {
      const name = names[random.below(names.length)] ?? 'type';
      if (random.below(4) === 0) delete word[name];
      else word[name] = things[random.below(things.length)];
    }
    if (understood(word) > 0) taken += 1;
    else refused += 1;
  }
  t.ok(taken > 1_000 && refused > 10_000, `${taken} could be understood, ${refused} not`);
  t.end();
});

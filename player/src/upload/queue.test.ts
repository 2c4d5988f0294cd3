/** What people do with their uploads: stop, go on, change their minds, choose too much. */
import t from 'tap';
import { ApiProblem } from '../api/problem.ts';
import { unit } from './pieces.ts';
import { bench, fileOf, itemOf, until } from './testing.ts';
import type { Bench } from './testing.ts';

const MiB = 4 * unit;
const landedUntil = (all: Bench, bytes: number): Promise<void> =>
  new Promise((resolve) => {
    all.server.onLanded = (video) => {
      if (all.server.landedBytes(video) >= bytes) resolve();
    };
  });
const only = ({ server }: Bench) => {
  const [video] = server.videos.values();
  if (!video) throw new Error('there is no video');
  return video;
};
t.test('pausing lets nothing move, and going on sends what is missing', async (t) => {
  const all = await bench(t);
  const { file, bytes } = fileOf(8 * MiB);
  const queue = all.page();
  const enough = landedUntil(all, 2 * MiB);
  const [key = ''] = queue.add([file]);
  await enough;
  queue.pause(key);
  t.equal(itemOf(queue, key).state.is, 'paused');
  t.notOk(queue.busy());
  await new Promise((resolve) => setTimeout(resolve, 50));
  const heard = all.server.heard.length;
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal(all.server.heard.length, heard);
  queue.resume(key);
  queue.pause(key);
  queue.resume(key);
  t.ok(queue.busy());
  const item = await until(queue, key, 'done');
  t.ok(only(all).bytes.equals(bytes));
  t.equal(item.resumedFrom, 0, 'all of it came from here');
  t.same(all.server.violations, []);
});

t.test('a pause and a resume before anything is known go well too', async (t) => {
  const all = await bench(t);
  const { file } = fileOf(2 * MiB);
  const queue = all.page();
  const [key = ''] = queue.add([file]);
  for (let i = 0; i < 5; i++) {
    queue.pause(key);
    queue.resume(key);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await until(queue, key, 'done');
  t.equal(all.server.videos.size, 1);
});

t.test('cancelling removes the video, whatever is under way', async (t) => {
  for (const moment of ['create', 'part', 'finish'] as const) {
    const all = await bench(t);
    const queue = all.page();
    const [key = ''] = await new Promise<readonly string[]>((resolve) => {
      let keys: readonly string[] = [];
      all.server.fault = ({ kind }) => {
        if (kind === moment) setImmediate(() => resolve(keys));
        return null;
      };
      keys = queue.add([fileOf(4 * MiB).file]);
    });
    await queue.cancel(key);
    t.equal(itemOf(queue, key).state.is, 'cancelled', moment);
    t.equal(all.server.videos.size, 0, moment);
    t.equal(all.memory.kept.size, 0, moment);
    t.notOk(queue.busy());
    t.same(all.followed(), []);
    await queue.cancel(key);
    t.same(all.mistakes, []);
  }
});

t.test('a cancel that the server does not hear of can be said again', async (t) => {
  const all = await bench(t);
  const queue = all.page();
  const enough = landedUntil(all, MiB);
  const [key = ''] = queue.add([fileOf(4 * MiB).file]);
  await enough;
  all.server.fault = ({ kind }) => (kind === 'delete' ? { status: 500, code: 'internal' } : null);
  await t.rejects(queue.cancel(key), ApiProblem);
  t.equal(itemOf(queue, key).state.is, 'paused');
  all.server.fault = () => null;
  await queue.cancel(key);
  t.equal(all.server.videos.size, 0);
});

t.test('somebody removed the video: the upload ends and says so', async (t) => {
  const all = await bench(t);
  const queue = all.page();
  const enough = landedUntil(all, MiB);
  const [key = ''] = queue.add([fileOf(6 * MiB).file]);
  await enough;
  all.server.videos.clear();
  const { state } = await until(queue, key, 'failed');
  t.match(state, { reason: 'gone', again: false });
});

t.test('what stands in the way is named, and when it is away the upload goes on', async (t) => {
  const cases = [
    ['create', 422, 'not-available', 'not-allowed'],
    ['create', 413, 'too-large', 'too-large'],
    ['create', 403, 'quota-exceeded', 'quota-exceeded'],
    ['create', 409, 'too-many-uploads', 'too-many'],
    ['create', 507, 'disk-full', 'disk-full'],
    ['list', 401, 'not-logged-in', 'signed-out'],
    ['part', 507, 'disk-full', 'disk-full'],
    ['part', 422, 'not-a-video', 'not-usable'],
    ['part', 400, 'validation', 'unexpected'],
    ['finish', 422, 'truncated', 'not-usable'],
  ] as const;
  for (const [kind, status, code, reason] of cases) {
    const all = await bench(t);
    all.server.fault = (request) => (request.kind === kind ? { status, code } : null);
    const queue = all.page();
    const [key = ''] = queue.add([fileOf(MiB).file]);
    const { state } = await until(queue, key, 'failed');
    t.equal(state.is === 'failed' && state.reason, reason, `${kind} ${code}`);
    all.server.fault = () => null;
    queue.resume(key);
    if (state.is === 'failed' && state.again) await until(queue, key, 'done');
    else t.equal(itemOf(queue, key).state.is, 'failed');
  }
});

t.test('files that cannot be sent are named without asking anybody', async (t) => {
  const all = await bench(t);
  const unreadable = fileOf(MiB).file;
  unreadable.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException('no', 'NotReadableError')) }) as unknown as Blob;
  const queue = all.page();
  const keys = queue.add([fileOf(0).file, unreadable]);
  for (const [index, reason] of ['empty-file', 'file-unreadable'].entries()) {
    t.match((await until(queue, keys[index] ?? '', 'failed')).state, { reason });
  }
  t.same(all.server.heard, []);
});

t.test('a file that changes while it is sent is not mixed', async (t) => {
  const all = await bench(t);
  const { file } = fileOf(6 * MiB);
  const slice = file.slice.bind(file);
  const queue = all.page();
  all.server.onLanded = () => {
    file.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException('changed', 'NotReadableError')) }) as unknown as Blob;
  };
  const [key = ''] = queue.add([file]);
  t.match((await until(queue, key, 'failed')).state, { reason: 'file-unreadable', again: false });
  t.notOk(only(all).whole);
  file.slice = slice;
});

t.test('a file that is here already is not sent twice, and may be sent again when it is done', async (t) => {
  const all = await bench(t);
  const { file, bytes } = fileOf(4 * MiB);
  const twin = new File([Uint8Array.from(bytes)], 'twin.mp4');
  const queue = all.page();
  const [first = '', second = ''] = queue.add([file, twin]);
  const states = await Promise.all([first, second].map((key) => until(queue, key, ({ state }) => state.is === 'done' || state.is === 'failed')));
  t.same(states.map(({ state }) => (state.is === 'failed' ? state.reason : state.is)).sort(), ['already-here', 'done']);
  t.equal(all.server.videos.size, 1);
  const [third = ''] = queue.add([twin]);
  await until(queue, third, 'done');
  t.equal(all.server.videos.size, 2);
});

t.test('two at a time, in their order, and a pause lets the next one begin', async (t) => {
  const all = await bench(t);
  const queue = all.page();
  const files = [...Array(5).keys()].map((seed) => fileOf(2 * MiB, { seed, name: `${seed}.mp4` }).file);
  let most = 0;
  const done: string[] = [];
  queue.subscribe(() => {
    most = Math.max(most, queue.items().filter(({ state }) => ['preparing', 'sending', 'verifying'].includes(state.is)).length);
    for (const { state, filename } of queue.items()) if (state.is === 'done' && !done.includes(filename)) done.push(filename);
  });
  const keys = queue.add(files);
  t.same(queue.items().map(({ state }) => state.is), ['preparing', 'preparing', 'waiting', 'waiting', 'waiting']);
  queue.pause(keys[0] ?? '');
  t.equal(itemOf(queue, keys[2] ?? '').state.is, 'preparing');
  for (const key of keys.slice(1)) await until(queue, key, 'done');
  t.equal(done[4], undefined);
  t.match(queue.totals(), { files: 5, done: 4, size: 2 * MiB });
  queue.resume(keys[0] ?? '');
  await until(queue, keys[0] ?? '', 'done');
  t.equal(most, 2);
  t.same(queue.totals(), { files: 5, done: 5, size: 0, sent: 0, speed: null, remaining: null });
  t.equal([...all.server.videos.values()].filter(({ whole }) => whole).length, 5);
});

t.test('what it is called can be changed before, while and after it is sent', async (t) => {
  const all = await bench(t);
  const queue = all.page();
  const enough = landedUntil(all, MiB);
  const [key = ''] = queue.add([fileOf(6 * MiB).file], { visibility: 'unlisted' });
  await queue.change(key, { title: 'Before' });
  t.equal(itemOf(queue, key).metadata.title, 'Before');
  await enough;
  t.match(only(all), { title: 'Before', visibility: 'unlisted' });
  t.notOk(all.server.heard.some(({ kind }) => kind === 'patch'), 'it was made so');
  await queue.change(key, { title: 'While', description: 'It moves.' });
  t.match(only(all), { title: 'While', description: 'It moves.' });
  t.match(itemOf(queue, key).metadata, { title: 'While', description: 'It moves.', visibility: 'unlisted' });
  await until(queue, key, 'done');
  await queue.change(key, { title: 'After' });
  t.equal(only(all).title, 'After');
  all.server.fault = ({ kind }) => (kind === 'patch' ? { status: 400, code: 'validation' } : null);
  await t.rejects(queue.change(key, { title: '' }), ApiProblem);
  t.equal(itemOf(queue, key).metadata.title, 'After');
});

t.test('what is changed while the video is being made is told when it is there', async (t) => {
  const all = await bench(t);
  const queue = all.page();
  all.server.fault = ({ kind }) => {
    if (kind === 'create') void queue.change('u0', { title: 'Meanwhile' });
    return null;
  };
  const [key = ''] = queue.add([fileOf(MiB).file], { title: 'First' });
  await until(queue, key, 'done');
  t.equal(only(all).title, 'Meanwhile');
});

t.test('as soon as the beginning plays, the item says so', async (t) => {
  const all = await bench(t);
  const queue = all.page();
  const [key = ''] = queue.add([fileOf(4 * MiB).file]);
  await until(queue, key, ({ video }) => video !== null);
  const { video } = itemOf(queue, key);
  t.notOk(itemOf(queue, key).plays);
  all.say(video ?? '', { state: 'playable' });
  t.ok(itemOf(queue, key).plays);
  await until(queue, key, 'done');
  t.same(all.followed(), [video]);
  all.say(video ?? '', { state: 'ready' });
  t.same(all.followed(), [], 'nothing more is to come');
  t.equal(itemOf(queue, key).now?.state, 'ready');
});

t.test('listeners hear of changes, and of nothing else', async (t) => {
  const all = await bench(t);
  const queue = all.page();
  let calls = 0;
  let last = queue.items();
  const stop = queue.subscribe(() => {
    calls += 1;
    t.not(queue.items(), last, 'there is something new');
    last = queue.items();
  });
  const [key = ''] = queue.add([fileOf(2 * MiB).file]);
  await until(queue, key, 'done');
  t.ok(calls >= 4);
  const before = calls;
  stop();
  queue.forget(key);
  t.same(queue.items(), []);
  t.equal(calls, before);
});

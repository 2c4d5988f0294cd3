/** Pages are closed in the middle, and come back, on this machine or another. */
import t from 'tap';
import { unit } from './pieces.ts';
import { bench, fileOf, until, wholeMemory } from './testing.ts';
import type { Bench } from './testing.ts';

const MiB = 4 * unit;
const parts = ({ server }: Bench, since = 0) => server.heard.slice(since).filter(({ kind }) => kind === 'part');
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
/** A page that is closed in the middle of sending this file. */
const broken = async (all: Bench, file: File, bytes: number): Promise<void> => {
  const page = all.page();
  const enough = landedUntil(all, bytes);
  page.add([file]);
  await enough;
  page.destroy();
  // Behind what was on its way then: the server hears one connection after the other.
  for (let question = 0; question < 2; question++) await (await fetch(`${all.server.origin}/api/v1/videos?state=uploading`)).arrayBuffer();
};

t.test('the same file, chosen again after a reload, goes on where it stopped', async (t) => {
  const all = await bench(t);
  const { file, bytes } = fileOf(8 * MiB);
  await broken(all, file, 3 * MiB);
  const queue = all.page();
  const [key = ''] = queue.add([new File([Uint8Array.from(bytes)], 'renamed.mp4', { lastModified: 5 })]);
  const item = await until(queue, key, 'done');
  t.ok(item.resumedFrom >= 3 * MiB);
  const before = all.server.heard.findIndex(({ kind }) => kind === 'sign');
  t.equal(all.server.videos.size, 1);
  t.ok(only(all).bytes.equals(bytes));
  const again = parts(all, before).reduce((sum, { from, size }) => sum + Math.min(size, 8 * MiB - from), 0);
  t.equal(again, 8 * MiB - item.resumedFrom, 'only what was missing is sent');
  t.same(all.server.heard.slice(before).map(({ kind }) => kind).slice(0, 3), ['sign', 'get', 'status']);
  t.equal(all.memory.kept.size, 0, 'what is done is forgotten');
  t.same(all.server.violations, []);
});

t.test('another machine, which remembers nothing, finds it by what is in the file', async (t) => {
  const all = await bench(t);
  const { file, bytes } = fileOf(8 * MiB);
  await broken(all, file, 2 * MiB);
  only(all).state = 'playable'; // it plays already, and is not whole
  const others = [...Array(5).keys()].map((index) => fileOf(unit, { seed: 50 + index }).file);
  for (const other of others) {
    const page = all.page();
    const [key = ''] = page.add([other]);
    await until(page, key, 'done');
  }
  for (const video of all.server.videos.values()) video.state = 'playable'; // it lies on the second page of the list
  const queue = all.page(wholeMemory());
  const [key = ''] = queue.add([file]);
  const item = await until(queue, key, 'done');
  t.ok(item.resumedFrom >= 2 * MiB);
  t.equal(all.server.videos.size, 6);
  t.ok(only(all).bytes.equals(bytes));
});

t.test('another file of the same name, size and date begins anew', async (t) => {
  const all = await bench(t);
  await broken(all, fileOf(8 * MiB).file, 2 * MiB);
  const { file, bytes } = fileOf(8 * MiB, { seed: 2 });
  const queue = all.page();
  const [key = ''] = queue.add([file]);
  const item = await until(queue, key, 'done');
  t.equal(item.resumedFrom, 0);
  t.equal(all.server.videos.size, 2);
  t.ok(all.server.videos.get(item.video ?? '')?.bytes.equals(bytes));
  t.notOk(only(all).whole);
});

t.test('a memory that is wrong does no harm', async (t) => {
  const all = await bench(t);
  const { file } = fileOf(2 * MiB);
  await broken(all, file, MiB);
  const [[fingerprint = '', video = ''] = []] = all.memory.kept;
  const other = all.page(wholeMemory());
  const [otherKey = ''] = other.add([fileOf(3 * MiB, { seed: 3 }).file]);
  const { video: whole } = await until(other, otherKey, 'done');
  await broken(all, fileOf(2 * MiB, { seed: 4 }).file, MiB);
  const unfinished = [...all.server.videos.keys()].at(-1);
  all.server.videos.delete(video);
  for (const remembered of ['video9999', whole ?? '', unfinished ?? '']) {
    all.memory.keep(fingerprint, remembered);
    const queue = all.page();
    const [key = ''] = queue.add([file]);
    const item = await until(queue, key, 'done');
    t.not(item.video, remembered);
  }
});

t.test('what was whole when the page was closed is done', async (t) => {
  const all = await bench(t);
  const { file } = fileOf(2 * MiB);
  all.server.fault = ({ kind }) => (kind === 'finish' ? 'drop-answer' : null);
  const first = all.page();
  const [key = ''] = first.add([file]);
  await until(first, key, ({ state }) => state.is === 'verifying');
  await new Promise<void>((resolve) => {
    const look = () => (only(all).whole ? resolve() : setTimeout(look, 2));
    look();
  });
  first.destroy();
  all.server.fault = () => null;
  const before = all.server.heard.length;
  const queue = all.page();
  const [again = ''] = queue.add([file]);
  const item = await until(queue, again, 'done');
  t.equal(item.video, only(all).id);
  t.same(parts(all, before), []);
});

t.test('what was begun and not chosen again yet is listed', async (t) => {
  const all = await bench(t);
  const { file } = fileOf(4 * MiB, { name: 'holiday.mov' });
  await broken(all, file, 2 * MiB);
  const queue = all.page();
  const [unfinished] = await queue.unfinished();
  t.match(unfinished, { video: only(all).id, title: 'holiday', filename: 'holiday.mov', size: 4 * MiB });
  t.ok((unfinished?.received ?? 0) >= 2 * MiB);
  const [key = ''] = queue.add([file]);
  await until(queue, key, ({ video }) => video !== null);
  t.same(await queue.unfinished(), [], 'what is in the queue is not waiting to be chosen');
  await until(queue, key, 'done');
});

t.test('a tus client was here first', async (t) => {
  const all = await bench(t);
  const { file } = fileOf(2 * MiB);
  await broken(all, file, MiB);
  only(all).mode = 'tus';
  const queue = all.page();
  const [key = ''] = queue.add([file]);
  t.match((await until(queue, key, 'failed')).state, { reason: 'taken' });
});

t.test('an upload that goes on is called as it was, unless something else was said since', async (t) => {
  const all = await bench(t);
  const { file } = fileOf(4 * MiB);
  await broken(all, file, MiB);
  only(all).title = 'As it was';
  const queue = all.page();
  const [key = ''] = queue.add([file], { title: 'Usual', visibility: 'public' });
  await queue.change(key, { description: 'New.' });
  const item = await until(queue, key, 'done');
  t.match(only(all), { title: 'As it was', visibility: 'private', description: 'New.' });
  t.match(item.metadata, { title: 'As it was', visibility: 'private', description: 'New.' });
});

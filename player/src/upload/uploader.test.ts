/** A file arrives whatever the line, the proxies and the server do meanwhile. */
import t from 'tap';
import type { Fault, StandInRequest } from '../../../test/support/upload-stand-in.ts';
import { unit } from './pieces.ts';
import { bench, fileOf, until } from './testing.ts';
import type { Bench } from './testing.ts';

type Test = Pick<typeof t, 'ok' | 'equal' | 'same' | 'teardown'>;


const MiB = 4 * unit;
const box = (type: string, size: number): Buffer => {
  const out = Buffer.alloc(8);
  out.writeUInt32BE(size);
  out.write(type, 4, 'latin1');
  return out;
};

/** Sends one file under these faults, and holds the server's copy against it. */
const arrives = async (t: Test, size: number, fault: (request: StandInRequest, all: Bench) => Fault | null = () => null) => {
  const all = await bench(t);
  const { server, mistakes } = all;
  const { file, bytes } = fileOf(size);
  server.fault = (request) => fault(request, all);
  const queue = all.page();
  const [key = ''] = queue.add([file]);
  const item = await until(queue, key, 'done');
  const [video] = server.videos.values();
  t.ok(video?.whole && video.bytes.equals(bytes), 'what the server has is the file');
  t.equal(server.videos.size, 1);
  t.same(server.violations, []);
  t.same(mistakes, []);
  t.equal(item.sent, size);
  t.equal(item.video, video?.id);
  return { ...all, queue, item, parts: server.heard.filter(({ kind }) => kind === 'part') };
};

/** The same requests go wrong in every run: `share` of them. */
const some = (share: number, what: Fault) => {
  let sum = 0;
  return (): Fault | null => {
    sum += share;
    if (sum < 1) return null;
    sum -= 1;
    return what;
  };
};

t.test('a file arrives, in few requests and several at once', async (t) => {
  const { server, parts } = await arrives(t, 12 * MiB + 77, ({ kind }) => (kind === 'part' ? { delayMs: 30 } : null));
  t.ok(parts.length <= 18, `${parts.length} parts`);
  t.ok(server.mostAtOnce >= 2 && server.mostAtOnce <= 4);
  t.equal(parts.reduce((sum, { from, size }) => sum + Math.min(size, 12 * MiB + 77 - from), 0), 12 * MiB + 77, 'nothing is sent twice');
  t.same(server.heard.filter(({ kind }) => kind === 'status'), [], 'nobody asks a new upload what has landed');
});

t.test('files of every small size arrive', async (t) => {
  for (const size of [1, unit - 1, unit, unit + 1, MiB, MiB + 1]) await arrives(t, size);
});

t.test('what the server needs to play goes first, then the rest from the front', async (t) => {
  const { server, page } = await bench(t);
  const size = 10 * MiB;
  const index = 7 * MiB + 1000;
  const { file } = fileOf(size, { head: Buffer.concat([box('ftyp', 8), box('mdat', index - 8)]), places: [[index, box('moov', 3 * MiB - 1000)]] });
  const queue = page();
  const [key = ''] = queue.add([file]);
  await until(queue, key, 'done');
  const parts = server.heard.filter(({ kind }) => kind === 'part');
  const early = parts.findIndex(({ from }) => from > 0 && from < 7 * MiB);
  t.equal(parts[0]?.from, 0);
  t.equal(parts[0]?.size, unit, 'of the beginning only what leads to the index');
  t.ok(parts.slice(0, early).filter(({ from }) => from >= 7 * MiB).length >= 3, 'the index is on its way before any media');
  const rest = parts.slice(early).map(({ from }) => from).filter((from) => from < 7 * MiB);
  const ordered = [...rest].sort((a, b) => a - b);
  t.ok(rest.every((from, index) => Math.abs(ordered.indexOf(from) - index) < 4), rest.join());
});

t.test('connections that break, in the middle or before the answer, cost time and nothing else', async (t) => {
  const drop = some(0.3, 'drop');
  const late = some(0.15, 'drop-answer');
  const { parts } = await arrives(t, 8 * MiB, () => drop() ?? late());
  t.ok(parts.length > 8);
});

t.test('a server that errs is asked again, as patiently as it wants', async (t) => {
  const errs = some(0.25, { status: 500 });
  const bad = some(0.2, { status: 502 });
  const busy = some(0.1, { status: 503, code: 'busy', headers: { 'retry-after': '1' } });
  await arrives(t, 4 * MiB, () => errs() ?? bad() ?? busy());
});

t.test('a proxy that takes no large bodies gets small ones', async (t) => {
  const { parts } = await arrives(t, 6 * MiB, ({ kind, size }) => (kind === 'part' && size > 2 * unit ? { status: 413 } : null));
  const refused = parts.filter(({ size }) => size > 2 * unit);
  t.ok(refused.length <= 3, `${refused.length} attempts with too much`);
});

t.test('a proxy that cuts large bodies off without a word gets small ones too', async (t) => {
  await arrives(t, 6 * MiB, ({ kind, size }) => (kind === 'part' && size > 2 * unit ? 'drop' : null));
});

t.test('a proxy that refuses even the smallest is named, and no video is lost', async (t) => {
  const { server, page } = await bench(t);
  server.fault = ({ kind }) => (kind === 'part' ? { status: 413 } : null);
  const queue = page();
  const { file } = fileOf(3 * MiB);
  const [key = ''] = queue.add([file]);
  const { state } = await until(queue, key, 'failed');
  t.match(state, { reason: 'proxy-refuses', again: true });
  server.fault = () => null;
  queue.resume(key);
  await until(queue, key, 'done');
});

t.test('a connection on which nothing moves is given up', async (t) => {
  let stalls = 2;
  const { parts } = await arrives(t, 3 * MiB, ({ kind }) => (kind === 'part' && stalls-- > 0 ? 'stall' : null));
  t.ok(parts.length >= 4, `${parts.length} parts`);
});

t.test('a part whose connection hangs goes out again as soon as enough others have passed it, and not when its time is up', async (t) => {
  let hangs = true;
  const { parts } = await arrives(t, 24 * MiB, ({ kind, from }) => {
    if (kind !== 'part' || from !== unit || !hangs) return kind === 'part' ? { delayMs: 5 } : null;
    hangs = false;
    return 'stall';
  });
  const [first = -1, again = -1] = parts.flatMap(({ from, size }, index) => (from <= unit && unit < from + size ? [index] : []));
  t.ok(again - first > 4 && again - first < 16, `sent again as the ${again - first}th after it`);
  t.ok(parts.length > again + 1, 'and before the end of the file');
});

t.test('a connection that takes nothing at all is given up as well', async (t) => {
  const all = await bench(t);
  const { file, bytes } = fileOf(MiB);
  let dead = 2;
  all.takesNothing = () => dead-- > 0;
  const queue = all.page();
  const [key = ''] = queue.add([file]);
  await until(queue, key, 'done');
  t.ok([...all.server.videos.values()][0]?.bytes.equals(bytes));
  t.ok(dead < 0);
});

t.test('somebody else has the place of a part for a moment', async (t) => {
  let locked = 3;
  await arrives(t, 2 * MiB, ({ kind }) => (kind === 'part' && locked-- > 0 ? { status: 503, code: 'locked', headers: { 'retry-after': '2' } } : null));
});

t.test('an answer that does not come is asked for again', async (t) => {
  const stalled = new Set<string>();
  await arrives(t, MiB, ({ kind }) => {
    if (stalled.has(kind) || kind === 'part') return null;
    stalled.add(kind);
    return 'stall';
  });
});

t.test('bytes that change on the way are sent again, and not for ever', async (t) => {
  const flips = some(0.3, { status: 422, code: 'digest-mismatch' });
  await arrives(t, 4 * MiB, ({ kind }) => (kind === 'part' ? flips() : null));
  const { server, page } = await bench(t);
  server.fault = ({ kind }) => (kind === 'part' ? { status: 422, code: 'digest-mismatch' } : null);
  const queue = page();
  const [key = ''] = queue.add([fileOf(MiB).file]);
  const { state } = await until(queue, key, 'failed');
  t.match(state, { reason: 'damaged-on-the-way', again: true });
});

t.test('a server that dies three times and comes back goes on', async (t) => {
  let deaths = 0;
  const { parts, queue, item } = await arrives(t, 10 * MiB, ({ kind, count }, { server }) => {
    if (kind !== 'part' || deaths >= 3 || count < 3 * (deaths + 1)) return null;
    deaths += 1;
    void server.kill().then(() => setTimeout(() => void server.restart(), 60));
    return 'stall';
  });
  t.equal(deaths, 3);
  t.ok(parts.length < 60);
  t.equal(queue.busy(), false);
  t.equal(item.state.is, 'done');
});

t.test('while nothing gets through, the item says so, and why', async (t) => {
  const { server, network, page } = await bench(t);
  server.fault = ({ kind }) => (kind === 'part' ? 'drop' : null);
  const queue = page();
  const [key = ''] = queue.add([fileOf(MiB).file]);
  await until(queue, key, ({ state }) => state.is === 'sending' && state.line === 'trying');
  network.online = false;
  network.changed();
  await until(queue, key, ({ state }) => state.is === 'sending' && state.line === 'offline');
  server.fault = () => null;
  network.online = true;
  network.changed();
  await until(queue, key, ({ state }) => state.is === 'sending' && state.line === 'good').catch(() => null);
  await until(queue, key, 'done');
});

t.test('what the server misses at the end is sent again', async (t) => {
  let lost = false;
  const { parts, server } = await arrives(t, 5 * MiB, ({ kind, video }) => {
    if (kind === 'finish' && !lost) {
      lost = true;
      video?.landed.fill(0, 3, 6);
      video?.bytes.fill(0, 3 * unit, 6 * unit);
    }
    return null;
  });
  const again = new Set(parts.slice(-3).map(({ from }) => from / unit));
  t.ok(again.has(3) && again.has(4), [...again].join());
  t.equal(server.heard.filter(({ kind }) => kind === 'finish').length, 2);
});

t.test('a finish whose answer is lost is said again', async (t) => {
  const { server } = await arrives(t, MiB, ({ kind, count }) => (kind === 'finish' && count === 0 ? 'drop-answer' : null));
  t.equal(server.heard.filter(({ kind }) => kind === 'finish').length, 2);
});

t.test('a video whose making was answered into the void is made once', async (t) => {
  await arrives(t, MiB, ({ kind, count }) => (kind === 'create' && count < 2 ? 'drop-answer' : null));
});

t.test('addresses that have expired are signed anew, and bytes are not sent again', async (t) => {
  const { server, parts } = await arrives(t, 8 * MiB, ({ kind, count, video }) => {
    if (kind === 'part' && count === 4 && video) video.token = 'token-anew';
    return null;
  });
  t.equal(server.heard.filter(({ kind }) => kind === 'sign').length, 1);
  t.ok(parts.length < 24);
});

t.test('somebody else has sent the rest meanwhile: that is as well', async (t) => {
  let done = false;
  await arrives(t, 8 * MiB, ({ kind, count, video }) => {
    if (kind === 'part' && count === 3 && video && !done) {
      done = true;
      fileOf(8 * MiB).bytes.copy(video.bytes);
      video.whole = true;
      video.landed.fill(1);
    }
    return null;
  });
});

import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { FakeClock } from '../../packager/clock.ts';
import { Random } from '../../test/support/random.ts';
import { UploadFault } from './faults.ts';
import { decodeHead, encodeHead, headBytes } from './landed-head.ts';
import { unit, type UploadLimits } from './limits.ts';
import type { Original } from './original.ts';
import { Originals } from './originals.ts';
import { MemoryDisk } from './test-disk.ts';

const path = '/v/a/original';
const [bootA, bootB] = ['11111111-2222-3333-4444-555555555555', '99999999-2222-3333-4444-555555555555'];

const failing = (code: string): Error => Object.assign(new Error(code), { code });
const codeOf = (error: unknown): string => (error instanceof UploadFault ? error.code : String(error));

const store = (disk: MemoryDisk, { boot = bootA, limits = {} }: { boot?: string | null; limits?: Partial<UploadLimits> } = {}) => {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const heard: number[] = [];
  const originals = new Originals({ clock, bootId: boot, disk, limits, landed: (_id, { bytes }) => heard.push(bytes), failed: (_id, error) => faults.push(error) });
  return { clock, faults, heard, originals };
};
const place = (size: number) => ({ id: 'a', path, size });
const part = async (original: Original, bytes: Buffer, from: number, to: number): Promise<void> => {
  await original.write(from, [bytes.subarray(from, to)]);
  await original.land(from, to);
};

/** What comes in order, as by tus. */
const append = async (original: Original, data: readonly Buffer[]): Promise<void> => {
  original.begin('tus');
  const at = original.landed.prefix;
  await original.write(at, data);
  await original.landTo(data.reduce((sum, piece) => sum + piece.length, at));
};

t.test('parts land, are spoken of, and are there for the next process; nothing is made before something is written', async (t) => {
  const disk = new MemoryDisk();
  const size = 5 * unit + 77;
  const bytes = randomBytes(size);
  const { originals, heard } = store(disk);
  await originals.use(place(size), async (original) => {
    t.same([original.mode, original.landed.bytes, disk.has(path)], [null, 0, false]);
    t.ok(original.begin('parts'));
    await part(original, bytes, 4 * unit, size);
    await Promise.all([part(original, bytes, 0, unit), part(original, bytes, 2 * unit, 3 * unit)]);
    t.notOk(original.begin('tus'));
    t.equal(original.mode, 'parts');
  });
  t.same([heard[0], heard.at(-1)], [unit + 77, 3 * unit + 77]);
  t.equal(disk.bytes(path).length, size);
  // The other process: it was killed, so nothing was closed.
  const next = store(disk);
  t.equal((await next.originals.landed(path, size))?.bytes, 3 * unit + 77);
  await next.originals.use(place(size), async (original) => {
    t.same(original.missing(), [[unit, 2 * unit], [3 * unit, 4 * unit]]);
    t.notOk(original.begin('tus'));
    await part(original, bytes, unit, 2 * unit);
    await part(original, bytes, 3 * unit, 4 * unit);
  });
  let known = false;
  await next.originals.settle(place(size), async () => {
    known = true;
    t.ok(disk.has(`${path}.landed`), 'what has landed is forgotten when the rest of the server knows, and not before');
  });
  t.ok(known);
  t.ok(disk.bytes(path).equals(bytes));
  t.notOk(disk.has(`${path}.landed`));
  await t.rejects(next.originals.use(place(size), async () => undefined), { code: 'over' });
  t.equal(disk.open_, 2, 'only the killed process has files open');
});

t.test('what comes in order goes on where it was', async (t) => {
  const disk = new MemoryDisk();
  const bytes = randomBytes(100_000);
  await store(disk).originals.use(place(bytes.length), (original) => append(original, [bytes.subarray(0, 10), bytes.subarray(10, 70_000)]));
  const { originals } = store(disk);
  await originals.use(place(bytes.length), async (original) => {
    t.same([original.mode, original.landed.prefix], ['tus', 70_000]);
    await append(original, [bytes.subarray(70_000)]);
  });
  await originals.settle(place(bytes.length), async () => undefined);
  t.ok(disk.bytes(path).equals(bytes));
});

t.test('whenever the power goes: what is claimed afterwards is there', async (t) => {
  const random = new Random(11);
  let [claimed, lost] = [0, 0];
  for (let round = 0; round < 150; round += 1) {
    const disk = new MemoryDisk();
    const size = 6 * unit + random.below(unit);
    const bytes = random.bytes(4096);
    const content = Buffer.alloc(size, bytes);
    const tus = round % 3 === 0;
    // Between which two calls of the disk the power goes.
    let calls = random.below(60);
    let off = false;
    disk.before = () => {
      calls -= 1;
      off ||= calls <= 0;
      return off ? new Promise(() => undefined) : undefined;
    };
    const { originals, clock } = store(disk, { limits: { syncBytes: 2 * unit, leastSyncBytes: unit } });
    let at = 0;
    const work = originals.use(place(size), async (original) => {
      for (let step = 0; step < 8 && at < size; step += 1) {
        if (tus) {
          const to = Math.min(size, at + 1 + random.below(2 * unit));
          await append(original, [content.subarray(at, to)]);
          at = to;
        } else {
          original.begin('parts');
          const from = random.below(7) * unit;
          await part(original, content, from, Math.min(size, from + unit));
        }
        if (random.below(3) === 0) clock.advance(10_000);
      }
      if (original.landed.whole) await original.finish();
    });
    for (let turns = 0; turns < 80 && !off; turns += 1) await turn();
    work.catch(() => undefined);
    const before = decodeHead(disk.bytes(`${path}.landed`));
    disk.before = () => undefined;
    disk.powerCut(random);
    const after = store(disk, { boot: round % 2 === 0 ? bootB : null });
    const landed = await after.originals.landed(path, size);
    for (const [from, to] of (landed as { ranges?: (most: number) => [number, number][] } | null)?.ranges?.(99) ?? []) {
      claimed += to - from;
      if (!disk.bytes(path).subarray(from, to).equals(content.subarray(from, to))) t.fail(`round ${round}: ${from} to ${to} is claimed and not there`);
    }
    if (before && before.prefix > (landed?.bytes ?? 0)) lost += 1;
    // It goes on from there, and what it claims then survives a kill.
    await after.originals.use(place(size), async (original) => {
      if (original.landed.whole) return;
      const [from, to] = original.missing()[0] ?? [0, 0];
      if (original.mode === 'tus') await append(original, [content.subarray(from, to)]);
      else if (original.begin('parts')) await part(original, content, from, Math.min(to, from + unit));
    });
    const bytesNow = (await store(disk, { boot: round % 2 === 0 ? bootB : null }).originals.landed(path, size))?.bytes ?? 0;
    if (round % 2 === 0 && bytesNow <= (landed?.bytes ?? 0) && bytesNow < size) t.fail(`round ${round}: ${bytesNow} bytes after going on`);
  }
  t.ok(claimed > 100 * unit, `${claimed} bytes were claimed after power cuts`);
  t.ok(lost > 5, 'and claims that were not on the platter were dropped');
});

t.test('a full disk: nothing is claimed, and with room again it goes on', async (t) => {
  const disk = new MemoryDisk();
  const bytes = randomBytes(2 * unit);
  const { originals, heard } = store(disk);
  for (const code of ['ENOSPC', 'EDQUOT']) {
    disk.before = ({ call, path: of }) => {
      if (call === 'write' && of === path) throw failing(code);
    };
    await originals.use(place(bytes.length), async (original) => {
      await t.rejects(part(original, bytes, 0, unit), { code: 'disk-full' });
      await t.rejects(append(original, [bytes]), { code: 'disk-full' });
      t.equal(original.landed.bytes, 0);
    });
  }
  t.same(heard, []);
  disk.before = () => undefined;
  await originals.use(place(bytes.length), (original) => append(original, [bytes]));
  t.same(heard, [bytes.length]);
});

t.test('a claim that cannot be written down is not made, and the next one is', async (t) => {
  const disk = new MemoryDisk();
  const bytes = randomBytes(2 * unit);
  const { originals } = store(disk);
  await originals.use(place(bytes.length), async (original) => {
    await part(original, bytes, 0, unit);
    disk.before = ({ call, path: of }) => {
      if (call === 'write' && of !== path) throw failing('EIO');
    };
    await t.rejects(part(original, bytes, unit, 2 * unit), { code: 'disk-failed' });
    t.equal(original.landed.bytes, unit);
    disk.before = () => undefined;
    await part(original, bytes, unit, 2 * unit);
    t.ok(original.landed.whole);
  });
});

t.test('files that cannot be made leave nothing open, and the next attempt makes them', async (t) => {
  const disk = new MemoryDisk();
  const bytes = randomBytes(unit);
  for (let failsAt = 1; failsAt < 12; failsAt += 1) {
    const { originals } = store(disk);
    let calls = 0;
    disk.before = () => {
      if ((calls += 1) === failsAt) throw failing('EIO');
    };
    const first = await originals.use(place(unit), (original) => part(original, bytes, 0, unit)).catch(codeOf);
    disk.before = () => undefined;
    t.ok(first === undefined || first === 'disk-failed', String(first));
    await originals.use(place(unit), (original) => part(original, bytes, 0, unit));
    await originals.remove(place(unit));
    t.same([disk.open_, disk.has(path), disk.has(`${path}.landed`)], [0, false, false]);
  }
});

t.test('a sync that fails: what it may have lost is claimed no more, by nobody', async (t) => {
  const disk = new MemoryDisk();
  const bytes = randomBytes(4 * unit);
  const { originals, heard, faults, clock } = store(disk);
  await originals.use(place(bytes.length), async (original) => {
    original.begin('parts');
    await part(original, bytes, 0, unit);
    clock.advance(5_000);
    for (let turns = 0; turns < 20; turns += 1) await turn();
    await part(original, bytes, unit, 2 * unit);
    let told = '';
    const seat = await original.enter(2 * unit, 3 * unit, { silentMs: 0, stop: () => (told = 'stop') });
    disk.before = ({ call, path: of }) => {
      if (call === 'datasync' && of === path) throw failing('EIO');
    };
    clock.advance(5_000);
    for (let turns = 0; turns < 20; turns += 1) await turn();
    disk.before = () => undefined;
    t.same(original.missing(), [[unit, 4 * unit]], 'the first part was on the platter');
    t.same([told, seat?.stopped], ['stop', 'disk-failed']);
    seat?.leave();
    t.same(faults.map(codeOf), ['disk-failed']);
    t.same(heard, [unit, 2 * unit, unit]);
    t.equal((await originals.landed(path, bytes.length))?.bytes, unit, 'nor by the next process');
    for (let at = unit; at < bytes.length; at += unit) await part(original, bytes, at, at + unit);
    disk.before = ({ call, path: of }) => {
      if (call === 'datasync' && of === path) throw failing('EIO');
    };
    await t.rejects(original.finish(), { code: 'disk-failed' });
    t.notOk(original.landed.whole);
  });
});

t.test('near the end syncs follow each other closely: the last one is short', async (t) => {
  const disk = new MemoryDisk();
  const units = 32;
  const bytes = Buffer.alloc(units * unit, 7);
  const { originals } = store(disk, { limits: { syncBytes: 8 * unit, leastSyncBytes: unit } });
  await originals.use(place(bytes.length), async (original) => {
    original.begin('parts');
    const synced: number[] = [];
    disk.before = ({ call, path: of }) => {
      if (call === 'datasync' && of === path) synced.push(original.landed.bytes / unit);
    };
    for (let at = 0; at < bytes.length; at += unit) {
      await part(original, bytes, at, at + unit);
      for (let turns = 0; turns < 10; turns += 1) await turn();
    }
    t.same(synced, [8, 16, 24, 28, 30, 31, 32]);
    await original.finish();
    t.equal(synced.length, 7, 'nothing was left for the last moment');
  });
});

t.test('what came during a sync is brought to the platter after it, though nothing more comes', async (t) => {
  const disk = new MemoryDisk();
  const bytes = Buffer.alloc(16 * unit, 7);
  const { originals } = store(disk, { limits: { syncBytes: 2 * unit } });
  await originals.use(place(bytes.length), async (original) => {
    original.begin('parts');
    const syncs: (() => void)[] = [];
    disk.before = ({ call, path: of }) => (call === 'datasync' && of === path ? new Promise<void>((done) => syncs.push(done)) : undefined);
    await part(original, bytes, 0, 2 * unit);
    while (syncs.length < 1) await turn();
    await part(original, bytes, 2 * unit, 3 * unit);
    await part(original, bytes, 3 * unit, 6 * unit);
    for (let turns = 0; turns < 10; turns += 1) await turn();
    t.equal(syncs.length, 1, 'one at a time');
    syncs.shift()?.();
    while (syncs.length < 1) await turn();
    disk.before = () => undefined;
    syncs.shift()?.();
  });
});

t.test('files are closed when nobody has wanted them for a while, and there are never too many', async (t) => {
  const disk = new MemoryDisk();
  const { originals, clock } = store(disk, { limits: { openFiles: 3, idleMs: 1000 } });
  const places = [0, 1, 2, 3].map((at) => ({ id: `id${at}`, path: `/v/${at}/original`, size: 10 }));
  const ends: (() => void)[] = [];
  const use = (at: number) => originals.use(places[at] as { id: string; path: string; size: number }, (original) => append(original, [Buffer.from('x')]).then(() => new Promise<void>((end) => ends.push(end))));
  const uses = [use(0), use(1), use(2)];
  while (ends.length < 3) await turn();
  await t.rejects(use(3), { code: 'crowded' });
  ends.shift()?.();
  await uses[0];
  const fourth = use(3);
  while (ends.length < 3) await turn();
  t.equal(disk.open_, 6, 'the one that nobody wanted made place');
  for (const end of ends) end();
  await Promise.all([...uses, fourth]);
  clock.advance(1000);
  for (let turns = 0; turns < 50; turns += 1) await turn();
  t.same([originals.count, disk.open_], [0, 0]);
  await originals.use({ id: 'id0', path: '/v/0/original', size: 10 }, async (original) => t.equal(original.landed.prefix, 1));
  await originals.stop();
  t.equal(disk.open_, 0);
});

t.test('release waits for what is being written, and nobody writes afterwards', async (t) => {
  const disk = new MemoryDisk();
  const { originals } = store(disk);
  let go: () => void = () => undefined;
  disk.before = ({ call, path: of }) => (call === 'write' && of === path ? new Promise((resolve) => (go = resolve)) : undefined);
  const writing = originals.use(place(unit), (original) => append(original, [Buffer.alloc(unit)]));
  const ended = writing.then(() => 'written', codeOf);
  for (let turns = 0; turns < 10; turns += 1) await turn();
  let released = false;
  const releasing = originals.release('a').then(() => (released = true));
  for (let turns = 0; turns < 10; turns += 1) await turn();
  t.notOk(released);
  disk.before = () => undefined;
  go();
  await releasing;
  t.equal(await ended, 'over', 'and what was written last is not claimed');
  await t.rejects(originals.use(place(unit), async () => undefined), { code: 'over' });
  t.equal(disk.open_, 0);
});

t.test('a damaged or foreign record of what has landed claims nothing, whatever it says', async (t) => {
  const random = new Random(3);
  const head = { mode: 'tus', size: 1000, prefix: 900, keptPrefix: 10, boot: bootA } as const;
  const valid = encodeHead(head);
  t.same(decodeHead(valid), { ...head, boot: bootA.replaceAll('-', '') });
  for (let count = 0; count < 20_000; count += 1) {
    const input = count % 2 === 0 ? random.mutate(valid) : random.bytes(random.below(80));
    const read = decodeHead(input);
    if (read && !input.subarray(0, headBytes).equals(valid)) t.fail(input.toString('hex'));
  }
  const disk = new MemoryDisk();
  const { originals } = store(disk);
  const lie = await disk.open(`${path}.landed`, 'write');
  for (const bytes of [Buffer.alloc(0), valid, encodeHead({ ...head, size: 999 }), Buffer.alloc(200, 0xff)]) {
    await lie.truncate(0);
    await lie.write(0, [bytes]);
    t.equal(await originals.landed(path, 1000), null);
  }
  await lie.write(0, [valid, Buffer.alloc(2)]);
  t.equal((await originals.landed(path, 1000))?.bytes, 900);
  t.equal((await store(disk, { boot: bootB }).originals.landed(path, 1000))?.bytes, 10);
});

import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../clock.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import { nodeDisk } from './node-disk.ts';
import { createTrackLog, openTrackLog, openTrackLogReader } from './open.ts';
import { recordBytes } from './record.ts';
import { sample, sampleEpoch } from './sample.ts';
import { fill, scratch, tamper, verdicts, written } from './scratch.ts';

const flip = (bytes: Buffer, at: number) => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x20;
  return copy;
};

t.test('the tail cut, zeroed or flipped at every 512 bytes of its last 64 KB: what plays is right, and the log goes on', async (t) => {
  const disk = new MemoryDisk();
  const options = { disk, clock: systemClock, folder: '/v0', extentBytes: 1 << 20, stallMs: 60_000, syncEveryMs: 0 };
  await written(options, 60);
  const { bytes: whole } = disk.files.get('/v0/00000.cmaf') ?? { bytes: Buffer.alloc(0) };
  const { bytes: index } = disk.files.get('/v0/index') ?? { bytes: Buffer.alloc(0) };
  t.ok(whole.length > 65_536);
  const ends: number[] = [];
  for (let seq = 0, at = recordBytes + 2 + `${sampleEpoch(0).codecString}\n${sampleEpoch(0).run}`.length + sampleEpoch(0).init.length; seq < 60; seq++) {
    at += recordBytes + sample(seq).data.length;
    ends.push(at);
  }
  const damages: Record<string, (at: number) => Buffer> = {
    cut: (at) => whole.subarray(0, at),
    zeroed: (at) => Buffer.concat([whole.subarray(0, at), Buffer.alloc(whole.length - at)]),
    'one sector zeroed': (at) => Buffer.concat([whole.subarray(0, at), Buffer.alloc(512), whole.subarray(at + 512)]),
    flipped: (at) => flip(whole, at),
  };
  for (const [name, damage] of Object.entries(damages)) {
    const wrong: string[] = [];
    for (let at = whole.length - 65_536; at < whole.length; at += 512) {
      disk.files.set('/v0/00000.cmaf', { bytes: damage(at) });
      // With the index, which knows nothing of the damage, and without.
      if (at % 1024 < 512) disk.files.set('/v0/index', { bytes: index });
      else disk.files.delete('/v0/index');
      const before = ends.filter((end) => end <= at).length;
      const reader = await openTrackLogReader(options);
      const seen = await verdicts(reader);
      const plain = await reader.read(0, before);
      await reader.close();
      const log = await openTrackLog(options);
      const { end } = log.reader.snapshot();
      await log.append(sample(end).facts, [sample(end).data]);
      const after = await verdicts(log.reader);
      await log.close();
      const local = name === 'flipped' || name === 'one sector zeroed';
      const good =
        seen.slice(0, before).every((verdict) => verdict === 'same') &&
        seen.every((verdict) => verdict === 'same' || verdict === 'corrupt') &&
        plain.every((data, seq) => data.equals(sample(seq).data)) &&
        // Nothing but what was hit is lost: a sector touches two or three fragments.
        (local ? seen.filter((verdict) => verdict === 'same').length >= 57 : seen.length === before) &&
        end === seen.length &&
        after.length === end + 1 &&
        after[end] === 'same' &&
        after.every((verdict, seq) => verdict === (seen[seq] ?? 'same'));
      if (!good) wrong.push(`${at}: ${before} before, ${seen.join(' ')}, then ${after.join(' ')}`);
    }
    t.strictSame(wrong, [], name);
  }
});

t.test('bit rot far inside is a quarantined fragment, its neighbours play', async (t) => {
  const { options, remove } = await scratch();
  await written(options, 100);
  await tamper(join(options.folder, '00001.cmaf'), (bytes) => flip(bytes, 5000));
  for (const without of ['nothing', 'the index']) {
    if (without === 'the index') await rm(join(options.folder, 'index'));
    const reader = await openTrackLogReader(options);
    const seen = await verdicts(reader);
    t.strictSame([seen.length, seen.filter((verdict) => verdict === 'corrupt').length], [100, 1], `without ${without}`);
    t.notOk(seen.includes('wrong'));
    const bad = seen.indexOf('corrupt');
    await t.rejects(reader.read(bad - 1, bad + 2), { code: 'corrupt' }, 'found once, it is refused without a check too');
    await reader.close();
  }
  await remove();
});

t.test('a damaged header without an index costs its fragment, and numbers have no holes', async (t) => {
  const { options, remove } = await scratch();
  await written(options, 100);
  await rm(join(options.folder, 'index'));
  const reader = await openTrackLogReader(options);
  const before = Array.from({ length: 100 }, (_, seq) => reader.snapshot().entry(seq).dts);
  await reader.close();
  await tamper(join(options.folder, '00002.cmaf'), (bytes) => {
    // The second record of the extent, its own first being the copy of the epoch's facts.
    const at = bytes.indexOf('mlrF', bytes.indexOf('mlrF') + 4) - 8;
    return flip(bytes, at + 30);
  });
  const again = await openTrackLogReader(options);
  const seen = await verdicts(again);
  t.equal(seen.length, 100);
  t.equal(seen.filter((verdict) => verdict === 'same').length, 99);
  t.strictSame(Array.from({ length: 100 }, (_, seq) => again.snapshot().entry(seq).dts), before, 'nor has time');
  await again.close();
  await remove();
});

t.test('reading a log that ended changes nothing on the disk', async (t) => {
  const { options, remove } = await scratch();
  await written(options, 40);
  await tamper(join(options.folder, '00000.cmaf'), (bytes) => flip(bytes, 2000));
  const names = await nodeDisk.list(options.folder);
  const newest = join(options.folder, names.filter((name) => name.endsWith('.cmaf')).sort().at(-1) ?? '');
  await tamper(newest, (bytes) => Buffer.concat([bytes, Buffer.alloc(1000, 7)]));
  const disk = new FaultyDisk(nodeDisk);
  const reader = await openTrackLogReader({ ...options, disk });
  await verdicts(reader);
  await reader.close();
  t.strictSame(disk.log.filter((call) => !/^(list|open read|size|read)$/.test(call)), []);
  await remove();
});

t.test('an index that is missing, damaged, stale, of another log, or rubbish is as good as none', async (t) => {
  const { options, remove } = await scratch();
  const other = await scratch();
  await written(other.options, 80);
  const log = await createTrackLog(options);
  await fill(log, 0, 30);
  await log.sync();
  const path = join(options.folder, 'index');
  await copyFile(path, `${path}.stale`);
  await fill(log, 30, 80);
  await log.close();
  const good = await readFile(path);
  const indexes: Record<string, Buffer | null> = {
    missing: null,
    empty: Buffer.alloc(0),
    stale: await readFile(`${path}.stale`),
    'of another log': await readFile(join(other.options.folder, 'index')),
    cut: good.subarray(0, good.length - 100),
    'flipped at the start': flip(good, 50),
    'flipped in the middle': flip(good, good.length >> 1),
    rubbish: Buffer.alloc(5000, 0xa5),
  };
  for (const [name, bytes] of Object.entries(indexes)) {
    if (bytes) await writeFile(path, bytes);
    else await rm(path);
    const again = await openTrackLog(options);
    t.ok((await verdicts(again.reader)).every((verdict) => verdict === 'same'), name);
    t.equal(again.reader.snapshot().end, 80, name);
    await again.close();
    const disk = new FaultyDisk(nodeDisk);
    const reader = await openTrackLogReader({ ...options, disk });
    t.equal(reader.snapshot().end, 80);
    await reader.close();
    t.ok(disk.log.length < 100, `it is whole again: ${disk.log.length} calls`);
  }
  await remove();
  await other.remove();
});

t.test('opening with an index looks at the end only, however long the log', async (t) => {
  const { options, remove } = await scratch({ extentBytes: 256 * 1024 });
  const log = await createTrackLog(options);
  await log.beginEpoch(sampleEpoch(0));
  const { facts } = sample(0);
  const data = Buffer.alloc(4096, 1);
  for (let seq = 0; seq < 3000; seq++) await log.append({ ...facts, dts: seq * 300 }, [data]);
  await log.close();
  const disk = new FaultyDisk(nodeDisk);
  const reader = await openTrackLogReader({ ...options, disk });
  t.equal(reader.snapshot().end, 3000);
  await reader.close();
  const extents = (await nodeDisk.list(options.folder)).length - 1;
  t.ok(extents >= 45, `${extents} extents`);
  t.ok(disk.log.length <= 40, `${disk.log.length} file calls`);
  await remove();
});

t.test('an index does not grow for ever while a live window is trimmed', async (t) => {
  const disk = new MemoryDisk();
  const options = { disk, clock: systemClock, folder: '/v0', extentBytes: 16_384, stallMs: 60_000, syncEveryMs: 0 };
  const log = await createTrackLog(options);
  await log.beginEpoch(sampleEpoch(0));
  const data = Buffer.alloc(100);
  for (let seq = 0; seq < 9_000; seq++) {
    await log.append({ ...sample(0).facts, dts: seq * 300 }, [data]);
    if (seq % 100 !== 0) continue;
    await log.trim(seq - 300);
    await log.sync();
  }
  const { first } = log.reader.snapshot();
  await log.close();
  const size = disk.files.get('/v0/index')?.bytes.length ?? 0;
  t.ok(size > 0 && size < 6_000 * 48, `${size} bytes`);
  const reader = await openTrackLogReader(options);
  t.match(reader.snapshot(), { first, end: 9_000 });
  await reader.close();
});

t.test('every extent knows its epoch: trimming the first ones and losing the index loses no init segment', async (t) => {
  const { options, remove } = await scratch();
  const log = await createTrackLog(options);
  await fill(log, 0, 80);
  const first = await log.trim(50);
  t.ok(first > 20);
  await log.close();
  await rm(join(options.folder, 'index'));
  const reader = await openTrackLogReader(options);
  t.strictSame(reader.snapshot().epochs, [sampleEpoch(0)]);
  t.match(reader.snapshot(), { first, end: 80 });
  t.ok((await verdicts(reader)).every((verdict) => verdict === 'same'));
  await reader.close();
  await remove();
});

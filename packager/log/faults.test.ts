import t from 'tap';
import { FakeClock } from '../clock.ts';
import { FaultyDisk } from './faulty-disk.ts';
import type { DiskFailure } from './faulty-disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import { createTrackLog, openTrackLog, openTrackLogReader } from './open.ts';
import type { LogOptions } from './open.ts';
import { sample, sampleEpoch } from './sample.ts';
import { fill, verdicts, written } from './scratch.ts';
import { LogError } from './types.ts';
import type { FragmentEntry } from './types.ts';
import type { RecordingLog } from './writer.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Until a promise of the disk's own has gone its way, with the clock standing still. */
async function until(met: () => boolean): Promise<void> {
  for (let tries = 0; !met() && tries < 10_000; tries++) await turn();
}

const optionsOn = (disk: FaultyDisk, more: Partial<LogOptions> = {}): LogOptions => {
  const base = { clock: new FakeClock(), folder: '/data/videos/v/v0', extentBytes: 16_384, syncEveryMs: 0 };
  return { disk, ...base, ...more };
};

/** Everything that a log does in its life; gives the fragments that were announced as being on the disk. */
async function life(disk: FaultyDisk): Promise<FragmentEntry[]> {
  const clock = new FakeClock();
  const options = optionsOn(disk, { clock });
  const announced: FragmentEntry[] = [];
  // A disk that failed twice is tried again after a while, and this test's time moves on only when told.
  const patient = async <T>(work: Promise<T>): Promise<T> => {
    const end = { came: false };
    const over = work.finally(() => {
      end.came = true;
    });
    over.catch(() => undefined);
    for (let waited = 0; !end.came; waited++) {
      await turn();
      if (waited > 20) clock.advance(50);
    }
    return over;
  };
  const write = async (log: RecordingLog, from: number, to: number) => {
    if (from === 0) await patient(log.beginEpoch(sampleEpoch(0)));
    for (let seq = from; seq < to; seq++) {
      const entry = await patient(log.append(sample(seq).facts, [sample(seq).data]));
      if (entry.seq !== seq) throw new Error(`fragment ${seq} became ${entry.seq}`);
      if (!entry.volatile) announced.push(entry);
    }
  };
  const log = await createTrackLog(options);
  await write(log, 0, 18);
  await patient(log.sync());
  await write(log, 18, 30);
  await patient(log.trim(12));
  if ((await verdicts(log.reader)).includes('wrong')) throw new Error('wrong bytes while writing');
  await patient(log.close());
  const again = await openTrackLog(options);
  const { end } = again.reader.snapshot();
  await write(again, end, end + 8);
  if ((await verdicts(again.reader)).includes('wrong')) throw new Error('wrong bytes after opening again');
  await patient(again.close());
  return announced;
}

for (const failure of ['EIO', 'ENOSPC', 'short'] as const satisfies DiskFailure[]) {
  t.test(`the n-th file call fails with ${failure}, for every n: nothing wrong is read, nothing announced is lost`, async (t) => {
    const bad: string[] = [];
    let n = 1;
    for (; n < 1000; n++) {
      const memory = new MemoryDisk();
      const disk = new FaultyDisk(memory);
      disk.failAt(n, failure);
      let announced: FragmentEntry[] = [];
      try {
        announced = await life(disk);
      } catch (error) {
        // Opening may fail on a failing disk, in words of its own.
        if (!(error instanceof LogError)) throw error;
      }
      const reached = disk.failed;
      const reader = await openTrackLogReader({ ...optionsOn(disk), disk: memory });
      const seen = await verdicts(reader);
      const { first, end, entry } = reader.snapshot();
      if (seen.includes('wrong')) bad.push(`${n}: wrong bytes`);
      if (seen.includes('corrupt') || seen.includes('io')) bad.push(`${n}: ${seen.join(' ')}`);
      if (first > 12) bad.push(`${n}: trimmed too far`);
      for (const { seq, size } of announced) {
        if (seq >= first && (seq >= end || seen[seq - first] !== 'same' || entry(seq).size !== size)) bad.push(`${n}: lost ${seq}`);
      }
      await reader.close();
      if (!reached) break;
    }
    t.strictSame(bad, []);
    t.ok(n > 60 && n < 1000, `${n - 1} calls failed, one after the other`);
  });
}

t.test('a write that stalls: live goes on from memory, and the recording is whole when the disk comes back', async (t) => {
  const disk = new FaultyDisk(new MemoryDisk());
  const clock = new FakeClock();
  const faults: string[] = [];
  const options = optionsOn(disk, { clock, stallMs: 100, onFault: ({ kind }) => faults.push(kind) });
  const log = await createTrackLog(options);
  await fill(log, 0, 5);
  const goOn = disk.stall(/write/);
  const slow = log.append(sample(5).facts, [sample(5).data]);
  clock.advance(99);
  t.equal(log.reader.snapshot().end, 5, 'not yet announced');
  clock.advance(1);
  t.match(await slow, { seq: 5, volatile: true });
  for (let seq = 6; seq < 10; seq++) t.match(await log.append(sample(seq).facts, [sample(seq).data]), { seq, volatile: true });
  t.ok((await verdicts(log.reader)).every((verdict) => verdict === 'same'), 'memory answers');
  t.match(log.stats(), { failed: true, volatileBytes: [5, 6, 7, 8, 9].reduce((sum, seq) => sum + sample(seq).data.length, 0) });
  t.strictSame(faults, ['stall']);
  goOn();
  await until(() => !log.stats().failed);
  t.match(log.stats(), { failed: false, volatileBytes: 0 });
  t.match(await log.append(sample(10).facts, [sample(10).data]), { seq: 10, volatile: false });
  await log.close();
  const reader = await openTrackLogReader(options);
  t.strictSame(await verdicts(reader), Array.from({ length: 11 }, () => 'same'));
  await reader.close();
});

t.test('when memory is full too, the oldest fragments become a declared hole of the recording', async (t) => {
  const disk = new FaultyDisk(new MemoryDisk());
  const clock = new FakeClock();
  const options = optionsOn(disk, { clock, volatileBytes: 8000 });
  const log = await createTrackLog(options);
  await fill(log, 0, 5);
  disk.break('ENOSPC', /write/);
  for (let seq = 5; seq < 30; seq++) {
    t.match(await log.append(sample(seq).facts, [sample(seq).data]), { seq, volatile: true });
    t.ok(log.stats().volatileBytes <= 8000);
  }
  const live = await verdicts(log.reader);
  const kept = live.lastIndexOf('gone') + 1;
  t.ok(kept > 20 && kept < 30, `memory holds ${kept} to 30`);
  t.strictSame(live, Array.from({ length: 30 }, (_, seq) => (seq < 5 || seq >= kept ? 'same' : 'gone')));
  t.match(log.reader.snapshot().entry(7), { size: sample(7).data.length, volatile: true });
  disk.repair();
  clock.advance(1000);
  await until(() => log.stats().volatileBytes === 0);
  t.match(await log.append(sample(30).facts, [sample(30).data]), { seq: 30, volatile: false });
  t.strictSame((await verdicts(log.reader)).slice(0, 30), live, 'for who reads nothing has changed');
  t.match(log.reader.snapshot().entry(7), { gap: true, size: 0, volatile: false });
  t.equal(log.stats().failed, true, 'a hole is not forgotten');
  await log.close();
  for (const reader of [await openTrackLogReader(options), (await openTrackLog(options)).reader]) {
    const seen = await verdicts(reader);
    t.strictSame(seen, Array.from({ length: 31 }, (_, seq) => (seq < 5 || seq >= kept ? 'same' : 'gone')));
    t.match(reader.snapshot().entry(7), { seq: 7, gap: true, size: 0, dts: sample(7).facts.dts, duration: 300, volatile: false });
    await reader.close();
  }
});

t.test('a full disk does not fill up with empty extents', async (t) => {
  const disk = new FaultyDisk(new MemoryDisk());
  const clock = new FakeClock();
  const options = optionsOn(disk, { clock });
  const log = await createTrackLog(options);
  await fill(log, 0, 5);
  disk.break('ENOSPC', /write/);
  await log.append(sample(5).facts, [sample(5).data]);
  for (let second = 0; second < 20; second++) {
    clock.advance(1000);
    const calls = disk.calls;
    await until(() => disk.calls > calls);
    for (let turns = 0; turns < 50; turns++) await turn();
  }
  t.ok((await disk.list(options.folder)).length <= 3);
  disk.repair();
  await log.close();
  const reader = await openTrackLogReader(options);
  t.strictSame(await verdicts(reader), Array.from({ length: 6 }, () => 'same'));
  await reader.close();
});

t.test('a log can begin, and be watched, while there is no disk at all', async (t) => {
  const disk = new FaultyDisk(new MemoryDisk());
  const clock = new FakeClock();
  const options = optionsOn(disk, { clock });
  disk.break('EIO');
  const log = await createTrackLog(options);
  await log.beginEpoch(sampleEpoch(0));
  t.match(await log.append(sample(0).facts, [sample(0).data]), { seq: 0, volatile: true });
  t.strictSame(await verdicts(log.reader), ['same']);
  t.strictSame(log.reader.snapshot().epochs, [sampleEpoch(0)]);
  disk.repair();
  await log.close();
  const reader = await openTrackLogReader(options);
  t.strictSame(await verdicts(reader), ['same'], 'the last try, while closing, came through');
  await reader.close();
});

t.test('a failed flush seals the extent, is not asked again, and is not forgotten', async (t) => {
  const disk = new FaultyDisk(new MemoryDisk());
  const faults: string[] = [];
  const options = optionsOn(disk, { extentBytes: 1 << 20, onFault: ({ kind }) => faults.push(kind) });
  const log = await createTrackLog(options);
  await fill(log, 0, 5);
  disk.break('EIO', /datasync/);
  await log.sync();
  disk.repair();
  t.strictSame(faults, ['sync']);
  t.equal(log.stats().failed, true);
  const before = disk.log.filter((call) => call === 'datasync').length;
  await log.sync();
  t.equal(disk.log.filter((call) => call === 'datasync').length, before);
  await fill(log, 5, 10);
  t.equal(log.stats().extents, 2, 'a new extent goes on');
  await log.sync();
  t.equal(log.stats().failed, true);
  t.notOk((await disk.list(options.folder)).includes('index'), 'the index does not vouch for what may be lost');
  await log.close();
  const reader = await openTrackLogReader(options);
  t.strictSame(await verdicts(reader), Array.from({ length: 10 }, () => 'same'));
  await reader.close();
});

t.test('data is flushed in groups, away from the appends, after the time that was set', async (t) => {
  const disk = new FaultyDisk(new MemoryDisk());
  const clock = new FakeClock();
  const options = optionsOn(disk, { clock, syncEveryMs: 10_000, extentBytes: 1 << 20 });
  const log = await createTrackLog(options);
  await fill(log, 0, 30);
  clock.advance(9_999);
  await turn();
  t.notOk(disk.log.includes('datasync'));
  t.equal(disk.log.filter((call) => call === 'write').length, 31, 'one write for each fragment, one for the epoch');
  const goOn = disk.stall(/datasync/);
  clock.advance(1);
  await until(() => disk.log.includes('datasync'));
  t.match(await log.append(sample(30).facts, [sample(30).data]), { seq: 30, volatile: false }, 'a flush holds nobody up');
  goOn();
  await until(() => disk.log.includes('rename'));
  t.ok(disk.log.includes('syncFolder'));
  await log.close();
});

t.test('recording can be stopped and begun again while live goes on', async (t) => {
  const disk = new FaultyDisk(new MemoryDisk());
  const options = optionsOn(disk, { volatileBytes: 6000 });
  const log = await createTrackLog(options);
  await fill(log, 0, 5);
  log.setRecording(false);
  const bytes = log.stats().bytes;
  for (let seq = 5; seq < 20; seq++) t.match(await log.append(sample(seq).facts, [sample(seq).data]), { volatile: true });
  t.equal(log.stats().bytes, bytes);
  t.strictSame(await log.reader.readChecked(19, 20), [sample(19).data]);
  log.setRecording(true);
  await until(() => log.stats().volatileBytes === 0);
  await log.close();
  const reader = await openTrackLogReader(options);
  const seen = await verdicts(reader);
  t.strictSame([seen.length, seen[4], seen[5], seen[19]], [20, 'same', 'gone', 'same']);
  await reader.close();
});

t.test('closing does not wait for ever for a disk that hangs', async (t) => {
  const disk = new FaultyDisk(new MemoryDisk());
  const clock = new FakeClock();
  const faults: string[] = [];
  const options = optionsOn(disk, { clock, stallMs: 100, onFault: ({ kind }) => faults.push(kind) });
  const log = await createTrackLog(options);
  await fill(log, 0, 2);
  const goOn = disk.stall(/write/);
  const slow = log.append(sample(2).facts, [sample(2).data]);
  const closed = log.close();
  clock.advance(5000);
  await closed;
  t.match(await slow, { seq: 2, volatile: true });
  t.ok(faults.includes('hole'), 'and says what the recording lost');
  goOn();
});

t.test('bytes that rot while the log is open are refused, and told of', async (t) => {
  const faults: string[] = [];
  const disk = new FaultyDisk(new MemoryDisk());
  const options = optionsOn(disk, { onFault: ({ kind }) => faults.push(kind) });
  await written(options, 20);
  const reader = await openTrackLogReader(options);
  const file = await disk.open(`${options.folder}/00000.cmaf`, 'append');
  await file.write(3000, [Buffer.alloc(3, 0xee)]);
  await file.close();
  const seen = await verdicts(reader);
  t.equal(seen.filter((verdict) => verdict === 'corrupt').length, 1);
  t.strictSame(faults, ['corrupt']);
  await reader.close();
});

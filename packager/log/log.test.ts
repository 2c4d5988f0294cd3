import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../clock.ts';
import { readerConformance, writerConformance } from './conformance.ts';
import { MemoryDisk } from './memory-disk.ts';
import { nodeDisk } from './node-disk.ts';
import { createTrackLog, openTrackLog, openTrackLogReader } from './open.ts';
import { sample, sampleEpoch } from './sample.ts';

const folder = () => join(mkdtempSync(join(tmpdir(), 'millrace-log-')), 'videos', 'v', 'v0');
const options = () => ({ disk: nodeDisk, clock: systemClock, folder: folder(), extentBytes: 16_384, stallMs: 60_000, syncEveryMs: 0 });

t.test('a log on disk, written', async (t) => {
  writerConformance(t, async () => {
    const on = options();
    return { writer: await createTrackLog(on), reopen: () => openTrackLog(on) };
  });
});

const written = async () => {
  const on = options();
  const writer = await createTrackLog(on);
  await writer.beginEpoch(sampleEpoch(0));
  for (let seq = 0; seq < 60; seq++) {
    if (seq === 31) await writer.beginEpoch(sampleEpoch(1));
    await writer.append(sample(seq).facts, [sample(seq).data]);
  }
  return { on, writer };
};

t.test('a log on disk, read while it is written', async (t) => {
  readerConformance(t, async () => {
    const { writer } = await written();
    const first = await writer.trim(17);
    t.teardown(() => writer.close());
    return { reader: writer.reader, bytes: Array.from({ length: 60 - first }, (_, at) => sample(first + at).data) };
  });
});

t.test('a log on disk that has ended', async (t) => {
  readerConformance(t, async () => {
    const { on, writer } = await written();
    await writer.close();
    return { reader: await openTrackLogReader(on), bytes: Array.from({ length: 60 }, (_, seq) => sample(seq).data) };
  });
});

t.test('a log in memory, as the tests of faults use it', async (t) => {
  writerConformance(t, async () => {
    const on = { ...options(), disk: new MemoryDisk() };
    return { writer: await createTrackLog(on), reopen: () => openTrackLog(on) };
  });
});

t.test('a log is not begun where one is', async (t) => {
  const { on, writer } = await written();
  await writer.close();
  await t.rejects(createTrackLog(on), { code: 'out-of-order' });
});

t.test('a folder without a log cannot be opened', async (t) => {
  await t.rejects(openTrackLog(options()), { code: 'gone' });
  await t.rejects(openTrackLogReader(options()), { code: 'gone' });
});

import t from 'tap';
import { readerConformance, writerConformance } from './conformance.ts';
import { MemoryLog } from './memory-log.ts';
import { sample, sampleEpoch } from './sample.ts';

t.test('a log in memory, written', async (t) => {
  writerConformance(t, async () => {
    const writer = new MemoryLog();
    return { writer, reopen: async () => writer.reopen() };
  });
});

t.test('a log in memory, read', async (t) => {
  readerConformance(t, async () => {
    const writer = new MemoryLog();
    await writer.beginEpoch(sampleEpoch(0));
    for (let seq = 0; seq < 60; seq += 1) await writer.append(sample(seq).facts, [sample(seq).data]);
    const first = await writer.trim(17);
    return { reader: writer.reader, bytes: Array.from({ length: 60 - first }, (_, at) => sample(first + at).data) };
  });
});

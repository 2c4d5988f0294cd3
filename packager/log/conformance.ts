/**
 * What every track log must do, whatever stands behind it. `readerConformance` is for everything that can be read
 * (also the virtual log over an MP4), `writerConformance` for what can be written to. Called from a test file.
 */
import type { Test } from 'tap';
import { inPieces, sample, sampleEpoch } from './sample.ts';
import { LogError } from './types.ts';
import type { FragmentEntry, TrackLogReader, TrackLogWriter } from './types.ts';

export type ReadableLog = {
  readonly reader: TrackLogReader;
  /** Bytes of every fragment that the log must hold, from its first on. */
  readonly bytes: readonly Buffer[];
};

/** `make` gives a log with at least ten fragments; a new one each time. The reader is closed by the suite. */
export function readerConformance(t: Test, make: () => Promise<ReadableLog>): void {
  const withLog = (name: string, run: (t: Test, log: ReadableLog) => Promise<void>) =>
    t.test(name, async (t) => {
      const log = await make();
      await run(t, log);
      await log.reader.close();
    });

  withLog('a snapshot names every fragment, in order and without holes', async (t, { reader, bytes }) => {
    const snapshot = reader.snapshot();
    t.equal(snapshot.end - snapshot.first, bytes.length);
    let last: FragmentEntry | null = null;
    for (let seq = snapshot.first; seq < snapshot.end; seq++) {
      const entry = snapshot.entry(seq);
      t.equal(entry.seq, seq);
      t.equal(entry.size, bytes[seq - snapshot.first]?.length);
      t.ok(entry.duration >= 0 && (!last || entry.dts >= last.dts), 'time does not go back');
      t.ok(snapshot.epochs.some((facts) => facts.epoch === entry.epoch), 'the facts of its epoch are known');
      last = entry;
    }
    t.throws(() => snapshot.entry(snapshot.end), { code: 'not-yet' });
    if (snapshot.first > 0) t.throws(() => snapshot.entry(snapshot.first - 1), { code: 'gone' });
  });

  withLog('decoding can begin with the first fragment, and every epoch can be played', async (t, { reader }) => {
    const snapshot = reader.snapshot();
    const entry = snapshot.entry(snapshot.first);
    if (snapshot.first === 0) t.ok(entry.key || entry.gap); // trimming cuts where an extent ends
    t.ok(snapshot.epochs.every((facts) => facts.timescale > 0 && facts.init.length > 0 && facts.codecString !== ''));
  });

  withLog('any range reads as exactly its fragments, checked or not', async (t, { reader, bytes }) => {
    const { first, end } = reader.snapshot();
    for (const [from, to] of [[first, end], [first, first + 1], [end - 1, end], [first + 3, end - 2], [first, first]] as const) {
      for (const read of [await reader.read(from, to), await reader.readChecked(from, to)]) {
        t.equal(read.length, to - from);
        t.ok(read.every((data, at) => data.equals(bytes[from - first + at] ?? Buffer.alloc(0))), `${from} to ${to}`);
      }
    }
  });

  withLog('heads are the beginnings of fragments, and all of a shorter one', async (t, { reader, bytes }) => {
    const { first, end } = reader.snapshot();
    for (const length of [1, 16, 300, 1_000_000]) {
      const heads = await reader.readHeads(first, end, length);
      t.equal(heads.length, end - first);
      t.ok(heads.every((head, at) => head.equals(bytes[at]?.subarray(0, length) ?? Buffer.alloc(0))), `${length} bytes of each`);
    }
    t.ok((await reader.readHeads(end - 1, end, 8))[0]?.equals(bytes.at(-1)?.subarray(0, 8) ?? Buffer.alloc(0)));
    await t.rejects(reader.readHeads(end - 1, end + 1, 8), { code: 'not-yet' });
    await t.rejects(reader.readHeads(first + 1, first, 8), RangeError);
  });

  withLog('reads at the same time do not disturb each other', async (t, { reader, bytes }) => {
    const { first, end } = reader.snapshot();
    const reads = Array.from({ length: 40 }, async (_, at) => {
      const from = first + (at % (end - first));
      const data = await reader.read(from, end);
      return data.every((buffer, next) => buffer.equals(bytes[from - first + next] ?? Buffer.alloc(0)));
    });
    t.ok((await Promise.all(reads)).every(Boolean));
  });

  withLog('what is not there is refused with a reason', async (t, { reader }) => {
    const { first, end } = reader.snapshot();
    await t.rejects(reader.read(end - 1, end + 1), { code: 'not-yet' });
    if (first > 0) await t.rejects(reader.read(first - 1, end), { code: 'gone' });
    await t.rejects(reader.read(first + 1, first), RangeError);
    await t.rejects(reader.read(first + 0.5, end), RangeError);
  });

  withLog('a closed reader says so', async (t, { reader }) => {
    const { first } = reader.snapshot();
    await reader.close();
    await t.rejects(reader.read(first, first + 1), { code: 'closed' });
    await t.rejects(reader.readHeads(first, first + 1, 8), { code: 'closed' });
  });
}

export type WritableLog = {
  readonly writer: TrackLogWriter;
  /** Opens the same log again, after `writer.close()`. */
  readonly reopen: () => Promise<TrackLogWriter>;
};

/** `make` gives an empty log, a new one each time. */
export function writerConformance(t: Test, make: () => Promise<WritableLog>): void {
  t.test('what was appended is read back, at once and after opening again', async (t) => {
    const { writer, reopen } = await make();
    await writer.beginEpoch(sampleEpoch(0));
    for (let seq = 0; seq < 20; seq++) {
      const { facts, data } = sample(seq);
      const entry = await writer.append(facts, inPieces(data));
      t.match(entry, { seq, epoch: 0, size: data.length, volatile: false, ...facts });
      t.ok((await writer.reader.read(seq, seq + 1))[0]?.equals(data));
    }
    await writer.close();
    const again = await reopen();
    t.equal(again.reader.snapshot().end, 20);
    t.strictSame(again.reader.snapshot().epochs, [sampleEpoch(0)]);
    t.match(again.reader.snapshot().entry(19), { seq: 19, ...sample(19).facts });
    t.ok((await again.reader.readChecked(0, 20)).every((data, seq) => data.equals(sample(seq).data)));
    await again.close();
  });

  t.test('appends that do not wait for each other keep their order', async (t) => {
    const { writer } = await make();
    await writer.beginEpoch(sampleEpoch(0));
    const entries = await Promise.all(Array.from({ length: 50 }, (_, seq) => writer.append(sample(seq).facts, [sample(seq).data])));
    t.strictSame(entries.map((entry) => entry.seq), Array.from({ length: 50 }, (_, seq) => seq));
    t.ok((await writer.reader.readChecked(0, 50)).every((data, seq) => data.equals(sample(seq).data)));
    await writer.close();
  });

  t.test('a snapshot does not see what is appended after it', async (t) => {
    const { writer } = await make();
    await writer.beginEpoch(sampleEpoch(0));
    await writer.append(sample(0).facts, [sample(0).data]);
    const before = writer.reader.snapshot();
    await writer.append(sample(1).facts, [sample(1).data]);
    await writer.beginEpoch(sampleEpoch(1));
    t.equal(before.end, 1);
    t.equal(before.epochs.length, 1);
    t.throws(() => before.entry(1), LogError);
    t.equal(writer.reader.snapshot().end, 2);
    await writer.close();
  });

  t.test('numbers go on after opening again, and so do epochs', async (t) => {
    const { writer, reopen } = await make();
    await writer.beginEpoch(sampleEpoch(3));
    for (let seq = 0; seq < 5; seq++) await writer.append(sample(seq).facts, [sample(seq).data]);
    await writer.close();
    const again = await reopen();
    await t.rejects(again.beginEpoch(sampleEpoch(3)), { code: 'out-of-order' });
    await again.beginEpoch(sampleEpoch(4));
    t.match(await again.append(sample(5).facts, [sample(5).data]), { seq: 5, epoch: 4 });
    t.strictSame(again.reader.snapshot().epochs, [sampleEpoch(3), sampleEpoch(4)]);
    t.ok((await again.reader.readChecked(0, 6)).every((data, seq) => data.equals(sample(seq).data)));
    await again.close();
  });

  t.test('an epoch without an init is told again with one, wherever that was heard first', async (t) => {
    const { writer, reopen } = await make();
    const hollow = (epoch: number) => ({ ...sampleEpoch(epoch), init: Buffer.alloc(0) });
    await writer.beginEpoch(hollow(0));
    await t.rejects(writer.beginEpoch(hollow(0)), { code: 'out-of-order' });
    await writer.append({ ...sample(0).facts, gap: true }, []);
    await writer.sync();
    await writer.beginEpoch(sampleEpoch(0));
    await t.rejects(writer.beginEpoch(sampleEpoch(0)), { code: 'out-of-order' });
    await t.rejects(writer.beginEpoch(hollow(0)), { code: 'out-of-order' });
    t.strictSame(writer.reader.snapshot().epochs, [sampleEpoch(0)]);
    for (let seq = 1; seq < 20; seq++) await writer.append(sample(seq).facts, [sample(seq).data]);
    await writer.beginEpoch(hollow(1));
    await writer.append({ ...sample(20).facts, gap: true }, []);
    await writer.close();
    const again = await reopen();
    t.strictSame(again.reader.snapshot().epochs, [sampleEpoch(0), hollow(1)]);
    await again.beginEpoch(sampleEpoch(1));
    await again.append(sample(21).facts, [sample(21).data]);
    t.ok((await again.reader.readChecked(1, 20)).every((data, at) => data.equals(sample(at + 1).data)));
    // The index alone, of which nothing but the end is looked at again.
    for (let seq = 22; seq < 400; seq++) await again.append(sample(seq).facts, [sample(seq).data]);
    await again.close();
    const last = await reopen();
    t.strictSame(last.reader.snapshot().epochs, [sampleEpoch(0), sampleEpoch(1)]);
    t.match(last.reader.snapshot().entry(21), { epoch: 1, gap: false });
    await last.close();
  });

  t.test('a gap takes time and a number, and no bytes', async (t) => {
    const { writer, reopen } = await make();
    await writer.beginEpoch(sampleEpoch(0));
    await writer.append(sample(0).facts, [sample(0).data]);
    t.match(await writer.append({ ...sample(1).facts, gap: true }, []), { seq: 1, gap: true, size: 0 });
    await writer.append(sample(2).facts, [sample(2).data]);
    await writer.close();
    const again = await reopen();
    t.match(again.reader.snapshot().entry(1), { gap: true, size: 0, duration: 300, dts: sample(1).facts.dts });
    t.strictSame((await again.reader.readChecked(0, 3)).map((data) => data.length), [sample(0).data.length, 0, sample(2).data.length]);
    await again.close();
  });

  t.test('nothing is taken before the first epoch, nor after the end', async (t) => {
    const { writer } = await make();
    await t.rejects(writer.append(sample(0).facts, [sample(0).data]), { code: 'out-of-order' });
    await writer.beginEpoch(sampleEpoch(0));
    await t.rejects(writer.append({ ...sample(0).facts, dts: 0.5 }, []), RangeError);
    await t.rejects(writer.append({ ...sample(0).facts, gap: true }, [Buffer.alloc(1)]), RangeError);
    t.match(await writer.append(sample(0).facts, [sample(0).data]), { seq: 0 });
    await writer.close();
    await t.rejects(writer.append(sample(1).facts, [sample(1).data]), { code: 'closed' });
    await t.rejects(writer.beginEpoch(sampleEpoch(1)), { code: 'closed' });
  });

  t.test('trimming forgets old fragments, keeps later ones and their epoch, and survives opening again', async (t) => {
    const { writer, reopen } = await make();
    await writer.beginEpoch(sampleEpoch(0));
    for (let seq = 0; seq < 100; seq++) {
      if (seq === 20) await writer.beginEpoch(sampleEpoch(1));
      await writer.append(sample(seq).facts, [sample(seq).data]);
    }
    const before = writer.reader.snapshot();
    const first = await writer.trim(60);
    t.ok(first > 20 && first <= 60, `the log begins at ${first}`);
    t.equal(before.entry(0).seq, 0, 'an older snapshot still knows its entries');
    await t.rejects(writer.reader.read(0, 1), { code: 'gone' });
    t.strictSame(writer.reader.snapshot().epochs, [sampleEpoch(1)]);
    await writer.close();
    const again = await reopen();
    t.equal(again.reader.snapshot().first, first);
    t.strictSame(again.reader.snapshot().epochs, [sampleEpoch(1)]);
    t.ok((await again.reader.readChecked(first, 100)).every((data, at) => data.equals(sample(first + at).data)));
    await again.close();
  });
}

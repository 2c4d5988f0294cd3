/** Logs of made-up fragments in a folder of their own, for the tests. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { nodeDisk } from './node-disk.ts';
import { createTrackLog } from './open.ts';
import type { LogOptions } from './open.ts';
import { sample, sampleEpoch } from './sample.ts';
import { LogError } from './types.ts';
import type { TrackLogReader } from './types.ts';
import type { RecordingLog } from './writer.ts';

export type Scratch = { readonly options: LogOptions; readonly remove: () => Promise<void> };

/** The disk may be slow on a busy machine, and that is not what most tests are about. */
export async function scratch(more: Partial<LogOptions> = {}): Promise<Scratch> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-log-'));
  const folder = join(root, 'videos', 'video', 'v0');
  const options = { disk: nodeDisk, clock: systemClock, folder, extentBytes: 16_384, stallMs: 60_000, syncEveryMs: 0, ...more };
  return { options, remove: () => rm(root, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Appends the samples [from, to), beginning an epoch first when the log is new. */
export async function fill(log: RecordingLog, from: number, to: number): Promise<void> {
  if (log.reader.snapshot().epochs.length === 0) await log.beginEpoch(sampleEpoch(0));
  for (let seq = from; seq < to; seq++) await log.append(sample(seq).facts, [sample(seq).data]);
}

export async function written(options: LogOptions, count: number): Promise<void> {
  const log = await createTrackLog(options);
  await fill(log, 0, count);
  await log.close();
}

/** What `readChecked` says of each fragment from 0 on: 'same', 'wrong' (which must never be), or the error's code. */
export async function verdicts(reader: TrackLogReader): Promise<string[]> {
  const { first, end } = reader.snapshot();
  const verdict = async (seq: number): Promise<string> => {
    try {
      const [data] = await reader.readChecked(seq, seq + 1);
      return data?.equals(sample(seq).data) ? 'same' : 'wrong';
    } catch (error) {
      if (error instanceof LogError) return error.code;
      throw error;
    }
  };
  return Promise.all(Array.from({ length: end - first }, (_, at) => verdict(first + at)));
}

/** Changes a file behind the log's back. */
export async function tamper(path: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(path, change(await readFile(path)));
}

/** The doors to a track log on disk: begin one, go on with one after a restart, or only read one that has ended. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ExtentFiles, extentNumbers } from './extent-files.ts';
import { ExtentTail } from './extent-tail.ts';
import { asLogError } from './faults.ts';
import type { LogFault, OnFault } from './faults.ts';
import { IndexWriter } from './index-writer.ts';
import { ExtentReader } from './reader.ts';
import { logIdBytes, recordBytes } from './record.ts';
import { recover } from './recover.ts';
import type { Recovered } from './recover.ts';
import { FragmentTable } from './table.ts';
import { LogError } from './types.ts';
import type { Disk, TrackLogReader } from './types.ts';
import { ExtentWriter } from './writer.ts';
import type { RecordingLog, WriterOptions } from './writer.ts';

export type ReaderOptions = {
  readonly disk: Disk;
  /** `…/videos/<id>/<track>` */
  readonly folder: string;
  readonly onFault?: OnFault;
};

export type LogOptions = ReaderOptions & {
  readonly clock: Clock;
  readonly extentBytes?: number;
  /** A write that takes longer is not waited for. */
  readonly stallMs?: number;
  /** Most memory for fragments that the disk has not taken. */
  readonly volatileBytes?: number;
  /** Data is flushed this often; 0: only when asked. */
  readonly syncEveryMs?: number;
  /** Of a log that begins: `logIdBytes` that no other log has; absent: by chance. What is made twice alike is to be alike. */
  readonly logId?: Buffer;
};

const defaults = { extentBytes: 64 * 1024 * 1024, stallMs: 100, volatileBytes: 32 * 1024 * 1024, syncEveryMs: 10_000 };
const silent: OnFault = () => undefined;

/** Begins a log where none is. A disk that fails already here does not stop live: the log then begins in memory. */
export async function createTrackLog(options: LogOptions): Promise<RecordingLog> {
  const { disk, folder, onFault = silent } = options;
  try {
    await disk.mkdir(folder);
    if (extentNumbers(await disk.list(folder)).length > 0) throw new LogError('out-of-order', `${folder} holds a log already`);
  } catch (error) {
    if (error instanceof LogError) throw error;
    onFault({ kind: 'write', message: `${folder} is not there; the log begins in memory`, cause: error });
  }
  const parts = partsOf(options, options.logId ?? randomBytes(logIdBytes));
  return new ExtentWriter({ ...parts, table: new FragmentTable(), epochs: [] });
}

/** Goes on with a log: what lies behind its last intact fragment is cut off. */
export async function openTrackLog(options: LogOptions): Promise<RecordingLog> {
  try {
    const found = await recovered(options);
    const parts = partsOf(options, found.logId ?? randomBytes(logIdBytes));
    const { tail, index } = parts;
    for (const extent of found.extents) {
      await tail.adopt(extent, endOf(found.table, extent), found.unflushed.includes(extent) && extent !== found.tail?.extent);
    }
    if (found.tail) await tail.resume(found.tail, found.tornBytes);
    if (found.index) await index.resume(found.index, found.table.first);
    return new ExtentWriter({ ...parts, table: found.table, epochs: found.epochs });
  } catch (error) {
    throw asLogError(error, options.folder);
  }
}

/** Reads a log that nobody writes to, and changes nothing: a torn tail is not listed. */
export async function openTrackLogReader(options: ReaderOptions): Promise<TrackLogReader> {
  const { disk, folder, onFault = silent } = options;
  try {
    const { table, epochs } = await recovered(options);
    const files = new ExtentFiles(disk, folder, (cause) => onFault(notClosed(cause)));
    const end = table.end;
    return new ExtentReader({ table, files, epochs: () => epochs, end: () => end, waiting: () => null, onFault });
  } catch (error) {
    throw asLogError(error, folder);
  }
}

const notClosed = (cause: unknown): LogFault => ({ kind: 'cleanup', message: 'an extent was not closed', cause });

async function recovered({ disk, folder, onFault = silent }: ReaderOptions): Promise<Recovered> {
  const found = await recover(disk, folder, (cause) => {
    onFault({ kind: 'index', message: 'the index file could not be read', cause });
  });
  if (found.quarantined > 0) onFault({ kind: 'corrupt', message: `${found.quarantined} fragments are damaged` });
  return found;
}

function partsOf(options: LogOptions, logId: Buffer): Omit<WriterOptions, 'table' | 'epochs'> {
  const { disk, folder, clock, onFault = silent } = options;
  const { extentBytes, stallMs, volatileBytes, syncEveryMs } = { ...defaults, ...options };
  const files = new ExtentFiles(disk, folder, (cause) => onFault(notClosed(cause)));
  const tail = new ExtentTail({ disk, folder, files, extentBytes, onFault });
  const index = new IndexWriter(disk, folder, logId, onFault);
  return { clock, logId, tail, files, index, stallMs, volatileBytes, syncEveryMs, onFault };
}

/** Where the last record of the extent ends, as far as the table knows. */
function endOf(table: FragmentTable, extent: number): number {
  const last = table.firstIn(extent + 1, table.end) - 1;
  if (last < table.first || table.place(last).extent !== extent) return 0;
  return table.place(last).offset + recordBytes + table.size(last);
}

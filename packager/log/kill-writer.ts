/** The victim of the kill rounds: goes on with a log as fast as it can, and says of each fragment when it was taken. */
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { systemClock } from '../clock.ts';
import { nodeDisk } from './node-disk.ts';
import { createTrackLog, openTrackLog } from './open.ts';
import { inPieces, sample, sampleEpoch } from './sample.ts';
import type { Disk } from './types.ts';

/** Every fourth fragment is large: most of the time goes into its write. */
export function killData(seq: number): Buffer {
  const { data } = sample(seq);
  return seq % 4 === 3 ? Buffer.concat(Array.from({ length: 30 }, () => data)) : data;
}

/** Small extents and frequent flushes, so that a kill meets every one of their steps. */
export const killOptions = (folder: string) => ({
  disk: nodeDisk,
  clock: systemClock,
  folder,
  extentBytes: 256 * 1024,
  stallMs: 60_000,
  syncEveryMs: 15,
});

/**
 * Some kernels finish a write before they let its process die, others stop at a page. So that many a kill tears
 * a record, this disk writes in small pieces.
 */
const pieceBytes = 512;
const piecemeal: Disk = {
  ...nodeDisk,
  open: async (path, mode) => {
    const file = await nodeDisk.open(path, mode);
    return {
      size: () => file.size(),
      read: (offset, length) => file.read(offset, length),
      write: async (offset, data) => {
        const bytes = Buffer.concat(data);
        for (let at = 0; at < bytes.length; at += pieceBytes) await file.write(offset + at, [bytes.subarray(at, at + pieceBytes)]);
      },
      truncate: (size) => file.truncate(size),
      datasync: () => file.datasync(),
      close: () => file.close(),
    };
  },
};

async function writeUntilKilled(folder: string, isNew: boolean): Promise<never> {
  const log = await (isNew ? createTrackLog : openTrackLog)({ ...killOptions(folder), disk: piecemeal });
  const { end, epochs } = log.reader.snapshot();
  await log.beginEpoch(sampleEpoch((epochs.at(-1)?.epoch ?? -1) + 1));
  for (let seq = end; ; seq++) {
    const data = killData(seq);
    const entry = await log.append(sample(seq).facts, inPieces(data));
    if (!entry.volatile) writeSync(1, `${entry.seq} ${crc32(data)}\n`);
    if (seq % 50 === 49) await log.trim(seq - 40);
  }
}

const [, script, folder, state] = process.argv;
if (script && folder && import.meta.url === pathToFileURL(script).href) await writeUntilKilled(folder, state === 'new');

/**
 * One chunk, from the source's access units to a small track log for each of its rungs:
 *
 *     source's log ─▶ pictures (span, feed) ─NUT─▶ ffmpeg ─NUT per rung─▶ segments (match) ─▶ <video>/work/<address>/<rung>/
 *          └ what cannot be read of it is a hole (around)
 */
import { isLost } from '../../log/types.ts';
import type { EncodeWork } from '../../pipeline/work.ts';
import { SaidError } from '../piped-fault.ts';
import { EncodeError } from '../runs.ts';
import { addressOf } from './address.ts';
import { emptied, makeAddressed, type ChunkBench, type ChunkMade } from './addressed.ts';
import { makeAround, missingIn } from './around.ts';
import { runChunk } from './chunk-run.ts';
import { MatchError } from './match.ts';
import { openSource } from './source.ts';
import type { SourceLog } from './span.ts';

export type PicturesMade = ChunkMade & {
  /** Pictures of the source that nothing could be made of: the ones before them are shown longer. */
  readonly lost: number;
  /** Segments of the source that could not be read, and what hangs on them: its rungs have holes there. */
  readonly holes: number;
};

/** Neither the machine nor bad luck: ffmpeg said so, or what it made does not fit. */
export const isSaid = ({ cause }: EncodeError): boolean => cause instanceof MatchError || cause instanceof SaidError;

/** Rejects with an EncodeError. A recoverable one is worth another attempt; `isSaid` tells those that are worth no third. */
export const encodeChunk = async (bench: ChunkBench, work: EncodeWork): Promise<PicturesMade> => {
  const { disk, build, folder, signal } = bench;
  const make = async (made: string, part: EncodeWork, log: SourceLog, progress: (done: number) => void): Promise<number> => {
    const id = Buffer.from(addressOf(part, build), 'hex');
    const run = (mayLose: boolean): Promise<number> => runChunk({ ...bench, progress, made, id, mayLose }, part, log);
    return run(false).catch(async (error: unknown) => {
      // Which pictures nothing comes of is the same each time, and so is what is made then.
      if (!(error instanceof EncodeError && error.cause instanceof MatchError) || signal.aborted) throw error;
      await emptied(disk, made);
      return run(true);
    });
  };
  const opened = async <Made>(use: (log: SourceLog) => Promise<Made>): Promise<Made> => {
    const { log, close } = await openSource(disk, folder, work.source);
    try {
      return await use(log);
    } finally {
      await close();
    }
  };
  let damage = { lost: 0, holes: 0 };
  const chunk = await makeAddressed(bench, addressOf(work, build), async (made) => {
    const whole = async (log: SourceLog): Promise<typeof damage> => ({ lost: await make(made, work, log, bench.progress), holes: 0 });
    damage = await opened(whole).catch((error: unknown) => {
      if (!isLost(error) || signal.aborted) throw error;
      // Opened anew: a source that somebody has removed is no hole, nor is what was read wrongly once.
      return opened(async (log) => {
        await emptied(disk, made);
        const missing = await missingIn(log, work, signal);
        return missing.size === 0 ? whole(log) : makeAround(bench, work, log, missing, made, make);
      });
    });
  });
  return { ...chunk, ...damage };
};

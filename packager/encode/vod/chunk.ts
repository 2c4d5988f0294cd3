/**
 * One chunk, from the source's access units to a small track log for each of its rungs:
 *
 *     source's log ─▶ pictures (span, feed) ─NUT─▶ ffmpeg ─NUT per rung─▶ segments (match) ─▶ <video>/work/<address>/<rung>/
 */
import type { EncodeWork } from '../../pipeline/work.ts';
import { SaidError } from '../piped-fault.ts';
import { EncodeError } from '../runs.ts';
import { addressOf } from './address.ts';
import { emptied, makeAddressed, type ChunkBench, type ChunkMade } from './addressed.ts';
import { runChunk } from './chunk-run.ts';
import { MatchError } from './match.ts';
import { openSource } from './source.ts';

export type PicturesMade = ChunkMade & {
  /** Pictures of the source that nothing could be made of: the ones before them are shown longer. */
  readonly lost: number;
};

/** Neither the machine nor bad luck: ffmpeg said so, or what it made does not fit. */
export const isSaid = ({ cause }: EncodeError): boolean => cause instanceof MatchError || cause instanceof SaidError;

/** Rejects with an EncodeError. A recoverable one is worth another attempt; `isSaid` tells those that are worth no third. */
export const encodeChunk = async (bench: ChunkBench, work: EncodeWork): Promise<PicturesMade> => {
  const { disk, build, folder, signal } = bench;
  const address = addressOf(work, build);
  let lost = 0;
  const chunk = await makeAddressed(bench, address, async (made) => {
    const source = await openSource(disk, folder, work.source);
    const run = (mayLose: boolean): Promise<number> => runChunk({ ...bench, made, id: Buffer.from(address, 'hex'), mayLose }, work, source.log);
    try {
      lost = await run(false).catch(async (error: unknown) => {
        // Which pictures nothing comes of is the same each time, and so is what is made then.
        if (!(error instanceof EncodeError && error.cause instanceof MatchError) || signal.aborted) throw error;
        await emptied(disk, made);
        return run(true);
      });
    } finally {
      await source.close();
    }
  });
  return { ...chunk, lost };
};

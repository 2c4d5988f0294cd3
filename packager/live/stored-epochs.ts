/** The epochs of logs that were opened again: what players must be told of them is read back out of their inits. */
import { readInit } from '../cmaf/reader.ts';
import type { LogSnapshot } from '../log/types.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import type { EpochRef, TrackEpoch } from '../snapshot.ts';

export const trackEpochs = (log: LogSnapshot, frameRate: number | null): TrackEpoch[] =>
  log.epochs.map(({ epoch, init, codecString }) => {
    const facts = readInit(init);
    const told = { epoch, init, codecString };
    if (facts.kind === 'audio') return { ...told, channels: facts.channels };
    const { width, height } = facts;
    return frameRate === null ? { ...told, width, height } : { ...told, width, height, frameRate };
  });

/** A track that misses an epoch (it had no media in it) is no reason to lose it. */
export const commonEpochs = (tracks: readonly { readonly timescale: number; readonly log: LogSnapshot }[]): EpochRef[] => {
  const epochs = new Map<number, EpochRef>();
  for (const { timescale, log } of tracks) {
    for (const { epoch, wallClock, start } of log.epochs) {
      if (!epochs.has(epoch)) epochs.set(epoch, { epoch, wallClock, startMicros: rescale(start, timescale, MICROS) });
    }
  }
  return [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
};

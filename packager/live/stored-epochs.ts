/** The epochs of logs that were opened again: what players must be told of them is read back out of their inits. */
import { codedPicture } from '../cmaf/coded-picture.ts';
import { readInit } from '../cmaf/reader.ts';
import type { LogSnapshot } from '../log/types.ts';
import { uprightSize } from '../media/picture-facts.ts';
import { MICROS, rescale } from '../media/wire-time.ts';
import type { TrackConfig } from '../media/unit.ts';
import type { EpochRef, TrackEpoch, TrackSnapshot } from '../snapshot.ts';
import { videoRange } from './video-range.ts';

export const trackEpochs = (log: LogSnapshot, frameRate: number | null): TrackEpoch[] =>
  log.epochs.map(({ epoch, init, codecString }) => {
    const told = { epoch, init, codecString };
    // A rung that nothing was encoded for.
    if (init.length === 0) return told;
    const facts = readInit(init);
    if (facts.kind === 'text') return told;
    if (facts.kind === 'audio') return { ...told, channels: facts.channels };
    // In the pixels that it has, whatever their shape.
    const picture = { ...told, ...uprightSize(facts, null), ...videoRange(codedPicture(facts).colour?.transfer ?? null) };
    return frameRate === null ? picture : { ...picture, frameRate };
  });

/** What each track was configured as when it was last heard of. */
export const storedConfigs = (tracks: readonly TrackSnapshot[]): TrackConfig[] =>
  tracks.flatMap(({ epochs }): TrackConfig[] => {
    const last = epochs.at(-1);
    if (!last) return [];
    const facts = readInit(last.init);
    const { config } = facts;
    if (facts.kind === 'text') return [];
    if (facts.kind === 'audio') return [{ kind: 'audio', codec: facts.codec, config }];
    const { codec, width, height } = facts;
    return [{ kind: 'video', codec, config, ...(codec === 'vp9' && { size: { width, height } }) }];
  });

/** A track that misses an epoch (it had no media in it) is no reason to lose it. `run` is that of epochs which name none. */
export const commonEpochs = (tracks: readonly { readonly timescale: number; readonly log: LogSnapshot }[], run: string): EpochRef[] => {
  const epochs = new Map<number, EpochRef>();
  for (const { timescale, log } of tracks) {
    for (const { epoch, wallClock, start, run: named } of log.epochs) {
      if (!epochs.has(epoch)) epochs.set(epoch, { epoch, wallClock, startMicros: rescale(start, timescale, MICROS), run: named || run });
    }
  }
  return [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
};

/** A show that has ended, as a presentation: the same snapshot that a live one gives, out of logs that no longer grow. */
import type { TrackLogReader } from '../log/types.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { RunEvents, storedEvents } from './events.ts';
import type { RunFacts } from './run.ts';
import { commonEpochs, trackEpochs } from './stored-epochs.ts';
import { TrackWindow } from './track-window.ts';

/** Null when nothing of it is stored (any more). */
export const recordingSnapshot = async (facts: RunFacts, readers: ReadonlyMap<string, TrackLogReader>): Promise<PresentationSnapshot | null> => {
  const stored = facts.tracks.flatMap((track) => {
    const log = readers.get(track.id)?.snapshot();
    return log ? [{ track, log, timescale: track.timescale }] : [];
  });
  const tracks: TrackSnapshot[] = [];
  const events = new RunEvents();
  for (const { track, log } of stored) {
    const window = await TrackWindow.fromLongLog(log, track, facts.policy.dvrSeconds);
    const { segments, liveStart } = window;
    const listed = { segments, firstSegment: 0, liveStart, endSegment: segments.length, open: null };
    const reader = window.eventful.length > 0 ? readers.get(track.id) : undefined;
    if (reader) events.restore(await storedEvents(reader, window.eventful));
    tracks.push({ ...track, epochs: trackEpochs(log, facts.rhythm.frameRate), ...listed });
  }
  if (!tracks.some(({ segments }) => segments.length > 0)) return null;
  return {
    video: facts.video,
    run: facts.run,
    state: 'ended',
    revision: 1,
    policy: facts.policy,
    epochs: commonEpochs(stored, facts.run),
    tracks,
    events: events.list,
    cut: { inMicros: null, outMicros: null },
  };
};

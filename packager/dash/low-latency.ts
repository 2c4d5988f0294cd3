/**
 * What a low-latency manifest tells players, frozen with the run. Derived from how the two players at hand work out
 * where the live edge is, which for a SegmentTimeline is not the same:
 *
 *   dash.js  takes the wall clock (UTCTiming), stands `Latency@target` behind it, and asks for a segment from
 *            its end minus @availabilityTimeOffset on, once it is listed.
 *   Shaka    takes the end of the last listed segment plus @availabilityTimeOffset for the edge of the moment of
 *            loading, and stands @suggestedPresentationDelay behind that. The segment in progress is listed with
 *            the length that it will have, so its edge is ahead of the media by up to a segment and the offset:
 *            the delay must make up for both, or it would play what has not been recorded yet.
 */
import { hasParts } from '../hls/window.ts';
import type { PresentationSnapshot } from '../snapshot.ts';

export type LowLatency = {
  /** Seconds before its end that a segment can be asked for: its first part is there then. */
  readonly availabilityOffset: number;
  readonly targetMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** For players that count from the end of what is listed. */
  readonly delaySeconds: number;
  readonly updateSeconds: number;
};

/** A segment is known to players when they have read the manifest again. dash.js never does so more than once a second. */
const updateSeconds = 0.5;
/**
 * What that adds to the latency, on top of what players hold back of the parts: a segment is listed with its first part,
 * and dash.js knows of it a second later at the latest. PART-HOLD-BACK is two parts more than that first one.
 */
const lateKnown = 0.45;
/** How far behind the media Shaka stands when it has loaded the manifest at the worst moment; its own start takes as long again. */
const margin = 0.5;

/**
 * Beyond this (and half a second) dash.js leaps to the live edge. When it leaps in the moment in which it goes from one
 * Period to the next, after an outage, it looks for media at time zero for ever; so it must not be tempted to by any
 * outage that a show survives, and comes back by its jump over the gap.
 */
const farBehindMs = 120_000;

/** Null: without parts there is nothing to gain from the segment in progress. */
export const lowLatency = (snapshot: PresentationSnapshot): LowLatency | null => {
  const { partHoldBack, targetDuration } = snapshot.policy;
  if (partHoldBack === null || !snapshot.tracks.some((track) => hasParts(snapshot, track))) return null;
  const longest = Math.max(...snapshot.tracks.map(({ partTarget }) => partTarget ?? 0));
  const availabilityOffset = Math.max(0, Math.floor((targetDuration - longest) * 1000) / 1000);
  const targetMs = Math.ceil((partHoldBack + lateKnown) * 10) * 100;
  return {
    availabilityOffset,
    targetMs,
    minMs: Math.floor(partHoldBack * 1000),
    maxMs: farBehindMs,
    delaySeconds: Math.ceil((availabilityOffset + targetDuration + margin) * 10) / 10,
    updateSeconds,
  };
};

/**
 * PlaybackRate. Up: what hardly anybody hears, and makes up for an outage within a minute. Never down: Shaka takes the
 * edge that it is to stand behind for the latency that it has, and would slow down until it is that much later.
 */
export const playbackRate = { min: 1, max: 1.1 } as const;

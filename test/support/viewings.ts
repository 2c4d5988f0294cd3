/** Every player at every part length that latency is promised for, with what whoever embeds it would configure. */
import type { Viewing } from './glass.ts';

/**
 * What a page with Shaka sets; docs/playback.md says why. An outage takes no media time, but Shaka's window of a live
 * show moves with the clock: whatever is listed has to stay in it.
 */
export const shaka = { streaming: { lowLatencyMode: true }, manifest: { availabilityWindowOverride: 12 * 3600 } };

/** And with dash.js: it begins at what is listed instead of at the wall clock, where there is nothing during an outage. */
export const dash = { streaming: { timeShiftBuffer: { calcFromSegmentTimeline: true } } };

export type LowLatencyViewing = Viewing & {
  readonly latency: 'low' | 'ultra';
  /** The median may be so high, seconds. Shaka has a promise for the better of its two ways. */
  readonly goal: number;
};

export const lowLatencyViewings: readonly LowLatencyViewing[] = [
  { name: 'hls.js as it comes, 1/3 s', player: 'hls', latency: 'low', goal: 1.6 },
  { name: 'our player, 1/3 s', player: 'app', latency: 'low', goal: 1.3 },
  { name: 'our player, 0.2 s', player: 'app', latency: 'ultra', goal: 1 },
  { name: 'Shaka LL-HLS, 1/3 s', player: 'shaka', config: shaka, latency: 'low', goal: 2 },
  { name: 'Shaka LL-DASH, 1/3 s', player: 'shaka', manifest: 'manifest.mpd', config: shaka, latency: 'low', goal: 2.5 },
  { name: 'dash.js LL-DASH, 1/3 s', player: 'dash', manifest: 'manifest.mpd', config: dash, latency: 'low', goal: 2 },
];

/** What players are told of an upload: known of the whole of it, from the index, before any of its media is there. */
import { initSegment } from '../cmaf/init.ts';
import type { KeptPolicy, RunTrack } from '../live/run-facts.ts';
import type { Rhythm } from '../live/policy.ts';
import { readInit } from '../cmaf/reader-init.ts';
import type { EpochFacts } from '../log/types.ts';
import { MICROS } from '../media/wire-time.ts';
import { segmentRates } from '../rates.ts';
import { Mp4Error } from './movie.ts';
import type { MoviePlan } from './virtual.ts';
import type { PlannableTrack, TrackPlan } from './virtual-plan.ts';

/** `run`: in the names of its files; `wallClock`: ms since 1970, what media time 0 is dated. */
export type EpochWish = { readonly run: string; readonly wallClock: number };

/** The one epoch of a track that is cut out of a file. */
export const virtualEpoch = ({ track, reorderDelay }: TrackPlan, { run, wallClock }: EpochWish): EpochFacts => {
  const init = initOf(track);
  const { codecString } = readInit(init);
  return { epoch: 0, timescale: track.timescale, wallClock, start: 0, reorderDelay, codecString, run, init };
};

const initOf = (track: PlannableTrack): Buffer => {
  const { timescale, config } = track;
  // The three letters of mdhd; what a player is told stands in the manifests.
  const language = /^[a-z]{3}$/.test(track.language) ? { language: track.language } : {};
  if (track.kind === 'audio') {
    const { sampleRate, channels } = track;
    return initSegment({ kind: 'audio', codec: 'aac', config, timescale, sampleRate, channels, ...language });
  }
  const { codec, width, height, rotation, pixelAspect, colour } = track;
  if (codec === 'other') throw new Mp4Error('unsupported', `pictures of ${track.fourcc}`);
  return initSegment({ kind: 'video', codec, config, timescale, width, height, rotation, pixelAspect, colour, ...language });
};

/** What a log of any kind says of its segments. */
export type Measured = { readonly duration: number; readonly size: number; readonly gap: boolean };

const segmentsOf = ({ starts, sizes, segments }: TrackPlan): Measured[] =>
  Array.from({ length: segments }, (_, index) => {
    const size = sizes[index] ?? 0;
    return { duration: (starts[index + 1] ?? 0) - (starts[index] ?? 0), size, gap: size === 0 };
  });

/** Seconds of the longest segment. */
export const longestSegment = (plans: readonly TrackPlan[]): number =>
  plans.reduce((longest, plan) => segmentsOf(plan).reduce((most, { duration }) => Math.max(most, duration / plan.track.timescale), longest), 0);

/** Seconds from the beginning to where the last track ends. */
export const endOfPlans = (plans: readonly TrackPlan[]): number =>
  Math.max(0, ...plans.map(({ track, starts, segments }) => (starts[segments] ?? 0) / track.timescale));

/** Pictures a second on average, to a thousandth; null: there are none, or only one. */
export const frameRateOf = (plans: readonly TrackPlan[]): number | null => {
  const picture = plans.find(({ track }) => track.kind === 'video');
  if (!picture) return null;
  const { track, first, starts, segments } = picture;
  const frames = (first[segments] ?? 0) - (first[0] ?? 0);
  const ticks = (starts[segments] ?? 0) - (starts[0] ?? 0);
  return frames > 1 && ticks > 0 ? Math.round((frames * track.timescale * 1000) / ticks) / 1000 : null;
};

export type PolicyWish = {
  /** Seconds, of all tracks. */
  readonly longest: number;
  /** Seconds of the whole. */
  readonly duration: number;
  readonly frameRate: number | null;
};

/** EXTINF has six decimals. */
const printed = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** What is promised of an upload; kept in the catalog. */
export const uploadPolicy = ({ longest, duration, frameRate }: PolicyWish): KeptPolicy => {
  const targetDuration = Math.max(1, Math.ceil(printed(longest)));
  return {
    latency: 'standard',
    targetDuration,
    partHoldBack: null,
    version: 9,
    independentSegments: true,
    // All of it stays listed, however long it is.
    dvrSeconds: Math.ceil(duration) + 60,
    growing: true,
    closedCaptions: [],
    rhythm: rhythmOf(targetDuration, frameRate),
  };
};

/** Nobody cuts by it: it is the place where the rate of the pictures is kept. */
const rhythmOf = (targetDuration: number, frameRate: number | null): Rhythm => {
  const segmentMicros = targetDuration * MICROS;
  return {
    ...{ segmentMicros, segmentLimitMicros: segmentMicros, gopMicros: null, partLimitMicros: segmentMicros, frameRate },
    longestFrameMicros: frameRate === null ? 0 : Math.round(MICROS / frameRate),
    audioFramesPerPart: 1,
  };
};

const idOf = (kind: 'video' | 'audio', index: number): string => `${kind === 'video' ? 'v' : 'a'}${index}`;

export type VirtualTrack = RunTrack & { readonly original: number };

/** The tracks of a plan as presentations list them: `v0`, `a0`, `a1`, …; of several sounds the first one is what is heard first. */
export const virtualTracks = ({ tracks }: Pick<MoviePlan, 'tracks'>, targetDuration: number): VirtualTrack[] => {
  const counts = { video: 0, audio: 0 };
  return tracks.map((plan) => {
    const { track } = plan;
    const { kind, timescale, codec, language, name } = track;
    if (codec === 'other') throw new Mp4Error('unsupported', `track ${track.id} cannot be played`);
    const rates = segmentRates(segmentsOf(plan), targetDuration, timescale) ?? { peak: 0, average: 0 };
    const id = idOf(kind, counts[kind]);
    counts[kind] += 1;
    return {
      ...{ id, kind, codec, timescale, bandwidth: rates.peak, averageBandwidth: rates.average, partTarget: null },
      group: kind,
      ...(kind === 'audio' && language !== 'und' && { language }),
      ...(kind === 'audio' && name !== null && { name }),
      original: track.id,
    };
  });
};

/**
 * What ffmpeg made, put away as track logs: its MP4 is read by our own index and cut on the grid of the asset like any
 * upload, and the fragments are copied into logs. Nothing of ffmpeg's own muxing is ever served.
 *
 *     made.mp4 ─▶ parseMovie ─▶ plan on the grid ─▶ fragments ─▶ <folder>/<track>/00000.cmaf …
 */
import { setImmediate } from 'node:timers/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { KeptPolicy, RunTrack } from '../live/run-facts.ts';
import type { Disk, TrackLogReader } from '../log/types.ts';
import { diskSource } from '../mp4/disk-source.ts';
import type { Grid } from '../mp4/grid.ts';
import type { Movie, MovieTrack, RangeSource } from '../mp4/movie.ts';
import { parseMovie } from '../mp4/parse.ts';
import { endOfPlans, frameRateOf, longestSegment, uploadPolicy, virtualEpoch, virtualTracks, type EpochWish } from '../mp4/virtual-facts.ts';
import { VirtualTrackLog } from '../mp4/virtual-log.ts';
import { planningMovie, type MoviePlan } from '../mp4/virtual.ts';
import { inTurns } from '../progressive/steps.ts';
import { WholeLog } from './whole-log.ts';

/** What players are to be told of tracks that are whole. */
export type Shelf = {
  readonly tracks: readonly RunTrack[];
  readonly policy: KeptPolicy;
  readonly durationMs: number;
};
export type OpenMovie = { readonly movie: Movie; readonly source: RangeSource; close(): Promise<void> };

export type ShelveOptions = {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Logs are made in it, each in a folder with the name of its track. */
  readonly folder: string;
  /** Of every track of the plan. */
  readonly names: readonly string[];
  readonly epoch: EpochWish;
  readonly signal: AbortSignal;
};

/** Rejects with an Mp4Error. */
export const openMovie = async (disk: Pick<Disk, 'open'>, path: string): Promise<OpenMovie> => {
  const file = await disk.open(path, 'read');
  try {
    const source = diskSource(file, await file.size());
    return { movie: await parseMovie(source), source, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
};

/** Rejects with an Mp4Error where a track cannot be cut. */
export const planCalmly = (movie: Movie, wish: { readonly tracks?: readonly number[]; readonly grid?: Grid | null } = {}): Promise<MoviePlan> =>
  inTurns(planningMovie(movie, wish), () => setImmediate());

/** Of another run over the same source: some containers are counted from the first thing that was asked for. Its first picture is that of the grid. */
export const broughtTo = (movie: Movie, grid: Grid, firstPicture: number): Movie => ({
  ...movie,
  tracks: movie.tracks.map((track): MovieTrack => {
    if (track.kind !== 'video' || track.edit.kind !== 'plain') return track;
    const missing = Math.round((((grid.starts[0] ?? 0) / grid.timescale) - firstPicture) * track.timescale);
    return missing === 0 ? track : { ...track, edit: { ...track.edit, delay: track.edit.delay + missing } };
  }),
});

/** Media time of the first picture that is shown, seconds. */
export const firstPictureOf = ({ grid }: MoviePlan): number => (grid.starts[0] ?? 0) / grid.timescale;

export const shelfOf = (plan: MoviePlan): Shelf => {
  const duration = endOfPlans(plan.tracks);
  const { growing: _growing, ...policy } = uploadPolicy({ longest: longestSegment(plan.tracks), duration, frameRate: frameRateOf(plan.tracks) });
  return { tracks: virtualTracks(plan, policy.targetDuration).map(({ original: _original, ...track }) => track), policy, durationMs: Math.round(duration * 1000) };
};

/** Two presentations of one asset, side by side. */
export const together = (a: Shelf, b: Shelf): Shelf => {
  const lead = a.policy.rhythm.frameRate === null ? b.policy : a.policy;
  return {
    tracks: [...a.tracks, ...b.tracks],
    policy: {
      ...lead,
      targetDuration: Math.max(a.policy.targetDuration, b.policy.targetDuration),
      dvrSeconds: Math.max(a.policy.dvrSeconds ?? 0, b.policy.dvrSeconds ?? 0),
    },
    durationMs: Math.max(a.durationMs, b.durationMs),
  };
};

/** Copies the tracks of a plan into logs of their own. Resolves with the bytes that they take when all of it is on the platter. */
export const shelve = async ({ plan, source }: { readonly plan: MoviePlan; readonly source: RangeSource }, options: ShelveOptions): Promise<number> => {
  let bytes = 0;
  for (const [index, track] of plan.tracks.entries()) {
    const name = options.names[index];
    if (name === undefined) throw new Error(`Track ${index} has no name.`);
    const virtual = new VirtualTrackLog(track, source, virtualEpoch(track, options.epoch));
    bytes += await copyLog(virtual, join(options.folder, name), options);
  }
  return bytes;
};

const copyLog = async (from: TrackLogReader, folder: string, { disk, clock, signal }: ShelveOptions): Promise<number> => {
  const log = await WholeLog.create({ disk, clock, folder });
  try {
    const { first, end, epochs, entry } = from.snapshot();
    for (const epoch of epochs) await log.beginEpoch(epoch);
    for (let seq = first; seq < end; seq += 1) {
      signal.throwIfAborted();
      const { dts, firstPts, duration, key, segmentStart, gap } = entry(seq);
      await log.append({ dts, firstPts, duration, key, segmentStart, gap }, gap ? [] : await from.read(seq, seq + 1));
    }
    return await log.finish();
  } finally {
    await log.close();
  }
};

/**
 * Uploaded files as they are played: the movie is read anew whenever one is opened, which takes moments, and its tracks
 * are cut out of the file on the grid of the asset. All of them share one open file.
 */
import { setImmediate } from 'node:timers/promises';
import { gridOfLog, type Grid } from '../../packager/mp4/grid.ts';
import { diskSource } from '../../packager/mp4/disk-source.ts';
import type { Movie, RangeSource } from '../../packager/mp4/movie.ts';
import { parseMovie } from '../../packager/mp4/parse.ts';
import { planningMovie, type MoviePlan, type PlanWish } from '../../packager/mp4/virtual.ts';
import { virtualEpoch, type EpochWish } from '../../packager/mp4/virtual-facts.ts';
import { VirtualTrackLog } from '../../packager/mp4/virtual-log.ts';
import type { Disk, TrackLogReader } from '../../packager/log/types.ts';
import { inTurns } from '../../packager/progressive/steps.ts';
import type { TrackRow } from '../catalog/videos.ts';

export const originalName = 'original';
/** Beside an original while it arrives: what of it has landed, by whichever way it comes. */
export const arrivingNames: readonly string[] = ['original.landed', 'original.import'];

export type OpenFile = { readonly source: RangeSource; readonly close: () => Promise<void> };

/** `arriving`: the size that it will have, and what of it is there; without it, it is as large as it is. */
export const openFile = async (disk: Disk, path: string, arriving?: { readonly size: number; has(from: number, to: number): boolean }): Promise<OpenFile> => {
  const file = await disk.open(path, 'read');
  const source = arriving ? diskSource(file, arriving.size, (from, to) => arriving.has(from, to)) : diskSource(file, await file.size());
  return { source, close: () => file.close() };
};

/** In turns: others are live meanwhile. */
export const planOf = (movie: Movie, wish: PlanWish = {}): Promise<MoviePlan> => inTurns(planningMovie(movie, wish), setImmediate);

/** `ids`: of the plan's tracks, in its order; `end`: so many segments are there (without it, all). */
export const logsOf = (plan: MoviePlan, ids: readonly string[], source: RangeSource, epoch: EpochWish, end?: number): Map<string, VirtualTrackLog> =>
  new Map(plan.tracks.map((track, index) => [ids[index] ?? '', new VirtualTrackLog(track, source, virtualEpoch(track, epoch), end)]));

type Played = Pick<TrackRow, 'id' | 'kind' | 'timescale' | 'original'>;

/** Those that are cut out of the original. */
export const cutOut = <Row extends Played>(tracks: readonly Row[]): (Row & { readonly original: number })[] =>
  tracks.flatMap((track) => (track.original === null ? [] : [{ ...track, original: track.original }]));

/**
 * The grid that a video is cut on is that of its original's picture. Null: that is what it is made of. Where the picture
 * was encoded, or the sound that leads, its log has the grid.
 */
export const gridOf = (tracks: readonly Played[], readers: ReadonlyMap<string, TrackLogReader>): Grid | null => {
  const lead = leadOf(tracks);
  const reader = lead?.original === null ? readers.get(lead.id) : undefined;
  return lead && reader ? gridOfLog(reader.snapshot(), lead.timescale) : null;
};

/** The track whose grid it is. */
export const leadOf = <Row extends Played>(tracks: readonly Row[]): Row | undefined => {
  const pictures = tracks.filter(({ kind }) => kind === 'video');
  return pictures.find(({ original }) => original !== null) ?? pictures[0] ?? tracks.find(({ kind }) => kind === 'audio');
};

export type Original = { readonly logs: ReadonlyMap<string, VirtualTrackLog>; readonly weight: number; readonly close: () => Promise<void> };

/** The tracks of a file that is whole. Rejects with an Mp4Error when it is not what it was. */
export const openOriginal = async (disk: Disk, path: string, tracks: readonly Played[], grid: Grid | null, epoch: EpochWish): Promise<Original> => {
  const { source, close } = await openFile(disk, path);
  try {
    const wanted = cutOut(tracks);
    const plan = await planOf(await parseMovie(source), { tracks: wanted.map(({ original }) => original), grid });
    return { logs: logsOf(plan, wanted.map(({ id }) => id), source, epoch), weight: plan.weight, close };
  } catch (error) {
    await close();
    throw error;
  }
};

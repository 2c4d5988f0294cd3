/**
 * An uploaded MP4 as track logs: its sample tables are the index, and fragments are cut out of the file when they are
 * asked for. Here the tracks that are played are cut on one grid: that of the picture, else of the first sound, or the
 * one that is given, where the lead of the asset is a log of its own.
 */
import type { Steps } from '../progressive/steps.ts';
import { toTheEnd } from '../progressive/steps.ts';
import type { Grid } from './grid.ts';
import { Mp4Error, type Movie, type MovieAudio, type MovieVideo } from './movie.ts';
import { pictures, type PicturePlan } from './virtual-pictures.ts';
import { weightOf } from './virtual-plan.ts';
import { sounds, type SoundPlan } from './virtual-sounds.ts';

export type MoviePlan = {
  readonly grid: Grid;
  /** In the order in which they were asked for. */
  readonly tracks: readonly (PicturePlan | SoundPlan)[];
  /** Memory held, with the tables of the movie. */
  readonly weight: number;
};

export type PlanWish = {
  /** track_IDs; without them one picture and all sounds. */
  readonly tracks?: readonly number[];
  readonly grid?: Grid | null;
};

/** What is played of a file where nobody says: the best picture and every sound, what the file has switched on first. */
export const playable = ({ tracks }: Movie): (MovieVideo | MovieAudio)[] => {
  const pictures = tracks.filter((track) => track.kind === 'video' && track.codec !== 'other' && track.samples.count > 0) as MovieVideo[];
  const sounds = tracks.filter((track) => track.kind === 'audio' && track.codec !== 'other' && track.samples.count > 0) as MovieAudio[];
  const on = ({ enabled }: MovieVideo | MovieAudio): number => Number(enabled);
  pictures.sort((a, b) => on(b) - on(a) || b.width * b.height - a.width * a.height);
  sounds.sort((a, b) => on(b) - on(a));
  return [...pictures.slice(0, 1), ...sounds];
};

/** Throws Mp4Error where a track cannot be cut, and nothing else. */
export const planMovie = (movie: Movie, wish: PlanWish = {}): MoviePlan => toTheEnd(planningMovie(movie, wish));

/** The same in steps of a millisecond or two. */
export function* planningMovie(movie: Movie, { tracks, grid: given = null }: PlanWish = {}): Steps<MoviePlan> {
  const chosen = tracks ? tracks.map((id) => trackOf(movie, id)) : playable(movie);
  // Whatever they are asked for in, the grid is that of the picture.
  const lead = chosen.find(({ kind }) => kind === 'video') ?? chosen[0];
  if (!lead) throw new Mp4Error('unsupported', 'there is neither picture nor sound');
  const first = yield* cutTrack(lead, given);
  const plans: (PicturePlan | SoundPlan)[] = [];
  for (const track of chosen) plans.push(track === lead ? first.plan : (yield* cutTrack(track, first.grid)).plan);
  return { grid: first.grid, tracks: plans, weight: movie.weight + plans.reduce((sum, plan) => sum + weightOf(plan), 0) };
}

const trackOf = (movie: Movie, id: number): MovieVideo | MovieAudio => {
  const track = movie.tracks.find((one) => one.id === id);
  if (!track || (track.kind !== 'video' && track.kind !== 'audio') || track.codec === 'other') {
    throw new Mp4Error('unsupported', `track ${id} cannot be cut into fragments`);
  }
  return track;
};

const cutTrack = (track: MovieVideo | MovieAudio, grid: Grid | null): Steps<{ readonly grid: Grid; readonly plan: PicturePlan | SoundPlan }> =>
  track.kind === 'video' ? pictures(track, grid) : sounds(track, grid);

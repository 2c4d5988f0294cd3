/** The original as it lies on the disk: what kind of file it is, and what of it can be shown as it is. */
import { join } from 'node:path';
import { openMovie, planCalmly } from '../../packager/encode/shelve.ts';
import type { Disk } from '../../packager/log/types.ts';
import { sniff, sniffBytes, type Container } from '../../packager/media/sniff.ts';
import { judgeMovie } from '../../packager/mp4/judge.ts';
import { Mp4Error, type Movie, type RangeSource } from '../../packager/mp4/movie.ts';
import { playable } from '../../packager/mp4/virtual.ts';

export const originalPath = (folder: string, video: string): string => join(folder, video, 'original');

/** Null: nothing that is taken. */
export const containerOf = async (disk: Pick<Disk, 'open'>, path: string): Promise<Container | null> => {
  const file = await disk.open(path, 'read');
  try {
    return sniff(await file.read(0, sniffBytes));
  } finally {
    await file.close();
  }
};

export type Usable = {
  /** There is one; null: it cannot be cut. */
  readonly hasPicture: boolean;
  readonly picture: { readonly id: number; readonly codec: 'h264' | 'hevc' } | null;
  /** track_IDs of those that can be cut, what is heard first ahead. */
  readonly sounds: readonly number[];
  /** Those that cannot, by their place among the sounds of the file. */
  readonly otherSounds: readonly number[];
};

/** Rejects with an Mp4Error. */
export const usableTracks = async (movie: Movie, source: RangeSource): Promise<Usable> => {
  const { tracks } = await judgeMovie(movie, source);
  const fit = new Set(tracks.filter(({ use }) => use === 'standard' || use === 'carried').map(({ id }) => id));
  const chosen = playable(movie);
  const picture = chosen.find(({ kind, id }) => kind === 'video' && fit.has(id));
  const audible = movie.tracks.filter(({ kind, samples }) => kind === 'audio' && samples.count > 0);
  return {
    hasPicture: movie.tracks.some(({ kind, samples }) => kind === 'video' && samples.count > 0),
    picture: picture?.kind === 'video' && picture.codec !== 'other' ? { id: picture.id, codec: picture.codec } : null,
    sounds: chosen.filter(({ kind, id }) => kind === 'audio' && fit.has(id)).map(({ id }) => id),
    otherSounds: audible.flatMap(({ id }, index) => (fit.has(id) ? [] : [index])),
  };
};

/** A picture that looks as it should may still not be cut: segments too large, times that no fragment can say. */
const isCut = async (movie: Movie, picture: number): Promise<boolean> => {
  try {
    await planCalmly(movie, { tracks: [picture] });
    return true;
  } catch (error) {
    if (error instanceof Mp4Error) return false;
    throw error;
  }
};

/** Rejects with an Mp4Error. */
export const usableOf = async (disk: Pick<Disk, 'open'>, path: string): Promise<Usable> => {
  const { movie, source, close } = await openMovie(disk, path);
  try {
    const usable = await usableTracks(movie, source);
    return usable.picture && !(await isCut(movie, usable.picture.id)) ? { ...usable, picture: null } : usable;
  } finally {
    await close();
  }
};

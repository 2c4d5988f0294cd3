/**
 * What is made for a video and has an address by what it is: it appears under it whole or not at all, and is there for good
 * once it does. Whoever does the same work again, later or at the same time, has nothing to do or puts the same bytes there;
 * of a source that has been damaged in between there are holes, which say so themselves.
 *
 *     make ─▶ <job>/made/ ─ rename ─▶ <video>/work/<address>/
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { codeOf } from '../../log/faults.ts';
import { LogError, type Disk } from '../../log/types.ts';
import { Mp4Error } from '../../mp4/movie.ts';
import { EncodeError } from '../runs.ts';
import type { JobPlace, Sandbox } from '../sandbox.ts';

export type ChunkBench = {
  readonly sandbox: Pick<Sandbox, 'piped'>;
  /** Of the job, on the disk of the videos: what is not finished lies in it and is taken away again. */
  readonly place: JobPlace;
  readonly disk: Disk;
  readonly clock: Clock;
  /** Of the video: the paths of the work lie in it, and what is made goes to `work/<address>` in it. */
  readonly folder: string;
  /** Of ffmpeg: see `buildOf`. */
  readonly build: string;
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly progress: (done: number) => void;
};

export type ChunkMade = {
  readonly address: string;
  /** `<folder>/work/<address>`: in it a track log for each rung, or that of a sound. */
  readonly folder: string;
  /** False: it was there already. */
  readonly isNew: boolean;
};

/** In the folder of a video: what is made for it and is not listed yet. */
export const workFolder = 'work';

export const isThere = (path: string): Promise<boolean> => stat(path).then((found) => found.isDirectory(), () => false);

/** Whatever an earlier attempt left in it is gone. */
export const emptied = async (disk: Disk, folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  await disk.mkdir(folder);
};

/** `make` is given an empty folder. Rejects with an EncodeError. */
export const makeAddressed = async ({ disk, place, folder, signal, progress }: ChunkBench, address: string, make: (made: string) => Promise<void>): Promise<ChunkMade> => {
  const works = join(folder, workFolder);
  const target = join(works, address);
  if (await isThere(target)) {
    progress(1);
    return { address, folder: target, isNew: false };
  }
  const made = join(place.folder, 'made');
  try {
    signal.throwIfAborted();
    await emptied(disk, made);
    await make(made);
    signal.throwIfAborted();
    await disk.syncFolder(made);
    await disk.mkdir(works);
    const isNew = await putInPlace(disk, made, target);
    await disk.syncFolder(works);
    progress(1);
    return { address, folder: target, isNew };
  } catch (error) {
    throw asEncodeError(error, signal);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
};

/** False: somebody else was done with the same work in the meantime. */
const putInPlace = async (disk: Disk, made: string, target: string): Promise<boolean> => {
  try {
    await disk.rename(made, target);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '') && (await isThere(target))) return false;
    throw error;
  }
};

const asEncodeError = (error: unknown, signal: AbortSignal): EncodeError => {
  if (signal.aborted) return new EncodeError('unwanted', 'It is not wanted any more.', true, { cause: error });
  if (error instanceof EncodeError) return error;
  if (error instanceof Mp4Error) return new EncodeError('broken', 'The original cannot be read any more.', false, { cause: error });
  if (error instanceof LogError) return new EncodeError(error.code === 'corrupt' ? 'broken' : 'encode-failed', 'Its source cannot be read.', error.code === 'io', { cause: error });
  const full = ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
  return new EncodeError(full ? 'no-room' : 'encode-failed', full ? 'There is no room left on the disk of the server.' : 'The machine that worked on it failed.', true, { cause: error });
};

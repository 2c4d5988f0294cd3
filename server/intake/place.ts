/** The original under the name that programs know it by: linked where the disk can, copied where it cannot and there is room. */
import { constants, copyFile, link, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inputName, makeJobPlace, type JobPlace } from '../../packager/encode/sandbox.ts';
import { codeOf } from '../../packager/log/faults.ts';
import type { Disk } from '../../packager/log/types.ts';
import { failing, IntakeFault } from './failures.ts';

/** What the disk keeps for everything else. */
export const spareBytes = 256 * 2 ** 20;

/** `folder` is the job's, and begins empty. */
export const placeWith = async ({ disk }: { readonly disk: Pick<Disk, 'space'> }, folder: string, original: string): Promise<JobPlace> => {
  await rm(folder, { recursive: true, force: true });
  const place = await makeJobPlace(folder);
  const input = join(place.work, inputName);
  try {
    await link(original, input);
  } catch (error) {
    if (!['EPERM', 'EXDEV', 'ENOTSUP', 'EMLINK', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error;
    await copyTo(disk, place.work, original, input);
  }
  return place;
};

const copyTo = async (disk: Pick<Disk, 'space'>, work: string, original: string, input: string): Promise<void> => {
  try {
    // The same blocks under two names cost nothing.
    return await copyFile(original, input, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    // Few file systems can. What the first attempt left is written over.
  }
  const [{ size }, { free }] = await Promise.all([stat(original), disk.space(work)]);
  if (free - spareBytes < size) throw new IntakeFault(failing('no-room'), true);
  await copyFile(original, input);
};

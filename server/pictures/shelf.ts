/**
 * Where pictures of a video lie: a folder for everything that was made at once, named by what it is and by its version, so that
 * a folder that is there is whole and never changes.
 *
 *     <video>/pictures/storyboard-<version>/storyboard.vtt, storyboard-0.jpg …
 *     <video>/pictures/posters-<version>/poster-0.jpg …
 *     <video>/pictures/preview-<version>/preview.webp
 *     <video>/pictures/own-<version>/poster.jpg
 */
import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../packager/log/faults.ts';
import type { Disk } from '../../packager/log/types.ts';
import type { KeptPictures } from './kept.ts';

export type PictureSet = 'storyboard' | 'posters' | 'preview' | 'own';
export type PictureFile = { readonly name: string; readonly bytes: Buffer };

export const picturesFolder = 'pictures';

/** Of what they show. */
export const versionOf = (parts: readonly (Buffer | string)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(createHash('sha256').update(part).digest());
  return hash.digest('hex').slice(0, 16);
};

export const folderOfSet = (set: PictureSet, version: string): string => `${set}-${version}`;

/**
 * On the platter, and whole, before it has its name. `aside`: a folder that is nobody else's, on the same disk. A video that is gone
 * is not made anew: its folder must be there.
 */
export const shelveSet = async (disk: Disk, home: string, aside: string, { set, version, files }: { readonly set: PictureSet; readonly version: string; readonly files: readonly PictureFile[] }): Promise<void> => {
  const folder = join(home, picturesFolder);
  await mkdir(folder).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  const name = folderOfSet(set, version);
  if ((await disk.list(folder)).includes(name)) return;
  const making = join(aside, name);
  await rm(making, { recursive: true, force: true });
  await disk.mkdir(making);
  for (const { name: file, bytes } of files) {
    const opened = await disk.open(join(making, file), 'create');
    try {
      await opened.write(0, [bytes]);
      await opened.datasync();
    } finally {
      await opened.close();
    }
  }
  await disk.syncFolder(making);
  await disk.rename(making, join(folder, name)).catch((error: unknown) => {
    // Somebody else has made the same, to the byte.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
  });
  await disk.syncFolder(folder);
};

/** Those of this kind that the video names. */
const namedBy = ({ storyboards, posters, previews, own }: KeptPictures, set: PictureSet): Set<string> => {
  const made: readonly { readonly version: string }[] = { storyboard: storyboards, posters, preview: previews, own: own ? [own] : [] }[set];
  return new Set(made.map(({ version }) => folderOfSet(set, version)));
};

/**
 * What a change has taken out of the row, and nothing else: of another trim there may be what is made and waits to be named. What
 * a kill leaves between the change and this goes with the video.
 */
export const dropReplaced = async (home: string, set: PictureSet, before: KeptPictures, after: KeptPictures): Promise<void> => {
  const named = namedBy(after, set);
  for (const name of namedBy(before, set)) if (!named.has(name)) await rm(join(home, picturesFolder, name), { recursive: true, force: true });
};

/** Whatever is not named, where nobody else is making one of this kind. */
export const dropOthers = async (disk: Pick<Disk, 'list'>, home: string, set: PictureSet, kept: KeptPictures): Promise<void> => {
  const folder = join(home, picturesFolder);
  const named = namedBy(kept, set);
  const names = await disk.list(folder).catch(() => []);
  for (const name of names) if (name.startsWith(`${set}-`) && !named.has(name)) await rm(join(folder, name), { recursive: true, force: true });
};

/** Films as intake leaves them, for tests of what is made behind them. */
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../packager/clock.ts';
import { nodeDisk } from '../../packager/log/node-disk.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { someUpload } from '../catalog/testing.ts';
import { Arrivals } from '../intake/arrivals.ts';
import { nothingBehind, silent } from '../intake/testing.ts';
import type { Running } from '../live/presentations.ts';
import type { Behind } from './types.ts';

type Film = { readonly catalog: Catalog; readonly clock: Clock; /** Of all videos. */ readonly folder: string; readonly ownerId: string; readonly file: string; readonly ladder?: string };

const presentations = { add: () => undefined, ended: (run: Running) => void run.close(), drop: () => undefined };

/** Whole, and `playable`, as a kill leaves it before anything is planned. */
export const playableFilm = async ({ catalog, clock, folder, ownerId, file, ladder = 'standard' }: Film, makesTracks: Behind['makesTracks'] = () => true): Promise<string> => {
  const video = await someUpload(catalog, { ownerId, ladder, size: (await stat(file)).size });
  await mkdir(join(folder, video), { recursive: true });
  await copyFile(file, join(folder, video, 'original'));
  const arrivals = new Arrivals({ clock, log: silent, disk: nodeDisk, folder, videos: catalog.videos, presentations, behind: { ...nothingBehind, makesTracks } });
  await catalog.uploads.whole(video);
  await arrivals.whole(video);
  await arrivals.close();
  await catalog.uploads.taken(video);
  return video;
};

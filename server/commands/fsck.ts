/** `millrace fsck`: what is on the disk against the catalog. The server must not be running: it alone opens the catalog. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../packager/clock.ts';
import { fsck } from '../../packager/log/fsck.ts';
import type { Disk } from '../../packager/log/types.ts';
import { openCatalog, type Catalog } from '../catalog/catalog.ts';
import { CatalogError } from '../catalog/errors.ts';
import { createLog } from '../log.ts';

/** 0: all is well. 1: something is missing or damaged. 2: it could not be told. */
export const checkStorage = async (data: string, deep: boolean, disk: Disk): Promise<number> => {
  const catalog = await openExisting(data);
  if (!catalog) return 2;
  try {
    const report = await fsck({ disk, folder: join(data, 'videos'), known: await catalog.videos.allIds(), deep });
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return report.damaged.length > 0 || report.missing.length > 0 ? 1 : 0;
  } finally {
    await catalog.close();
  }
};

/** A mistyped folder must not look like a sound one: nothing is made here. */
const openExisting = async (data: string): Promise<Catalog | null> => {
  if (!existsSync(join(data, 'catalog.db'))) {
    process.stderr.write(`There is no catalog in ${data}. Is MILLRACE_DATA right?\n`);
    return null;
  }
  try {
    return await openCatalog({ folder: data, clock: systemClock, log: createLog('error') });
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  }
};

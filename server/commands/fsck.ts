/** `millrace fsck`: what is on the disk against the catalog. The server must not be running: it alone opens the catalog. */
import { join } from 'node:path';
import { systemClock } from '../../packager/clock.ts';
import { fsck } from '../../packager/log/fsck.ts';
import type { Disk } from '../../packager/log/types.ts';
import { openCatalog } from '../catalog/catalog.ts';
import { createLog } from '../log.ts';

export const checkStorage = async (data: string, deep: boolean, disk: Disk): Promise<number> => {
  const catalog = await openCatalog({ folder: data, clock: systemClock, log: createLog('error') });
  try {
    const report = await fsck({ disk, folder: join(data, 'videos'), known: await catalog.videos.allIds(), deep });
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return report.damaged.length > 0 || report.missing.length > 0 ? 1 : 0;
  } finally {
    await catalog.close();
  }
};

/** The image of an operator as a file of a video: what chunks lay on their pictures, so that each of them has the same one. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeJobPlace } from '../../packager/encode/sandbox.ts';
import { makeMark, mostImageBytes } from '../../packager/encode/vod/mark-image.ts';
import type { WatermarkWork } from '../../packager/pipeline/work.ts';
import { failing, IntakeFault } from '../intake/failures.ts';
import { mustSandbox } from '../intake/inspect.ts';
import type { JobHandler } from '../jobs/runner.ts';
import { homeOf, type WorkTools } from './ground.ts';

export const watermarkHandler =
  (tools: WorkTools): JobHandler =>
  async ({ payload }, { folder, signal }) => {
    const { disk } = tools;
    const { video, image, path } = payload as WatermarkWork;
    const home = await homeOf(tools, video);
    if ((await disk.list(home)).includes(path)) return;
    const bytes = await imageOf(image);
    const png = await makeMark({ sandbox: await mustSandbox(tools), place: await makeJobPlace(folder), signal }, bytes);
    const made = join(folder, 'image.png');
    const file = await disk.open(made, 'create');
    try {
      await file.write(0, [png]);
      await file.datasync();
    } finally {
      await file.close();
    }
    await disk.rename(made, join(home, path));
    await disk.syncFolder(home);
  };

/** What chunks are named by is the image that there was when the server started. */
const imageOf = async ({ path, digest }: WatermarkWork['image']): Promise<Buffer> => {
  try {
    if ((await stat(path)).size > mostImageBytes) throw new Error(`${path} is too large`);
    const bytes = await readFile(path);
    if (createHash('sha256').update(bytes).digest('hex') !== digest) throw new Error(`${path} is another image than at the start`);
    return bytes;
  } catch (cause) {
    const words = 'The image of the watermark is not what it was when the server started. Whoever runs it can mend that.';
    throw new IntakeFault(failing('encode-failed', words), false, { cause });
  }
};
